/* SPDX-License-Identifier: MIT */
/*
 * Paths of Rust functions and types, taken apart. Three spellings are understood: demangled v0
 * symbols (RFC 2603), demangled legacy ones, and the names in DWARF. Parts point into the whole;
 * nothing is allocated.
 */
#ifndef POLLSCOPE_TOKIO_RUST_PATH_H
#define POLLSCOPE_TOKIO_RUST_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define RUST_SEGMENTS_MAX 32 /* of a path; what comes behind is left out */

/* A part of a name. */
struct rust_span {
	const char *s;
	size_t n;
};

enum rust_closure {
	RUST_NO_CLOSURE,
	RUST_CLOSURE, /* what symbols call async bodies too */
	RUST_ASYNC_FN,
	RUST_ASYNC_BLOCK,
};

struct rust_segment {
	struct rust_span name;      /* `<T as Trait>` whole */
	struct rust_span arguments; /* between < and > behind it */
	enum rust_closure closure;
	struct rust_span number; /* of a closure: "#0", or "" where it has none */
};

struct rust_path {
	size_t n;
	size_t nclosures;
	struct rust_segment segments[RUST_SEGMENTS_MAX];
};

/* rust_path_split() - the segments of "a::b::<T>::{closure#0}": a, b with T, a closure. */
void rust_path_split(struct rust_span name, struct rust_path *path);

/*
 * rust_path_argument() - the i-th generic argument of a function or type: of "poll<T, S>" or
 * "tokio::runtime::task::raw::poll::<T, S>" the 0th is T. False: it has none.
 */
bool rust_path_argument(struct rust_span name, size_t i, struct rust_span *argument);

/*
 * rust_path_ends() - whether the path of a function or type ends in this one, generic arguments
 * aside: "raw::poll".
 */
bool rust_path_ends(struct rust_span name, const char *end_path);

/* rust_span_of() - the whole of a string. */
struct rust_span rust_span_of(const char *s);

bool rust_span_is(struct rust_span span, const char *s);
bool rust_span_begins(struct rust_span span, const char *s);

/* rust_span_from() - without its first n bytes, of which there are as many. */
struct rust_span rust_span_from(struct rust_span span, size_t n);

/* rust_span_trim() - without spaces around it. */
struct rust_span rust_span_trim(struct rust_span span);

/* rust_span_find() - where the first `mark` outside of all brackets is; span.n: nowhere. */
size_t rust_span_find(struct rust_span span, const char *mark);

/*
 * rust_span_take() - takes what is before the first such mark, and the mark, off the front of
 * *rest. False: nothing is left.
 */
bool rust_span_take(struct rust_span *rest, const char *mark, struct rust_span *part);

#endif
