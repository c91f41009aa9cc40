// SPDX-License-Identifier: MIT
/* What it takes to unwind a process's stacks. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "attach/checks.h"
#include "symbolize/elf_cache.h"
#include "symbolize/maps.h"
#include "unwind/store.h"
#include "util/clock.h"
#include "util/text.h"

/* Chunks that nobody unwinds by. */
struct trial {
	struct unwind_chunk *chunks[UNWIND_CHUNKS];
};

static struct unwind_chunk *chunk_new(void *context, uint32_t index)
{
	struct trial *trial = context;

	if (index >= UNWIND_CHUNKS)
		return NULL;
	trial->chunks[index] = calloc(1, sizeof(*trial->chunks[index]));
	return trial->chunks[index];
}

static void trial_free(struct trial *trial)
{
	for (size_t i = 0; trial && i < UNWIND_CHUNKS; i++)
		free(trial->chunks[i]);
	free(trial);
}

/* Makes the tables of all files that can be opened; the first error. */
static int tables_make(struct unwind_store *store, struct elf_cache *files, pid_t pid,
		       const struct maps *maps)
{
	int first = 0;

	for (size_t i = 0; i < maps->n; i++) {
		const struct unwind_file *table;
		struct elf_file *file;
		int err;

		if (maps->entries[i].vdso || elf_cache_open(files, pid, &maps->entries[i], &file))
			continue;
		err = unwind_store_add(store, file, &table);
		if (!first)
			first = err;
	}
	return first;
}

void checks_unwind(struct checks *checks, struct elf_cache *files, pid_t pid,
		   const struct maps *maps)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	const struct unwind_backing backing = {.new_chunk = chunk_new, .context = trial};
	struct unwind_store *store = trial ? unwind_store_new(&backing) : NULL;
	uint64_t start = clock_monotonic_ns();
	struct unwind_totals totals = {0};
	int err = store ? tables_make(store, files, pid, maps) : -ENOMEM;

	if (store)
		unwind_store_totals(store, &totals);
	if (err)
		checks_add(checks, CHECK_NOTE, "stacks", "",
			   "unwind tables cannot be made of all files: some stacks will end early: "
			   "%s",
			   strerror(-err));
	else
		checks_add(checks, CHECK_OK, "stacks", "",
			   "unwound by tables from .eh_frame: %u files, %s rows, %s, made in %s",
			   totals.files, text_grouped(totals.rows).s, text_bytes(totals.bytes).s,
			   text_duration(clock_monotonic_ns() - start).s);
	unwind_store_free(store);
	trial_free(trial);
}
