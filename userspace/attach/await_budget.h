/* SPDX-License-Identifier: MIT */
/*
 * What the probes where tasks wait may cost: each hit is a trap, also where no stack is taken. They have a
 * small part of one CPU's time; once it is spent, they are off until some of it is there again. Windows of
 * different length come of that, so that they do not run in step with what the program does.
 */
#ifndef POLLSCOPE_ATTACH_AWAIT_BUDGET_H
#define POLLSCOPE_ATTACH_AWAIT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define AWAIT_BUDGET_ONE_IN 1000 /* part of one CPU's time */
#define AWAIT_HIT_LEAST_NS 100   /* that a hit costs: it traps into the kernel, at least */

struct await_budget {
	uint64_t looked;   /* when it was asked last */
	uint64_t spent_ns; /* by then */
	int64_t left_ns;
	int64_t wanted_ns; /* that has to be left for the probes to go on again */
	uint32_t random;
	bool on;
};

/* What a hit is taken to cost, as calibrated: one that seems to be free would be so without end. */
static inline uint64_t await_hit_ns(uint64_t measured_ns)
{
	return measured_ns < AWAIT_HIT_LEAST_NS ? AWAIT_HIT_LEAST_NS : measured_ns;
}

/* Begins with the probes on. seed: what captures differ by. */
void await_budget_start(struct await_budget *budget, uint64_t time, uint32_t seed);

/* Whether the probes are to be on from `time` on. spent_ns: what they have cost since the start. */
bool await_budget_on(struct await_budget *budget, uint64_t time, uint64_t spent_ns);

#endif
