/* SPDX-License-Identifier: MIT */
/* A histogram of latencies, to 6 %, and a maximum; threads may add to both at the same time. */
#ifndef EXAMPLES_HISTOGRAM_H
#define EXAMPLES_HISTOGRAM_H

#include <stdint.h>

/* 16 buckets for each power of two of ns. */
#define HISTOGRAM_STEPS 16u
#define HISTOGRAM_BUCKETS (64u * HISTOGRAM_STEPS)

/** All zeroes: empty. */
struct histogram {
	_Atomic uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);
uint64_t histogram_count(const struct histogram *histogram);

/** What @share (0 to 1) of the values are not above, in ns; 0 if there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, double share);

/** Raises *@max to @value, if it is less. */
void raise_to(_Atomic uint64_t *max, uint64_t value);

#endif
