// SPDX-License-Identifier: MIT
#include "core/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/hash.h"

/* The key is one word of process and counts, and the frames: memory that can be hashed as one. */
struct stack {
	uint32_t number;
	UT_hash_handle hh;
	uint64_t key[];
};

static uint64_t pack(uint16_t process, const struct event_stack *stack)
{
	return (uint64_t)process << 32 | (uint64_t)stack->nkernel << 16 | stack->nuser;
}

static int make_key(struct stacks *stacks, uint16_t process, const struct event_stack *stack)
{
	size_t frames = (size_t)stack->nkernel + stack->nuser;

	if (frames + 1 > stacks->key_room) {
		uint64_t *key = realloc(stacks->key, (frames + 1) * sizeof(*key));

		if (!key)
			return -ENOMEM;
		stacks->key = key;
		stacks->key_room = frames + 1;
	}
	stacks->key[0] = pack(process, stack);
	memcpy(stacks->key + 1, stack->frames, frames * sizeof(*stack->frames));
	return 0;
}

int stacks_intern(struct stacks *stacks, uint16_t process, const struct event_stack *event,
		  uint32_t *number)
{
	size_t frames = (size_t)event->nkernel + event->nuser;
	size_t bytes = (frames + 1) * sizeof(uint64_t);
	struct stack *stack, **list;
	int err;

	*number = MODEL_NO_STACK;
	if (!frames)
		return 0;
	err = make_key(stacks, process, event);
	if (err)
		return err;
	HASH_FIND(hh, stacks->by_frames, stacks->key, bytes, stack);
	if (stack) {
		*number = stack->number;
		return 0;
	}
	if (stacks->count == STACKS_MAX || stacks->frames + frames > STACKS_FRAMES_MAX)
		return 0;
	list = array_grow(stacks->list, stacks->count, &stacks->capacity, sizeof(*list));
	if (!list)
		return -ENOMEM;
	stacks->list = list;
	stack = malloc(sizeof(*stack) + bytes);
	if (!stack)
		return -ENOMEM;
	memcpy(stack->key, stacks->key, bytes);
	stack->number = stacks->count;
	HASH_ADD_KEYPTR(hh, stacks->by_frames, stack->key, bytes, stack);
	if (!hash_added(stack)) {
		free(stack);
		return -ENOMEM;
	}
	stacks->list[stacks->count++] = stack;
	stacks->frames += frames;
	*number = stack->number;
	return 0;
}

int stacks_copy(const struct stacks *stacks, uint32_t number, struct model_stack *copy)
{
	const uint64_t *key = stacks->list[number]->key;
	size_t bytes;

	copy->process = key[0] >> 32;
	copy->nkernel = key[0] >> 16;
	copy->nuser = key[0];
	bytes = ((size_t)copy->nkernel + copy->nuser) * sizeof(*key);
	copy->frames = malloc(bytes);
	if (!copy->frames)
		return -ENOMEM;
	memcpy(copy->frames, key + 1, bytes);
	return 0;
}

void stacks_clear(struct stacks *stacks)
{
	HASH_CLEAR(hh, stacks->by_frames);
	for (size_t i = 0; i < stacks->count; i++)
		free(stacks->list[i]);
	free(stacks->list);
	free(stacks->key);
	*stacks = (struct stacks){0};
}
