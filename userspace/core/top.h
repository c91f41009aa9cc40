/* SPDX-License-Identifier: MIT */
/*
 * The best few of many: a heap of bounded size, the worst kept at its root.
 */
#ifndef POLLSCOPE_CORE_TOP_H
#define POLLSCOPE_CORE_TOP_H

#include <stdbool.h>
#include <stddef.h>

struct top {
	char *items;
	size_t count, capacity;
	size_t limit;                                 /* most to keep */
	size_t size;                                  /* bytes of an item */
	int (*compare)(const void *a, const void *b); /* < 0: a ranks before b, as for qsort */
};

/* Whether an item would be kept: saves making it whole. */
bool top_takes(const struct top *top, const void *item);

/* Keeps a copy if it is good enough. Returns 0 or -ENOMEM. */
int top_offer(struct top *top, const void *item);

/* Best first. No offers after that. */
void top_sort(struct top *top);

#endif
