// SPDX-License-Identifier: MIT
/* Largest remainder (Hamilton's method): shares that add up. */
#include "emit/flame.h"

#include <errno.h>
#include <stdlib.h>

struct apportion_rest {
	uint64_t remainder;
	size_t index;
};

static int compare_rests(const void *left, const void *right)
{
	const struct apportion_rest *a = left, *b = right;

	if (a->remainder != b->remainder)
		return a->remainder < b->remainder ? 1 : -1;
	return a->index < b->index ? -1 : 1;
}

int flame_apportion(uint64_t total, const uint64_t *weights, size_t n, uint64_t *shares)
{
	struct apportion_rest *rests = calloc(n + 1, sizeof(*rests));
	uint64_t left = total;
	__uint128_t sum = 0;

	if (!rests)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		sum += weights[i];
		shares[i] = 0;
	}
	for (size_t i = 0; sum && i < n; i++) {
		__uint128_t product = (__uint128_t)total * weights[i];

		shares[i] = (uint64_t)(product / sum);
		left -= shares[i];
		/* Remainders are compared with each other only: 64 bits of them are enough. */
		rests[i].remainder = (uint64_t)((product % sum) >> (sum > UINT64_MAX ? 64 : 0));
		rests[i].index = i;
	}
	if (sum) {
		/* Fewer than n units are left. */
		qsort(rests, n, sizeof(*rests), compare_rests);
		for (size_t i = 0; i < left; i++)
			shares[rests[i].index]++;
	}
	free(rests);
	return 0;
}
