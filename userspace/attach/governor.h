/* SPDX-License-Identifier: MIT */
/*
 * When exact tracing costs the targets more than they should pay: decides that polls are sampled from then
 * on, and how many. It only decides; the capture measures and acts.
 */
#ifndef POLLSCOPE_ATTACH_GOVERNOR_H
#define POLLSCOPE_ATTACH_GOVERNOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sums since the capture began. What probes cost is counted with the calibrated cost of each. */
struct governor_reading {
	uint64_t time;      /* ns */
	uint64_t cpu_ns;    /* CPU time of all targets, the probes' included */
	uint64_t polls;     /* polls recorded */
	uint64_t polls_ns;  /* what these cost */
	uint64_t skips_ns;  /* what they would cost, were they left out */
	uint64_t wakes_ns;  /* what wakes cost: sampling takes their probes off */
	uint64_t others_ns; /* what all other probes cost */
};

struct governor {
	uint32_t max_percent; /* of the targets' CPU time; 0: any */
	bool decided;
	uint64_t looked;               /* when a reading was last taken */
	struct governor_reading since; /* where the window begins */
};

/* Begins to watch. */
void governor_start(struct governor *governor, uint32_t max_percent,
		    const struct governor_reading *now);

/* Whether it is time for a reading. */
bool governor_due(const struct governor *governor, uint64_t time);

/*
 * Looks at a reading. Returns 0: all stays as it is; or one in how many polls is to be recorded from now on,
 * with one line for the user in why. It does so once.
 */
uint32_t governor_decide(struct governor *governor, const struct governor_reading *now, char *why,
			 size_t why_len);

#endif
