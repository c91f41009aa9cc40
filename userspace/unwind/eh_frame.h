/* SPDX-License-Identifier: MIT */
/*
 * What is in .eh_frame: entries (FDE) that say how to unwind from a function's code, each on top of what it
 * has in common with others (CIE). Linux Standard Base, Core, "Exception Frames"; DWARF 5, 6.4.
 *
 * Read here rather than by libdw: it runs a function's instructions anew for each of its rows, so that one
 * entry made for the purpose takes it hours, and it trusts what it reads more than we may.
 */
#ifndef POLLSCOPE_UNWIND_EH_FRAME_H
#define POLLSCOPE_UNWIND_EH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/reader.h"

struct elf_file;

#define EH_FRAME_MAX (64u << 20) /* bytes of the largest section that is read */

struct eh_frame {
	uint8_t *bytes;
	size_t size;      /* at most EH_FRAME_MAX */
	uint64_t address; /* link-time */
	bool open_ended;  /* what follows the section is in it too: it ends at its terminator */
};

/* What the entries of a group share. */
struct eh_cie {
	uint32_t offset;  /* in the section */
	uint8_t encoding; /* DW_EH_PE_* of addresses */
	bool has_data;    /* augmentation data precedes an entry's instructions */
	bool is_signal;   /* of the code that signal handlers return to */
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra;           /* column of the return address */
	struct reader program; /* initial instructions */
};

/* How one function unwinds. */
struct eh_fde {
	uint64_t start, end; /* link-time addresses, end exclusive */
	uint32_t cie;        /* offset in the section */
	uint32_t program;    /* offset of its instructions */
	uint32_t program_end;
};

/*
 * eh_frame_read() - that of a file, to be released with eh_frame_release(). -ENOENT: there is none;
 * -ENOEXEC: it is damaged; -EFBIG, -ENOMEM, -EIO.
 */
int eh_frame_read(const struct elf_file *file, struct eh_frame *frame);

void eh_frame_release(struct eh_frame *frame);

/*
 * eh_frame_list() - all entries by address, those left out that are damaged or empty. To be freed with
 * free(). 0 or -ENOMEM.
 */
int eh_frame_list(const struct eh_frame *frame, struct eh_fde **list, size_t *n);

/* eh_frame_cie() - reads the one at an offset in the section. Whether it is sound. */
bool eh_frame_cie(const struct eh_frame *frame, uint32_t offset, struct eh_cie *cie);

/* eh_frame_program() - the instructions of an entry. */
struct reader eh_frame_program(const struct eh_frame *frame, const struct eh_fde *fde);

/*
 * eh_frame_address() - reads an address in an encoding (DW_EH_PE_*); one that needs more than the section
 * fails the reader.
 */
uint64_t eh_frame_address(const struct eh_frame *frame, struct reader *r, uint8_t encoding);

#endif
