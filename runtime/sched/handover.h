/* SPDX-License-Identifier: MIT */
/*
 * Which thread runs which worker. A worker is not bound to a thread: a thread that is about to
 * block inside of a poll offers its worker, and one of the blocking pool takes it, for good. The
 * thread that lost it goes on with its poll, runs no other, and is one of the pool from then on.
 * As in Tokio, workers start that way too: offered, each with a thread made for it.
 */
#ifndef POLLRT_HANDOVER_H
#define POLLRT_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct pollrt_runtime;
struct worker;

TAILQ_HEAD(worker_list, worker);

/** Under the lock of the blocking pool. */
struct handover {
	struct worker_list offered; /**< workers that wait for a thread */
	uint32_t waiting;           /**< how many */
	uint32_t working;           /**< workers that are run, or offered */
	bool stopping;
};

void handover_init(struct handover *handover);

/** Starts threads for all workers. Returns 0 or a negative errno; then stop what has started. */
int handover_start(struct pollrt_runtime *rt);

/** Waits until no thread runs a worker; rt->shutdown is set. Polls without one may still be. */
void handover_stop(struct pollrt_runtime *rt);

/**
 * Lets another thread run @worker; by the thread that runs it, whose context has it no more. If the
 * pool has no thread and can make none, nobody takes it until one is free.
 */
void handover_offer(struct worker *worker);

/** Whether nobody has taken it: the caller, who offered it, runs it again. */
bool handover_take_back(struct worker *worker);

/** The worker that has waited longest, or NULL; under the lock. */
struct worker *handover_take(struct handover *handover);

/** Runs @worker on a thread of the pool, until it is lost or the runtime stops. */
void handover_run(struct worker *worker);

#endif
