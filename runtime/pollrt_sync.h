/* SPDX-License-Identifier: MIT */
/*
 * pollrt: channels between tasks, and what else they wait for each other with.
 *
 *	channel     many senders, one receiver; bounded (a send waits for room) or unbounded
 *	oneshot     one item, once
 *	watch       the latest value, for any number of receivers
 *	semaphore   permits
 *	mutex       one holder at a time, who may await while it holds the lock
 *	notify      wake-ups without data
 *
 * A task that takes what others send until the last of them is gone:
 *
 *	struct consume {
 *		struct pollrt_async async;
 *		struct pollrt_receiver *receiver;
 *		struct request request;
 *		struct pollrt_recv recv;
 *	};
 *
 *	static POLLRT_ASYNC(consume)
 *	{
 *		POLLRT_BEGIN();
 *		for (;;) {
 *			POLLRT_CALL(self->recv, pollrt_recv, .receiver = self->receiver,
 *				    .item = &self->request);
 *			if (self->recv.status)
 *				break;
 *			handle(&self->request);
 *		}
 *		POLLRT_END();
 *	}
 *
 *	static void consume_drop(struct consume *self)
 *	{
 *		pollrt_receiver_close(self->receiver);
 *	}
 *
 * Ends of channels are closed in the drop function of the task that owns them, which also runs when
 * the task is aborted: else those at the other end would wait for ever.
 *
 * Threading: everything here may be used by tasks of any runtime, by several runtimes at once, and
 * by plain threads. Functions without a context (`cx`) never wait, but for those called _blocking:
 * they block the calling thread, which should run no worker: a thread of one's own, a blocking job,
 * or a task inside pollrt_block_in_place(). Memory that is written before a send, a release, an
 * unlock or a notification is visible to whom it lets go on.
 *
 * Fairness: who waits is served in the order of coming, and is not overtaken: what becomes free
 * while somebody waits belongs to the first of them at once, so an attempt that does not wait
 * (pollrt_try_...) fails as long as there are waiters.
 *
 * Cancellation: a wait is a state struct, a field of the task's state, so that it can be dropped by
 * a timeout, an abort or the end of the task at any await. It then leaves the queue at once, and
 * what it had been given but not yet returned (a permit, the lock, room, an item, a wake-up) goes
 * to the next. An item is moved in the poll that is ready and not before: a send or receive that
 * was dropped has moved nothing. What was returned is the caller's, who gives it back: a task that
 * may be dropped while it holds a lock or a permit says so by pollrt_lock_hold() or
 * pollrt_acquire_hold().
 *
 * Each operation takes one from the task's budget, as in pollrt_coop_proceed().
 *
 * Items are copied by size. A copy that is moved is the receiver's; one that nobody will receive is
 * passed to the drop function, if there is one, on the thread that makes it so.
 */
#ifndef POLLRT_SYNC_H
#define POLLRT_SYNC_H

#include <pthread.h>

#include "pollrt.h"

/** A place in a wait queue; private. */
struct pollrt_waiter {
	struct pollrt_wait_queue *queue;
	TAILQ_ENTRY(pollrt_waiter) link;
	struct pollrt_task *task;
	pthread_cond_t *thread;
	struct pollrt_cleanup cleanup;
	size_t want;
	uint64_t ticket;
	unsigned int state;
};

/** Permits and who waits for some, in order; private. */
struct pollrt_wait_queue {
	pthread_mutex_t *lock;
	size_t permits;
	size_t limit;
	TAILQ_HEAD(pollrt_waiters, pollrt_waiter) waiters;
	uint64_t tickets;
	bool closed;
};

/* ---- channel -------------------------------------------------------------------------------- */
/*
 * A queue of items, first in first out. It ends from either side: when all senders are closed the
 * receiver gets what is left, then -EPIPE; when the receiver is closed what is left is dropped and
 * sends give -EPIPE. Memory follows the number of items queued; a bounded channel never holds more
 * than its capacity.
 */

struct pollrt_sender;
struct pollrt_receiver;

