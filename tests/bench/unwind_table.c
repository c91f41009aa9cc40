// SPDX-License-Identifier: MIT
// links: unwind symbolize core util -ldw -lelf -liberty
/*
 * unwind_table FILE: what it takes to make the unwind table of a file and to put it into chunks. Prints the
 * file's bytes, the microseconds, the rows, and the bytes that they take in the chunks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/elf_file.h"
#include "unwind/store.h"
#include "util/clock.h"

static struct unwind_chunk *new_chunk(void *context, uint32_t index)
{
	(void)context;
	(void)index;
	return calloc(1, sizeof(struct unwind_chunk));
}

int main(int argc, char **argv)
{
	const struct unwind_backing backing = {.new_chunk = new_chunk};
	struct unwind_store *store = unwind_store_new(&backing);
	const struct unwind_file *file;
	struct unwind_totals empty, totals;
	struct elf_file *elf;
	uint64_t start;
	int err;

	if (argc != 2 || !store)
		return 2;
	err = elf_file_open_path(argv[1], &elf);
	if (err) {
		fprintf(stderr, "unwind_table: %s: %s\n", argv[1], elf_file_strerror(err));
		return 1;
	}
	unwind_store_totals(store, &empty);
	start = clock_monotonic_ns();
	err = unwind_store_add(store, elf, &file);
	if (err) {
		fprintf(stderr, "unwind_table: %s: %s\n", argv[1], strerror(-err));
		return 1;
	}
	unwind_store_totals(store, &totals);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", elf->size,
	       (clock_monotonic_ns() - start) / 1000, totals.rows, totals.bytes - empty.bytes);
	unwind_store_free(store);
	elf_file_close(elf);
	return 0;
}
