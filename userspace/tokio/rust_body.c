// SPDX-License-Identifier: MIT
#include "tokio/rust_body.h"

#include <ctype.h>
#include <string.h>

#define WRAPPERS_MAX 16 /* of a future */

bool rust_body_is(struct rust_span symbol)
{
	struct rust_path path;

	rust_path_split(symbol, &path);
	return path.n > 1 && path.segments[path.n - 1].closure != RUST_NO_CLOSURE &&
	       !rust_span_begins(symbol, "tokio::runtime::") &&
	       !rust_span_begins(symbol, "core::") && !rust_span_begins(symbol, "std::");
}

static bool is_part_of_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool is_name(struct rust_span span)
{
	for (size_t i = 0; i < span.n; i++)
		if (!is_part_of_name(span.s[i]))
			return false;
	return span.n > 0;
}

bool rust_body_name(struct rust_span type, struct rust_span *name)
{
	for (int i = 0; i < WRAPPERS_MAX; i++) {
		struct rust_span argument;
		struct rust_path path;
		size_t last;

		rust_path_split(type, &path);
		for (last = path.n; last && path.segments[last - 1].closure != RUST_NO_CLOSURE;)
			last--;
		if (!last)
			return false;
		*name = path.segments[last - 1].name;
		if (last < path.n || !rust_path_argument(type, 0, &argument) ||
		    (!memmem(argument.s, argument.n, "::", 2) &&
		     !rust_span_begins(type, "tokio::")))
			return is_name(*name);
		type = argument;
	}
	return false;
}

/* The rest of the path that goes on at the beginning of a span: up to where what it is in goes on.
 */
static struct rust_span rest_of_path(struct rust_span span)
{
	size_t comma = rust_span_find(span, ","), depth = 0;

	for (size_t i = 0; i < comma; i++) {
		char c = span.s[i];

		if (c == '<' || c == '(' || c == '[' || c == '{')
			depth++;
		else if (c == ')' || c == ']' || c == '}' ||
			 (c == '>' && !(i && span.s[i - 1] == '-')))
			if (!depth--)
				return (struct rust_span){span.s, i};
	}
	return (struct rust_span){span.s, comma};
}

/* Whether two lists of closures, of which one may have no numbers, can be the same. */
static bool same_closures(const struct rust_path *a, size_t i, const struct rust_path *b, size_t j)
{
	struct rust_span last, other;

	if (a->n - i != b->n - j)
		return false;
	if (i == a->n)
		return true;
	last = a->segments[a->n - 1].number;
	other = b->segments[b->n - 1].number;
	return b->segments[b->n - 1].closure != RUST_NO_CLOSURE &&
	       (!last.n || !other.n || (last.n == other.n && !memcmp(last.s, other.s, last.n)));
}

/* Whether a type has a path that goes on like this: a name, then closures. */
static bool has_path(struct rust_span type, const struct rust_path *symbol, size_t name)
{
	struct rust_span wanted = symbol->segments[name].name, rest = type;
	const char *at;

	while ((at = memmem(rest.s, rest.n, wanted.s, wanted.n))) {
		size_t before = at - type.s, end = before + wanted.n;
		struct rust_path path;

		rest = rust_span_from(type, end);
		if (before < 2 || memcmp(at - 2, "::", 2) ||
		    (end < type.n && is_part_of_name(type.s[end])))
			continue;
		rust_path_split(rest_of_path(rust_span_from(type, before)), &path);
		if (path.n && same_closures(symbol, name + 1, &path, 1))
			return true;
	}
	return false;
}

/* T of "<T as core::future::future::Future>::poll". */
static bool take_polled(const struct rust_path *symbol, struct rust_span *type)
{
	struct rust_span first = symbol->segments[0].name;
	size_t as;

	if (symbol->n != 2 || !rust_span_is(symbol->segments[1].name, "poll") || first.n < 2 ||
	    !rust_span_begins(first, "<"))
		return false;
	first = (struct rust_span){first.s + 1, first.n - 2};
	as = rust_span_find(first, " as ");
	*type = (struct rust_span){first.s, as};
	return as < first.n && rust_path_ends(rust_span_from(first, as + 4), "Future");
}

/* Whether a type of future is another one, or what that wraps. */
static bool is_polled(struct rust_span polled, struct rust_span type)
{
	struct rust_span wanted;
	struct rust_path path;

	rust_path_split(polled, &path);
	return path.n && rust_body_name(type, &wanted) &&
	       path.segments[path.n - 1].name.n == wanted.n &&
	       !memcmp(path.segments[path.n - 1].name.s, wanted.s, wanted.n) &&
	       memmem(type.s, type.n, polled.s, polled.n);
}

bool rust_body_of(struct rust_span symbol, struct rust_span type)
{
	struct rust_path path;
	struct rust_span polled;
	size_t name;

	rust_path_split(symbol, &path);
	if (path.n < 2 || rust_span_begins(symbol, "core::") || rust_span_begins(symbol, "std::"))
		return false;
	if (take_polled(&path, &polled))
		return is_polled(polled, type);
	for (name = path.n - 1; name && path.segments[name].closure != RUST_NO_CLOSURE;)
		name--;
	/* An item of its own is no body of what only has its name in it. */
	return name && has_path(type, &path, name);
}
