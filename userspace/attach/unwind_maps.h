/* SPDX-License-Identifier: MIT */
/*
 * The unwind tables of targets, where the programs look them up (bpf/unwind.bpf.c): each file's once, in
 * however many processes it is mapped.
 */
#ifndef POLLSCOPE_ATTACH_UNWIND_MAPS_H
#define POLLSCOPE_ATTACH_UNWIND_MAPS_H

#include <stddef.h>
#include <stdint.h>

struct elf_file;
struct map_entry;
struct unwind_maps;

/* Descriptors of the programs' maps, which must stay open. */
struct unwind_maps_options {
	int chunks;
	int processes;
	int rules;
};

/* 0 or a negative errno. */
int unwind_maps_new(struct unwind_maps **out, const struct unwind_maps_options *options);
void unwind_maps_free(struct unwind_maps *maps);

/*
 * From now on the stacks of a process are unwound by what it has mapped now: n entries, by address, and the
 * files behind them, which stay open longer than the maps do (NULL: none, stacks end there). Returns 0;
 * -ENOSPC: there are more modules or rows than the maps hold, and stacks end in some; other negative errno.
 */
int unwind_maps_put(struct unwind_maps *maps, uint16_t process, const struct map_entry *entries,
		    const struct elf_file *const *files, size_t n);

/* The process's image is gone. */
void unwind_maps_forget(struct unwind_maps *maps, uint16_t process);

#endif
