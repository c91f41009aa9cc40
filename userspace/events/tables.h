/* SPDX-License-Identifier: MIT */
/*
 * The dictionaries of a chunk being read: index to value. The columns are described in chunk.h.
 */
#ifndef POLLSCOPE_EVENTS_TABLES_H
#define POLLSCOPE_EVENTS_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "events/column.h"

/* An array, and how many elements there is room for. */
struct table {
	void *memory;
	size_t capacity;
};

/* All zero is an empty one. What it holds is valid until the next tables_read(). */
struct tables {
	const uint64_t *threads, *tasks, *kinds;
	const char *const *strings;
	const struct event_stack *stacks;
	size_t nthreads, ntasks, nkinds, nstrings, nstacks;
	struct table thread_memory, task_memory, kind_memory, string_memory, stack_memory,
		frame_memory;
};

/*
 * Reads all dictionaries from a chunk's shared columns (enum chunk_column), which it uses up.
 * Strings stay in their column and are sanitized there. *bad is set where they are not what a
 * writer makes. Returns 0 or -ENOMEM.
 */
int tables_read(struct tables *tables, struct cursor *columns, bool *bad);

void tables_release(struct tables *tables);

/* Room for n elements, and for one in any case; what was there may be lost. NULL without memory. */
void *table_reserve(struct table *table, size_t n, size_t size);

#endif
