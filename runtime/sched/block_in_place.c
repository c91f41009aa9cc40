// SPDX-License-Identifier: MIT
#include <errno.h>

#include "sched/runtime.h"

/* The context in which this thread runs a worker that another could run: there is one at most. */
static struct context *find_worker(void)
{
	struct context *context = context_top;

	while (context && !(context->worker && context->rt->flavour == POLLRT_MULTI_THREAD))
		context = context->outer;
	return context;
}

int pollrt_block_in_place_job(pollrt_job_fn job, void *state)
{
	struct context *context = context_top;
	struct worker *worker;

	if (context && context->task && context->rt->flavour == POLLRT_CURRENT_THREAD)
		return -EINVAL;
	context = find_worker();
	if (!context) {
		job(state);
		return 0;
	}
	worker = context->worker;
	counters_add(&worker->counters, COUNTER_HANDOVERS, 1);
	worker_end(worker);
	context->worker = NULL;
	handover_offer(worker);
	job(state);
	if (handover_take_back(worker)) {
		context->worker = worker;
		worker_begin(worker);
	}
	return 0;
}
