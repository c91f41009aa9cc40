/* SPDX-License-Identifier: MIT */
/* The distinct kinds that a capture's events mention, to be named. */
#ifndef POLLSCOPE_ATTACH_KIND_SET_H
#define POLLSCOPE_ATTACH_KIND_SET_H

#include <stddef.h>
#include <stdint.h>

struct kind_ref {
	uint64_t kind;
	uint16_t source;
};

struct kind_set;

/* Returns NULL without memory. */
struct kind_set *kind_set_new(void);
void kind_set_free(struct kind_set *set);

/* Adds one, to a limit that no sound target comes near. Returns 0 or -ENOMEM. */
int kind_set_add(struct kind_set *set, uint16_t source, uint64_t kind);

/* All of them, in the order in which they came. */
size_t kind_set_count(const struct kind_set *set);
struct kind_ref kind_set_at(const struct kind_set *set, size_t i);

#endif
