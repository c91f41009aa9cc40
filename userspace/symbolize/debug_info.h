/* SPDX-License-Identifier: MIT */
/*
 * What the DWARF of a file says about an address: its function, the functions inlined there, file
 * and line.
 *
 * Units are indexed by address once, the functions of a unit when it is first hit. A damaged or
 * hostile file costs no more than a bounded time and memory: DIEs are only walked forward, and a
 * file that has taken too much is given up.
 */
#ifndef POLLSCOPE_SYMBOLIZE_DEBUG_INFO_H
#define POLLSCOPE_SYMBOLIZE_DEBUG_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;
struct debug_info;

#define DEBUG_FRAMES_MAX 64 /* inlined functions at an address, and the one that holds them */

/* Strings belong to the debug info. */
struct debug_frame {
	const char *function; /* as linked (mangled) if known, else as in the source; or NULL */
	const char *file;     /* NULL: unknown */
	uint32_t line;        /* 0: unknown */
};

/*
 * debug_info_new() - for a file with DWARF, which must outlive it. 0; -ENOENT: it has none that is
 * usable; -EFBIG: more than 1 GiB of it; -ENOMEM.
 */
int debug_info_new(const struct elf_file *file, struct debug_info **info);

/* debug_info_free() - NULL is legal. */
void debug_info_free(struct debug_info *info);

/*
 * debug_info_lookup() - the functions at a link-time address, innermost first. Returns how many; 0:
 * no function is known there, but frames[0].file and .line are filled in where they are.
 */
size_t debug_info_lookup(struct debug_info *info, uint64_t vaddr,
			 struct debug_frame frames[DEBUG_FRAMES_MAX]);

/*
 * debug_info_name() - the function at a link-time address as its source calls it, with what its
 * language adds: Rust has generic arguments there, "poll<app::work::{async_fn_env#0}, ...>", that
 * no legacy symbol tells. NULL: unknown.
 */
const char *debug_info_name(struct debug_info *info, uint64_t vaddr);

/* Where a function is declared. */
struct debug_declaration {
	const char *folder; /* where its unit was compiled */
	const char *file;   /* absolute, or below that */
	uint32_t line;
};

/*
 * debug_info_declared() - of the function at a link-time address and those that are inlined in it,
 * the first in the file's order that `wanted` says yes to, given its linkage name. False: there is
 * none.
 */
bool debug_info_declared(struct debug_info *info, uint64_t vaddr,
			 bool (*wanted)(void *context, const char *linkage_name), void *context,
			 struct debug_declaration *declared);

#endif
