// SPDX-License-Identifier: MIT
#include "util/number_set.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SLOTS 256

void number_set_release(struct number_set *set)
{
	free(set->all);
	free(set->slots);
}

/* The slot that holds it, or the free one where it belongs. */
static uint32_t *slot_of(const struct number_set *set, struct number number)
{
	size_t i = number_hash(number) & (set->nslots - 1);

	while (set->slots[i] && !number_equal(set->all[set->slots[i] - 1], number))
		i = (i + 1) & (set->nslots - 1);
	return &set->slots[i];
}

/* Slots are at most half full. */
static int grow(struct number_set *set)
{
	size_t nslots = set->nslots ? set->nslots * 2 : FIRST_SLOTS;
	struct number *all = reallocarray(set->all, nslots / 2, sizeof(*all));
	uint32_t *slots;

	if (!all)
		return -ENOMEM;
	set->all = all;
	slots = calloc(nslots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(set->slots);
	set->slots = slots;
	set->nslots = nslots;
	set->capacity = nslots / 2;
	for (size_t i = 0; i < set->n; i++)
		*slot_of(set, set->all[i]) = i + 1;
	return 0;
}

int number_set_add(struct number_set *set, struct number number)
{
	uint32_t *slot;

	if (set->n == set->capacity && set->n < set->limit) {
		int err = grow(set);

		if (err)
			return err;
	}
	slot = slot_of(set, number);
	if (*slot)
		return 0;
	if (set->n == set->limit)
		return -ENOSPC;
	set->all[set->n++] = number;
	*slot = set->n;
	return 0;
}

bool number_set_has(const struct number_set *set, struct number number)
{
	return set->n && *slot_of(set, number);
}
