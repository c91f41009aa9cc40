// SPDX-License-Identifier: MIT
/*
 * The scheduling loop of the multi_thread flavour, after Tokio's scheduler/multi_thread/worker.rs:
 * local queue with LIFO slot, injection queue every 61 ticks, stealing half, and a throttle on how
 * many workers search at once.
 */
#include "sched/worker.h"

#include <sched.h>
#include <string.h>

#include "probes.h"
#include "sched/runtime.h"
#include "sched/task.h"
#include "sched/xorshift.h"

/* In one tick; so that two tasks that wake each other do not starve the rest. */
#define MAX_LIFO_POLLS 3
/* Looks at the injection queue before sleeping: some microseconds; a test makes them few. */
#ifndef LINGER_LOOKS
#define LINGER_LOOKS 100
#endif
/* Looks after which the CPU is lent. */
#define LINGER_YIELD 16

void worker_init(struct worker *worker, struct pollrt_runtime *rt, uint32_t index)
{
	memset(worker, 0, sizeof(*worker));
	deque_init(&worker->deque);
	parker_init(&worker->parker);
	busy_init(&worker->busy);
	worker->rt = rt;
	worker->index = index;
	worker->lifo_enabled = rt->flavour == POLLRT_MULTI_THREAD;
	worker->deferred_last = &worker->deferred;
	worker->seed = (uint32_t)rt->id * 2654435761u + index * 40503u + 1;
}

uint32_t worker_depth(const struct worker *worker)
{
	return deque_length(&worker->deque) + worker->deferred_count + (worker->lifo != NULL);
}

static void push_back(struct worker *worker, struct pollrt_task *task)
{
	unsigned int injected = deque_push(&worker->deque, task, &worker->rt->inject);

	if (injected)
		counters_add(&worker->counters, COUNTER_OVERFLOWS, injected);
}

void worker_notify_one(struct pollrt_runtime *rt)
{
	int index = idle_worker_to_notify(&rt->idle);

	if (index >= 0)
		parker_unpark(&rt->workers[index].parker, &rt->driver);
}

/* Has somebody else come for what is in the local queue; not for what its own wakes put there. */
static void notify_others(struct worker *worker)
{
	if (worker->rt->flavour == POLLRT_MULTI_THREAD && !worker->parked)
		worker_notify_one(worker->rt);
}

void worker_schedule(struct worker *worker, struct pollrt_task *task)
{
	struct pollrt_task *previous = worker->lifo;

	if (!worker->lifo_enabled) {
		push_back(worker, task);
		notify_others(worker);
		return;
	}
	worker->lifo = task;
	if (previous) {
		push_back(worker, previous);
		notify_others(worker);
	}
}

void worker_defer(struct worker *worker, struct pollrt_task *task)
{
	task->next = NULL;
	*worker->deferred_last = task;
	worker->deferred_last = &task->next;
	worker->deferred_count++;
}

static struct pollrt_task *pop_deferred(struct worker *worker)
{
	struct pollrt_task *task = worker->deferred;

	worker->deferred = task->next;
	if (!worker->deferred)
		worker->deferred_last = &worker->deferred;
	worker->deferred_count--;
	return task;
}

/* Puts tasks that yielded back into the local queue, as many as there is room for. */
static void requeue_deferred(struct worker *worker)
{
	uint32_t room = deque_room(&worker->deque);

	if (!worker->deferred)
		return;
	do {
		push_back(worker, pop_deferred(worker));
	} while (worker->deferred && room-- > 1);
	/* If there is but one, this worker itself goes on with it. */
	if (deque_length(&worker->deque) > 1)
		notify_others(worker);
}

void worker_share_tasks(struct worker *worker)
{
	struct pollrt_task *task = worker->lifo;

	worker->lifo = NULL;
	if (task)
		push_back(worker, task);
	while (worker->deferred)
		push_back(worker, pop_deferred(worker));
	if (worker->rt->flavour == POLLRT_MULTI_THREAD && worker_depth(worker))
		worker_notify_one(worker->rt);
}

static struct pollrt_task *next_local(struct worker *worker)
{
	struct pollrt_task *task = worker->lifo;

