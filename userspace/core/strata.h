/* SPDX-License-Identifier: MIT */
/*
 * What the gaps of which a stack was taken stand for.
 *
 * Of each kind so many stacks are taken in a second, however many gaps begin in it: those of a busy second would
 * count for less than those of a quiet one. So a second is a stratum, or less where the load changes within it, and
 * a sampled gap stands for as many as began in its stratum for each that was sampled there (poststratification:
 * Cochran, Sampling Techniques, 5A.9). Sums of what gaps stand for are Horvitz and Thompson's (1952), and a place's
 * share is the ratio of two of them, over all strata: Cochran's combined ratio (6.11). Spreading the exact idle time
 * of each stratum over its own few samples would be simpler, but short gaps, which are many, would have most of it
 * where a long one was not drawn.
 *
 * A stratum without a sample, as while the probe is off, counts as the one before or behind it that has samples and
 * about its load, lest few long gaps stand for a flood of short ones. Where neither has, nothing is known of it: the
 * type's idle time is split as it is elsewhere.
 *
 * What gaps stand for shows when the next stratum is over. Most end before, and wait for that; others are known by
 * then.
 */
#ifndef POLLSCOPE_CORE_STRATA_H
#define POLLSCOPE_CORE_STRATA_H

#include <stddef.h>
#include <stdint.h>

#define STRATA_SLOT_NS 100000000ULL
#define STRATUM_SLOTS 10
#define STRATUM_MOST 4096  /* samples: with more, it is over before its time is */
#define STRATA_RECENT 4096 /* gaps that a loss can still take back */

struct weight;

/* Gaps that began in some time: all of them, and samples. */
struct strata_part {
	uint64_t gaps;
	uint64_t others; /* of times without a sample, that these stand for */
	uint32_t sampled;
	uint32_t first, last; /* of the samples; 0: none */
	uint32_t slots;       /* how long that is */
};

/* Gaps of a kind that begin now. All zero is an empty one. */
struct stratum {
	uint64_t slot;              /* time is looked at in slots, to see the load change */
	struct strata_part now;     /* in this one */
	struct strata_part before;  /* in those before it, with one load */
	struct strata_part missed;  /* in strata before that, without a sample */
	struct strata_part sampled; /* in the one before that, which has samples */
};

/* A sampled gap, as long as somebody may want to know of it. */
struct strata_gap {
	struct weight *weight; /* that has it; NULL: none */
	uint64_t idle_ns, until;
	double stands_for; /* gaps; 0: its stratum is not over */
	uint32_t stack;
	uint32_t next;    /* in its stratum, or among the unused */
	uint32_t holders; /* how many have its number */
};

/* All zero is an empty one. */
struct strata {
	struct strata_gap *gaps; /* by number; 0 is none */
	size_t count, capacity;
	uint32_t unused;
	uint32_t recent[STRATA_RECENT]; /* ring of those that ended */
	size_t recent_next, recent_count;
};

/*
 * A gap of a kind's begins at `time`, in ns. stack: where, MODEL_NO_STACK if it is no sample. *gap: its number, for
 * strata_end(); 0 if it is no sample. Returns 0 or -ENOMEM.
 */
int strata_begin(struct strata *strata, struct stratum *stratum, uint64_t time, uint32_t stack,
		 uint32_t *gap);

/* A sampled gap ended at `until`, after idle_ns. It is charged to `weight`; NULL: it is not certain. */
void strata_end(struct strata *strata, uint32_t gap, struct weight *weight, uint64_t idle_ns,
		uint64_t until);

/* Gaps that ended after `since` and were charged lately turn out not to be certain. */
void strata_take_back(struct strata *strata, uint64_t since);

/* Nothing more begins in it: its gaps count for what they stand for. */
void stratum_close(struct strata *strata, struct stratum *stratum);

void strata_clear(struct strata *strata);

#endif
