/* SPDX-License-Identifier: MIT */
/* The distinct addresses of stacks, to be symbolized when all have been seen. */
#ifndef POLLSCOPE_SYMBOLIZE_ADDRESSES_H
#define POLLSCOPE_SYMBOLIZE_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

struct address {
	uint64_t address;
	uint16_t process; /* EVENT_NO_PROCESS: the kernel's */
	bool is_return;
};

struct addresses;

/* Returns NULL without memory. */
struct addresses *addresses_new(void);
void addresses_free(struct addresses *addresses);

/* Adds a stack's, to a limit of about a million in all. Returns 0 or -ENOMEM. */
int addresses_add(struct addresses *addresses, uint16_t process, const struct event_stack *stack);

/* Adds one, likewise. */
int addresses_add_one(struct addresses *addresses, const struct address *address);

bool addresses_have(const struct addresses *addresses, const struct address *address);

/* All of them, in the order in which they came. */
size_t addresses_count(const struct addresses *addresses);
struct address addresses_at(const struct addresses *addresses, size_t i);

/* How often one was beyond the limit: these will have no name. */
uint64_t addresses_left_out(const struct addresses *addresses);

#endif
