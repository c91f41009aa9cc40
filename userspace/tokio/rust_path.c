// SPDX-License-Identifier: MIT
#include "tokio/rust_path.h"

#include <string.h>

struct rust_span rust_span_of(const char *s)
{
	return (struct rust_span){s, strlen(s)};
}

bool rust_span_is(struct rust_span span, const char *s)
{
	return span.n == strlen(s) && !memcmp(span.s, s, span.n);
}

bool rust_span_begins(struct rust_span span, const char *s)
{
	return span.n >= strlen(s) && !memcmp(span.s, s, strlen(s));
}

struct rust_span rust_span_from(struct rust_span span, size_t n)
{
	return (struct rust_span){span.s + n, span.n - n};
}

struct rust_span rust_span_trim(struct rust_span span)
{
	while (span.n && *span.s == ' ')
		span = rust_span_from(span, 1);
	while (span.n && span.s[span.n - 1] == ' ')
		span.n--;
	return span;
}

size_t rust_span_find(struct rust_span span, const char *mark)
{
	size_t length = strlen(mark);
	int depth = 0;

	for (size_t i = 0; i < span.n; i++) {
		char c = span.s[i];

		if (!depth && span.n - i >= length && !memcmp(span.s + i, mark, length))
			return i;
		if (c == '<' || c == '(' || c == '[' || c == '{')
			depth++;
		else if (c == ')' || c == ']' || c == '}' ||
			 (c == '>' && !(i && span.s[i - 1] == '-')))
			depth -= depth > 0;
	}
	return span.n;
}

bool rust_span_take(struct rust_span *rest, const char *mark, struct rust_span *part)
{
	size_t n = rust_span_find(*rest, mark);

	if (!rest->n)
		return false;
	*part = rust_span_trim((struct rust_span){rest->s, n});
	*rest = n < rest->n ? rust_span_from(*rest, n + strlen(mark)) : rust_span_from(*rest, n);
	return true;
}

/* A path's segment without its generic arguments, and those ("" where there are none). */
static struct rust_span without_arguments(struct rust_span segment, struct rust_span *arguments)
{
	size_t n = rust_span_find(segment, "<");

	*arguments = (struct rust_span){"", 0};
	if (n == segment.n || segment.s[segment.n - 1] != '>')
		return segment;
	*arguments = (struct rust_span){segment.s + n + 1, segment.n - n - 2};
	return (struct rust_span){segment.s, n};
}

static enum rust_closure closure_of(struct rust_span name)
{
	static const struct {
		const char *begin;
		enum rust_closure closure;
	} kinds[] = {
		{"{{closure}}", RUST_CLOSURE},        {"{closure", RUST_CLOSURE},
		{"{async_fn", RUST_ASYNC_FN},         {"{async_block", RUST_ASYNC_BLOCK},
		{"{async_closure", RUST_ASYNC_BLOCK},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (rust_span_begins(name, kinds[i].begin))
			return kinds[i].closure;
	return RUST_NO_CLOSURE;
}

static struct rust_span number_of(struct rust_span closure)
{
	size_t hash = 0;

	while (hash < closure.n && closure.s[hash] != '#')
		hash++;
	if (hash == closure.n)
		return (struct rust_span){"", 0};
	return (struct rust_span){closure.s + hash, closure.n - hash - 1};
}

/* Splits "a::b::<T>::{closure#0}"; the arguments belong to the segment before them. */
void rust_path_split(struct rust_span rest, struct rust_path *path)
{
	struct rust_span part;

	path->n = path->nclosures = 0;
	while (path->n < RUST_SEGMENTS_MAX && rust_span_take(&rest, "::", &part)) {
		struct rust_segment *segment = &path->segments[path->n];

		if (rust_span_begins(part, "<") && path->n && !rust_span_begins(part, "<impl ")) {
			if (part.n > 2)
				segment[-1].arguments = (struct rust_span){part.s + 1, part.n - 2};
			continue;
		}
		*segment = (struct rust_segment){.name = part, .arguments = {"", 0}};
		if (!rust_span_begins(part, "<"))
			segment->name = without_arguments(part, &segment->arguments);
		segment->closure = closure_of(segment->name);
		segment->number = number_of(segment->name);
		path->nclosures += segment->closure != RUST_NO_CLOSURE;
		path->n++;
	}
}

bool rust_path_argument(struct rust_span name, size_t i, struct rust_span *argument)
{
	struct rust_span rest;
	struct rust_path path;

	rust_path_split(name, &path);
	if (!path.n)
		return false;
	rest = path.segments[path.n - 1].arguments;
	do {
		if (!rust_span_take(&rest, ",", argument))
			return false;
	} while (i--);
	return argument->n > 0;
}

bool rust_path_ends(struct rust_span name, const char *end_path)
{
	struct rust_path whole, end;

	rust_path_split(name, &whole);
	rust_path_split(rust_span_of(end_path), &end);
	if (!end.n || end.n > whole.n)
		return false;
	for (size_t i = 0; i < end.n; i++) {
		struct rust_span a = whole.segments[whole.n - end.n + i].name;
		struct rust_span b = end.segments[i].name;

		if (a.n != b.n || memcmp(a.s, b.s, a.n))
			return false;
	}
	return true;
}
