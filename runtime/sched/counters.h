/* SPDX-License-Identifier: MIT */
/*
 * The counters behind pollrt_metrics(). Each set has one writing thread (a worker), which adds
 * without a locked instruction, or is shared and added to atomically. Adding releases and reading
 * acquires, so that who reads what was counted later also reads what was counted before it.
 */
#ifndef POLLRT_COUNTERS_H
#define POLLRT_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

enum counter {
	COUNTER_SPAWNS,
	COUNTER_POLLS,
	COUNTER_WAKES,
	COUNTER_DISCARDS,
	COUNTER_COMPLETIONS,
	COUNTER_CANCELLATIONS,
	COUNTER_PARKS,
	COUNTER_STEALS,
	COUNTER_STOLEN,
	COUNTER_OVERFLOWS,
	COUNTER_LIFO_HITS,
	COUNTER_BLOCK_ONS,
	COUNTER_BLOCK_ON_POLLS,
	COUNTER_BLOCK_ON_WAKES,
	COUNTER_BLOCKING_JOBS,
	COUNTER_BLOCKING_RUNS,
	COUNTER_HANDOVERS,
	COUNTER_COUNT,
};

struct counters {
	_Atomic uint64_t value[COUNTER_COUNT];
};

/** Adds @n; only for the thread that owns the set. */
static inline void counters_add(struct counters *counters, enum counter which, uint64_t n)
{
	uint64_t value = atomic_load_explicit(&counters->value[which], memory_order_relaxed);

	atomic_store_explicit(&counters->value[which], value + n, memory_order_release);
}

/** Adds @n to a set that several threads add to. */
static inline void counters_add_shared(struct counters *counters, enum counter which, uint64_t n)
{
	atomic_fetch_add_explicit(&counters->value[which], n, memory_order_release);
}

/** On any thread. */
static inline uint64_t counters_read(const struct counters *counters, enum counter which)
{
	return atomic_load_explicit(&counters->value[which], memory_order_acquire);
}

#endif
