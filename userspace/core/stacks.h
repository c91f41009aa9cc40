/* SPDX-License-Identifier: MIT */
/*
 * Stacks, each kept once.
 */
#ifndef POLLSCOPE_CORE_STACKS_H
#define POLLSCOPE_CORE_STACKS_H

#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "core/model.h"

struct stack;

/* A capture's targets can make stacks of whatever they like: no more than these are kept. */
#define STACKS_MAX (1 << 20)
#define STACKS_FRAMES_MAX (1 << 25)

/* All zero is an empty one. */
struct stacks {
	struct stack **list;
	size_t count, capacity;
	struct stack *by_frames;
	uint64_t *key; /* scratch of key_room words */
	size_t key_room;
	size_t frames; /* of all stacks together */
};

/*
 * `process` as events number it. Gives MODEL_NO_STACK for one without frames, and for one that is new
 * where there are STACKS_MAX already, or STACKS_FRAMES_MAX frames in them. Returns 0 or -ENOMEM.
 */
int stacks_intern(struct stacks *stacks, uint16_t process, const struct event_stack *stack,
		  uint32_t *number);

/* Copies one out; its process is still as events number it. Returns 0 or -ENOMEM. */
int stacks_copy(const struct stacks *stacks, uint32_t number, struct model_stack *copy);

void stacks_clear(struct stacks *stacks);

#endif
