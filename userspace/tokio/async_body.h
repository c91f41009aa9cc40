/* SPDX-License-Identifier: MIT */
/*
 * The bodies of async functions and blocks, found in machine code: each has the state machine that
 * the compiler made of it, and each of those panics when it is polled after its end, with the
 * Location of the body's beginning.
 *
 * Bodies that are awaited are often compiled into those that await them. A machine looks at its own
 * state before it gets to theirs, so the panic that can be reached by looking at the fewest states
 * is the outermost body's.
 */
#ifndef POLLSCOPE_TOKIO_ASYNC_BODY_H
#define POLLSCOPE_TOKIO_ASYNC_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "tokio/location.h"

struct async_bodies;
struct code;
struct image;

struct async_body {
	uint64_t function; /* where the one that it is in begins, maybe an outer one's */
	struct location location;
};

/* async_bodies_new() - both must outlive it. NULL: out of memory. */
struct async_bodies *async_bodies_new(const struct image *image, struct code *code);

/* async_bodies_free() - NULL is legal. */
void async_bodies_free(struct async_bodies *bodies);

/* async_bodies_in() - the outermost body in the function at a link-time address. False: it has
 * none. */
bool async_bodies_in(struct async_bodies *bodies, uint64_t vaddr, struct async_body *body);

#endif
