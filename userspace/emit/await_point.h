/* SPDX-License-Identifier: MIT */
/*
 * The await point of a stack that was taken where a task gave its waker away: the innermost function of the
 * program's own, below it the libraries' that it awaits. Files tell them apart where they are known, else
 * names do.
 */
#ifndef POLLSCOPE_EMIT_AWAIT_POINT_H
#define POLLSCOPE_EMIT_AWAIT_POINT_H

#include <stdbool.h>
#include <stddef.h>

struct emit_frame;

enum await_code {
	AWAIT_OWN,
	AWAIT_LIBRARY, /* a runtime's or a registry's, or a language's own */
	AWAIT_UNNAMED, /* a stripped binary's: any */
};

/* Of a stack's frames, from the root on: a function can belong to the library that called it. */
struct await_walk {
	bool inside; /* of pollrt */
};

/* All zero is a walk's start. */
enum await_code await_walk(struct await_walk *walk, const struct emit_frame *frame);

#define AWAIT_NO_FRAME ((size_t)-1)

/* Indices of frames. */
struct await_point {
	size_t at;   /* AWAIT_NO_FRAME: there are none */
	size_t leaf; /* the outermost of a library below it; AWAIT_NO_FRAME: none */
	bool unnamed;
};

/*
 * Frames are root first. Of a stack without names nothing says whose they are: the point is where it parts
 * from its type's other stacks, after `shared` frames.
 */
struct await_point await_point_find(const struct emit_frame *frames, size_t n, size_t shared);

/*
 * A function's name as people say it: without generic arguments, and its closures', of a future its type:
 * "app::serve" of "app::serve::{{closure}}", "tokio::time::sleep::Sleep" of "<tokio::time::sleep::Sleep as
 * core::future::future::Future>::poll". To be freed; NULL without memory.
 */
char *await_point_name(const char *function);

#endif
