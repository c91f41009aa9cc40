/* SPDX-License-Identifier: MIT */
/*
 * Log-linear histograms of 64-bit values: 64 buckets an octave, values below 64 exactly. An
 * octave's counters are there once it has a value, so that thousands of histograms stay small.
 */
#ifndef POLLSCOPE_CORE_HISTOGRAM_H
#define POLLSCOPE_CORE_HISTOGRAM_H

#include <stdint.h>

#include "core/model.h"

#define HISTOGRAM_BITS 6
#define HISTOGRAM_BUCKETS (1 << HISTOGRAM_BITS)
#define HISTOGRAM_OCTAVES (64 - HISTOGRAM_BITS + 1)

/* All zero is an empty one. */
struct histogram {
	uint64_t count;
	uint64_t max;
	uint64_t *octaves[HISTOGRAM_OCTAVES];
};

/* Returns 0, or -ENOMEM: the value is then not in it. */
int histogram_add(struct histogram *histogram, uint64_t value);

/*
 * Asks for the memory that adding the value will touch, in two steps: the first for the histogram,
 * the second, once that has come, for the counter.
 */
void histogram_prefetch(const struct histogram *histogram, uint64_t value);
void histogram_prefetch_counter(const struct histogram *histogram, uint64_t value);

/* Adds another one's values. Returns 0 or -ENOMEM. */
int histogram_merge(struct histogram *histogram, const struct histogram *other);

/* The value of nearest rank at `percent` of 100, off by 1/128 of itself at most; 0 of an empty one.
 */
uint64_t histogram_percentile(const struct histogram *histogram, unsigned int percent);

struct model_percentiles histogram_summary(const struct histogram *histogram);

/* Leaves an empty one. */
void histogram_clear(struct histogram *histogram);

#endif
