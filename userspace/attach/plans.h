/* SPDX-License-Identifier: MIT */
/*
 * What the adapters find in the files of a capture. A file is scanned once, in however many processes it
 * is mapped, and what was found is kept: it can name kinds of processes that are gone.
 */
#ifndef POLLSCOPE_ATTACH_PLANS_H
#define POLLSCOPE_ATTACH_PLANS_H

#include <stddef.h>

struct adapter;
struct adapter_choice;
struct elf_file;
struct plans;
struct probe_plan;

/* Of one file. */
struct file_plans {
	/* At most one that is complete for each runtime; none that is empty. */
	struct probe_plan *list;
	size_t n;
	int error;          /* of a scan that failed, -ENOEXEC: damaged, ...; 0: none did */
	const char *failed; /* which adapter's */
};

/* adapters: as of adapter.h. They and what the choice points to must outlive it. NULL without memory. */
struct plans *plans_new(const struct adapter *const *adapters, const struct adapter_choice *choice);

/* The files that were scanned must still be there. NULL is legal. */
void plans_free(struct plans *plans);

/*
 * What there is in a file; belongs to the plans. Returns 1: scanned just now; 0: known; -ENOMEM.
 *
 * Of adapters with one name the first with a complete plan is taken: they are several ways to see the same
 * polls. So are all adapters that were given one provider.
 */
int plans_find(struct plans *plans, const struct elf_file *file, const struct file_plans **found);

#endif
