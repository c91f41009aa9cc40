// SPDX-License-Identifier: MIT
#include "attach/unwind_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unwind/rules.h"
#include "unwind/store.h"

struct unwind_maps {
	struct unwind_maps_options options;
	struct unwind_store *store;
	struct unwind_chunk *chunks[UNWIND_CHUNKS]; /* their maps, mapped here; NULL: none */
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
	int fd = element_new("unwind_chunk", sizeof(struct unwind_chunk));
	void *memory;

	if (fd < 0)
		return NULL;
	memory = mmap(NULL, sizeof(struct unwind_chunk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		close(fd);
		return NULL;
	}
	maps->chunks[index] = memory;
	/* One that is not in the map is not found: stacks end there. */
	bpf_map_update_elem(maps->options.chunks, &index, &fd, BPF_ANY);
	close(fd);
	return memory;
}
