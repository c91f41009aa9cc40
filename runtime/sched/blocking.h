/* SPDX-License-Identifier: MIT */
/*
 * The blocking pool: threads for jobs that may block, started on demand, retired when idle. Those
 * that run the workers come from it, and go back to it: see handover.h.
 */
#ifndef POLLRT_BLOCKING_H
#define POLLRT_BLOCKING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "sched/handover.h"
#include "pollrt.h"

struct blocking_thread {
	pthread_t thread;
	struct pollrt_runtime *rt;
	LIST_ENTRY(blocking_thread) link;
};
LIST_HEAD(blocking_threads, blocking_thread);

struct blocking {
	uint32_t limit;
	uint64_t keepalive_ns;
	pthread_mutex_t lock; /**< of what follows */
	pthread_cond_t work;  /**< a claim was handed over, or the pool closed */
	pthread_cond_t ended; /**< a thread left `running`, or its worker */
	struct pollrt_task *first;
	struct pollrt_task **last;
	uint32_t depth;    /**< jobs that wait */
	uint32_t alive;    /**< threads, those included that run a worker */
	uint32_t idle;     /**< of those, waiting, and not yet claimed by a job or a worker */
	uint32_t claims;   /**< wakeups handed to idle threads and not yet taken */
	uint32_t starting; /**< threads that have not looked for work yet */
	uint32_t named;    /**< threads so far */
	bool closed;
	struct handover handover;
	struct blocking_threads running;
	struct blocking_thread *retired; /**< ending; the next to retire joins it */
};

void blocking_init(struct blocking *blocking, uint32_t limit, uint64_t keepalive_ns);

/**
 * Has a thread come for one more job or worker, unless enough are on their way: one that is idle,
 * or below the limit a new one. Under the lock. Returns 0, -EAGAIN at the limit, or why no thread
 * could be started.
 */
int blocking_summon(struct pollrt_runtime *rt);

/** Starts a thread. Under the lock. Returns 0 or a negative errno. */
int blocking_start_thread(struct pollrt_runtime *rt);

/** A number for the name of a thread of the pool; starts anew after 99. Under the lock. */
uint32_t blocking_number(struct blocking *blocking);

/** Fills in what @metrics says about the pool's threads and queue. */
void blocking_metrics(const struct blocking *blocking, struct pollrt_metrics *metrics);

/** Cancels jobs that wait, waits for those that run, and joins all threads. */
void blocking_close(struct blocking *blocking);

#endif
