// SPDX-License-Identifier: MIT
// links: unwind symbolize core util -ldw -lelf -liberty
/*
 * The unwind table of an ELF file, put into a process's list and walked by, over a stack that the input's
 * bytes are. An input that is no ELF file is the .eh_frame of one. Seeds are a program of assembly and C with
 * most of the rules there are, linked without libraries to be small, and sections written by hand.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/maps.h"
#include "tests/fixtures/unwind_image.h"
#include "unwind/store.h"
#include "unwind/walk.h"

#define FRAMES 64
#define MAPPED 0x555555554000

struct input {
	const uint8_t *bytes;
	size_t size;
	struct unwind_chunk *chunk;
};

static struct unwind_chunk *new_chunk(void *context, uint32_t index)
{
	struct input *input = context;

	if (index)
		return NULL;
	input->chunk = calloc(1, sizeof(*input->chunk));
	return input->chunk;
}

/* The input, over and over; an address divisible by 7 cannot be read. */
static int read_word(void *context, uint64_t address, uint64_t *word)
{
	const struct input *input = context;

	if (address % 7 == 0)
		return -1;
	*word = 0;
	for (size_t i = 0; i < sizeof(*word); i++)
		*word |= (uint64_t)input->bytes[(address + i) % input->size] << 8 * i;
	/* Mostly an address that is mapped. */
	if (address & 8)
		*word = MAPPED + *word % 0x10000;
	return 0;
}

/* The index of a module's addresses is in the chunk, and does not fall. */
static void check_index(const struct unwind_chunk *chunk, const struct unwind_module *m)
{
	uint32_t page = (m->start - m->base) >> m->shift;
	uint32_t last = (m->end - 1 - m->base) >> m->shift;
	uint32_t at = m->first + page;

	for (; page <= last; page++, at++) {
		if (at + 1 >= UNWIND_CHUNK_WORDS || !chunk->words[at] ||
		    chunk->words[at] > chunk->words[at + 1] ||
		    chunk->words[at + 1] - chunk->words[at] > 1u << UNWIND_PAGE_SHIFT)
			abort();
	}
}

static void check_modules(const struct unwind_store *store, const struct unwind_modules *modules,
			  const struct map_entry *map)
{
	uint64_t end = map->start;

	if (modules->n > UNWIND_MODULES)
		abort();
	for (uint32_t i = 0; i < modules->n; i++) {
		const struct unwind_module *m = &modules->list[i];
		const struct unwind_chunk *chunk = unwind_store_chunk(store, m->chunk);

		if (m->start < end || m->end <= m->start || m->end > map->end || !chunk)
			abort();
		if (m->start - m->base > UINT32_MAX || m->end - 1 - m->base > UINT32_MAX)
			abort();
		check_index(chunk, m);
		end = m->end;
	}
}

static void walk(const struct unwind_store *store, const struct unwind_modules *modules,
		 const struct map_entry *map, struct input *input)
{
	const struct unwind_memory memory = {.read = read_word, .context = input};
	uint64_t frames[FRAMES], size = map->end - map->start;
	enum unwind_end end;

	for (uint64_t i = 0; i < 64; i++) {
		struct unwind_regs regs = {
			.pc = map->start + size * i / 64, .sp = 8, .bp = 8 * i, .bx = 8 * i};
		uint32_t n = unwind_walk(store, modules, regs, &memory, frames, FRAMES, &end);

		if (!n || n > FRAMES || !end || end >= UNWIND_ENDS)
			abort();
	}
}

static void use(const struct elf_file *elf, struct input *input)
{
	const struct unwind_backing backing = {.new_chunk = new_chunk, .context = input};
	struct unwind_store *store = unwind_store_new(&backing);
	struct unwind_modules *modules = calloc(1, sizeof(*modules));
	const struct unwind_file *file;

	if (!store || !modules)
		abort();
	if (!unwind_store_add(store, elf, &file)) {
		/* All of it in one place, or a page of it. */
		for (uint64_t offset = 0; offset < 0x2000; offset += 0x1000) {
			const struct map_entry map = {
				.start = MAPPED,
				.end = MAPPED + (offset ? 0x1000 : 0x10000),
				.offset = offset,
			};

			modules->n = 0;
			unwind_modules_add(modules, &map, file);
			check_modules(store, modules, &map);
			walk(store, modules, &map, input);
		}
	}
	free(modules);
	unwind_store_free(store);
	free(input->chunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.bytes = data, .size = size};
	struct elf_file *elf = NULL;
	int fd;

	if (!size)
		return 0;
	if (size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG)) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		if (fd < 0 || write(fd, data, size) != (ssize_t)size)
			abort();
		elf_file_from_fd(fd, "fuzz", &elf);
	} else {
		elf = image_open(data, size, size & 1 ? EM_X86_64 : EM_AARCH64,
				 IMAGE_BASE + data[0]);
	}
	if (!elf)
		return 0;
	use(elf, &input);
	elf_file_close(elf);
	return 0;
}
