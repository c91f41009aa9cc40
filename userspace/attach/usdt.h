/* SPDX-License-Identifier: MIT */
/*
 * The USDT probes of an ELF file, from its .note.stapsdt section.
 */
#ifndef POLLSCOPE_ATTACH_USDT_H
#define POLLSCOPE_ATTACH_USDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/operand.h"

struct elf_file;
struct symtab;

#define USDT_NOTES_MAX 65536 /* of one file */

struct usdt_note {
	uint64_t location;         /* link-time address, moved along where the file was prelinked */
	uint64_t offset;           /* of location in the file: what a uprobe attaches to */
	uint64_t semaphore_offset; /* of the semaphore in the file; 0: none */
	const char *provider;      /* strings belong to the set */
	const char *name;
	const char *args; /* for usdt_operands() */
};

/* All probes of a file, in the file's order. */
struct usdt_notes {
	struct usdt_note *notes;
	size_t n;
	size_t skipped; /* notes that are damaged, outside of the code, or over the limit */
	const struct elf_file *file;
	struct symtab *symtab; /* read when an operand first names a symbol */
};

/*
 * usdt_read() - the probes of a file, which must outlive the set. Release with usdt_release().
 *
 * Returns 0 (also for a file without probes: n is 0), -ENOEXEC: the section is damaged, -EFBIG,
 * -ENOMEM.
 */
int usdt_read(const struct elf_file *file, struct usdt_notes *notes);

/* usdt_release() - frees what is in it; it is empty afterwards. */
void usdt_release(struct usdt_notes *notes);

/*
 * usdt_operands() - where the arguments of one of the notes are, at most `max` (<=
 * OPERAND_ARGS_MAX) of them. Those that cannot be read are OPERAND_NONE. Returns how many there
 * are.
 */
size_t usdt_operands(struct usdt_notes *notes, const struct usdt_note *note,
		     struct operand *operands, size_t max);

/*
 * usdt_name_is() - whether two probe names are the same once `__`, `_` and `-` are folded to one.
 */
bool usdt_name_is(const char *a, const char *b);

#endif
