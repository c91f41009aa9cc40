/* SPDX-License-Identifier: MIT */
/*
 * The .debug_* sections of a file: checked before libdw reads them, and strings from them after.
 */
#ifndef POLLSCOPE_SYMBOLIZE_DEBUG_SECTIONS_H
#define POLLSCOPE_SYMBOLIZE_DEBUG_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "symbolize/elf_file.h"

#define DEBUG_SECTIONS_MAX (1ULL << 30) /* bytes of them all, uncompressed */

/*
 * debug_sections_check() - whether a file has DWARF of acceptable size: libdw reads all of it at
 * once. 0; -ENOENT: none; -EFBIG.
 */
int debug_sections_check(const struct elf_file *file);

/* The sections that strings are in, as libdw has them in memory. */
struct debug_strings {
	struct elf_section sections[4];
	size_t n;
};

/* debug_strings_find() - after dwarf_begin_elf() on the file. */
void debug_strings_find(const struct elf_file *file, struct debug_strings *strings);

/*
 * debug_strings_hold() - whether a string from libdw is in one of them and ends there. libdw
 * (0.192) gives the address of an inline string (DW_FORM_string) without looking for its end.
 */
bool debug_strings_hold(const struct debug_strings *strings, const char *string);

#endif
