/* SPDX-License-Identifier: MIT */
/*
 * Chunks of tables, in memory that somebody else has: the maps of the programs.
 */
#ifndef POLLSCOPE_UNWIND_CHUNKS_H
#define POLLSCOPE_UNWIND_CHUNKS_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/unwind.h"

struct unwind_table;

/*
 * new_chunk() gives the memory of the next, which the chunks are written into; NULL: there is none. It belongs
 * to who gave it, and is there as long as the chunks are used.
 */
struct unwind_backing {
	struct unwind_chunk *(*new_chunk)(void *context, uint32_t index);
	void *context;
};

/* Where a part of a table is, and the offsets that it is for. */
struct unwind_part {
	uint32_t chunk, first, shift; /* as struct unwind_module has them */
	uint64_t from, to;            /* end exclusive */
};

struct unwind_chunks {
	struct unwind_backing backing;
	struct unwind_chunk *list[UNWIND_CHUNKS];
	uint32_t n;
	uint32_t used; /* words of the last */
	uint64_t words;
};

/* A part that knows nothing of any offset. */
extern const struct unwind_part unwind_part_unknown;

/* unwind_chunks_init() - makes the first chunk, with that part. 0 or -ENOSPC. */
int unwind_chunks_init(struct unwind_chunks *chunks, const struct unwind_backing *backing);

/*
 * unwind_chunks_place() - writes a table, in parts that follow each other from offset 0 on, up to the page of
 * its last row. 0 and *parts, to be freed with free(); -ENOSPC: there is no further chunk; -ENOMEM.
 */
int unwind_chunks_place(struct unwind_chunks *chunks, const struct unwind_table *table,
			struct unwind_part **parts, uint32_t *n);

#endif
