/* SPDX-License-Identifier: MIT */
/* The injection queue: tasks from outside of the workers, and what overflows from their queues. */
#ifndef POLLRT_INJECT_H
#define POLLRT_INJECT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pollrt_task;

struct inject {
	pthread_mutex_t lock;
	struct pollrt_task *first;
	struct pollrt_task **last;
	bool closed;
	/* Written under the lock, read without. */
	_Atomic uint32_t length;
	_Atomic uint64_t remote; /**< tasks so far from outside of the workers */
};

void inject_init(struct inject *inject);

/** Appends a task from outside of the workers. After inject_close() its reference is dropped. */
void inject_push(struct inject *inject, struct pollrt_task *task);

/** The same of a linked list of @n from a worker's queue. */
void inject_push_batch(struct inject *inject, struct pollrt_task *first, struct pollrt_task *last,
		       uint32_t n);

/** Takes up to @n tasks as a linked list; NULL if there is none. */
struct pollrt_task *inject_pop(struct inject *inject, uint32_t n);

/** From now on it stays empty. Drops what it holds. */
void inject_close(struct inject *inject);

static inline uint32_t inject_length(const struct inject *inject)
{
	return atomic_load_explicit(&inject->length, memory_order_relaxed);
}

/** Counts inject_push(). Ordered as counters are. */
static inline uint64_t inject_remote(const struct inject *inject)
{
	return atomic_load_explicit(&inject->remote, memory_order_acquire);
}

#endif
