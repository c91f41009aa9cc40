// SPDX-License-Identifier: MIT
#include "sched/context.h"

#include "sched/runtime.h"

_Thread_local struct context *context_top;

bool context_budget_left(struct pollrt_cx *cx)
{
	if (context_top->budget)
		return true;
	pollrt_wake_self(cx);
	return false;
}

bool pollrt_coop_proceed(struct pollrt_cx *cx)
{
	if (!context_budget_left(cx))
		return false;
	context_budget_spend();
	return true;
}

void context_share_tasks(void)
{
	for (struct context *context = context_top; context; context = context->outer) {
		if (context->worker)
			worker_share_tasks(context->worker);
	}
}

struct pollrt_runtime *pollrt_runtime_current(void)
{
	return context_runtime(NULL);
}
