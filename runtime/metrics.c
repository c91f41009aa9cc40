// SPDX-License-Identifier: MIT
#include "runtime.h"

static uint64_t sum(const struct pollrt_runtime *rt, enum counter which)
{
	uint64_t total = atomic_load_explicit(&rt->shared.value[which], memory_order_relaxed);

	for (uint32_t i = 0; i < rt->workers_count; i++)
		total += atomic_load_explicit(&rt->workers[i].counters.value[which],
					      memory_order_relaxed);
	return total;
}

void pollrt_metrics(const struct pollrt_runtime *rt, struct pollrt_metrics *metrics)
{
	*metrics = (struct pollrt_metrics){
		.spawns = sum(rt, COUNTER_SPAWNS),
		.polls = sum(rt, COUNTER_POLLS),
		.wakes = sum(rt, COUNTER_WAKES),
		.discards = sum(rt, COUNTER_DISCARDS),
		.completions = sum(rt, COUNTER_COMPLETIONS),
		.cancellations = sum(rt, COUNTER_CANCELLATIONS),
		.parks = sum(rt, COUNTER_PARKS),
		.steals = sum(rt, COUNTER_STEALS),
		.stolen = sum(rt, COUNTER_STOLEN),
		.injections = sum(rt, COUNTER_INJECTIONS),
		.overflows = sum(rt, COUNTER_OVERFLOWS),
		.lifo_hits = sum(rt, COUNTER_LIFO_HITS),
		.block_ons = sum(rt, COUNTER_BLOCK_ONS),
		.block_on_polls = sum(rt, COUNTER_BLOCK_ON_POLLS),
		.block_on_wakes = sum(rt, COUNTER_BLOCK_ON_WAKES),
		.blocking_jobs = sum(rt, COUNTER_BLOCKING_JOBS),
		.blocking_runs = sum(rt, COUNTER_BLOCKING_RUNS),
	};
}
