/* SPDX-License-Identifier: MIT */
/*
 * The unwind table of an ELF file: for each address of its code, the step to the caller.
 */
#ifndef POLLSCOPE_UNWIND_TABLE_H
#define POLLSCOPE_UNWIND_TABLE_H

#include <linux/types.h>
#include <stdint.h>

#include "bpf/unwind.h"

struct elf_file;
struct unwind_rules;

#define UNWIND_TABLE_ROWS (16u << 20) /* of one file */
#define UNWIND_TABLE_RULES 4096       /* that one file may add */

/* From this address on, up to the next row's, that rule. */
struct unwind_row {
	uint32_t offset; /* from the table's base */
	uint32_t rule;   /* number */
};

/* Read-only for users. */
struct unwind_table {
	uint64_t base;           /* link-time address that rows count from */
	struct unwind_row *rows; /* by offset; the first is at 0 */
	uint32_t nrows;          /* at least 1 */
};

/*
 * unwind_table_new() - reads .eh_frame. Rows are one for each change: code that it says nothing about has
 * UNWIND_RULE_UNKNOWN, or UNWIND_RULE_OUTERMOST from the program's entry on; what it says and tables do not
 * hold UNWIND_RULE_BEYOND. A file without (usable) .eh_frame, or of another machine, has one row, unknown.
 *
 * Damaged parts are left out. Returns 0 and *table, to be freed with unwind_table_free(); -EFBIG: more than
 * EH_FRAME_MAX bytes or UNWIND_TABLE_ROWS; -ENOMEM, -EIO.
 */
int unwind_table_new(const struct elf_file *file, struct unwind_rules *rules,
		     struct unwind_table **table);

/* unwind_table_free() - NULL is legal. */
void unwind_table_free(struct unwind_table *table);

/* unwind_table_find() - the number of the rule for a link-time address. */
uint32_t unwind_table_find(const struct unwind_table *table, uint64_t vaddr);

#endif
