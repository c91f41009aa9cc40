// SPDX-License-Identifier: MIT
#include "attach/skipped.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

/* The map's key, as the programs have it. */
struct kind_key {
	__u64 kind;
	__u64 source;
};

int skipped_each(int map, int (*each)(void *ctx, uint16_t source, uint64_t kind, uint64_t polls),
		 void *ctx)
{
	int err = 0, ncpus = libbpf_num_possible_cpus();
	struct kind_key key, *last = NULL;
	uint64_t *counts;

	if (ncpus < 0)
		return ncpus;
	counts = calloc(ncpus, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	/* While polls are left out, keys are only ever added: the walk ends. */
	while (!err && !bpf_map_get_next_key(map, last, &key)) {
		uint64_t polls = 0;

		err = bpf_map_lookup_elem(map, &key, counts);
		for (int i = 0; !err && i < ncpus; i++)
			polls += counts[i];
		if (!err)
			err = each(ctx, key.source, key.kind, polls);
		last = &key;
	}
	free(counts);
	return err;
}

void skipped_forget(int map)
{
	struct kind_key key;

	while (!bpf_map_get_next_key(map, NULL, &key))
		if (bpf_map_delete_elem(map, &key))
			return;
}
