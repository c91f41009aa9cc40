/* SPDX-License-Identifier: MIT */
/*
 * A quantity over the time of a capture, in steps: what makes it up may come in any order, and takes a fixed
 * amount of memory.
 */
#ifndef POLLSCOPE_EMIT_SERIES_H
#define POLLSCOPE_EMIT_SERIES_H

#include <stddef.h>
#include <stdint.h>

#define SERIES_STEPS 65536
#define SERIES_NONE UINT32_MAX /* greatest value of a step without any */

struct series_step {
	int64_t change; /* in it, of how many there are */
	int64_t early;  /* how much that adds up to until its end: change x ns */
	uint32_t greatest;
};

/* All zero is none. */
struct series {
	uint64_t step_ns;
	struct series_step *steps;
	size_t nsteps;
	/* Reading: */
	size_t at;
	int64_t count;
};

/* Returns 0 or -ENOMEM. */
int series_init(struct series *series, uint64_t duration_ns);
void series_release(struct series *series);

/* One more, from `from` to `until`. */
void series_add(struct series *series, uint64_t from, uint64_t until);

/* The value was seen at `time`. */
void series_see(struct series *series, uint64_t time, uint32_t value);

/* The next step's begin, how many there were on average, and the greatest value seen. Returns NULL behind the last. */
const struct series_step *series_next(struct series *series, uint64_t *begin, double *mean);

#endif
