// SPDX-License-Identifier: MIT
#include "sync/wait_queue.h"

/* States of a waiter; under the lock. It is in the queue while it is WAITING. */
enum { IDLE, WAITING, GRANTED, CLOSED };

void wake_list_run(struct wake_list *list)
{
	for (unsigned int i = 0; i < list->count; i++) {
		task_wake(list->tasks[i]);
		task_unref(list->tasks[i]);
	}
	list->count = 0;
}

void wait_queue_init(struct pollrt_wait_queue *queue, pthread_mutex_t *lock, size_t permits,
		     size_t limit)
{
	*queue = (struct pollrt_wait_queue){.lock = lock, .permits = permits, .limit = limit};
	TAILQ_INIT(&queue->waiters);
}

/* Takes the first waiter off the queue, to go on as @state says. @wakes has room. */
static void let_go(struct pollrt_wait_queue *queue, unsigned int state, struct wake_list *wakes)
{
	struct pollrt_waiter *waiter = TAILQ_FIRST(&queue->waiters);

	TAILQ_REMOVE(&queue->waiters, waiter, link);
	waiter->state = state;
	if (waiter->thread) {
		pthread_cond_signal(waiter->thread);
		return;
	}
	/* It is alive: to end, it would have had to leave the queue under the lock. */
	task_ref(waiter->task);
	wakes->tasks[wakes->count++] = waiter->task;
}

static bool can_grant(const struct pollrt_wait_queue *queue)
{
	const struct pollrt_waiter *first = TAILQ_FIRST(&queue->waiters);

	return first && first->want <= queue->permits;
}

bool wait_queue_release(struct pollrt_wait_queue *queue, size_t permits, struct wake_list *wakes)
{
	if (permits > queue->limit - queue->permits)
		queue->permits = queue->limit;
	else
		queue->permits += permits;
	while (can_grant(queue) && wakes->count < WAKE_LIST_MAX) {
		queue->permits -= TAILQ_FIRST(&queue->waiters)->want;
		let_go(queue, GRANTED, wakes);
	}
	return can_grant(queue);
}

void wait_queue_release_unlock(struct pollrt_wait_queue *queue, size_t permits)
{
	pthread_mutex_t *lock = queue->lock;
	struct wake_list wakes;
	bool more;

	wake_list_init(&wakes);
	for (;;) {
		more = wait_queue_release(queue, permits, &wakes);
		pthread_mutex_unlock(lock);
		wake_list_run(&wakes);
		if (!more)
			return;
		permits = 0;
		pthread_mutex_lock(lock);
	}
}

static bool first_is_before(const struct pollrt_wait_queue *queue, uint64_t ticket)
{
	const struct pollrt_waiter *first = TAILQ_FIRST(&queue->waiters);

	return first && first->ticket < ticket;
}

/* Lets the waiters that came before @ticket go on, without permits; unlocks. */
static void let_all_go_unlock(struct pollrt_wait_queue *queue, uint64_t ticket, unsigned int state)
{
	pthread_mutex_t *lock = queue->lock;
	struct wake_list wakes;
	bool more;

	wake_list_init(&wakes);
	for (;;) {
		while ((more = first_is_before(queue, ticket)) && wakes.count < WAKE_LIST_MAX) {
			/* Nothing to give back if it is dropped. */
			if (state == GRANTED)
				TAILQ_FIRST(&queue->waiters)->want = 0;
			let_go(queue, state, &wakes);
		}
		pthread_mutex_unlock(lock);
		wake_list_run(&wakes);
		if (!more)
			return;
		pthread_mutex_lock(lock);
	}
}

void wait_queue_wake_all_unlock(struct pollrt_wait_queue *queue)
{
	let_all_go_unlock(queue, queue->tickets, GRANTED);
}

void wait_queue_close_unlock(struct pollrt_wait_queue *queue)
{
	queue->closed = true;
	let_all_go_unlock(queue, queue->tickets, CLOSED);
}

int wait_queue_try(struct pollrt_wait_queue *queue, size_t want)
{
	if (!want || (TAILQ_EMPTY(&queue->waiters) && want <= queue->permits)) {
		queue->permits -= want;
		return 0;
	}
	return queue->closed ? -EPIPE : -EAGAIN;
}

static void enter(struct pollrt_wait_queue *queue, struct pollrt_waiter *waiter, size_t want)
{
	waiter->queue = queue;
	waiter->want = want;
	waiter->ticket = queue->tickets++;
	waiter->state = WAITING;
	TAILQ_INSERT_TAIL(&queue->waiters, waiter, link);
}

/* The wait was dropped: leaves the queue, or hands on what was granted. Takes the lock itself. */
static void waiter_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_waiter *waiter = POLLRT_CONTAINER_OF(cleanup, struct pollrt_waiter, cleanup);
	struct pollrt_wait_queue *queue = waiter->queue;
	size_t permits = 0;

	pthread_mutex_lock(queue->lock);
	if (waiter->state == WAITING)
		TAILQ_REMOVE(&queue->waiters, waiter, link);
	else if (waiter->state == GRANTED)
		permits = waiter->want;
	waiter->state = IDLE;
	/* Even with nothing to give back: who is first now may want less than this one did. */
	wait_queue_release_unlock(queue, permits);
}

/* The first poll of a wait. */
static int try_or_enter(struct pollrt_wait_queue *queue, struct pollrt_waiter *waiter, size_t want,
			struct pollrt_cx *cx)
{
	int err = wait_queue_try(queue, want);

	if (err == -EAGAIN) {
		waiter->task = cx->task;
		enter(queue, waiter, want);
		pollrt_defer(cx, &waiter->cleanup, waiter_drop);
	}
	return err;
}

/*
 * What became of a wait that is over. One that the queue's end has ended may have its permits all
 * the same: who was granted them before may have been dropped since.
 */
static int outcome(struct pollrt_wait_queue *queue, const struct pollrt_waiter *waiter)
{
	return waiter->state == GRANTED ? 0 : wait_queue_try(queue, waiter->want);
}

/* A later poll, by the same task or another. */
static int result(struct pollrt_waiter *waiter, struct pollrt_cx *cx)
{
	int err;

	if (waiter->state == WAITING) {
		waiter->task = cx->task;
		return -EAGAIN;
	}
	pollrt_undefer(&waiter->cleanup);
	err = outcome(waiter->queue, waiter);
	waiter->state = IDLE;
	return err;
}

int wait_queue_poll(struct pollrt_wait_queue *queue, struct pollrt_waiter *waiter, size_t want,
		    struct pollrt_cx *cx)
{
	int err;

	if (!context_budget_left(cx))
		return -EAGAIN;
	if (waiter->state == IDLE)
		err = try_or_enter(queue, waiter, want, cx);
	else
		err = result(waiter, cx);
	if (err != -EAGAIN)
		context_budget_spend();
	return err;
}

int wait_queue_block(struct pollrt_wait_queue *queue, size_t want)
{
	pthread_cond_t thread = PTHREAD_COND_INITIALIZER;
	struct pollrt_waiter waiter = {.thread = &thread};
	int err = wait_queue_try(queue, want);

	if (err != -EAGAIN)
		return err;
	enter(queue, &waiter, want);
	while (waiter.state == WAITING)
		pthread_cond_wait(&thread, queue->lock);
	pthread_cond_destroy(&thread);
	return outcome(queue, &waiter);
}
