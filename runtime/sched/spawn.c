// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "probes.h"
#include "sched/runtime.h"

static uint64_t current_task(void)
{
	return context_top && context_top->task ? context_top->task->id : 0;
}

static int spawn(struct pollrt_runtime *rt, const struct pollrt_spec *spec, bool joined,
		 struct pollrt_task **result)
{
	struct pollrt_task *task;

	if (!rt)
		return -EINVAL;
	if (atomic_load_explicit(&rt->shutdown, memory_order_acquire))
		return -ESHUTDOWN;
	/* References: of the list of owned tasks, of the queue, of the handle. */
	task = task_new(rt, TASK_SPAWNED, spec->kind, spec->size, joined ? 3 : 2);
	if (!task)
		return -ENOMEM;
	task->poll = spec->poll;
	task->drop = spec->drop;
	task->member = spec->member;
	memcpy(task->future, spec->state, spec->size);

	runtime_count(rt, COUNTER_SPAWNS);
	probe_task_spawn(task->id, task->kind, current_task());
	if (!owned_insert(&rt->owned, task)) {
		/* Shut down since: it ends as it began, with its state left to the caller. */
		runtime_count(rt, COUNTER_DISCARDS);
		runtime_count(rt, COUNTER_CANCELLATIONS);
		probe_task_terminate(task->id, 1);
		task_free(task);
		return -ESHUTDOWN;
	}
	*result = task;
	return 0;
}

int pollrt_spawn_spec(struct pollrt_runtime *rt, struct pollrt_join *join,
		      const struct pollrt_spec *spec)
{
	struct pollrt_task *task = NULL;
	int err;

	err = spawn(context_runtime(rt), spec, join, &task);
	/* Before the task is queued: it may use its own handle. */
	if (join)
		*join = (struct pollrt_join){.task = task, .status = err};
	if (!err)
		task_schedule(task);
	return err;
}
