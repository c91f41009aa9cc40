// SPDX-License-Identifier: MIT
#include "emit/await_point.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "emit/frames.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NESTED_MAX                                                                                 \
	16 /* types of types, as in <<A as B>::C as D>: each is looked through to its end */

/* Part of a name. */
struct span {
	const char *text;
	size_t length;
};

static bool span_is(struct span span, const char *text)
{
	return strlen(text) == span.length && !strncmp(span.text, text, span.length);
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* At the `>` that closes the `<` at text, or at the end. The `>` of an arrow closes nothing. */
static const char *closing(const char *text)
{
	unsigned int depth = 0;

	for (; *text; text++) {
		if (*text == '<')
			depth++;
		else if (*text == '>' && text[-1] != '-' && !--depth)
			break;
	}
	return text;
}

/* " as " of "<TYPE as TRAIT>", which ends at `end`; NULL: it is none. */
static const char *find_as(const char *text, const char *end)
{
	for (text++; text < end; text++) {
		if (*text == '<')
			text = closing(text);
		else if (starts_with(text, " as "))
			return text;
	}
	return NULL;
}

/* What stands before the path of a type. */
static const char *skip_marks(const char *text)
{
	static const char *const words[] = {"&", "(", "[", "*", "mut ", "const ", "dyn ", "impl "};

	for (size_t i = 0; i < COUNT(words); i++) {
		if (starts_with(text, words[i])) {
			text += strlen(words[i]);
			i = (size_t)-1;
		}
	}
	return text;
}

/* The first word of a path of more than one, else nothing: a C function, or a type's parameter. */
static struct span first_word(const char *path)
{
	size_t length = 0;

	while (is_word(path[length]))
		length++;
	return (struct span){path, starts_with(path + length, "::") ? length : 0};
}

/* Of a Rust function, as legacy and v0 symbols and DWARF name it; empty of others. */
static struct span crate_of(const char *function)
{
	for (unsigned int i = 0; *function == '<' && i < NESTED_MAX; i++) {
		const char *as = find_as(function, closing(function));
		struct span crate;

		function = skip_marks(function + 1);
		if (*function == '<')
			continue;
		crate = first_word(function);
		/* Of any type: what the trait's crate makes of it. */
		return crate.length || !as ? crate : first_word(skip_marks(as + strlen(" as ")));
	}
	return first_word(function);
}

static bool is_language(struct span crate)
{
	return span_is(crate, "core") || span_is(crate, "std") || span_is(crate, "alloc");
}

/* What async programs are commonly built on. */
static bool is_library_crate(struct span crate)
{
	static const char *const names[] = {
		"tokio", "mio",         "futures", "hyper",       "hyper_util",       "h2",
		"tower", "tonic",       "axum",    "reqwest",     "rustls",           "quinn",
		"bytes", "parking_lot", "tracing", "pin_project", "pin_project_lite",
	};
	static const char *const families[] = {"tokio_", "futures_"};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (span_is(crate, names[i]))
			return true;
	}
	for (size_t i = 0; i < COUNT(families); i++) {
		size_t length = strlen(families[i]);

		if (crate.length > length && !strncmp(crate.text, families[i], length))
			return true;
	}
	return is_language(crate);
}

/* Where toolchains and package managers keep the sources of others. */
static bool is_library_file(const char *file)
{
	static const char *const parts[] = {"/rustc/", "/rustlib/src/", "cargo/registry/",
					    "cargo/git/"};

	for (size_t i = 0; i < COUNT(parts); i++) {
		if (strstr(file, parts[i]))
			return true;
	}
	return starts_with(file, "library/");
}

/* What the C library begins threads with; it has names, with debug files, where the program has none. */
static bool is_thread_start(const struct emit_frame *frame)
{
	static const char *const names[] = {
		"__clone",
		"__clone3",
		"__libc_start_call_main",
		"__libc_start_main",
		"__libc_start_main_impl",
		"_start",
		"clone",
		"clone3",
		"start_thread",
		"thread_start",
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (!strcmp(frame->name, names[i]))
			return true;
	}
	return false;
}

static bool is_pollrt(const struct emit_frame *frame)
{
	return starts_with(frame->name, "pollrt_");
}

/* Functions that have but an address are called "[module+0x10]". */
static bool is_unnamed(const struct emit_frame *frame)
{
	return !frame->known || *frame->name == '[';
}

/* Functions of pollrt call others of its own, which are not called so, and none of the program's; but these. */
static bool calls_back(const struct emit_frame *frame)
{
	return starts_with(frame->name, "pollrt_block_");
}

enum await_code await_walk(struct await_walk *walk, const struct emit_frame *frame)
{
	struct span crate = crate_of(frame->name);

