// SPDX-License-Identifier: MIT
#include "core/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define LINE 64

struct pool_chunk {
	struct pool_chunk *next;
};

struct pool_item {
	struct pool_item *next;
};

static void *allocate(size_t bytes)
{
	size_t rounded = (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	void *memory;

	if (rounded < bytes)
		return NULL;
	memory = aligned_alloc(HUGE_PAGE, rounded);
	/* Only a hint: without it all is slower. */
	if (memory)
		madvise(memory, rounded, MADV_HUGEPAGE);
	return memory;
}

void *pool_large(size_t bytes)
{
	void *memory;

	if (bytes < HUGE_PAGE)
		return calloc(1, bytes);
	memory = allocate(bytes);
	return memory ? memset(memory, 0, bytes) : NULL;
}

static int add_chunk(struct pool *pool)
{
	struct pool_chunk *chunk = allocate(HUGE_PAGE);

	if (!chunk)
		return -1;
	chunk->next = pool->chunks;
	pool->chunks = chunk;
	pool->fresh = (HUGE_PAGE - LINE) / pool->size;
	return 0;
}

void *pool_take(struct pool *pool)
{
	struct pool_item *item = pool->unused;

	if (item) {
		pool->unused = item->next;
	} else {
		if (!pool->fresh && add_chunk(pool))
			return NULL;
		item = (void *)((char *)pool->chunks + LINE + --pool->fresh * pool->size);
	}
	return memset(item, 0, pool->size);
}

void pool_give(struct pool *pool, void *record)
{
	struct pool_item *item = record;

	item->next = pool->unused;
	pool->unused = item;
}

void pool_clear(struct pool *pool)
{
	struct pool_chunk *chunk = pool->chunks;

	while (chunk) {
		struct pool_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	*pool = (struct pool){.size = pool->size};
}
