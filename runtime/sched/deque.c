// SPDX-License-Identifier: MIT
#include "sched/deque.h"

#include "sched/inject.h"
#include "sched/task.h"

#define MASK (DEQUE_SIZE - 1)

static uint64_t pack(uint32_t steal, uint32_t real)
{
	return (uint64_t)steal << 32 | real;
}

static uint32_t steal_of(uint64_t head)
{
	return (uint32_t)(head >> 32);
}

static uint32_t real_of(uint64_t head)
{
	return (uint32_t)head;
}

static struct pollrt_task *slot_load(struct deque *deque, uint32_t position)
{
	return atomic_load_explicit(&deque->tasks[position & MASK], memory_order_relaxed);
}

static void slot_store(struct deque *deque, uint32_t position, struct pollrt_task *task)
{
	atomic_store_explicit(&deque->tasks[position & MASK], task, memory_order_relaxed);
}

/* Release returns the slots that were read to the owner; acquire pairs with the tail's release. */
static bool exchange_head(struct deque *deque, uint64_t *head, uint64_t next)
{
	return atomic_compare_exchange_strong_explicit(&deque->head, head, next,
						       memory_order_acq_rel, memory_order_acquire);
}

void deque_init(struct deque *deque)
{
	atomic_init(&deque->head, 0);
	atomic_init(&deque->tail, 0);
	for (uint32_t i = 0; i < DEQUE_SIZE; i++)
		atomic_init(&deque->tasks[i], NULL);
}

/* Hands the older half to @inject, with @task behind. False if a stealer came first. */
static bool overflow(struct deque *deque, uint32_t real, struct pollrt_task *task,
		     struct inject *inject)
{
	uint64_t head = pack(real, real);
	uint32_t half = DEQUE_SIZE / 2;
	struct pollrt_task *first;

	if (!exchange_head(deque, &head, pack(real + half, real + half)))
		return false;
	first = slot_load(deque, real);
	for (uint32_t i = 0; i + 1 < half; i++)
		slot_load(deque, real + i)->next = slot_load(deque, real + i + 1);
	slot_load(deque, real + half - 1)->next = task;
	inject_push_batch(inject, first, task, half + 1);
	return true;
}

unsigned int deque_push(struct deque *deque, struct pollrt_task *task, struct inject *inject)
{
	uint32_t tail = atomic_load_explicit(&deque->tail, memory_order_relaxed);

	for (;;) {
		uint64_t head = atomic_load_explicit(&deque->head, memory_order_acquire);

		if (tail - steal_of(head) < DEQUE_SIZE) {
			slot_store(deque, tail, task);
			/* Pairs with the acquire of the tail in steal_claim(). */
			atomic_store_explicit(&deque->tail, tail + 1, memory_order_release);
			return 0;
		}
		/* A stealer is making room, but has not left yet. */
		if (steal_of(head) != real_of(head)) {
			inject_push_batch(inject, task, task, 1);
			return 1;
		}
		if (overflow(deque, real_of(head), task, inject))
			return DEQUE_SIZE / 2 + 1;
	}
}

struct pollrt_task *deque_pop(struct deque *deque)
{
	uint64_t head = atomic_load_explicit(&deque->head, memory_order_acquire);
	uint32_t tail = atomic_load_explicit(&deque->tail, memory_order_relaxed);
	uint64_t next;

	do {
		uint32_t real = real_of(head);

		if (real == tail)
			return NULL;
		next = steal_of(head) == real ? pack(real + 1, real + 1)
					      : pack(steal_of(head), real + 1);
	} while (!exchange_head(deque, &head, next));
	return slot_load(deque, real_of(head));
}

/* Copies the claimed half of @from behind @tail of @to, which nobody sees yet. */
static uint32_t steal_half(struct deque *from, struct deque *to, uint32_t tail)
{
	uint64_t head = atomic_load_explicit(&from->head, memory_order_acquire);
	uint32_t first, n;
	uint64_t next;

	do {
		/* One stealer at a time. */
		if (steal_of(head) != real_of(head))
			return 0;
		n = atomic_load_explicit(&from->tail, memory_order_acquire) - real_of(head);
		n -= n / 2;
		/* The head may be stale against the tail: the exchange will fail, but not copy
		 * junk. */
		if (n == 0 || n > DEQUE_SIZE / 2)
			return 0;
		next = pack(steal_of(head), real_of(head) + n);
	} while (!exchange_head(from, &head, next));

	first = real_of(head);
	for (uint32_t i = 0; i < n; i++)
		slot_store(to, tail + i, slot_load(from, first + i));

	/* The owner may have popped meanwhile: free the slots up to wherever `real` is now. */
	head = next;
	while (!exchange_head(from, &head, pack(real_of(head), real_of(head))))
		;
	return n;
}

struct pollrt_task *deque_steal(struct deque *from, struct deque *to, unsigned int *moved)
{
	uint32_t tail = atomic_load_explicit(&to->tail, memory_order_relaxed);
	uint32_t n;

	*moved = 0;
	if (deque_room(to) < DEQUE_SIZE / 2)
		return NULL;
	n = steal_half(from, to, tail);
	if (n == 0)
		return NULL;
	*moved = n;
	if (n > 1)
		atomic_store_explicit(&to->tail, tail + n - 1, memory_order_release);
	return slot_load(to, tail + n - 1);
}
