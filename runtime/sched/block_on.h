/* SPDX-License-Identifier: MIT */
/*
 * Threads that drive a future themselves. On a current_thread runtime they take turns at running
 * its worker: one does, the others poll only their own future until it leaves.
 */
#ifndef POLLRT_BLOCK_ON_H
#define POLLRT_BLOCK_ON_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pollrt.h"

struct context;

/** The state of a TASK_BLOCK_ON. */
struct block_on {
	struct pollrt_task *task;
	void *state; /**< of the future; the caller's */
	_Atomic uint32_t word;
	bool waiting; /**< in `turns`, and under its lock */
	TAILQ_ENTRY(block_on) link;
};
TAILQ_HEAD(block_on_list, block_on);

struct turns {
	pthread_mutex_t lock;
	bool taken;
	struct block_on_list waiters;
};

void turns_init(struct turns *turns);

/** Tells the thread that drives @task to poll it. Takes a reference. */
void block_on_notify(struct pollrt_task *task);

/** Whether a notification came since the last call. */
bool block_on_take(struct block_on *block_on);

/** Whether there is a notification, not yet taken. */
bool block_on_notified(const struct block_on *block_on);

/** Polls the future. True if it is ready; if it woke itself, that is a new notification. */
bool block_on_poll(struct context *context, struct block_on *block_on);

/** Drives the future of @block_on on a current_thread runtime until it is ready. */
void current_thread_drive(struct context *context, struct block_on *block_on);

/** Sleeps until there is a notification or a turn. */
void block_on_wait(struct block_on *block_on);

/** Has block_on_wait() return without a notification. */
void block_on_give_turn(struct block_on *block_on);

#endif
