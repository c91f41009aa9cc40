// SPDX-License-Identifier: MIT
/*
 * The current_thread flavour: its one worker is run by whichever thread is in block_on, and has no
 * LIFO slot and nobody to steal from, as Tokio's.
 */
#include "sched/runtime.h"
#include "sched/task.h"

void turns_init(struct turns *turns)
{
	pthread_mutex_init(&turns->lock, NULL);
	turns->taken = false;
	TAILQ_INIT(&turns->waiters);
}

/* Under the lock. */
static void stop_waiting(struct turns *turns, struct block_on *block_on)
{
	if (block_on->waiting)
		TAILQ_REMOVE(&turns->waiters, block_on, link);
	block_on->waiting = false;
}

/* Takes the worker; if it is taken, lines up for it. */
static bool take_turn(struct turns *turns, struct block_on *block_on)
{
	bool taken;

	pthread_mutex_lock(&turns->lock);
	taken = turns->taken;
	if (!taken) {
		turns->taken = true;
		stop_waiting(turns, block_on);
	} else if (!block_on->waiting) {
		TAILQ_INSERT_TAIL(&turns->waiters, block_on, link);
		block_on->waiting = true;
	}
	pthread_mutex_unlock(&turns->lock);
	return !taken;
}

/* Leaves the line, having had the worker or not; the next in line may take it. */
static void end_turn(struct turns *turns, struct block_on *block_on, bool had)
{
	pthread_mutex_lock(&turns->lock);
	stop_waiting(turns, block_on);
	if (had)
		turns->taken = false;
	if (!turns->taken && !TAILQ_EMPTY(&turns->waiters))
		block_on_give_turn(TAILQ_FIRST(&turns->waiters));
	pthread_mutex_unlock(&turns->lock);
}

/* Runs up to an interval of tasks; without any, sleeps until there is something to do. */
static void run_tasks(struct context *context, const struct block_on *block_on)
{
	struct worker *worker = context->worker;

	for (unsigned int i = 0; i < RUNTIME_EVENT_INTERVAL; i++) {
		struct pollrt_task *task = worker_next(worker);

		if (!task) {
			if (block_on_notified(block_on))
				break;
			worker_sleep(worker);
			return;
		}
		context->budget = CONTEXT_BUDGET;
		task_run(context, task);
	}
	worker_maintain(worker);
}

static void run_worker(struct context *context, struct block_on *block_on)
{
	for (;;) {
		if (block_on_take(block_on) && block_on_poll(context, block_on))
			return;
		run_tasks(context, block_on);
	}
}

void current_thread_drive(struct context *context, struct block_on *block_on)
{
	struct pollrt_runtime *rt = context->rt;
	struct worker *worker = context_worker(rt);

	/* Nested in a task of this runtime: this thread has the worker already. */
	if (worker) {
		context->worker = worker;
		run_worker(context, block_on);
		return;
	}
	while (!take_turn(&rt->turns, block_on)) {
		block_on_wait(block_on);
		if (block_on_take(block_on) && block_on_poll(context, block_on)) {
			end_turn(&rt->turns, block_on, false);
			return;
		}
	}
	worker = &rt->workers[0];
	context->worker = worker;
	worker_begin(worker);
	run_worker(context, block_on);
	worker_end(worker);
	context->worker = NULL;
	end_turn(&rt->turns, block_on, true);
}
