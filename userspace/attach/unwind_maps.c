// SPDX-License-Identifier: MIT
#include "attach/unwind_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbolize/elf_file.h"
#include "symbolize/maps.h"
#include "unwind/store.h"

struct unwind_maps {
	struct unwind_maps_options options;
	struct unwind_store *store;
	struct unwind_chunk *chunks[UNWIND_CHUNKS]; /* their maps, mapped here; NULL: none */
	struct elf_file *vdso;                      /* NULL: there is none */
	uint32_t nrules;                            /* that the programs have */
	struct unwind_modules modules;              /* being made */
};

/* A map of one element of that size; a descriptor or a negative errno. */
static int element_new(const char *name, size_t size)
{
	DECLARE_LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), size, 1, &options);
}

static struct unwind_chunk *chunk_new(void *context, uint32_t index)
{
	struct unwind_maps *maps = context;
	struct unwind_chunk *chunk;
	int fd;

	if (index >= UNWIND_CHUNKS)
		return NULL;
	fd = element_new("unwind_chunk", sizeof(*chunk));
	if (fd < 0)
		return NULL;
	chunk = mmap(NULL, sizeof(*chunk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (chunk != MAP_FAILED &&
	    bpf_map_update_elem(maps->options.chunks, &index, &fd, BPF_ANY)) {
		munmap(chunk, sizeof(*chunk));
		chunk = MAP_FAILED;
	}
	close(fd);
	if (chunk == MAP_FAILED)
		return NULL;
	maps->chunks[index] = chunk;
	return chunk;
}

int unwind_maps_new(struct unwind_maps **out, const struct unwind_maps_options *options)
{
	struct unwind_maps *maps = calloc(1, sizeof(*maps));
	struct unwind_backing backing = {.new_chunk = chunk_new, .context = maps};

	*out = NULL;
	if (!maps)
		return -ENOMEM;
	maps->options = *options;
	maps->store = unwind_store_new(&backing);
	if (!maps->store) {
		unwind_maps_free(maps);
		return -ENOMEM;
	}
	if (elf_file_open_vdso(&maps->vdso))
		maps->vdso = NULL;
	*out = maps;
	return 0;
}

void unwind_maps_free(struct unwind_maps *maps)
{
	if (!maps)
		return;
	unwind_store_free(maps->store);
	for (size_t i = 0; i < UNWIND_CHUNKS && maps->chunks[i]; i++)
		munmap(maps->chunks[i], sizeof(*maps->chunks[i]));
	elf_file_close(maps->vdso);
	free(maps);
}

/* Gives the programs the rules that are new. */
static int rules_put(struct unwind_maps *maps)
{
	const struct unwind_rule *rules;
	uint32_t n;
	int err = 0;

	rules = unwind_store_rules(maps->store, &n);
	for (; !err && maps->nrules < n; maps->nrules += !err)
		err = bpf_map_update_elem(maps->options.rules, &maps->nrules, &rules[maps->nrules],
					  BPF_ANY);
	return err;
}

/* Puts the list in the place of the one before: a walk sees the one or the other. */
static int modules_put(struct unwind_maps *maps, uint16_t process)
{
	int fd = element_new("unwind_modules", sizeof(maps->modules)), err;
	__u32 zero = 0, number = process;

	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(fd, &zero, &maps->modules, BPF_ANY);
	if (!err)
		err = bpf_map_update_elem(maps->options.processes, &number, &fd, BPF_ANY);
	close(fd);
	return err;
}

/* What goes wrong with one file does not keep the others out; the first error is kept. */
static int mapping_take(struct unwind_maps *maps, const struct map_entry *entry,
			const struct elf_file *elf)
{
	const struct unwind_file *file = NULL;
	int err, full;

	if (entry->vdso)
		elf = maps->vdso;
	err = elf ? unwind_store_add(maps->store, elf, &file) : 0;
	full = unwind_modules_add(&maps->modules, entry, err ? NULL : file);
	return err ? err : full;
}

int unwind_maps_put(struct unwind_maps *maps, uint16_t process, const struct map_entry *entries,
		    const struct elf_file *const *files, size_t n)
{
	int first = 0, err;

	memset(&maps->modules, 0, sizeof(maps->modules));
	for (size_t i = 0; i < n; i++) {
		err = mapping_take(maps, &entries[i], files[i]);
		if (!first)
			first = err;
	}
	err = rules_put(maps);
	if (!err)
		err = modules_put(maps, process);
	return err ? err : first;
}

void unwind_maps_forget(struct unwind_maps *maps, uint16_t process)
{
	__u32 number = process;

	bpf_map_delete_elem(maps->options.processes, &number);
}
