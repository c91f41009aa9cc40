/* SPDX-License-Identifier: MIT */
/*
 * Columns compressed to one zstd frame. Large ones get blocks, so entropy tables, of their own:
 * columns are far less alike than the bytes within one.
 */
#ifndef POLLSCOPE_EVENTS_PACK_H
#define POLLSCOPE_EVENTS_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "events/column.h"

struct pack;

/* Returns NULL without memory. */
struct pack *pack_new(void);
void pack_free(struct pack *pack);

/* Begins a frame. */
void pack_begin(struct pack *pack);

/* Appends a column's bytes. Returns 0 or -ENOMEM. */
int pack_add(struct pack *pack, const struct column *column);

/*
 * Ends the frame, which belongs to the pack and is valid until the next pack_begin(). Returns 0 or
 * -ENOMEM.
 */
int pack_end(struct pack *pack, const void **bytes, size_t *size);

#endif
