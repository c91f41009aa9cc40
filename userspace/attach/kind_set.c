// SPDX-License-Identifier: MIT
/* A small cache before the set: millions of events a second ask for few kinds. */
#include "attach/kind_set.h"

#include <errno.h>
#include <stdlib.h>

#include "util/number_set.h"

#define KINDS_MAX (1 << 17) /* what a target writes into its own memory must not fill ours */
#define RECENT 64

struct kind_set {
	struct number recent[RECENT]; /* by hash; value 0: none */
	struct number_set all;        /* tag: source */
};

struct kind_set *kind_set_new(void)
{
	struct kind_set *set = calloc(1, sizeof(*set));

	if (set)
		set->all.limit = KINDS_MAX;
	return set;
}

void kind_set_free(struct kind_set *set)
{
	if (!set)
		return;
	number_set_release(&set->all);
	free(set);
}

int kind_set_add(struct kind_set *set, uint16_t source, uint64_t kind)
{
	const struct number number = {kind, source};
	struct number *recent = &set->recent[number_hash(number) % RECENT];
	int err;

	if (!kind || number_equal(*recent, number))
		return 0;
	*recent = number;
	err = number_set_add(&set->all, number);
	return err == -ENOSPC ? 0 : err;
}

size_t kind_set_count(const struct kind_set *set)
{
	return set->all.n;
}

struct kind_ref kind_set_at(const struct kind_set *set, size_t i)
{
	return (struct kind_ref){set->all.all[i].value, set->all.all[i].tag};
}
