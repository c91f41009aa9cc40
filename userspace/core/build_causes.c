// SPDX-License-Identifier: MIT
#include "core/build_causes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_targets(const char *x, const char *y)
{
	if (!x || !y)
		return !!x - !!y;
	return strcmp(x, y);
}

static int compare_what(const void *a, const void *b)
{
	const struct model_cause *x = a, *y = b;
	int order = strcmp(x->cause, y->cause);

	if (!order)
		order = strcmp(x->kind, y->kind);
	return order ? order : compare_targets(x->target, y->target);
}

static int compare_totals(const void *a, const void *b)
{
	const struct model_cause *x = a, *y = b;

	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return compare_what(a, b);
}

static int append(const struct causes *causes, const struct kind *kind,
		  const struct kind_cause *entry, struct model_type *type)
{
	static const struct scale whole;
	const struct scale *scale = entry->key.sampled ? &kind->scale : &whole;
	struct model_cause *made = &type->causes[type->ncauses++];

	*made = (struct model_cause){
		.cause = strdup(causes_name(causes, entry->key.cause)),
		.kind = causes_kind(causes, entry->key.cause),
		.target = causes_target(causes, entry->key.file),
		.count = scale_up(scale, entry->count),
		.total_ns = scale_up(scale, entry->total_ns),
		.max_ns = entry->max_ns,
	};
	if (!made->cause || (entry->key.file != FILE_NONE && !made->target))
		return -ENOMEM;
	return 0;
}

/* Files of one name, and system calls that two machines number differently, are one entry. */
static void merge(struct model_type *type)
{
	size_t kept = 0;

	qsort(type->causes, type->ncauses, sizeof(*type->causes), compare_what);
	for (size_t i = 0; i < type->ncauses; i++) {
		struct model_cause *from = &type->causes[i], *into = &type->causes[kept - 1];

		if (!kept || compare_what(into, from)) {
			type->causes[kept++] = *from;
			continue;
		}
		into->count += from->count;
		into->total_ns += from->total_ns;
		if (from->max_ns > into->max_ns)
			into->max_ns = from->max_ns;
		free(from->cause);
		free(from->target);
	}
	type->ncauses = kept;
}

int build_causes(const struct causes *causes, struct kind *const *kinds, size_t nkinds,
		 struct model_type *type)
{
	struct kind_cause *entry, *next;
	size_t most = 0;
	int err;

	for (size_t i = 0; i < nkinds; i++)
		most += HASH_COUNT(kinds[i]->causes);
	type->causes = calloc(most + 1, sizeof(*type->causes));
	if (!type->causes)
		return -ENOMEM;
	for (size_t i = 0; i < nkinds; i++) {
		HASH_ITER (hh, kinds[i]->causes, entry, next) {
			/* One without a count only leads those with files. */
			err = entry->count ? append(causes, kinds[i], entry, type) : 0;
			if (err)
				return err;
		}
	}
	merge(type);
	qsort(type->causes, type->ncauses, sizeof(*type->causes), compare_totals);
	return 0;
}