	if (is_unnamed(frame))
		return AWAIT_UNNAMED;
	if (is_pollrt(frame)) {
		walk->inside |= !calls_back(frame);
		return AWAIT_LIBRARY;
	}
	if (is_thread_start(frame) || is_library_file(frame->file) || is_library_crate(crate))
		return AWAIT_LIBRARY;
	return walk->inside && !crate.length ? AWAIT_LIBRARY : AWAIT_OWN;
}

static bool is_library(const struct emit_frame *frame)
{
	return await_walk(&(struct await_walk){0}, frame) == AWAIT_LIBRARY;
}

/* What calls tasks, not what they are. */
static bool is_plumbing(const struct emit_frame *frame)
{
	return is_thread_start(frame) || is_language(crate_of(frame->name)) ||
	       starts_with(frame->name, "tokio::runtime::") ||
	       starts_with(frame->name, "tokio::loom::");
}

/* Of a library, when none of the program's own is there: a future of theirs, spawned as it is. */
static size_t outermost_future(const struct emit_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_library(&frames[i]) && !is_plumbing(&frames[i]))
			return i;
	}
	return n - 1;
}

/* The innermost of the program's own. */
static size_t innermost_own(const struct emit_frame *frames, size_t n)
{
	size_t at = AWAIT_NO_FRAME;
	struct await_walk walk = {0};

	for (size_t i = 0; i < n; i++) {
		if (await_walk(&walk, &frames[i]) == AWAIT_OWN)
			at = i;
	}
	return at;
}

/* Better what the libraries have of their own than what only passes the poll on. */
static size_t find_leaf(const struct emit_frame *frames, size_t n, size_t at)
{
	for (size_t i = at + 1; i < n; i++) {
		if (is_library(&frames[i]) && !is_plumbing(&frames[i]))
			return i;
	}
	return at + 1 < n && !is_unnamed(&frames[at + 1]) ? at + 1 : AWAIT_NO_FRAME;
}

/* Nothing says whose they are: in what the outermost without a name calls, which runs the task. */
static size_t unnamed_point(const struct emit_frame *frames, size_t n, size_t shared)
{
	size_t at = shared;

	if (!at) {
		for (size_t i = 0; i < n; i++)
			at = is_thread_start(&frames[i]) ? i + 1 : at;
		while (at < n && !is_unnamed(&frames[at]))
			at++;
		at++;
	}
	return at < n ? at : n - 1;
}

struct await_point await_point_find(const struct emit_frame *frames, size_t n, size_t shared)
{
	struct await_point point = {AWAIT_NO_FRAME, AWAIT_NO_FRAME, false};

	if (!n)
		return point;
	point.at = innermost_own(frames, n);
	for (size_t i = 0; point.at == AWAIT_NO_FRAME && i < n; i++)
		point.unnamed |= is_unnamed(&frames[i]);
	if (point.unnamed) {
		point.at = unnamed_point(frames, n, shared);
		return point;
	}
	if (point.at == AWAIT_NO_FRAME)
		point.at = outermost_future(frames, n);
	point.leaf = find_leaf(frames, n, point.at);
	return point;
}

/* Without "::{{closure}}", "::{closure#0}", "::{async_block_env#0}" at its end. */
static size_t length_without_closures(const char *name, size_t length)
{
	while (length && name[length - 1] == '}') {
		size_t at = length - 1;

		while (at && strncmp(name + at, "::{", 3))
			at--;
		if (!at)
			break;
		length = at;
	}
	return length;
}

/* Appends a path without the generic arguments in it. */
static char *put_path(char *out, const char *path, const char *end)
{
	while (path < end) {
		if (starts_with(path, "::<") || *path == '<') {
			path = closing(path + (*path == ':' ? 2 : 0));
			path += path < end;
		} else {
			*out++ = *path++;
		}
	}
	return out;
}

static bool is_future(const char *trait, const char *end)
{
	static const char name[] = "Future";
	size_t length = strlen(name);

	return end - trait >= (ptrdiff_t)length && !strncmp(end - length, name, length) &&
	       (end - trait == (ptrdiff_t)length || !is_word(end[-1 - (int)length]));
}

char *await_point_name(const char *function)
{
	size_t length = length_without_closures(function, strlen(function));
	const char *from = function, *end = function + length, *as, *close;
	char *name = malloc(strlen(function) + 1), *out = name;

	if (!name)
		return NULL;
	if (*from == '<') {
		close = closing(from);
		as = find_as(from, close);
		from = skip_marks(from + 1);
		/* A parameter says nothing: the trait does. */
		if (as && !crate_of(from).length && *from != '<') {
			from = skip_marks(as + strlen(" as "));
			as = NULL;
		}
		out = put_path(out, from, as ? as : close);
		from = close + (*close == '>');
		if (as && is_future(as, close) && starts_with(from, "::poll") &&
		    !is_word(from[strlen("::poll")]))
			from += strlen("::poll");
	}
	if (from < end)
		out = put_path(out, from, end);
	*out = '\0';
	return name;
}
