// SPDX-License-Identifier: MIT
#include "sync/item_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ITEMS 32u
#define BLOCK_BYTES 4096u

struct item_block {
	struct item_block *next;
	_Alignas(max_align_t) unsigned char items[];
};

void item_queue_init(struct item_queue *queue, size_t item_size, size_t most)
{
	size_t count = BLOCK_BYTES / item_size;

	if (count > BLOCK_ITEMS)
		count = BLOCK_ITEMS;
	if (most && count > most)
		count = most;
	*queue = (struct item_queue){.item_size = item_size, .block_items = count ? count : 1};
}

static int append_block(struct item_queue *queue)
{
	struct item_block *block = queue->spare;

	queue->spare = NULL;
	if (!block)
		block = malloc(sizeof(*block) + queue->block_items * queue->item_size);
	if (!block)
		return -ENOMEM;
	block->next = NULL;
	if (queue->tail)
		queue->tail->next = block;
	else
		queue->head = block;
	queue->tail = block;
	queue->end = 0;
	return 0;
}

int item_queue_push(struct item_queue *queue, const void *item)
{
	if (!queue->tail || queue->end == queue->block_items) {
		int err = append_block(queue);

		if (err)
			return err;
	}
	memcpy(queue->tail->items + queue->end++ * queue->item_size, item, queue->item_size);
	queue->length++;
	return 0;
}

/* All items of the first block are gone. */
static void remove_block(struct item_queue *queue)
{
	struct item_block *block = queue->head;

	queue->head = block->next;
	if (!queue->head)
		queue->tail = NULL;
	queue->first = 0;
	free(queue->spare);
	queue->spare = block;
}

/* The first item, off the queue, valid until the next call of remove_block(). */
static void *take(struct item_queue *queue)
{
	queue->length--;
	return queue->head->items + queue->first++ * queue->item_size;
}

static bool head_is_used_up(const struct item_queue *queue)
{
	return queue->first == queue->block_items || !queue->length;
}

void item_queue_pop(struct item_queue *queue, void *item)
{
	memcpy(item, take(queue), queue->item_size);
	if (head_is_used_up(queue))
		remove_block(queue);
}

void item_queue_clear(struct item_queue *queue, pollrt_drop_fn drop)
{
	while (queue->length) {
		void *item = take(queue);

		if (drop)
			drop(item);
		if (head_is_used_up(queue))
			remove_block(queue);
	}
	free(queue->spare);
	queue->spare = NULL;
}
