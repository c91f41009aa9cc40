// SPDX-License-Identifier: MIT
/*
 * A queue for each ring and a heap of their heads. A queue is an array of (time, event): what is
 * sorted are these 16 bytes, the events themselves stay in the blocks they were copied to, which go
 * back to a free list when their last event is delivered. The heap is only touched when the next
 * event comes from another ring than the last, and rings are bursty.
 */
#include "events/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "events/schema.h"

#define BLOCK_BYTES (64 * 1024)
#define FREE_BLOCKS 256 /* kept for reuse */

struct block {
	struct block *next; /* on the free list */
	uint32_t used;      /* bytes */
	uint32_t size;
	uint32_t events; /* not yet delivered; plus one while it is being filled */
	_Alignas(8) char bytes[];
};

struct held {
	struct block *block;
	struct event event;
};

struct entry {
	uint64_t time;
	struct held *held;
};

struct queue {
	struct entry *entries;
	size_t head, tail, capacity;
	uint64_t drained;
	struct block *filling;
};

struct order {
	size_t nqueues; /* the rings', then that of late events */
	struct block *free;
	size_t nfree;
	uint64_t delivered; /* time of the latest delivered */
	uint64_t late;
	size_t *heap; /* queues that are not empty, the one with the next event first */
	size_t nheap;
	struct queue queues[];
};

struct order *order_new(size_t nrings)
{
	struct order *order = calloc(1, sizeof(*order) + (nrings + 1) * sizeof(order->queues[0]));

	if (!order)
		return NULL;
	order->nqueues = nrings + 1;
	order->queues[nrings].drained = UINT64_MAX;
	order->heap = calloc(order->nqueues, sizeof(*order->heap));
	if (!order->heap) {
		free(order);
		return NULL;
	}
	return order;
}

static void block_put(struct order *order, struct block *block)
{
	if (--block->events)
		return;
	if (block->size != BLOCK_BYTES || order->nfree == FREE_BLOCKS) {
		free(block);
		return;
	}
	block->next = order->free;
	order->free = block;
	order->nfree++;
}

static struct block *block_get(struct order *order, size_t size)
{
	struct block *block = order->free;

	if (block && size <= BLOCK_BYTES) {
		order->free = block->next;
		order->nfree--;
	} else {
		size = size > BLOCK_BYTES ? size : BLOCK_BYTES;
		block = malloc(sizeof(*block) + size);
		if (!block)
			return NULL;
		block->size = (uint32_t)size;
	}
	block->used = 0;
	block->events = 1;
	return block;
}

void order_free(struct order *order)
{
	struct block *block;

	if (!order)
		return;
	for (size_t i = 0; i < order->nqueues; i++) {
		struct queue *queue = &order->queues[i];

		while (queue->head < queue->tail)
			block_put(order, queue->entries[queue->head++].held->block);
		if (queue->filling)
			block_put(order, queue->filling);
		free(queue->entries);
	}
	while ((block = order->free)) {
		order->free = block->next;
		free(block);
	}
	free(order->heap);
	free(order);
}

static struct held *hold(struct order *order, struct queue *queue, const struct event *event)
{
	size_t size = sizeof(struct held) + schema_extra_size(event);
	struct block *block = queue->filling;
	struct held *held;

	if (size > UINT32_MAX)
		return NULL;
	if (!block || block->size - block->used < size) {
		block = block_get(order, size);
		if (!block)
			return NULL;
		if (queue->filling)
			block_put(order, queue->filling);
		queue->filling = block;
	}
	held = (struct held *)(block->bytes + block->used);
	block->used += (uint32_t)size;
	block->events++;
	held->block = block;
	schema_copy(&held->event, held + 1, event);
	return held;
}

