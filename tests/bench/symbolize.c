// SPDX-License-Identifier: MIT
// links: symbolize util -ldw -lelf -liberty
/*
 * symbolize FILE N: what it takes to name N addresses, evenly spread over the code of a file. Prints
 * the file's bytes, the microseconds, how many of the addresses have names, and their frames.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "symbolize/elf_file.h"
#include "symbolize/symbolizer.h"
#include "util/clock.h"

#define BASE 0x100000000000ULL /* where it is mapped */

struct counts {
	uint64_t named, frames;
};

static int look_up(struct symbolizer *symbolizer, const struct elf_segment *code, uint64_t n,
		   struct counts *counts)
{
	for (uint64_t i = 0; i < n; i++) {
		uint64_t address = BASE + code->filesz / n * i;
		struct event_symbol symbol;
		int err = symbolizer_resolve(symbolizer, 0, address, true, &symbol);

		if (err)
			return err;
		counts->named += *symbol.frames[0].function != '[';
		counts->frames += symbol.nframes;
	}
	return 0;
}

/* The largest part with code. NULL: there is none. */
static const struct elf_segment *code_of(const struct elf_file *elf)
{
	const struct elf_segment *code = NULL;

	for (size_t i = 0; i < elf->nsegments; i++)
		if (elf->segments[i].flags & PF_X &&
		    (!code || elf->segments[i].filesz > code->filesz))
			code = &elf->segments[i];
	return code;
}

int main(int argc, char **argv)
{
	struct symbolizer *symbolizer = symbolizer_new(NULL);
	struct map_entry map = {.start = BASE, .path = "file"};
	const struct elf_segment *code;
	struct counts counts = {0};
	struct elf_file *elf;
	uint64_t start, n;
	int err;

	if (argc != 3 || !symbolizer)
		return 2;
	n = strtoull(argv[2], NULL, 10);
	start = clock_monotonic_ns();
	err = elf_file_open_path(argv[1], &elf);
	code = err ? NULL : code_of(elf);
	if (!code || !n) {
		fprintf(stderr, "symbolize: %s: %s\n", argv[1],
			err ? elf_file_strerror(err) : "nothing to look up");
		return 1;
	}
	map.end = BASE + code->filesz;
	map.offset = code->offset;
	err = symbolizer_add_module(symbolizer, 0, &map, elf);
	if (err == 1)
		err = look_up(symbolizer, code, n, &counts);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", elf->size,
	       (clock_monotonic_ns() - start) / 1000, counts.named, counts.frames);
	symbolizer_free(symbolizer);
	elf_file_close(elf);
	return err ? 1 : 0;
}
