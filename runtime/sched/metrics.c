// SPDX-License-Identifier: MIT
#include <errno.h>

#include "sched/runtime.h"

static uint64_t sum(const struct pollrt_runtime *rt, enum counter which)
{
	uint64_t total = counters_read(&rt->shared, which);

	for (uint32_t i = 0; i < rt->workers_count; i++)
		total += counters_read(&rt->workers[i].counters, which);
	return total;
}

/* Ends are read first: who has seen the end of a task has seen its spawn. */
static void read_tasks(const struct pollrt_runtime *rt, struct pollrt_metrics *metrics)
{
	metrics->completions = sum(rt, COUNTER_COMPLETIONS);
	metrics->cancellations = sum(rt, COUNTER_CANCELLATIONS);
	metrics->spawns = sum(rt, COUNTER_SPAWNS);
	metrics->live_tasks = metrics->spawns - metrics->completions - metrics->cancellations;
}

void pollrt_metrics(const struct pollrt_runtime *rt, struct pollrt_metrics *metrics)
{
	*metrics = (struct pollrt_metrics){
		.polls = sum(rt, COUNTER_POLLS),
		.wakes = sum(rt, COUNTER_WAKES),
		.discards = sum(rt, COUNTER_DISCARDS),
		.parks = sum(rt, COUNTER_PARKS),
		.steals = sum(rt, COUNTER_STEALS),
		.stolen = sum(rt, COUNTER_STOLEN),
		.remote_schedules = inject_remote(&rt->inject),
		.overflows = sum(rt, COUNTER_OVERFLOWS),
		.lifo_hits = sum(rt, COUNTER_LIFO_HITS),
		.block_ons = sum(rt, COUNTER_BLOCK_ONS),
		.block_on_polls = sum(rt, COUNTER_BLOCK_ON_POLLS),
		.block_on_wakes = sum(rt, COUNTER_BLOCK_ON_WAKES),
		.blocking_jobs = sum(rt, COUNTER_BLOCKING_JOBS),
		.blocking_runs = sum(rt, COUNTER_BLOCKING_RUNS),
		.handovers = sum(rt, COUNTER_HANDOVERS),
		.injection_depth = inject_length(&rt->inject),
	};
	metrics->injections = metrics->remote_schedules + metrics->overflows;
	read_tasks(rt, metrics);
	blocking_metrics(&rt->blocking, metrics);
}

int pollrt_worker_metrics(const struct pollrt_runtime *rt, unsigned int index,
			  struct pollrt_worker_metrics *metrics)
{
	const struct worker *worker;

	if (index >= rt->workers_count)
		return -EINVAL;
	worker = &rt->workers[index];
	*metrics = (struct pollrt_worker_metrics){
		.polls = counters_read(&worker->counters, COUNTER_POLLS),
		.parks = counters_read(&worker->counters, COUNTER_PARKS),
		.steals = counters_read(&worker->counters, COUNTER_STEALS),
		.stolen = counters_read(&worker->counters, COUNTER_STOLEN),
		.overflows = counters_read(&worker->counters, COUNTER_OVERFLOWS),
		.lifo_hits = counters_read(&worker->counters, COUNTER_LIFO_HITS),
		.busy_ns = busy_ns(&worker->busy),
		.local_depth = deque_length(&worker->deque),
	};
	/* Its two ends are not read at once: tasks that came and went between may seem to be there. */
	if (metrics->local_depth > DEQUE_SIZE)
		metrics->local_depth = DEQUE_SIZE;
	return 0;
}
