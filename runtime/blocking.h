/* SPDX-License-Identifier: MIT */
/* The blocking pool: threads for jobs that may block, started on demand, retired when idle. */
#ifndef POLLRT_BLOCKING_H
#define POLLRT_BLOCKING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "pollrt.h"

struct blocking_thread {
	pthread_t thread;
	struct pollrt_runtime *rt;
	uint32_t number; /**< in its name; starts anew after 99 */
	LIST_ENTRY(blocking_thread) link;
};
LIST_HEAD(blocking_threads, blocking_thread);

struct blocking {
	uint32_t limit;
	uint64_t keepalive_ns;
	pthread_mutex_t lock; /**< of what follows */
	pthread_cond_t work;  /**< a claim was handed over, or the pool closed */
	pthread_cond_t ended; /**< a thread left `running` */
	struct pollrt_task *first;
	struct pollrt_task **last;
	uint32_t depth;   /**< jobs that wait */
	uint32_t threads; /**< alive */
	uint32_t idle;    /**< of those, waiting, and not yet claimed by a job */
	uint32_t claims;  /**< wakeups handed to idle threads and not yet taken */
	uint64_t started; /**< threads so far, for their names */
	bool closed;
	struct blocking_threads running;
	struct blocking_thread *retired; /**< ending; the next to retire joins it */
};

void blocking_init(struct blocking *blocking, uint32_t limit, uint64_t keepalive_ns);

/** Fills in what @metrics says about the pool's threads and queue. */
void blocking_metrics(const struct blocking *blocking, struct pollrt_metrics *metrics);

/** Cancels jobs that wait, waits for those that run, and joins all threads. */
void blocking_close(struct blocking *blocking);

#endif
