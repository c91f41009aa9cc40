/* SPDX-License-Identifier: MIT */
/*
 * All that names the addresses of one ELF file: its DWARF and symbols, and those of its debug file.
 * Read at the first look-up.
 */
#ifndef POLLSCOPE_SYMBOLIZE_MODULE_H
#define POLLSCOPE_SYMBOLIZE_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolize/debug_info.h"

struct elf_file;
struct module;

/* module_new() - the file must outlive it. NULL: out of memory. */
struct module *module_new(const struct elf_file *file);

/* module_free() - NULL is legal. */
void module_free(struct module *module);

/*
 * module_lookup() - the functions at an offset in the file, innermost first, by DWARF, else by
 * symbols. Returns how many; 0: none is known; -ENOMEM.
 */
int module_lookup(struct module *module, uint64_t offset,
		  struct debug_frame frames[DEBUG_FRAMES_MAX]);

/* module_vaddr() - link-time address of an offset in the file. False: no segment holds it. */
bool module_vaddr(const struct module *module, uint64_t offset, uint64_t *vaddr);

#define MODULE_ALIASES_MAX 16 /* names of one address that are looked at */

/* What functions that start at one address are called. Strings belong to the module. */
struct module_symbols {
	const char *names[MODULE_ALIASES_MAX]; /* mangled */
	size_t n;
};

/* module_symbols() - the symbols of the functions that start at a link-time address. 0, -ENOMEM. */
int module_symbols(struct module *module, uint64_t vaddr, struct module_symbols *symbols);

/*
 * module_name() - the function at a link-time address as its source calls it, by DWARF; NULL:
 * unknown. 0, -ENOMEM.
 */
int module_name(struct module *module, uint64_t vaddr, const char **name);

/*
 * module_declared() - by DWARF, where a function is declared: the one at a link-time address, or
 * the first inlined in it that `wanted` says yes to, given its mangled name. 0: *declared has it;
 * -ENOENT; -ENOMEM.
 */
int module_declared(struct module *module, uint64_t vaddr,
		    bool (*wanted)(void *context, const char *name), void *context,
		    struct debug_declaration *declared);

#endif
