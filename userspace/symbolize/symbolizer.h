/* SPDX-License-Identifier: MIT */
/*
 * Addresses to function names: modules are noted while capturing, addresses are looked up at its
 * end.
 *
 * User addresses are resolved by the module's DWARF (in the file, or in a separate debug file of
 * the same build id or debug link under /usr/lib/debug or beside it), else by its symbol table.
 * Nothing is fetched unless DEBUGINFOD_URLS asks for it.
 */
#ifndef POLLSCOPE_SYMBOLIZE_SYMBOLIZER_H
#define POLLSCOPE_SYMBOLIZE_SYMBOLIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"

struct elf_file;
struct kallsyms;
struct map_entry;
struct symbolizer;

/* Mappings kept of a process. */
#define SYMBOLIZER_MAPPINGS_MAX 8192
#define SYMBOLIZER_REPLACES 2

/*
 * symbolizer_new() - kallsyms is for EVENT_NO_PROCESS (NULL: kernel functions have no names) and,
 * like every file added, must outlive it. NULL: out of memory.
 */
struct symbolizer *symbolizer_new(struct kallsyms *kallsyms);

/* symbolizer_free() - NULL is legal. */
void symbolizer_free(struct symbolizer *symbolizer);

/*
 * symbolizer_add_module() - `process` has `map` mapped. `file` may be NULL (the vdso, or one that
 * could not be opened): its addresses then show the module only. Where two overlap, the later one
 * counts.
 *
 * Returns 1: noted; SYMBOLIZER_REPLACES: too, and another file was there before, so that addresses from then bear
 * this one's names; 0: was known already; -ENOSPC: the process has SYMBOLIZER_MAPPINGS_MAX, or half as many
 * and this one is of no file; -ENOMEM.
 */
int symbolizer_add_module(struct symbolizer *symbolizer, uint16_t process,
			  const struct map_entry *map, const struct elf_file *file);

/*
 * symbolizer_resolve() - the functions at an address of a process (EVENT_NO_PROCESS: of the
 * kernel): the inlined ones innermost first, at last the one that holds them. is_return: the call
 * before is meant.
 *
 * Fills *symbol; its frames are valid until the next call. Never without a frame: an address that
 * no function is known for is "[module+0xaddress]" (its link-time address; the offset in the file
 * where that could not be opened), outside of every module "[unknown]", in the kernel "[kernel]".
 * Returns 0 or -ENOMEM.
 */
int symbolizer_resolve(struct symbolizer *symbolizer, uint16_t process, uint64_t address,
		       bool is_return, struct event_symbol *symbol);

#endif
