// SPDX-License-Identifier: MIT
/* An open-addressing set, and a small cache before it: millions of events a second ask for few kinds. */
#include "attach/kind_set.h"

#include <errno.h>
#include <stdlib.h>

#define KINDS_MAX (1 << 17) /* what a target writes into its own memory must not fill ours */
#define RECENT 64

struct kind_set {
	struct kind_ref recent[RECENT]; /* by hash; kind 0: none */
	struct kind_ref *all;
	size_t n, capacity;
	uint32_t *slots; /* index + 1 into all; 0: free */
	size_t nslots;   /* power of two */
};

struct kind_set *kind_set_new(void)
{
	return calloc(1, sizeof(struct kind_set));
}

void kind_set_free(struct kind_set *set)
{
	if (!set)
		return;
	free(set->all);
	free(set->slots);
	free(set);
}

static uint64_t kind_hash(const struct kind_ref *ref)
{
	uint64_t h = (ref->kind ^ (uint64_t)ref->source << 48) * 0x9e3779b97f4a7c15ULL;

	return h ^ h >> 32;
}

static int is_equal(const struct kind_ref *a, const struct kind_ref *b)
{
	return a->kind == b->kind && a->source == b->source;
}

/* The slot that holds it, or the free one where it belongs. */
static uint32_t *slot_of(const struct kind_set *set, const struct kind_ref *ref)
{
	size_t i = kind_hash(ref) & (set->nslots - 1);

	while (set->slots[i] && !is_equal(&set->all[set->slots[i] - 1], ref))
		i = (i + 1) & (set->nslots - 1);
	return &set->slots[i];
}

static int grow(struct kind_set *set)
{
	size_t nslots = set->nslots ? set->nslots * 2 : 256;
	struct kind_ref *all = reallocarray(set->all, nslots / 2, sizeof(*all));
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
		*slot_of(set, &set->all[i]) = i + 1;
	return 0;
}

int kind_set_add(struct kind_set *set, uint16_t source, uint64_t kind)
{
	const struct kind_ref ref = {.kind = kind, .source = source};
	struct kind_ref *recent = &set->recent[kind_hash(&ref) % RECENT];
	uint32_t *slot;
	int err;

	if (!kind || is_equal(recent, &ref))
		return 0;
	*recent = ref;
	if (set->n == KINDS_MAX)
		return 0;
	if (set->n == set->capacity) {
		err = grow(set);
		if (err)
			return err;
	}
	slot = slot_of(set, &ref);
	if (*slot)
		return 0;
	set->all[set->n++] = ref;
	*slot = set->n;
	return 0;
}

const struct kind_ref *kind_set_all(const struct kind_set *set, size_t *n)
{
	*n = set->n;
	return set->all;
}
