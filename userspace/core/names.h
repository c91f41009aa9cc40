/* SPDX-License-Identifier: MIT */
/*
 * Strings that many records share, by number.
 */
#ifndef POLLSCOPE_CORE_NAMES_H
#define POLLSCOPE_CORE_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct name;

/* All zero is an empty one. */
struct names {
	struct name **list;
	size_t count, capacity;
	struct name *by_text;
};

/* Numbers are given from 0. Returns 0 or -ENOMEM. */
int names_intern(struct names *names, const char *text, uint32_t *number);
const char *names_text(const struct names *names, uint32_t number);
void names_clear(struct names *names);

#endif
