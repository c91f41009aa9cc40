/* SPDX-License-Identifier: MIT */
/*
 * A worker's local run queue: a ring of 256 tasks, pushed and popped by its owner without locks,
 * stolen from by half. After Tokio's queue.rs (itself after Go's runq): the head holds two
 * positions, `steal` (where a stealer under way still reads) and `real` (where the next task is).
 */
#ifndef POLLRT_DEQUE_H
#define POLLRT_DEQUE_H

#include <stdatomic.h>
#include <stdint.h>

/* A power of two; a test makes it small. */
#ifndef DEQUE_SIZE
#define DEQUE_SIZE 256u
#endif

struct inject;
struct pollrt_task;

struct deque {
	_Alignas(64) _Atomic uint64_t head; /**< steal << 32 | real */
	_Alignas(64) _Atomic uint32_t tail; /**< written by the owner only */
	_Atomic(struct pollrt_task *) tasks[DEQUE_SIZE];
};

void deque_init(struct deque *deque);

/**
 * Adds @task at the back; owner only. If full, half of the queue and @task go to @inject.
 * Returns how many tasks were pushed to @inject.
 */
unsigned int deque_push(struct deque *deque, struct pollrt_task *task, struct inject *inject);

/** Takes from the front; owner only. NULL if empty. */
struct pollrt_task *deque_pop(struct deque *deque);

/**
 * Moves half of @from to @to; called by the owner of @to. Returns one of the tasks, not left in
 * @to, or NULL. @moved: how many were taken.
 */
struct pollrt_task *deque_steal(struct deque *from, struct deque *to, unsigned int *moved);

/** How many tasks it holds; exact for the owner if nobody steals. */
static inline uint32_t deque_length(const struct deque *deque)
{
	uint32_t real = (uint32_t)atomic_load_explicit(&deque->head, memory_order_acquire);
	uint32_t tail = atomic_load_explicit(&deque->tail, memory_order_acquire);

	return tail - real;
}

/** Free places, for the owner. */
static inline uint32_t deque_room(const struct deque *deque)
{
	uint32_t steal = (uint32_t)(atomic_load_explicit(&deque->head, memory_order_acquire) >> 32);

	return DEQUE_SIZE - (atomic_load_explicit(&deque->tail, memory_order_relaxed) - steal);
}

#endif
