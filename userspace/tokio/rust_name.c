// SPDX-License-Identifier: MIT
#include "tokio/rust_name.h"

#include <string.h>

#include "util/text.h"
#include "util/utf8.h"

#define DEPTH_MAX 24          /* types within types */
#define ARGUMENTS_DEPTH_MAX 2 /* arguments of arguments that are shown */
#define BYTES_MAX 1024        /* of a name before it is cut to RUST_NAME_COLUMNS */

struct writer {
	size_t n;
	bool has_generics;   /* arguments of types are wanted */
	bool is_function;    /* a closure at the end is one, no async body */
	bool is_carried;     /* by a wrapper that was named */
	unsigned int within; /* arguments of how many types */
	char s[BYTES_MAX];
};

static void put(struct writer *w, struct rust_span text)
{
	size_t room = sizeof(w->s) - 1 - w->n;
	size_t n = text.n < room ? text.n : room;

	memcpy(w->s + w->n, text.s, n);
	w->n += n;
}

static void put_string(struct writer *w, const char *s)
{
	put(w, rust_span_of(s));
}

static void put_type(struct writer *w, struct rust_span type, int depth);

/* A generic argument: what its path ends in. */
static void put_argument(struct writer *w, struct rust_span type, int depth);

static void put_arguments(struct writer *w, struct rust_span arguments, int depth)
{
	struct rust_span argument;
	size_t n = 0;

	if (!w->has_generics || w->within == ARGUMENTS_DEPTH_MAX)
		return;
	w->within++;
	while (rust_span_take(&arguments, ",", &argument)) {
		if (!argument.n || *argument.s == '\'' ||
		    rust_span_is(argument, "alloc::alloc::Global"))
			continue;
		put_string(w, n++ ? ", " : "<");
		put_argument(w, argument, depth);
	}
	if (n)
		put_string(w, ">");
	w->within--;
}

/* What an impl block is for: T of `<T as Trait>`, `<T>` and `<impl Trait for T>`. */
static struct rust_span implementor(struct rust_span segment)
{
	struct rust_span inner = {segment.s + 1, segment.n > 2 ? segment.n - 2 : 0};
	size_t of = rust_span_find(inner, " for ");

	if (!rust_span_begins(inner, "impl "))
		return rust_span_trim((struct rust_span){inner.s, rust_span_find(inner, " as ")});
	return rust_span_trim(of < inner.n ? rust_span_from(inner, of + 5)
					   : rust_span_from(inner, 5));
}

/*
 * Closures that stand for the body of an async function are not shown. DWARF tells which do.
 * Symbols do not; there a function's first closure is taken for its body: an async function has
 * only that one, and all others within it.
 */
static void put_closure(struct writer *w, const struct rust_segment *closure, bool is_last,
			bool is_only)
{
	bool is_first = !closure->number.n || rust_span_is(closure->number, "#0");
	bool is_function = closure->closure == RUST_CLOSURE && (w->is_function || !is_last);

	if (closure->closure == RUST_ASYNC_FN)
		return;
	if (is_first &&
	    (!is_last || (is_only && closure->closure == RUST_CLOSURE && !w->is_function)))
		return;
	put_string(w, is_function ? "::{closure" : "::{async block");
	put(w, closure->number);
	put_string(w, "}");
}

/* A segment that is no closure. */
static void put_segment(struct writer *w, const struct rust_segment *segment, int depth)
{
	if (*segment->name.s == '<')
		put_type(w, implementor(segment->name), depth);
	else
		put(w, segment->name);
	put_arguments(w, segment->arguments, depth);
}

/* Whether a function, or the trait it implements, is Tokio's. */
static bool is_of_tokio(struct rust_span first)
{
	return rust_span_is(first, "tokio") || rust_span_begins(first, "<tokio::") ||
	       memmem(first.s, first.n, " as tokio::", strlen(" as tokio::"));
}

/* Whether it is in a program's main function. That is never async: Rust takes none, and what
 * #[tokio::main] makes of one is a block. */
static bool is_in_main(const struct rust_path *path)
{
	return path->n > 2 && rust_span_is(path->segments[1].name, "main") &&
	       path->segments[2].closure != RUST_NO_CLOSURE;
}

