/* SPDX-License-Identifier: MIT */
#ifndef TESTS_RUNTIME_RANDOM_H
#define TESTS_RUNTIME_RANDOM_H

#include <stdint.h>

/** Knuth's MMIX generator; its high bits. */
static inline uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

#endif
