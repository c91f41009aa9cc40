/* SPDX-License-Identifier: MIT */
/* Where any number will do that is not always the same. */
#ifndef POLLRT_XORSHIFT_H
#define POLLRT_XORSHIFT_H

#include <stdint.h>

/** The next number after *@seed, which is not 0. Marsaglia, Xorshift RNGs, 2003. */
static inline uint32_t xorshift_next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

#endif
