/* SPDX-License-Identifier: MIT */
/*
 * Items of one size, first in first out, in blocks: memory follows their number both ways, and
 * nothing is ever moved to make room. Not thread-safe.
 */
#ifndef POLLRT_ITEM_QUEUE_H
#define POLLRT_ITEM_QUEUE_H

#include <stddef.h>

#include "pollrt.h"

struct item_block;

struct item_queue {
	size_t item_size;
	size_t block_items; /**< items in a block */
	size_t length;
	size_t first; /**< the first item's index in `head` */
	size_t end;   /**< index in `tail` of the place behind the last item */
	struct item_block *head;
	struct item_block *tail;
	struct item_block *spare; /**< or NULL; kept so that blocks are not made all the time */
};

/** An empty queue. @most: blocks need not be larger than for as many items, if not 0. */
void item_queue_init(struct item_queue *queue, size_t item_size, size_t most);

/** Appends a copy of *@item. Returns 0 or -ENOMEM. */
int item_queue_push(struct item_queue *queue, const void *item);

/** Moves the first item to *@item. There must be one. */
void item_queue_pop(struct item_queue *queue, void *item);

/** Passes all items to @drop, unless it is NULL, and frees all memory. */
void item_queue_clear(struct item_queue *queue, pollrt_drop_fn drop);

#endif