	if (task) {
		worker->lifo = NULL;
		counters_add(&worker->counters, COUNTER_LIFO_HITS, 1);
		return task;
	}
	return deque_pop(&worker->deque);
}

/* Takes this worker's share of the injection queue: one to run, the rest to the local queue. */
static struct pollrt_task *next_injected(struct worker *worker)
{
	struct inject *inject = &worker->rt->inject;
	uint32_t room = deque_room(&worker->deque), n;
	struct pollrt_task *first, *task;

	n = inject_length(inject) / worker->rt->workers_count + 1;
	if (n > room)
		n = room;
	if (n > DEQUE_SIZE / 2)
		n = DEQUE_SIZE / 2;
	first = inject_pop(inject, n ? n : 1);
	if (!first)
		return NULL;
	worker->fed = true;
	task = first->next;
	while (task) {
		struct pollrt_task *next = task->next;

		push_back(worker, task);
		task = next;
	}
	return first;
}

struct pollrt_task *worker_next(struct worker *worker)
{
	struct pollrt_task *task = NULL;

	if (++worker->tick % RUNTIME_INJECT_INTERVAL == 0)
		task = next_injected(worker);
	if (!task)
		task = next_local(worker);
	if (!task)
		task = next_injected(worker);
	if (!task) {
		requeue_deferred(worker);
		task = deque_pop(&worker->deque);
	}
	return task;
}

void worker_maintain(struct worker *worker)
{
	struct driver *driver = &worker->rt->driver;

	if (driver_try_lock(driver)) {
		driver_turn(driver, false);
		driver_unlock(driver);
	}
	requeue_deferred(worker);
}

void worker_sleep(struct worker *worker)
{
	struct pollrt_runtime *rt = worker->rt;

	counters_add(&worker->counters, COUNTER_PARKS, 1);
	probe_worker_park(worker->index, rt->id, rt->workers_count);
	busy_stop(&worker->busy);
	parker_park(&worker->parker, &rt->driver);
	busy_start(&worker->busy);
	probe_worker_unpark(worker->index, rt->id, rt->workers_count);
}

void worker_begin(struct worker *worker)
{
	struct pollrt_runtime *rt = worker->rt;

	probe_worker_start(worker->index, rt->id, rt->workers_count);
	busy_start(&worker->busy);
}

void worker_end(struct worker *worker)
{
	struct pollrt_runtime *rt = worker->rt;

	busy_stop(&worker->busy);
	probe_worker_stop(worker->index, rt->id, rt->workers_count);
}

static struct pollrt_task *steal(struct worker *worker)
{
	struct pollrt_runtime *rt = worker->rt;
	uint32_t count = rt->workers_count, start = xorshift_next(&worker->seed) % count;
	struct pollrt_task *task;
	unsigned int moved;

	if (!worker->searching && !idle_search_begin(&rt->idle))
		return NULL;
	worker->searching = true;
	for (uint32_t i = 0; i < count; i++) {
		struct worker *victim = &rt->workers[(start + i) % count];

		if (victim == worker)
			continue;
		task = deque_steal(&victim->deque, &worker->deque, &moved);
		if (task) {
			counters_add(&worker->counters, COUNTER_STEALS, 1);
			counters_add(&worker->counters, COUNTER_STOLEN, moved);
			return task;
		}
	}
	return inject_pop(&rt->inject, 1);
}

/* Lets another thread have this CPU at times, perhaps the one that is about to push. */
static void pause_look(unsigned int look)
{
	if (look % LINGER_YIELD == LINGER_YIELD - 1)
		sched_yield();
#ifdef __x86_64__
	else
		__builtin_ia32_pause();
#endif
}

/*
 * A searching worker does not sleep at once if tasks came from other threads: there may be more
 * soon, and to sleep and be woken costs a system call each, of this thread and of the one that
 * pushes.
 */
static struct pollrt_task *linger(struct worker *worker)
{
	const struct inject *inject = &worker->rt->inject;

	if (!worker->fed || !worker->searching)
		return NULL;
	worker->fed = false;
	for (unsigned int look = 0; look < LINGER_LOOKS; look++) {
		if (inject_length(inject))
			return next_injected(worker);
		pause_look(look);
	}
	return NULL;
}

