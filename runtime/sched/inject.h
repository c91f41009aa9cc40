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
	_Atomic uint32_t length; /**< written under the lock, read without */
};

void inject_init(struct inject *inject);

/** Appends a task, or a linked list of @n. After inject_close() their references are dropped. */
void inject_push(struct inject *inject, struct pollrt_task *task);
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

#endif
