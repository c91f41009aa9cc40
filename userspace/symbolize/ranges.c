// SPDX-License-Identifier: MIT
#include "symbolize/ranges.h"

#include <errno.h>
#include <stdlib.h>

/* Ranges looked at before an address: those in between end before it. Few programs nest at all. */
#define NESTED_MAX 64

int ranges_add(struct ranges *ranges, uint64_t low, uint64_t high, uint64_t value)
{
	struct range *list;
	size_t room;

	if (low >= high)
		return 0;
	if (ranges->n == ranges->capacity) {
		room = ranges->capacity ? 2 * ranges->capacity : 64;
		list = reallocarray(ranges->list, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		ranges->list = list;
		ranges->capacity = room;
	}
	ranges->list[ranges->n++] = (struct range){low, high, value};
	return 0;
}

/* By start, the longer first, so that the inner one is found first from behind. */
static int compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	if (x->high != y->high)
		return x->high > y->high ? -1 : 1;
	return x->value < y->value ? 1 : -(x->value > y->value);
}

void ranges_sort(struct ranges *ranges)
{
	if (ranges->n)
		qsort(ranges->list, ranges->n, sizeof(*ranges->list), compare);
}

bool ranges_find(const struct ranges *ranges, uint64_t address, uint64_t *value)
{
	size_t low = 0, high = ranges->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->list[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i-- > 0 && low - i <= NESTED_MAX;) {
		if (address < ranges->list[i].high) {
			*value = ranges->list[i].value;
			return true;
		}
	}
	return false;
}

void ranges_release(struct ranges *ranges)
{
	free(ranges->list);
	*ranges = (struct ranges){0};
}
