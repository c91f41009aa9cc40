// SPDX-License-Identifier: MIT
#include "sched/task.h"

#include <stdlib.h>
#include <string.h>

#include "sync/join_set.h"
#include "probes.h"
#include "sched/runtime.h"
#include "sched/scope.h"

struct pollrt_task *task_new(struct pollrt_runtime *rt, enum task_type type,
			     const struct pollrt_kind *kind, size_t size, uint64_t refs)
{
	struct pollrt_task *task;

	if (size > SIZE_MAX - sizeof(*task))
		return NULL;
	task = malloc(sizeof(*task) + size);
	if (!task)
		return NULL;
	memset(task, 0, sizeof(*task));
	state_init(&task->state, refs);
	task->id = runtime_new_task_id();
	task->kind = kind;
	task->rt = rt;
	task->type = (uint8_t)type;
	LIST_INIT(&task->scope);
	runtime_ref_for_task(rt);
	return task;
}

void task_free(struct pollrt_task *task)
{
	struct pollrt_runtime *rt = task->rt;

	free(task);
	runtime_unref_for_task(rt);
}

static void announce_end(struct pollrt_task *task, bool cancelled, bool notified)
{
	if (task->type != TASK_SPAWNED)
		return;
	if (notified)
		runtime_count(task->rt, COUNTER_DISCARDS);
	probe_task_terminate(task->id, cancelled);
}

void task_end(struct pollrt_task *task, bool cancelled)
{
	uint64_t word, refs = 1;

	scope_end(&task->scope);
	if (task->drop)
		task->drop(task->future);
	task->cancelled = cancelled;
	if (task->type == TASK_SPAWNED)
		runtime_count(task->rt, cancelled ? COUNTER_CANCELLATIONS : COUNTER_COMPLETIONS);
	word = state_complete(&task->state);
	announce_end(task, cancelled, word & STATE_NOTIFIED);
	if (word & STATE_JOIN_WAKER) {
		task_wake(task->joiner);
		task_unref(task->joiner);
	}
	if (task->member)
		join_set_ended(task->member);
	if (task->type == TASK_SPAWNED && owned_remove(&task->rt->owned, task))
		refs++;
	task_unref_n(task, refs);
}

void task_shutdown(struct pollrt_task *task)
{
	struct context context = {.rt = task->rt, .task = task, .budget = CONTEXT_BUDGET};

	if (!state_claim(&task->state))
		return;
	context_enter(&context);
	task_end(task, true);
	context_leave(&context);
}

void task_run(struct context *context, struct pollrt_task *task)
{
	struct worker *worker = context->worker;
	struct pollrt_cx cx = {.task = task, .scope = &task->scope};
	enum state_idle idle;
	enum pollrt_poll poll;

	context->task = task;
	if (state_load(&task->state) & STATE_CANCELLED) {
		state_cancel(&task->state);
		task_end(task, true);
		context->task = NULL;
		return;
	}
	counters_add(&worker->counters, COUNTER_POLLS, 1);
	/*
	 * While the task is still NOTIFIED: a wake before this probe is redundant, one after it is
	 * a wake during the poll. An abort that comes in between takes effect after the poll.
	 */
	probe_task_poll_start(task->id, task->kind, worker_depth(worker),
			      inject_length(&worker->rt->inject));
	state_start(&task->state);
	poll = task->poll(task->future, &cx);
	probe_task_poll_end(task->id, poll == POLLRT_READY);
	if (poll == POLLRT_READY) {
		task_end(task, false);
		context->task = NULL;
		return;
	}
	idle = state_idle(&task->state);
	if (idle == STATE_IDLE_CANCELLED)
		task_end(task, true);
	context->task = NULL;
	if (idle != STATE_IDLE_QUEUE)
		return;
	/* Not simply to @worker: another thread may run that now. */
	if (context->worker)
		worker_defer(context->worker, task);
	else
		task_schedule(task);
}

enum pollrt_poll task_poll_block_on(struct context *context, struct pollrt_task *task, void *state,
				    enum state_idle *idle)
{
	struct pollrt_cx cx = {.task = task, .scope = &task->scope};
	enum pollrt_poll poll;

	context->task = task;
	context->budget = CONTEXT_BUDGET;
	runtime_count(task->rt, COUNTER_BLOCK_ON_POLLS);
	probe_task_poll_start(task->id, task->kind,
			      context->worker ? worker_depth(context->worker) : 0,
			      inject_length(&task->rt->inject));
	state_start(&task->state);
	poll = task->poll(state, &cx);
	probe_task_poll_end(task->id, poll == POLLRT_READY);
	if (poll == POLLRT_READY)
		task_end(task, false);
	else
		*idle = state_idle(&task->state);
	context->task = NULL;
	return poll;
}

void task_schedule(struct pollrt_task *task)
{
	struct pollrt_runtime *rt = task->rt;
	struct worker *worker = runtime_worker(rt);

	if (task->type == TASK_BLOCK_ON) {
		block_on_notify(task);
		return;
	}
	/* Not to a worker in an outer context: its thread is blocked by the nested one. */
	if (worker) {
		worker_schedule(worker, task);
		return;
	}
	inject_push(&rt->inject, task);
	if (rt->flavour == POLLRT_CURRENT_THREAD)
		parker_unpark(&rt->workers[0].parker, &rt->driver);
	else
		worker_notify_one(rt);
}

/* The wake is in effect, and nobody can poll the task before the caller goes on. */
static void announce_wake(struct pollrt_task *task)
{
	runtime_count(task->rt,
		      task->type == TASK_BLOCK_ON ? COUNTER_BLOCK_ON_WAKES : COUNTER_WAKES);
	probe_task_wake(task->id);
}

void task_wake(struct pollrt_task *task)
{
	switch (state_wake(&task->state, context_polls(task))) {
	case STATE_WAKE_REDUNDANT:
		break;
	case STATE_WAKE_OWN:
		announce_wake(task);
		break;
	case STATE_WAKE_RUNNING:
		announce_wake(task);
		if (state_wake_done(&task->state))
			task_schedule(task);
		break;
	case STATE_WAKE_IDLE:
		announce_wake(task);
		task_schedule(task);
		break;
	}
}

void pollrt_join_abort(const struct pollrt_join *join)
{
	struct pollrt_task *task = join->task;

	if (!task || state_load(&task->state) & (STATE_COMPLETE | STATE_CANCELLED))
		return;
	if (task->type == TASK_SPAWNED)
		probe_task_abort(task->id);
	if (state_abort(&task->state)) {
		announce_wake(task);
		task_schedule(task);
	}
}
