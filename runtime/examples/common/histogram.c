// SPDX-License-Identifier: MIT
#include "histogram.h"

#include <stdatomic.h>

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int power;

	if (ns < HISTOGRAM_STEPS)
		return (unsigned int)ns;
	power = 63 - (unsigned int)__builtin_clzll(ns);
	return (power - 3) * HISTOGRAM_STEPS + (unsigned int)(ns >> (power - 4)) % HISTOGRAM_STEPS;
}

/* The upper end of a bucket, in ns. */
static uint64_t bucket_end(unsigned int bucket)
{
	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	return ((uint64_t)HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS + 1)
	       << (bucket / HISTOGRAM_STEPS - 1);
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram->counts[bucket_of(ns)]++;
}

uint64_t histogram_count(const struct histogram *histogram)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += histogram->counts[i];
	return total;
}

uint64_t histogram_percentile(const struct histogram *histogram, double share)
{
	uint64_t count = histogram_count(histogram), rank = (uint64_t)(share * (double)count);
	uint64_t seen = 0;

	if (rank >= count && count)
		rank = count - 1;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen > rank)
			return bucket_end(i);
	}
	return 0;
}

void raise_to(_Atomic uint64_t *max, uint64_t value)
{
	uint64_t old = *max;

	while (old < value && !atomic_compare_exchange_weak(max, &old, value))
		;
}
