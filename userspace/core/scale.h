/* SPDX-License-Identifier: MIT */
/*
 * Scaling of what was measured of sampled polls: each of those timed stands for itself and for its share
 * of those that were skipped, which are counted.
 */
#ifndef POLLSCOPE_CORE_SCALE_H
#define POLLSCOPE_CORE_SCALE_H

#include <stdint.h>

/* Bounds what a broken recording can claim. */
#define SCALE_MOST (UINT64_C(1) << 56)

struct scale {
	uint64_t timed, skipped; /* timed 0: nothing is known to scale by */
};

/* The part of what was skipped that `value`, of the polls that were timed, stands for; rounded. */
static inline uint64_t scale_part(const struct scale *scale, uint64_t value)
{
	__uint128_t part;

	if (!scale->timed)
		return 0;
	part = ((__uint128_t)value * scale->skipped + scale->timed / 2) / scale->timed;
	return part < SCALE_MOST ? (uint64_t)part : SCALE_MOST;
}

/* Both together. */
static inline uint64_t scale_up(const struct scale *scale, uint64_t value)
{
	return value + scale_part(scale, value);
}

#endif
