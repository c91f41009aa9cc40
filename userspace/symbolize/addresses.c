// SPDX-License-Identifier: MIT
#include "symbolize/addresses.h"

#include <errno.h>
#include <stdlib.h>

#include "core/stack_end.h"
#include "util/number_set.h"

/* A stack is up to a kilobyte of whatever a target likes; these are 24 MB, and a while to look up. */
#define ADDRESSES_MAX (1 << 20)

struct addresses {
	struct number_set set; /* tag: process, and in its lowest bit is_return */
	uint64_t left_out;
};

static struct number number_of(const struct address *address)
{
	return (struct number){address->address,
			       (uint32_t)address->process << 1 | address->is_return};
}

struct addresses *addresses_new(void)
{
	struct addresses *a = calloc(1, sizeof(*a));

	if (a)
		a->set.limit = ADDRESSES_MAX;
	return a;
}

void addresses_free(struct addresses *a)
{
	if (!a)
		return;
	number_set_release(&a->set);
	free(a);
}

int addresses_add_one(struct addresses *a, const struct address *address)
{
	int err = number_set_add(&a->set, number_of(address));

	if (err != -ENOSPC)
		return err;
	a->left_out++;
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
	return number_set_has(&a->set, number_of(address));
}

size_t addresses_count(const struct addresses *a)
{
	return a->set.n;
}

struct address addresses_at(const struct addresses *a, size_t i)
{
	const struct number *number = &a->set.all[i];

	return (struct address){number->value, number->tag >> 1, number->tag & 1};
}

uint64_t addresses_left_out(const struct addresses *a)
{
	return a->left_out;
}
