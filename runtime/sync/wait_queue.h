/* SPDX-License-Identifier: MIT */
/*
 * Under all of pollrt_sync.h: permits, and a queue of those who wait for some.
 *
 * Free permits exist only as long as the first waiter wants more than there are: what is released
 * is granted to waiters under the lock, before they run. So nobody overtakes, and a waiter that is
 * dropped knows whether it has something to hand on.
 *
 * The lock is the owner's, who may guard more by it; functions are called with it held unless they
 * say otherwise. Tasks are woken without it: granting collects them in a wake list, which the
 * caller runs after unlocking. Threads are signalled at once.
 */
#ifndef POLLRT_WAIT_QUEUE_H
#define POLLRT_WAIT_QUEUE_H

#include <errno.h>

#include "sched/context.h"
#include "pollrt_sync.h"
#include "sched/task.h"

/** Waiters that are granted in one hold of the lock; the rest has to wait for the next. */
#define WAKE_LIST_MAX 32u

/** Tasks to be woken without the lock, with references. */
struct wake_list {
	unsigned int count;
	struct pollrt_task *tasks[WAKE_LIST_MAX];
};

static inline void wake_list_init(struct wake_list *list)
{
	list->count = 0;
}

/** Wakes and forgets them. Without the lock. */
void wake_list_run(struct wake_list *list);

/** A queue under *@lock, which is not needed here, that never has more than @limit free permits. */
void wait_queue_init(struct pollrt_wait_queue *queue, pthread_mutex_t *lock, size_t permits,
		     size_t limit);

/** Takes @want permits if nobody waits, or it wants none. Returns 0, -EAGAIN, -EPIPE if closed. */
int wait_queue_try(struct pollrt_wait_queue *queue, size_t want);

/**
 * Polls for @want permits, of the first poll: 0 with them, -EPIPE if there are not as many and the
 * queue is closed, or -EAGAIN: the task will be woken, and a cleanup has been deferred that leaves
 * the queue. Takes one from the task's budget. The leaf returns wait_queue_result() of it.
 */
int wait_queue_poll(struct pollrt_wait_queue *queue, struct pollrt_waiter *waiter, size_t want,
		    struct pollrt_cx *cx);

/**
 * What a leaf's poll returns after wait_queue_poll() said @err. Without the lock: the probe may
 * cost a trap. Inline, so that the leaf is on the stack that is taken then.
 */
static inline enum pollrt_poll wait_queue_result(int err, const struct pollrt_cx *cx)
{
	if (err != -EAGAIN)
		return POLLRT_READY;
	/* Without budget it does not wait, but has woken itself. */
	if (context_top->budget)
		context_waits(cx);
	return POLLRT_PENDING;
}

/** Both of them, for a leaf with nothing else to do under the lock, which it takes. */
static inline enum pollrt_poll wait_queue_await(struct pollrt_wait_queue *queue,
						struct pollrt_waiter *waiter, size_t want,
						struct pollrt_cx *cx)
{
	int err;

	pthread_mutex_lock(queue->lock);
	err = wait_queue_poll(queue, waiter, want, cx);
	pthread_mutex_unlock(queue->lock);
	return wait_queue_result(err, cx);
}

/** Blocks the thread, giving up the lock meanwhile, for @want permits. Returns 0 or -EPIPE. */
int wait_queue_block(struct pollrt_wait_queue *queue, size_t want);

/**
 * Adds @permits and grants what can be granted. True: @wakes is full before all is done; call it
 * again with 0. One permit is one waiter at most, so that never happens with one.
 */
bool wait_queue_release(struct pollrt_wait_queue *queue, size_t permits, struct wake_list *wakes);

/** wait_queue_release() and wakes; unlocks. The queue is not touched after the last wake. */
void wait_queue_release_unlock(struct pollrt_wait_queue *queue, size_t permits);

/** Lets all who wait now go on without permits; unlocks. */
void wait_queue_wake_all_unlock(struct pollrt_wait_queue *queue);

/** Ends all waits, now and later, that cannot have their permits at once; unlocks. */
void wait_queue_close_unlock(struct pollrt_wait_queue *queue);

#endif
