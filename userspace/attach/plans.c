// SPDX-License-Identifier: MIT
#include "attach/plans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "attach/adapter.h"

struct scanned {
	const struct elf_file *file;
	struct file_plans found;
	UT_hash_handle hh;
};

struct plans {
	const struct adapter *const *adapters;
	struct adapter_choice choice;
	size_t nadapters;
	struct scanned *files;
};

struct plans *plans_new(const struct adapter *const *adapters, const struct adapter_choice *choice)
{
	struct plans *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->adapters = adapters;
	p->choice = *choice;
	while (adapters[p->nadapters])
		p->nadapters++;
	return p;
}

static void scanned_free(struct scanned *scanned)
{
	for (size_t i = 0; i < scanned->found.n; i++)
		probe_plan_release(&scanned->found.list[i]);
	free(scanned->found.list);
	free(scanned);
}

void plans_free(struct plans *p)
{
	struct scanned *scanned, *next;

	if (!p)
		return;
	HASH_ITER (hh, p->files, scanned, next) {
		HASH_DEL(p->files, scanned);
		scanned_free(scanned);
	}
	free(p);
}

/* Whether two plans would show the same polls. */
static bool is_same(const struct plans *p, const char *runtime, const char *other)
{
	return p->choice.provider || !strcmp(runtime, other);
}

static bool is_found(const struct plans *p, const struct file_plans *found, const char *runtime)
{
	for (size_t i = 0; i < found->n; i++)
		if (is_same(p, found->list[i].runtime, runtime) &&
		    probe_plan_complete(&found->list[i]))
			return true;
	return false;
}

/* Takes the place of incomplete ones of the same runtime. */
static void plan_keep(const struct plans *p, struct file_plans *found, struct probe_plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < found->n; i++) {
		if (probe_plan_complete(plan) && is_same(p, found->list[i].runtime, plan->runtime))
			probe_plan_release(&found->list[i]);
		else
			found->list[kept++] = found->list[i];
	}
	found->list[kept++] = *plan;
	found->n = kept;
}

static int file_scan(const struct plans *p, const struct elf_file *file, struct file_plans *found)
{
	for (size_t i = 0; i < p->nadapters; i++) {
		const struct adapter *adapter = p->adapters[i];
		struct probe_plan plan = {0};
		int err;

		if (!adapter_chosen(adapter, &p->choice) || is_found(p, found, adapter->name))
			continue;
		err = adapter->scan(file, p->choice.provider, &plan);
		if (err) {
			found->error = err;
			found->failed = adapter->name;
		}
		if (!err && (plan.npoints || plan.refusal[0]))
			plan_keep(p, found, &plan);
		else
			probe_plan_release(&plan);
		if (err == -ENOMEM)
			return err;
	}
	return 0;
}

int plans_find(struct plans *p, const struct elf_file *file, const struct file_plans **found)
{
	struct scanned *scanned;
	int err;

	HASH_FIND_PTR(p->files, &file, scanned);
	if (scanned) {
		*found = &scanned->found;
		return 0;
	}
	scanned = calloc(1, sizeof(*scanned));
	if (!scanned)
		return -ENOMEM;
	scanned->file = file;
	scanned->found.list = calloc(p->nadapters, sizeof(*scanned->found.list));
	err = scanned->found.list ? file_scan(p, file, &scanned->found) : -ENOMEM;
	if (err) {
		scanned_free(scanned);
		return err;
	}
	HASH_ADD_PTR(p->files, file, scanned);
	*found = &scanned->found;
	return 1;
}
