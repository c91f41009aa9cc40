/* SPDX-License-Identifier: MIT */
/*
 * A thread's track: slices that nest as the polls do.
 *
 * What happens inside of a poll is told before the poll, and how polls nest shows as they end. Slices
 * are held until the poll around all of them is told, then put in order. Whatever a recording claims,
 * no two slices of a track overlap without the one lying in the other.
 */
#ifndef POLLSCOPE_EMIT_LANE_H
#define POLLSCOPE_EMIT_LANE_H

#include <stddef.h>
#include <stdint.h>

#include "emit/packets.h"

/* All zero but `track` is an empty one. */
struct lane {
	uint64_t track;
	uint64_t shown; /* nothing more begins before */
	struct packets_slice *held;
	size_t nheld, room;
	uint64_t dropped; /* sleeps that there was no room for */
};

/* Keeps a slice until the poll that it may lie in is told. Returns 0 or -ENOMEM. */
int lane_hold(struct lane *lane, const struct packets_slice *slice);

/*
 * Writes a slice that no other is around, and what was held: what lies inside of it, and what came before;
 * but of sleeps only those inside. NULL: there is none. Times of slices are since the capture's start, at
 * CLOCK_MONOTONIC `origin`.
 */
int lane_flush(struct lane *lane, const struct packets_slice *outermost, struct packets *packets,
	       uint64_t origin);

void lane_release(struct lane *lane);

#endif