/*
 * Runs @task, then what it left in the LIFO slot, as long as the budget they share lasts. In a poll
 * the context may lose the worker to another thread: pollrt_block_in_place().
 */
static void run_task(struct context *context, struct pollrt_task *task)
{
	struct worker *worker = context->worker;
	unsigned int polls = 0;

	if (worker->searching) {
		worker->searching = false;
		/* The last searcher has found work: there may be more of it. */
		if (idle_search_end(&worker->rt->idle))
			worker_notify_one(worker->rt);
	}
	context->budget = CONTEXT_BUDGET;
	task_run(context, task);
	while (context->worker && worker->lifo) {
		task = worker->lifo;
		worker->lifo = NULL;
		if (context->budget == 0) {
			push_back(worker, task);
			break;
		}
		if (++polls >= MAX_LIFO_POLLS)
			worker->lifo_enabled = false;
		counters_add(&worker->counters, COUNTER_LIFO_HITS, 1);
		task_run(context, task);
	}
	if (context->worker)
		worker->lifo_enabled = true;
}

/*
 * Who parks makes sure that nothing was pushed since it looked: who pushed may have seen nobody
 * asleep. Not only the last one to search, as in Tokio: else a poll that blocks holds up what it
 * pushed while a worker sleeps that was just about to park.
 */
static void notify_if_work(struct pollrt_runtime *rt)
{
	for (uint32_t i = 0; i < rt->workers_count; i++) {
		if (deque_length(&rt->workers[i].deque)) {
			worker_notify_one(rt);
			return;
		}
	}
	if (inject_length(&rt->inject))
		worker_notify_one(rt);
}

/* Whether the worker, awake again, should go on: it has tasks, or was woken to search. */
static bool leave_park(struct worker *worker)
{
	struct idle *idle = &worker->rt->idle;

	if (worker_depth(worker)) {
		/* Who takes a worker off the list of sleepers counts it as searching. */
		worker->searching = !idle_unpark(idle, worker->index);
		return true;
	}
	if (idle_is_parked(idle, worker->index))
		return false;
	worker->searching = true;
	return true;
}

static void worker_park(struct worker *worker)
{
	struct pollrt_runtime *rt = worker->rt;
	bool searching = worker->searching;

	if (worker_depth(worker))
		return;
	worker->searching = false;
	worker->parked = true;
	idle_park(&rt->idle, worker->index, searching);
	notify_if_work(rt);
	while (!atomic_load_explicit(&rt->shutdown, memory_order_acquire)) {
		worker_sleep(worker);
		if (leave_park(worker))
			break;
	}
	worker->parked = false;
	/* The driver may have made several tasks ready; a searcher tells others when it finds work.
	 */
	if (!worker->searching && worker_depth(worker) > 1)
		worker_notify_one(rt);
}

bool worker_run(struct worker *worker)
{
	struct pollrt_runtime *rt = worker->rt;
	struct context context = {.rt = rt, .worker = worker};

	worker->lifo_enabled = true;
	context_enter(&context);
	worker_begin(worker);
	while (context.worker && !atomic_load_explicit(&rt->shutdown, memory_order_acquire)) {
		struct pollrt_task *task;

		if (worker->tick % RUNTIME_EVENT_INTERVAL == 0)
			worker_maintain(worker);
		task = worker_next(worker);
		if (!task)
			task = steal(worker);
		if (!task)
			task = linger(worker);
		if (task)
			run_task(&context, task);
		else
			worker_park(worker);
	}
	if (context.worker)
		worker_end(worker);
	context_leave(&context);
	return context.worker;
}

void worker_return_refs(struct worker *worker, uint32_t n)
{
	worker->refs -= n;
	atomic_fetch_sub_explicit(&worker->rt->refs, n, memory_order_release);
}

void worker_drain(struct worker *worker)
{
	struct pollrt_task *task;

	if (worker->lifo)
		task_unref(worker->lifo);
	worker->lifo = NULL;
	while (worker->deferred)
		task_unref(pop_deferred(worker));
	while ((task = deque_pop(&worker->deque)))
		task_unref(task);
	worker_return_refs(worker, worker->refs);
}
