/* SPDX-License-Identifier: MIT */
/*
 * The tables of all files in use, in chunks as the programs search them, each file's once in however many
 * processes it is mapped. What is in stays: tables are never moved or taken out.
 */
#ifndef POLLSCOPE_UNWIND_STORE_H
#define POLLSCOPE_UNWIND_STORE_H

#include <linux/types.h>
#include <stdint.h>

#include "bpf/unwind.h"
#include "unwind/chunks.h"

struct elf_file;
struct map_entry;
struct unwind_file;
struct unwind_store;

/* unwind_store_new() - NULL: out of memory. */
struct unwind_store *unwind_store_new(const struct unwind_backing *backing);

/* unwind_store_free() - NULL is legal. */
void unwind_store_free(struct unwind_store *store);

/*
 * unwind_store_add() - makes the table of a file, or finds it: that of the same open file, or one that is
 * the same. The elf_file must outlive the store. Rules that are new are behind those that there were.
 *
 * Returns 0 and *file, which belongs to the store; -ENOSPC: there is no further chunk; as unwind_table_new().
 * Errors are not remembered.
 */
int unwind_store_add(struct unwind_store *store, const struct elf_file *elf,
		     const struct unwind_file **file);

/* unwind_store_rules() - the rules of all files, in their order; the array does not move. */
const struct unwind_rule *unwind_store_rules(const struct unwind_store *store, uint32_t *n);

/* unwind_store_chunk() - NULL: none has that number. */
const struct unwind_chunk *unwind_store_chunk(const struct unwind_store *store, uint32_t index);

struct unwind_totals {
	uint32_t files, rules, chunks;
	uint64_t rows;
	uint64_t bytes; /* of chunks that are in use */
};

void unwind_store_totals(const struct unwind_store *store, struct unwind_totals *totals);

/*
 * unwind_modules_add() - puts an executable mapping of a file behind those that a process's list has; by
 * address. file NULL: its code is unknown. 0; -ENOSPC: the list is full, or has only part of the mapping.
 */
int unwind_modules_add(struct unwind_modules *modules, const struct map_entry *map,
		       const struct unwind_file *file);

#endif
