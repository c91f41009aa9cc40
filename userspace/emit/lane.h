/* SPDX-License-Identifier: MIT */
/*
 * A thread's track: slices that nest as the polls do.
 *
 * What happens inside of a poll is told before the poll, and how polls nest shows as they end. Slices are
 * held until the poll around all of them is told, then put in order: where times are equal, what is
 * around has to be written first. Slices that were held together nest, whatever a recording claims.
 */
#ifndef POLLSCOPE_EMIT_LANE_H
#define POLLSCOPE_EMIT_LANE_H

#include <stddef.h>
#include <stdint.h>

#include "emit/packets.h"

#define LANE_MOST 65536 /* held: 5 MB */

struct lane {
	struct packets *packets;
	uint64_t track;
	uint64_t origin; /* the capture's start, which the times of slices are relative to */
	uint64_t shown;  /* no outermost slice begins before */
	struct packets_slice *held;
	size_t nheld, room;
};

/* Keeps a slice until the poll that it may lie in is told; writes those that are held where they are LANE_MOST. Returns 0, -ENOMEM or -EIO. */
int lane_hold(struct lane *lane, const struct packets_slice *slice);

/*
 * Writes a slice that no other is around, and what was held: what lies inside of it, and what came before;
 * but of sleeps only those inside. NULL: there is none. Returns 0, -ENOMEM or -EIO.
 */
int lane_flush(struct lane *lane, const struct packets_slice *outermost);

void lane_release(struct lane *lane);

#endif