/**
 * Makes a channel for items of @item_size bytes. It holds at most @capacity of them; 0: as many as
 * there is memory for. The caller owns both ends, and closes each.
 * Returns 0, -EINVAL for an item size of 0, -ENOMEM.
 */
int pollrt_channel_create(struct pollrt_sender **sender, struct pollrt_receiver **receiver,
			  size_t item_size, uint32_t capacity);

/** The same with a function that is called with a pointer to each item that is never received. */
int pollrt_channel_create_drop(struct pollrt_sender **sender, struct pollrt_receiver **receiver,
			       size_t item_size, uint32_t capacity, pollrt_drop_fn drop);

/** One more sender, to be closed by its owner. Never fails. */
struct pollrt_sender *pollrt_sender_clone(struct pollrt_sender *sender);

/** Gives up a sender, in which no send waits. NULL is legal. */
void pollrt_sender_close(struct pollrt_sender *sender);

/** Gives up the receiver, in which no receive waits, and drops what is queued. NULL is legal. */
void pollrt_receiver_close(struct pollrt_receiver *receiver);

/** Items in the queue. */
size_t pollrt_channel_depth(const struct pollrt_receiver *receiver);

/**
 * Waits for room and sends a copy of *@item, which must stay until it is ready: a field of `self`.
 * With a status other than 0 the item remains the caller's.
 */
struct pollrt_send {
	struct pollrt_sender *sender;
	const void *item;
	int status; /**< 0, -EPIPE: the receiver is gone, -ENOMEM */
	struct pollrt_waiter waiter;
};
enum pollrt_poll pollrt_send(struct pollrt_send *self, struct pollrt_cx *cx);

/** Sends without waiting. Returns 0, -EAGAIN when there is no room, -EPIPE, -ENOMEM. */
int pollrt_try_send(struct pollrt_sender *sender, const void *item);

/** Sends, blocking the calling thread until there is room. Returns 0, -EPIPE, -ENOMEM. */
int pollrt_send_blocking(struct pollrt_sender *sender, const void *item);

/**
 * Waits for an item and moves it to *@item: a field of `self`. Several tasks may wait in one
 * receiver; each item goes to one of them.
 */
struct pollrt_recv {
	struct pollrt_receiver *receiver;
	void *item;
	int status; /**< 0, or -EPIPE: all senders are gone and nothing is left */
	struct pollrt_waiter waiter;
};
enum pollrt_poll pollrt_recv(struct pollrt_recv *self, struct pollrt_cx *cx);

/** Receives without waiting. Returns 0, -EAGAIN when there is nothing, -EPIPE. */
int pollrt_try_recv(struct pollrt_receiver *receiver, void *item);

/** Receives, blocking the calling thread until there is an item. Returns 0, -EPIPE. */
int pollrt_recv_blocking(struct pollrt_receiver *receiver, void *item);

/* ---- oneshot -------------------------------------------------------------------------------- */
/* A channel for one item: an answer, a result. No probe fires: it is no queue. */

struct pollrt_oneshot_sender;
struct pollrt_oneshot_receiver;

/**
 * Makes a oneshot for an item of @item_size bytes. @drop, or NULL: called with the item if it was
 * sent and is never received. Returns 0, -EINVAL for an item size of 0, -ENOMEM.
 */
int pollrt_oneshot_create(struct pollrt_oneshot_sender **sender,
			  struct pollrt_oneshot_receiver **receiver, size_t item_size,
			  pollrt_drop_fn drop);

/**
 * Sends a copy of *@item and gives up the sender. Returns 0, or -EPIPE: the receiver is gone, and
 * the item remains the caller's.
 */
int pollrt_oneshot_send(struct pollrt_oneshot_sender *sender, const void *item);

/** Gives up the sender without sending. NULL is legal. */
void pollrt_oneshot_sender_close(struct pollrt_oneshot_sender *sender);

/** Gives up the receiver, in which no receive waits. NULL is legal. */
void pollrt_oneshot_receiver_close(struct pollrt_oneshot_receiver *receiver);

