/* SPDX-License-Identifier: MIT */
/*
 * The functions of a task's waker (tokio's runtime/task/waker.rs; core::task::RawWakerVTable). Since
 * 1.23 all tasks share one waker vtable; before, each type has its own.
 */
#ifndef POLLSCOPE_TOKIO_WAKERS_H
#define POLLSCOPE_TOKIO_WAKERS_H

#include <stddef.h>
#include <stdint.h>

struct code;
struct image;
struct symtab;
struct vtables;

struct wakers {
	/* Link-time addresses; some perhaps twice. */
	uint64_t *list; /* that wake a task: wake, wake_by_ref, and so on */
	size_t n;
	uint64_t *clones; /* that make one waker of another */
	size_t nclones;
};

/*
 * wakers_find() - finds the shared vtable by what refers to it: nearly every task's poll makes a
 * waker of it, and its own `clone` makes the next. None where there is none. 0 or -ENOMEM.
 */
int wakers_find(const struct image *image, struct code *code, const struct vtables *vtables,
		struct wakers *wakers);

/*
 * wakers_find_each() - finds that of each type: what its poll makes a waker of, and has functions
 * called as Tokio's are. 0 or -ENOMEM.
 */
int wakers_find_each(const struct image *image, struct code *code, const struct symtab *symtab,
		     const struct vtables *vtables, struct wakers *wakers);

/* wakers_release() - it is empty afterwards. */
void wakers_release(struct wakers *wakers);

#endif
