// SPDX-License-Identifier: MIT
#include "core/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"

static char *item_at(const struct top *top, size_t at)
{
	return top->items + at * top->size;
}

bool top_takes(const struct top *top, const void *item)
{
	if (top->count < top->limit)
		return true;
	return top->limit && top->compare(item, top->items) < 0;
}

/* Finds where the item belongs on the way up from a free leaf. */
static void rise(struct top *top, size_t at, const void *item)
{
	while (at) {
		size_t parent = (at - 1) / 2;

		if (top->compare(item, item_at(top, parent)) <= 0)
			break;
		memcpy(item_at(top, at), item_at(top, parent), top->size);
		at = parent;
	}
	memcpy(item_at(top, at), item, top->size);
}

/* The same on the way down from the root. */
static void sink(struct top *top, const void *item)
{
	size_t at = 0, child;

	for (child = 1; child < top->count; child = at * 2 + 1) {
		if (child + 1 < top->count &&
		    top->compare(item_at(top, child + 1), item_at(top, child)) > 0)
			child++;
		if (top->compare(item, item_at(top, child)) >= 0)
			break;
		memcpy(item_at(top, at), item_at(top, child), top->size);
		at = child;
	}
	memcpy(item_at(top, at), item, top->size);
}

int top_offer(struct top *top, const void *item)
{
	char *items;

	if (!top_takes(top, item))
		return 0;
	if (top->count == top->limit) {
		sink(top, item);
		return 0;
	}
	items = array_grow(top->items, top->count, &top->capacity, top->size);
	if (!items)
		return -ENOMEM;
	top->items = items;
	rise(top, top->count++, item);
	return 0;
}

void top_sort(struct top *top)
{
	if (top->count)
		qsort(top->items, top->count, top->size, top->compare);
}
