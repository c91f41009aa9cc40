/* SPDX-License-Identifier: MIT */
/*
 * Distinct numbers, each with a tag that is part of it, in the order in which they came: open addressing, as
 * uthash would spend 100 bytes and an allocation on each of a million.
 */
#ifndef POLLSCOPE_UTIL_NUMBER_SET_H
#define POLLSCOPE_UTIL_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number {
	uint64_t value;
	uint32_t tag;
};

/* All zero but for the limit is an empty one. */
struct number_set {
	size_t limit; /* of them */
	struct number *all;
	size_t n, capacity;
	uint32_t *slots; /* index + 1 into all; 0: free */
	size_t nslots;   /* 0 or a power of two */
};

void number_set_release(struct number_set *set);

/* Returns 0, also where it is there already; -ENOSPC: not added, beyond the limit; -ENOMEM. */
int number_set_add(struct number_set *set, struct number number);

bool number_set_has(const struct number_set *set, struct number number);

static inline uint64_t number_hash(struct number number)
{
	uint64_t h = number.value * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ number.tag) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 32;
}

static inline bool number_equal(struct number a, struct number b)
{
	return a.value == b.value && a.tag == b.tag;
}

#endif