/** Waits for the item and moves it to *@item; one task at a time. */
struct pollrt_oneshot_recv {
	struct pollrt_oneshot_receiver *receiver;
	void *item;
	int status; /**< 0, or -EPIPE: the sender is gone, or the item was received before */
	struct pollrt_waiter waiter;
};
enum pollrt_poll pollrt_oneshot_recv(struct pollrt_oneshot_recv *self, struct pollrt_cx *cx);

/** Receives without waiting. Returns 0, -EAGAIN, -EPIPE. */
int pollrt_oneshot_try_recv(struct pollrt_oneshot_receiver *receiver, void *item);

/** Receives, blocking the calling thread. Returns 0, -EPIPE. */
int pollrt_oneshot_recv_blocking(struct pollrt_oneshot_receiver *receiver, void *item);

/**
 * Waits until the receiver is gone: then nobody wants the item any more. One task at a time, and
 * none any more when the sender is given up.
 */
struct pollrt_oneshot_closed {
	struct pollrt_oneshot_sender *sender;
	struct pollrt_waiter waiter;
};
enum pollrt_poll pollrt_oneshot_closed(struct pollrt_oneshot_closed *self, struct pollrt_cx *cx);

/* ---- watch ---------------------------------------------------------------------------------- */
/* One value that changes: configuration, state, "stop". A receiver sees the latest, not each. */

struct pollrt_watch;

/** One who watches, by one task or thread at a time. Made by pollrt_watch_subscribe(). */
struct pollrt_watch_receiver {
	struct pollrt_watch *watch; /**< with a reference */
	uint64_t seen;              /**< the version of the value that it has seen */
};

/** Makes a watch with a first value of @size bytes. Returns 0, -EINVAL for size 0, -ENOMEM. */
int pollrt_watch_create(struct pollrt_watch **watch, size_t size, const void *value);

/** Ends it: there will be no more values. Receivers keep the last. NULL is legal. */
void pollrt_watch_close(struct pollrt_watch *watch);

/** Replaces the value, and wakes all who wait for that. From any thread. */
void pollrt_watch_send(struct pollrt_watch *watch, const void *value);

/**
 * Starts to watch; the value of now counts as seen. @watch: one's own, or that of another receiver.
 */
void pollrt_watch_subscribe(struct pollrt_watch_receiver *receiver, struct pollrt_watch *watch);

/** Stops watching. Needed once for every pollrt_watch_subscribe(). No wait must be under way. */
void pollrt_watch_unsubscribe(struct pollrt_watch_receiver *receiver);

/** Copies the latest value, which then counts as seen. */
void pollrt_watch_get(struct pollrt_watch_receiver *receiver, void *value);

/** Waits for a value that was not seen; pollrt_watch_get() gets it. */
struct pollrt_watch_changed {
	struct pollrt_watch_receiver *receiver;
	int status; /**< 0, or -EPIPE: the last value was seen, and the watch is closed */
	struct pollrt_waiter waiter;
};
enum pollrt_poll pollrt_watch_changed(struct pollrt_watch_changed *self, struct pollrt_cx *cx);

/** Waits for one, blocking the calling thread. Returns 0 or -EPIPE. */
int pollrt_watch_changed_blocking(struct pollrt_watch_receiver *receiver);

/* ---- semaphore ------------------------------------------------------------------------------ */

/** Permits; init it, and do not move it. It needs no destruction, but must have no waiters then. */
struct pollrt_semaphore {
	pthread_mutex_t lock;
	struct pollrt_wait_queue queue;
};
void pollrt_semaphore_init(struct pollrt_semaphore *semaphore, size_t permits);

/**
 * Waits for @permits of them, all at once. Who wants many is not starved by those who want few. To
 * want more than there ever are is to wait for ever.
 */
struct pollrt_acquire {
	struct pollrt_semaphore *semaphore;
	size_t permits; /**< 0: one */
	struct pollrt_waiter waiter;
};
enum pollrt_poll pollrt_acquire(struct pollrt_acquire *self, struct pollrt_cx *cx);

