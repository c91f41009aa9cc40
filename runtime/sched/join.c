// SPDX-License-Identifier: MIT
#include <errno.h>

#include "sched/context.h"
#include "sched/task.h"

/* Nobody is to be woken at completion, unless that has come already. */
static void forget_joiner(struct pollrt_task *task)
{
	if (state_load(&task->state) & STATE_JOIN_WAKER && state_join_unset(&task->state))
		task_unref(task->joiner);
}

/* The await was dropped. */
static void join_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_join *join = POLLRT_CONTAINER_OF(cleanup, struct pollrt_join, cleanup);

	cleanup->run = NULL;
	forget_joiner(join->task);
}

/* Takes it out of the scope that it was last polled in, if any. */
static void leave_scope(struct pollrt_join *join)
{
	if (!join->cleanup.run)
		return;
	pollrt_undefer(&join->cleanup);
	join->cleanup.run = NULL;
}

/* Registers @cx's task to be woken at completion. False if it is complete already. */
static bool wait_for(struct pollrt_task *task, struct pollrt_cx *cx)
{
	uint64_t word = state_load(&task->state);

	if (word & STATE_COMPLETE)
		return false;
	if (word & STATE_JOIN_WAKER) {
		if (task->joiner == cx->task)
			return true;
		if (!state_join_unset(&task->state))
			return false;
		task_unref(task->joiner);
	}
	task_ref(cx->task);
	task->joiner = cx->task;
	if (state_join_set(&task->state))
		return true;
	task_unref(cx->task);
	return false;
}

enum pollrt_poll pollrt_join(struct pollrt_join *join, struct pollrt_cx *cx)
{
	/* Spawning failed, and left why in `status`. */
	if (!join->task)
		return POLLRT_READY;
	if (!context_budget_left(cx))
		return POLLRT_PENDING;
	leave_scope(join);
	if (wait_for(join->task, cx)) {
		pollrt_defer(cx, &join->cleanup, join_drop);
		context_waits(cx);
		return POLLRT_PENDING;
	}
	context_budget_spend();
	join->status = join->task->cancelled ? -ECANCELED : 0;
	return POLLRT_READY;
}

void pollrt_join_detach(struct pollrt_join *join)
{
	struct pollrt_task *task = join->task;

	if (!task)
		return;
	leave_scope(join);
	join->task = NULL;
	forget_joiner(task);
	task_unref(task);
}

void *pollrt_join_state(const struct pollrt_join *join)
{
	return join->task->future;
}

uint64_t pollrt_join_id(const struct pollrt_join *join)
{
	return join->task ? join->task->id : 0;
}
