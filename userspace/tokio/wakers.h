/* SPDX-License-Identifier: MIT */
/*
 * The functions that wake a task: those of the one waker vtable that all tasks share (tokio's
 * runtime/task/waker.rs; core::task::RawWakerVTable).
 */
#ifndef POLLSCOPE_TOKIO_WAKERS_H
#define POLLSCOPE_TOKIO_WAKERS_H

#include <stdint.h>

struct code;
struct image;
struct vtables;

struct wakers {
	uint64_t wake, wake_by_ref; /* link-time addresses; 0: not found */
};

/*
 * wakers_find() - finds that vtable by what refers to it: nearly every task's poll makes a waker of it,
 * and its own `clone` makes the next. 0 or -ENOMEM.
 */
int wakers_find(const struct image *image, struct code *code, const struct vtables *vtables,
		struct wakers *wakers);

#endif