/** After pollrt_acquire(): releases the permits when the scope of @cx ends, see pollrt_defer(). */
void pollrt_acquire_hold(struct pollrt_acquire *self, struct pollrt_cx *cx);

/** Releases them now, after pollrt_acquire_hold(). */
void pollrt_acquire_release(struct pollrt_acquire *self);

/** Takes @permits without waiting. Returns 0 or -EAGAIN. */
int pollrt_try_acquire(struct pollrt_semaphore *semaphore, size_t permits);

/** Takes @permits, blocking the calling thread until it has them. */
void pollrt_acquire_blocking(struct pollrt_semaphore *semaphore, size_t permits);

/**
 * Gives @permits back, or adds new ones. Of more than one, @semaphore must stay until it returns:
 * those who wait are told in parts.
 */
void pollrt_release(struct pollrt_semaphore *semaphore, size_t permits);

/** Permits that are free. */
size_t pollrt_semaphore_available(struct pollrt_semaphore *semaphore);

/* ---- mutex ---------------------------------------------------------------------------------- */

/**
 * A lock that may be held across awaits; who waits for it lets other tasks run. Init it, and do not
 * move it. For short sections without an await a pthread mutex is cheaper.
 */
struct pollrt_mutex {
	struct pollrt_semaphore semaphore;
};
void pollrt_mutex_init(struct pollrt_mutex *mutex);

/** Waits for the lock. */
struct pollrt_lock {
	struct pollrt_mutex *mutex;
	struct pollrt_acquire acquire;
};
enum pollrt_poll pollrt_lock(struct pollrt_lock *self, struct pollrt_cx *cx);

/** After pollrt_lock(): unlocks when the scope of @cx ends, see pollrt_defer(). */
void pollrt_lock_hold(struct pollrt_lock *self, struct pollrt_cx *cx);

/** Unlocks now, after pollrt_lock_hold(). */
void pollrt_lock_release(struct pollrt_lock *self);

/**
 * Awaits the lock with its state in @place, and holds it until pollrt_lock_release() or until the
 * task is dropped.
 */
#define POLLRT_LOCK(place, mutex_)                                                                 \
	do {                                                                                       \
		POLLRT_CALL(place, pollrt_lock, .mutex = (mutex_));                                \
		pollrt_lock_hold(&(place), cx);                                                    \
	} while (0)

/** Locks without waiting. Returns 0 or -EAGAIN. */
int pollrt_try_lock(struct pollrt_mutex *mutex);

/** Locks, blocking the calling thread until it has the lock. */
void pollrt_lock_blocking(struct pollrt_mutex *mutex);

/** Unlocks; by whichever task or thread the lock was passed to. It must be locked. */
void pollrt_unlock(struct pollrt_mutex *mutex);

/* ---- notify --------------------------------------------------------------------------------- */

/** Wake-ups; init it, and do not move it. It needs no destruction. */
struct pollrt_notify {
	pthread_mutex_t lock;
	struct pollrt_wait_queue queue;
	uint64_t rounds; /**< calls of pollrt_notify_all(), and 1 */
};
void pollrt_notify_init(struct pollrt_notify *notify);

/** Wakes who waits longest. If nobody does, the next wait is over at once: one, not one each. */
void pollrt_notify_one(struct pollrt_notify *notify);

/** Wakes all who wait now, nothing for those who come later. @notify must stay until it returns. */
void pollrt_notify_all(struct pollrt_notify *notify);

/** Waits for a notification. */
struct pollrt_notified {
	struct pollrt_notify *notify;
	uint64_t round; /**< of pollrt_notified_from() */
	struct pollrt_waiter waiter;
};
enum pollrt_poll pollrt_notified(struct pollrt_notified *self, struct pollrt_cx *cx);

/**
 * A wait for which each pollrt_notify_all() from now on counts, not only from its first poll on. So
 * a condition can be checked between this and the await without missing its change.
 */
struct pollrt_notified pollrt_notified_from(struct pollrt_notify *notify);

#endif
