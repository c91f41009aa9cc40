// SPDX-License-Identifier: MIT
/* An open-addressing set: uthash would spend 100 bytes and an allocation on each of a million addresses. */
#include "symbolize/addresses.h"

#include <errno.h>
#include <stdlib.h>

#include "core/stack_end.h"

/* A stack is up to a kilobyte of whatever a target likes; these are 24 MB, and a while to look up. */
#define ADDRESSES_MAX (1 << 20)

struct addresses {
	struct address *all;
	size_t n, capacity;
	uint32_t *slots; /* index + 1 into all; 0: free */
	size_t nslots;   /* power of two */
	uint64_t left_out;
};

struct addresses *addresses_new(void)
{
	return calloc(1, sizeof(struct addresses));
}

void addresses_free(struct addresses *a)
{
	if (!a)
		return;
	free(a->all);
	free(a->slots);
	free(a);
}

static uint64_t address_hash(const struct address *address)
{
	uint64_t h = address->address * 0x9e3779b97f4a7c15ULL;

	h ^= (uint64_t)address->process << 1 | address->is_return;
	h *= 0xff51afd7ed558ccdULL;
	return h ^ h >> 32;
}

static bool address_equal(const struct address *a, const struct address *b)
{
	return a->address == b->address && a->process == b->process && a->is_return == b->is_return;
}

/* The slot that holds the address, or the free one where it belongs. */
static uint32_t *slot_of(const struct addresses *a, const struct address *address)
{
	size_t i = address_hash(address) & (a->nslots - 1);

	while (a->slots[i] && !address_equal(&a->all[a->slots[i] - 1], address))
		i = (i + 1) & (a->nslots - 1);
	return &a->slots[i];
}

static int grow(struct addresses *a)
{
	size_t nslots = a->nslots ? a->nslots * 2 : 1024;
	struct address *all = realloc(a->all, nslots / 2 * sizeof(*all));
	uint32_t *slots;

	if (!all)
		return -ENOMEM;
	a->all = all;
	slots = calloc(nslots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(a->slots);
	a->slots = slots;
	a->nslots = nslots;
	a->capacity = nslots / 2;
	for (size_t i = 0; i < a->n; i++)
		*slot_of(a, &a->all[i]) = i + 1;
	return 0;
}

int addresses_add_one(struct addresses *a, const struct address *address)
{
	uint32_t *slot;
	int err;

	if (a->n == a->capacity && a->n < ADDRESSES_MAX) {
		err = grow(a);
		if (err)
			return err;
	}
	slot = slot_of(a, address);
	if (*slot)
		return 0;
	if (a->n == ADDRESSES_MAX) {
		a->left_out++;
		return 0;
	}
	a->all[a->n++] = *address;
	*slot = a->n;
	return 0;
}

int addresses_add(struct addresses *a, uint16_t process, const struct event_stack *stack)
{
	for (size_t i = 0; i < (size_t)stack->nkernel + stack->nuser; i++) {
		bool kernel = i < stack->nkernel;
		struct address address = {
			.address = stack->frames[i],
			.process = kernel ? EVENT_NO_PROCESS : process,
			.is_return = i != 0 && i != stack->nkernel,
		};
		int err;

		/* What tells how the stack ends is no address. */
		if (!kernel && address.address >= STACK_MARK)
			continue;
		err = addresses_add_one(a, &address);
		if (err)
			return err;
	}
	return 0;
}

bool addresses_have(const struct addresses *a, const struct address *address)
{
	return a->n && *slot_of(a, address);
}

const struct address *addresses_all(const struct addresses *a, size_t *n)
{
	*n = a->n;
	return a->all;
}

uint64_t addresses_left_out(const struct addresses *a)
{
	return a->left_out;
}
