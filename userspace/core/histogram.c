// SPDX-License-Identifier: MIT
#include "core/histogram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned int octave_of(uint64_t value)
{
	return value < HISTOGRAM_BUCKETS ? 0 : 64 - HISTOGRAM_BITS - __builtin_clzll(value);
}

static unsigned int bucket_of(uint64_t value, unsigned int octave)
{
	return (octave ? value >> (octave - 1) : value) & (HISTOGRAM_BUCKETS - 1);
}

/* The middle of a bucket: no value in it is further away than 1/128 of itself. */
static uint64_t value_of(unsigned int octave, unsigned int bucket)
{
	uint64_t low;

	if (!octave)
		return bucket;
	low = (uint64_t)(HISTOGRAM_BUCKETS + bucket) << (octave - 1);
	return low + ((UINT64_C(1) << (octave - 1)) - 1) / 2;
}

static uint64_t *counters(struct histogram *histogram, unsigned int octave)
{
	if (!histogram->octaves[octave])
		histogram->octaves[octave] = calloc(HISTOGRAM_BUCKETS, sizeof(uint64_t));
	return histogram->octaves[octave];
}

int histogram_add(struct histogram *histogram, uint64_t value)
{
	unsigned int octave = octave_of(value);
	uint64_t *counts = counters(histogram, octave);

	if (!counts)
		return -ENOMEM;
	counts[bucket_of(value, octave)]++;
	histogram->count++;
	if (value > histogram->max)
		histogram->max = value;
	return 0;
}

void histogram_prefetch(const struct histogram *histogram, uint64_t value)
{
	__builtin_prefetch(histogram, 1);
	__builtin_prefetch(&histogram->octaves[octave_of(value)]);
}

void histogram_prefetch_counter(const struct histogram *histogram, uint64_t value)
{
	unsigned int octave = octave_of(value);
	const uint64_t *counts = histogram->octaves[octave];

	if (counts)
		__builtin_prefetch(&counts[bucket_of(value, octave)], 1);
}

int histogram_merge(struct histogram *histogram, const struct histogram *other)
{
	for (unsigned int octave = 0; octave < HISTOGRAM_OCTAVES; octave++) {
		uint64_t *counts;

		if (!other->octaves[octave])
			continue;
		counts = counters(histogram, octave);
		if (!counts)
			return -ENOMEM;
		for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
			counts[i] += other->octaves[octave][i];
	}
	histogram->count += other->count;
	if (other->max > histogram->max)
		histogram->max = other->max;
	return 0;
}

uint64_t histogram_percentile(const struct histogram *histogram, unsigned int percent)
{
	/* ceil(count * percent / 100) without overflow */
	uint64_t rank =
		histogram->count / 100 * percent + (histogram->count % 100 * percent + 99) / 100;
	uint64_t seen = 0;

	if (rank >= histogram->count)
		return histogram->max;
	if (!rank)
		rank = 1;
	for (unsigned int octave = 0; octave < HISTOGRAM_OCTAVES; octave++) {
		if (!histogram->octaves[octave])
			continue;
		for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
			uint64_t value;

			seen += histogram->octaves[octave][i];
			if (seen < rank)
				continue;
			value = value_of(octave, i);
			return value < histogram->max ? value : histogram->max;
		}
	}
	return histogram->max;
}

struct model_percentiles histogram_summary(const struct histogram *histogram)
{
	return (struct model_percentiles){
		.p50 = histogram_percentile(histogram, 50),
		.p90 = histogram_percentile(histogram, 90),
		.p99 = histogram_percentile(histogram, 99),
		.max = histogram->max,
	};
}

void histogram_clear(struct histogram *histogram)
{
	for (unsigned int octave = 0; octave < HISTOGRAM_OCTAVES; octave++)
		free(histogram->octaves[octave]);
	memset(histogram, 0, sizeof(*histogram));
}
