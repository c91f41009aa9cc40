// SPDX-License-Identifier: MIT
#include "sched/block_on.h"

#include <errno.h>

#include "sched/futex.h"
#include "probes.h"
#include "sched/runtime.h"
#include "sched/task.h"

#define NOTIFIED 1u
#define TURN 2u
#define ASLEEP 4u

static struct block_on *block_on_of(struct pollrt_task *task)
{
	return (struct block_on *)task->future;
}

static void signal_thread(struct block_on *block_on, uint32_t what)
{
	if (atomic_fetch_or(&block_on->word, what) & ASLEEP)
		futex_wake(&block_on->word);
}

void block_on_notify(struct pollrt_task *task)
{
	struct pollrt_runtime *rt = task->rt;

	/*
	 * The reference that came with the wake is taken over by the poll that follows. Who wakes
	 * holds another, so neither the task nor the runtime is gone when this returns.
	 */
	signal_thread(block_on_of(task), NOTIFIED);
	if (rt->flavour == POLLRT_CURRENT_THREAD)
		parker_unpark(&rt->workers[0].parker, &rt->driver);
}

void block_on_give_turn(struct block_on *block_on)
{
	signal_thread(block_on, TURN);
}

bool block_on_notified(const struct block_on *block_on)
{
	return atomic_load(&block_on->word) & NOTIFIED;
}

bool block_on_take(struct block_on *block_on)
{
	return block_on_notified(block_on) &&
	       atomic_fetch_and(&block_on->word, ~NOTIFIED) & NOTIFIED;
}

void block_on_wait(struct block_on *block_on)
{
	uint32_t word = atomic_fetch_or(&block_on->word, ASLEEP) | ASLEEP;

	while (!(word & (NOTIFIED | TURN))) {
		futex_wait(&block_on->word, word);
		word = atomic_load(&block_on->word);
	}
	atomic_fetch_and(&block_on->word, ~(ASLEEP | TURN));
}

bool block_on_poll(struct context *context, struct block_on *block_on)
{
	enum state_idle idle;

	if (task_poll_block_on(context, block_on->task, block_on->state, &idle) == POLLRT_READY)
		return true;
	/* Not at once: on a current_thread runtime it may wait for tasks that this thread runs. */
	if (idle == STATE_IDLE_QUEUE)
		atomic_fetch_or(&block_on->word, NOTIFIED);
	return false;
}

static void drive(struct context *context, struct block_on *block_on)
{
	for (;;) {
		if (block_on_take(block_on)) {
			if (block_on_poll(context, block_on))
				return;
		} else {
			block_on_wait(block_on);
		}
	}
}

int pollrt_block_on_kind(struct pollrt_runtime *rt, const struct pollrt_kind *kind,
			 pollrt_poll_fn poll, void *state)
{
	struct context context = {.rt = rt, .budget = CONTEXT_BUDGET};
	struct pollrt_task *task;
	struct block_on *block_on;

	if (!rt)
		return -EINVAL;
	if (rt->flavour == POLLRT_MULTI_THREAD && context_worker(rt))
		return -EDEADLK;
	if (atomic_load_explicit(&rt->shutdown, memory_order_acquire))
		return -ESHUTDOWN;
	/* References: of the run to come, and of this function. */
	task = task_new(rt, TASK_BLOCK_ON, kind, sizeof(*block_on), 2);
	if (!task)
		return -ENOMEM;
	task->poll = poll;
	block_on = block_on_of(task);
	*block_on = (struct block_on){.task = task, .state = state, .word = NOTIFIED};

	context_share_tasks();
	context_enter(&context);
	runtime_count(rt, COUNTER_BLOCK_ONS);
	probe_block_on_enter(task->id, kind);
	if (rt->flavour == POLLRT_CURRENT_THREAD)
		current_thread_drive(&context, block_on);
	else
		drive(&context, block_on);
	probe_block_on_exit(task->id, kind);
	context_leave(&context);
	task_unref(task);
	return 0;
}
