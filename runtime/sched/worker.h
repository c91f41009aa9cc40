/* SPDX-License-Identifier: MIT */
/* A worker: its run queue, and the loop that runs tasks. */
#ifndef POLLRT_WORKER_H
#define POLLRT_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "sched/busy.h"
#include "sched/counters.h"
#include "sched/deque.h"
#include "sched/parker.h"

struct context;

struct worker {
	struct deque deque;
	_Alignas(64) struct parker parker;
	_Alignas(64) struct counters counters;
	struct busy busy;

	/* Of the thread that runs it alone, from here on. */
	struct pollrt_runtime *rt;
	uint32_t index;
	uint32_t tick;                /**< tasks taken */
	struct pollrt_task *lifo;     /**< the task woken last: next, and not stolen */
	struct pollrt_task *deferred; /**< those that yielded, until others had their turn */
	struct pollrt_task **deferred_last;
	uint32_t deferred_count;
	bool lifo_enabled;
	bool searching;
	bool fed;      /**< took tasks from the injection queue since it last lingered */
	bool parked;   /**< in worker_park(), where its own wakes do not notify others */
	uint32_t seed; /**< of where stealing starts */
	uint32_t refs; /**< to the runtime, in store for tasks; in use they are the tasks' */

	bool offered; /**< to a thread of the blocking pool, under whose lock these are */
	TAILQ_ENTRY(worker) link;
};

void worker_init(struct worker *worker, struct pollrt_runtime *rt, uint32_t index);

/**
 * Runs a multi_thread worker on the calling thread until the runtime shuts down. False: another
 * thread has taken it before.
 */
bool worker_run(struct worker *worker);

/** The calling thread runs the worker from now on, or no more. */
void worker_begin(struct worker *worker);
void worker_end(struct worker *worker);

/** Queues a notified task; on the worker's thread. */
void worker_schedule(struct worker *worker, struct pollrt_task *task);

/**
 * The same for a task that woke itself in its poll: it gets its turn when there is no other task in
 * the local and injection queues, or at the next worker_maintain().
 */
void worker_defer(struct worker *worker, struct pollrt_task *task);

/** Moves all that waits on this worker to where others can steal it; on the worker's thread. */
void worker_share_tasks(struct worker *worker);

/** Takes the next task from the local queues, at times from the injection queue first. */
struct pollrt_task *worker_next(struct worker *worker);

/** Tasks that wait in the local queue and the LIFO slot, and that yielded. */
uint32_t worker_depth(const struct worker *worker);

/** Polls the driver without sleeping, if no other thread has it; requeues who yielded. */
void worker_maintain(struct worker *worker);

/** Sleeps for want of work, between the park probes. */
void worker_sleep(struct worker *worker);

/** Gives back @n of the references in its store. The runtime must have another. */
void worker_return_refs(struct worker *worker, uint32_t n);

/** Drops the references that its queues and its store hold; after its thread is gone. */
void worker_drain(struct worker *worker);

/** Wakes a sleeping worker if there is one and nobody searches. */
void worker_notify_one(struct pollrt_runtime *rt);

#endif
