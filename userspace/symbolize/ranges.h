/* SPDX-License-Identifier: MIT */
/*
 * Address ranges, each with something it stands for, sorted for look-ups.
 */
#ifndef POLLSCOPE_SYMBOLIZE_RANGES_H
#define POLLSCOPE_SYMBOLIZE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t low, high; /* high exclusive */
	uint64_t value;
};

struct ranges {
	struct range *list;
	size_t n, capacity;
};

/* ranges_add() - 0 or -ENOMEM. Empty ranges are left out. */
int ranges_add(struct ranges *ranges, uint64_t low, uint64_t high, uint64_t value);

/* ranges_sort() - after the last ranges_add(), before the first ranges_find(). */
void ranges_sort(struct ranges *ranges);

/*
 * ranges_find() - value of the range that holds an address, of nested ones the one that starts
 * last.
 */
bool ranges_find(const struct ranges *ranges, uint64_t address, uint64_t *value);

/* ranges_release() - frees what is in it; it is empty afterwards. */
void ranges_release(struct ranges *ranges);

#endif
