/* SPDX-License-Identifier: MIT */
/*
 * Memory for what there may be millions of. Of a million tasks each is touched at random: on huge
 * pages that took half the time (240 ns instead of 500 a miss, in a virtual machine).
 */
#ifndef POLLSCOPE_CORE_POOL_H
#define POLLSCOPE_CORE_POOL_H

#include <stddef.h>

/* Zeroed, for free(3); on huge pages where it is large. NULL without memory. */
void *pool_large(size_t bytes);

struct pool_chunk;
struct pool_item;

/* Records of one size, a multiple of 64: each on cache lines of its own. */
struct pool {
	size_t size;
	struct pool_chunk *chunks;
	struct pool_item *unused;
	size_t fresh; /* of the newest chunk, records never given */
};

/* Zeroed. NULL without memory. */
void *pool_take(struct pool *pool);
void pool_give(struct pool *pool, void *record);

/* Frees all records at once. */
void pool_clear(struct pool *pool);

#endif