/* Makes room for one more entry: to the front where at least half is free, else in more memory. */
static int queue_reserve(struct queue *queue)
{
	size_t capacity = queue->capacity ? 2 * queue->capacity : 1024;
	size_t n = queue->tail - queue->head;
	struct entry *entries;

	if (queue->tail < queue->capacity)
		return 0;
	if (queue->head >= queue->capacity / 2 && queue->head) {
		memmove(queue->entries, queue->entries + queue->head, n * sizeof(*entries));
		queue->head = 0;
		queue->tail = n;
		return 0;
	}
	entries = reallocarray(queue->entries, capacity, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	queue->entries = entries;
	queue->capacity = capacity;
	return 0;
}

/* The place of a time in a sorted queue, behind its equals. */
static size_t queue_place(const struct queue *queue, uint64_t time)
{
	size_t low = queue->head, high = queue->tail;

	/* Nearly sorted: it is one of the last, or far away. */
	for (int i = 0; i < 8 && high > low; i++) {
		if (queue->entries[high - 1].time <= time)
			return high;
		high--;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (queue->entries[middle].time <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int order_add(struct order *order, size_t ring, const struct event *event)
{
	bool late = event->time < order->delivered;
	struct queue *queue = &order->queues[late ? order->nqueues - 1 : ring];
	struct entry entry = {.time = event->time};
	size_t place;

	if (queue_reserve(queue))
		return -ENOMEM;
	entry.held = hold(order, queue, event);
	if (!entry.held)
		return -ENOMEM;
	/* Late events are out of order anyhow: as they come. */
	place = late ? queue->tail : queue_place(queue, event->time);
	if (place < queue->tail)
		memmove(queue->entries + place + 1, queue->entries + place,
			(queue->tail - place) * sizeof(entry));
	queue->entries[place] = entry;
	queue->tail++;
	return 0;
}

void order_drained(struct order *order, size_t ring, uint64_t clock_before)
{
	if (clock_before > order->queues[ring].drained)
		order->queues[ring].drained = clock_before;
}

static bool comes_before(const struct order *order, size_t a, size_t b)
{
	const struct queue *first = &order->queues[a], *second = &order->queues[b];
	uint64_t time = first->entries[first->head].time;
	uint64_t other = second->entries[second->head].time;

	return time < other || (time == other && a < b);
}

static void heap_sift_down(struct order *order, size_t i)
{
	size_t queue = order->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= order->nheap)
			break;
		if (child + 1 < order->nheap &&
		    comes_before(order, order->heap[child + 1], order->heap[child]))
			child++;
		if (!comes_before(order, order->heap[child], queue))
			break;
		order->heap[i] = order->heap[child];
		i = child;
	}
	order->heap[i] = queue;
}

static void heap_build(struct order *order)
{
	order->nheap = 0;
	for (size_t i = 0; i + 1 < order->nqueues; i++) {
		if (order->queues[i].head < order->queues[i].tail)
			order->heap[order->nheap++] = i;
	}
	for (size_t i = order->nheap / 2; i-- > 0;)
		heap_sift_down(order, i);
}

/* Takes the next event out of the queue and gives it to the sink. */
static int deliver(struct order *order, struct queue *queue, struct event_sink *sink)
{
	struct held *held = queue->entries[queue->head++].held;
	int err;

	if (held->event.time >= order->delivered)
		order->delivered = held->event.time;
	else
		order->late++;
	err = sink->take(sink, &held->event);
	block_put(order, held->block);
	if (queue->head == queue->tail)
		queue->head = queue->tail = 0;
	return err;
}

/* Delivers from the heap's first queue until another has the next event, or the horizon comes. */
static int deliver_run(struct order *order, struct event_sink *sink, uint64_t horizon)
{
	size_t first = order->heap[0], child = 1;
	struct queue *queue = &order->queues[first];
	int err = 0;

	if (order->nheap > 2 && comes_before(order, order->heap[2], order->heap[1]))
		child = 2;
	while (!err && queue->head < queue->tail && queue->entries[queue->head].time < horizon &&
	       (order->nheap < 2 || comes_before(order, first, order->heap[child])))
		err = deliver(order, queue, sink);
	return err;
}

static int deliver_until(struct order *order, struct event_sink *sink, uint64_t horizon)
{
	struct queue *late = &order->queues[order->nqueues - 1];
	int err = 0;

	while (!err && late->head < late->tail)
		err = deliver(order, late, sink);
	if (err)
		return err;
	heap_build(order);
	while (order->nheap) {
		struct queue *queue = &order->queues[order->heap[0]];

		if (queue->entries[queue->head].time >= horizon)
			break;
		err = deliver_run(order, sink, horizon);
		if (err)
			return err;
		if (queue->head == queue->tail)
			order->heap[0] = order->heap[--order->nheap];
		if (order->nheap)
			heap_sift_down(order, 0);
	}
	return 0;
}

int order_flush(struct order *order, struct event_sink *sink, uint64_t slack_ns)
{
	uint64_t horizon = UINT64_MAX;

	for (size_t i = 0; i < order->nqueues; i++) {
		if (order->queues[i].drained < horizon)
			horizon = order->queues[i].drained;
	}
	return deliver_until(order, sink, horizon > slack_ns ? horizon - slack_ns : 0);
}

int order_finish(struct order *order, struct event_sink *sink)
{
	/* Behind the latest time there is one more, that of hostile records. */
	int err = deliver_until(order, sink, UINT64_MAX);

	for (size_t i = 0; !err && i + 1 < order->nqueues; i++) {
		struct queue *queue = &order->queues[i];

		while (!err && queue->head < queue->tail)
			err = deliver(order, queue, sink);
	}
	return err;
}

uint64_t order_late(const struct order *order)
{
	return order->late;
}
