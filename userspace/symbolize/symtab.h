/* SPDX-License-Identifier: MIT */
/*
 * Symbol tables of an ELF file (.symtab, else .dynsym), sorted for look-ups.
 */
#ifndef POLLSCOPE_SYMBOLIZE_SYMTAB_H
#define POLLSCOPE_SYMBOLIZE_SYMTAB_H

#include <stddef.h>
#include <stdint.h>

struct elf_file;
struct symtab;

/*
 * symtab_new() - reads the symbols of a file, which it uses until freed. 0 (also without any),
 * -ENOMEM.
 */
int symtab_new(const struct elf_file *file, struct symtab **symtab);

/* symtab_free() - NULL is legal. */
void symtab_free(struct symtab *symtab);

/*
 * symtab_function() - mangled name of the function that holds a link-time address, NULL if none
 * does. Of several names, a global one goes before a weak one, and fewer leading underscores before
 * more.
 */
const char *symtab_function(const struct symtab *symtab, uint64_t vaddr);

/*
 * symtab_names() - mangled names of the functions that start at a link-time address: identical ones
 * may have been merged. Returns how many of them there are in names[].
 */
size_t symtab_names(const struct symtab *symtab, uint64_t vaddr, const char *names[], size_t max);

/*
 * symtab_address() - link-time address of a function or object by name. -ENOENT; -ENOTUNIQ: the
 * name has several addresses and none of them is global; -ENOMEM.
 */
int symtab_address(struct symtab *symtab, const char *name, uint64_t *vaddr);

#endif
