/* SPDX-License-Identifier: MIT */
/*
 * What a thread did over time, in a fixed number of slices: while a capture is short they are short,
 * and whenever it outgrows them two become one. Nothing is lost to that: slices sum to what was added.
 */
#ifndef POLLSCOPE_CORE_TIMELINE_H
#define POLLSCOPE_CORE_TIMELINE_H

#include <stdint.h>

#include "core/model.h"

#define TIMELINE_SLICES 256
#define TIMELINE_FINEST 16 /* 2^16 ns, 16.8 ms in all */

/* All zero is an empty one. */
struct timeline {
	struct model_slice *slices; /* TIMELINE_SLICES of them; NULL: nothing was added */
	unsigned int shift;         /* one is 2^shift ns long */
};

/* Adds the time from `from` to `to`, since the capture's start and below 2^57. 0 or -ENOMEM. */
int timeline_add(struct timeline *timeline, enum model_part part, uint64_t from, uint64_t to);

/* Moves all of `from` to `into`; `from` is then empty. */
void timeline_merge(struct timeline *into, struct timeline *from);

/* Makes slices 2^shift ns long, if they are shorter. */
void timeline_coarsen(struct timeline *timeline, unsigned int shift);

/* The least shift, at least `shift`, with which slices reach `end`. */
unsigned int timeline_shift(unsigned int shift, uint64_t end);

void timeline_clear(struct timeline *timeline);

#endif
