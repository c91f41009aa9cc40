// SPDX-License-Identifier: MIT
#include "sched/context.h"
#include "sched/task.h"

uint64_t pollrt_task_id(const struct pollrt_cx *cx)
{
	return cx->task->id;
}

void pollrt_wake_self(struct pollrt_cx *cx)
{
	task_wake(cx->task);
}

struct pollrt_waker pollrt_waker(const struct pollrt_cx *cx)
{
	task_ref(cx->task);
	context_waits(cx);
	return (struct pollrt_waker){.task = cx->task};
}

struct pollrt_waker pollrt_waker_clone(const struct pollrt_waker *waker)
{
	if (waker->task)
		task_ref(waker->task);
	return *waker;
}

void pollrt_waker_wake_by_ref(const struct pollrt_waker *waker)
{
	if (waker->task)
		task_wake(waker->task);
}

void pollrt_waker_wake(struct pollrt_waker *waker)
{
	pollrt_waker_wake_by_ref(waker);
	pollrt_waker_drop(waker);
}

void pollrt_waker_drop(struct pollrt_waker *waker)
{
	struct pollrt_task *task = waker->task;

	waker->task = NULL;
	if (task)
		task_unref(task);
}

bool pollrt_waker_will_wake(const struct pollrt_waker *waker, const struct pollrt_cx *cx)
{
	return waker->task == cx->task;
}
