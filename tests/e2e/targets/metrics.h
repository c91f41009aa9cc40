/* SPDX-License-Identifier: MIT */
/* The runtime's counters as a target's truth. */
#ifndef POLLSCOPE_E2E_METRICS_H
#define POLLSCOPE_E2E_METRICS_H

#include "pollrt.h"
#include "truth.h"

static inline void truth_sum(struct pollrt_metrics *sum, const struct pollrt_metrics *more)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)more;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static inline void truth_add(struct pollrt_metrics *sum, const struct pollrt_runtime *rt)
{
	struct pollrt_metrics m;

	pollrt_metrics(rt, &m);
	truth_sum(sum, &m);
}

/* Members of a JSON object, without its braces. */
static inline void truth_say_metrics(struct truth *truth, const struct pollrt_metrics *m)
{
#define TRUTH_MEMBER(name) truth_say(truth, "\"" #name "\":%llu,", (unsigned long long)m->name)
	TRUTH_MEMBER(spawns);
	TRUTH_MEMBER(polls);
	TRUTH_MEMBER(wakes);
	TRUTH_MEMBER(completions);
	TRUTH_MEMBER(cancellations);
	TRUTH_MEMBER(parks);
	TRUTH_MEMBER(block_ons);
	TRUTH_MEMBER(block_on_polls);
	TRUTH_MEMBER(block_on_wakes);
	TRUTH_MEMBER(blocking_jobs);
	TRUTH_MEMBER(blocking_runs);
#undef TRUTH_MEMBER
	truth_say(truth, "\"pid\":%d", getpid());
}

#endif