static void put_path(struct writer *w, const struct rust_path *path, int depth)
{
	/* Closures within Tokio are its own affair; so is that tokio::fs::read is in a module of
	 * its name. */
	bool is_tokio = path->n && is_of_tokio(path->segments[0].name);
	struct rust_span before = {"", 0};
	bool is_only = path->nclosures == 1 && !is_in_main(path);
	size_t start = w->n, closures = 0;

	for (size_t i = 0; i < path->n; i++) {
		const struct rust_segment *segment = &path->segments[i];
		bool is_same =
			segment->name.n == before.n && !memcmp(segment->name.s, before.s, before.n);

		if (segment->closure != RUST_NO_CLOSURE) {
			closures++;
			if (is_tokio)
				continue;
			put_closure(w, segment, closures == path->nclosures, is_only);
			/* In DWARF it is the body that has the function's arguments. */
			put_arguments(w, segment->arguments, depth);
			continue;
		}
		if (!segment->name.n || *segment->name.s == '{' || (is_tokio && is_same))
			continue;
		if (w->n > start)
			put_string(w, "::");
		put_segment(w, segment, depth);
		before = segment->name;
	}
}

/* Types that only carry another one. */
static bool is_wrapper(struct rust_span name)
{
	static const char *const names[] = {
		"AssertUnwindSafe", "BlockingTask",  "Box",          "Coop", "GenFuture",
		"Instrumented",     "ManuallyDrop",  "MaybeUninit",  "Pin",  "Root",
		"TrackedFuture",    "Unconstrained", "WithDispatch",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (rust_span_is(name, names[i]))
			return true;
	return false;
}

/* Whether a type has the body of an async function, or a boxed future, in it. */
static bool has_future(struct rust_span type)
{
	static const char *const marks[] = {"{{closure}}", "{closure", "{async_", "dyn "};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (memmem(type.s, type.n, marks[i], strlen(marks[i])))
			return true;
	return false;
}

/* "dyn core::future::future::Future<Output = ()> + core::marker::Send", or, in legacy symbols, "dyn
 * core::future::future::Future+Output = ()+core::marker::Send". */
static void put_trait(struct writer *w, struct rust_span bounds, int depth)
{
	struct rust_span bound, output;
	struct rust_path path;

	if (!rust_span_take(&bounds, "+", &bound))
		return;
	rust_path_split(bound, &path);
	if (!path.n)
		return;
	put_string(w, "dyn ");
	put(w, path.segments[path.n - 1].name);
	output = path.segments[path.n - 1].arguments;
	if (!output.n &&
	    (!rust_span_take(&bounds, "+", &output) || rust_span_find(output, "=") == output.n))
		return;
	put_string(w, "<");
	if (rust_span_begins(output, "Output")) {
		put_string(w, "Output = ");
		output = rust_span_trim(rust_span_from(output, rust_span_find(output, "=")));
		output = rust_span_trim(rust_span_from(output, output.n > 0));
	}
	put_argument(w, output, depth);
	put_string(w, ">");
}

/* "(A, B)" and "[A]", "[A; N]". */
static void put_list(struct writer *w, struct rust_span type, int depth)
{
	struct rust_span rest = {type.s + 1, type.n - 2}, part;
	const char *mark = *type.s == '(' ? "," : ";";

	put(w, (struct rust_span){type.s, 1});
	for (size_t i = 0; rust_span_take(&rest, mark, &part); i++) {
		if (i)
			put(w, (struct rust_span){*type.s == '(' ? ", " : "; ", 2});
		put_argument(w, part, depth);
	}
	put(w, (struct rust_span){type.s + type.n - 1, 1});
}

/* "&'a mut T", "*const T": what is before T. */
static struct rust_span without_reference(struct rust_span type)
{
	static const char *const words[] = {"mut ", "const ", "&", "*"};
	size_t n;

	do {
		n = type.n;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (rust_span_begins(type, words[i]))
				type = rust_span_trim(rust_span_from(type, strlen(words[i])));
		if (rust_span_begins(type, "'"))
			type = rust_span_trim(rust_span_from(type, rust_span_find(type, " ")));
	} while (type.n < n);
	return type;
}

/* What no path is. False: it is one. */
static bool put_other(struct writer *w, struct rust_span type, int depth)
{
	if (!type.n || depth > DEPTH_MAX) {
		put_string(w, "…");
		return true;
	}
	if (rust_span_begins(type, "(dyn ") && type.s[type.n - 1] == ')')
		type = (struct rust_span){type.s + 1, type.n - 2};
	if (rust_span_begins(type, "dyn "))
		put_trait(w, rust_span_trim(rust_span_from(type, 4)), depth + 1);
	else if (type.n > 1 && (*type.s == '(' || *type.s == '['))
		put_list(w, type, depth + 1);
	else if (rust_span_begins(type, "fn(") || rust_span_begins(type, "for<") ||
		 rust_span_begins(type, "unsafe ") || rust_span_begins(type, "extern "))
		put(w, type);
	else
		return false;
	return true;
}

static void put_argument(struct writer *w, struct rust_span type, int depth)
{
	struct rust_span inner = without_reference(rust_span_trim(type));
	struct rust_path path;
	size_t last;

	if (inner.n < type.n && rust_span_begins(type, "&"))
		put_string(w, "&");
	if (put_other(w, inner, depth + 1))
		return;
	rust_path_split(inner, &path);
	for (last = path.n; last > 1 && *path.segments[last - 1].name.s == '{';)
		last--;
	if (last)
		put_segment(w, &path.segments[last - 1], depth + 1);
}

/* The name of a type of its own, in whole. */
static void put_type(struct writer *w, struct rust_span type, int depth)
{
	struct rust_span inner = without_reference(rust_span_trim(type)), argument;
	const struct rust_segment *last;
	bool carries;
	struct rust_path path;

	if (put_other(w, inner, depth + 1))
		return;
	rust_path_split(inner, &path);
	if (!path.n)
		return;
	last = &path.segments[path.n - 1];
	carries = last->closure == RUST_NO_CLOSURE && rust_path_argument(inner, 0, &argument);
	w->is_function |= carries && (rust_span_is(last->name, "BlockingTask") ||
				      rust_span_is(last->name, "PollFn"));
	if (carries && is_wrapper(last->name)) {
		put_type(w, argument, depth + 1);
	} else if (carries && has_future(argument)) {
		if (w->is_carried) {
			put_type(w, argument, depth + 1);
			return;
		}
		w->is_carried = true;
		put(w, last->name);
		put_string(w, "<");
		put_type(w, argument, depth + 1);
		put_string(w, ">");
	} else {
		put_path(w, &path, depth + 1);
	}
}

static void write_name(struct writer *w, struct rust_span type, bool has_generics)
{
	w->n = w->within = 0;
	w->has_generics = has_generics;
	w->is_function = w->is_carried = false;
	put_type(w, type, 0);
	w->s[w->n] = '\0';
	utf8_sanitize(w->s);
}

/* Makes "a::…::d::e" of "a::b::c::d::e" where that is short enough. */
static void leave_out_modules(struct writer *w)
{
	const char *first = strstr(w->s, "::"), *rest = first;
	size_t crate = first ? (size_t)(first - w->s) : 0;
	struct writer shorter = {.n = crate};

	if (!first || crate > RUST_NAME_COLUMNS / 2 || strpbrk(w->s, "<(["))
		return;
	while (rest && strlen(rest) > RUST_NAME_COLUMNS - crate - strlen("::."))
		rest = strstr(rest + 1, "::");
	if (!rest)
		return;
	memcpy(shorter.s, w->s, crate);
	put_string(&shorter, "::…");
	put_string(&shorter, rest);
	*w = shorter;
}

char *rust_name_short(struct rust_span type)
{
	struct writer w;

	write_name(&w, type, true);
	if (text_width(w.s) > RUST_NAME_COLUMNS)
		write_name(&w, type, false);
	if (text_width(w.s) > RUST_NAME_COLUMNS)
		leave_out_modules(&w);
	return text_shorten(w.s, RUST_NAME_COLUMNS);
}
