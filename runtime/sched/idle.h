/* SPDX-License-Identifier: MIT */
/*
 * Which workers sleep, and how many search for work. After Tokio's idle.rs: a push wakes a sleeper
 * only if nobody searches, and the last searcher to find work wakes the next one.
 */
#ifndef POLLRT_IDLE_H
#define POLLRT_IDLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct idle {
	_Atomic uint32_t state; /**< unparked << 16 | searching */
	uint32_t workers;
	pthread_mutex_t lock; /**< of what follows */
	uint32_t sleeping;
	uint32_t *sleepers;
};

/** All @workers count as unparked. Returns 0 or -ENOMEM. */
int idle_init(struct idle *idle, uint32_t workers);
void idle_fini(struct idle *idle);

/** Picks a sleeping worker to be woken as a searcher, or -1 if none is needed. */
int idle_worker_to_notify(struct idle *idle);

/** @worker is going to sleep, and must look once more for work. */
void idle_park(struct idle *idle, uint32_t worker, bool searching);

/** @worker woke by itself. True if it was still listed as sleeping. */
bool idle_unpark(struct idle *idle, uint32_t worker);
bool idle_is_parked(struct idle *idle, uint32_t worker);

/** Starts a search, unless half of the workers search already. */
bool idle_search_begin(struct idle *idle);

/** Ends it. True if it was the last one. */
bool idle_search_end(struct idle *idle);

#endif
