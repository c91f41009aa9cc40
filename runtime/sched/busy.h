/* SPDX-License-Identifier: MIT */
/*
 * How long a worker has been busy: time that it runs and is not parked, as Tokio counts it.
 *
 * One word, so that a reader on another thread never sees half of a change: while busy the time at
 * which the worker would have begun had it never been parked, else the sum so far, marked. The
 * clock is read around parking only. Who reads while it is about to be stopped may be ahead of it.
 */
#ifndef POLLRT_BUSY_H
#define POLLRT_BUSY_H

#include <stdatomic.h>
#include <stdint.h>

#include "pollrt.h"

#define BUSY_STOPPED ((uint64_t)1 << 63)

struct busy {
	_Atomic uint64_t word;
};

static inline void busy_init(struct busy *busy)
{
	atomic_init(&busy->word, BUSY_STOPPED);
}

/** In ns, up to now; on any thread. */
static inline uint64_t busy_ns(const struct busy *busy)
{
	uint64_t word, ns;

	/* Had it been parked between, that time would count. */
	do {
		word = atomic_load_explicit(&busy->word, memory_order_acquire);
		ns = word & BUSY_STOPPED ? word & ~BUSY_STOPPED : pollrt_now_ns() - word;
	} while (atomic_load_explicit(&busy->word, memory_order_relaxed) != word);
	return ns;
}

/** It is busy from now on, and was not. By who runs the worker, as busy_stop(). */
static inline void busy_start(struct busy *busy)
{
	atomic_store_explicit(&busy->word, pollrt_now_ns() - busy_ns(busy), memory_order_relaxed);
}

static inline void busy_stop(struct busy *busy)
{
	atomic_store_explicit(&busy->word, busy_ns(busy) | BUSY_STOPPED, memory_order_relaxed);
}

#endif
