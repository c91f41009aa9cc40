/* SPDX-License-Identifier: MIT */
/*
 * Where a USDT probe's arguments are: the argument string of a note, in the machine's assembly, decoded into
 * what the BPF programs read (struct operand of bpf/events.h).
 *
 * The grammar is that of <sys/sdt.h>: arguments separated by spaces, each `N@OPERAND`, N its size
 * in bytes, negative if signed, with an `f` if floating. See also the SystemTap wiki,
 * UserSpaceProbeImplementation.
 */
#ifndef POLLSCOPE_ATTACH_OPERAND_H
#define POLLSCOPE_ATTACH_OPERAND_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"

#define OPERAND_ARGS_MAX 12 /* arguments a probe of <sys/sdt.h> can have */

/* What the text alone does not say. */
struct operand_scope {
	uint16_t machine;   /* EM_X86_64 or EM_AARCH64; of another, nothing can be read */
	uint64_t location;  /* link-time address of the probe */
	bool fixed_address; /* runs where it was linked (ET_EXEC): absolute symbols are constants */
	/* Link-time address of a symbol; non-zero if it is unknown or ambiguous. NULL: all are. */
	int (*symbol)(void *context, const char *name, uint64_t *vaddr);
	void *context;
};

/*
 * operand_parse() - one argument, `text` up to its NUL.
 *
 * Constants come out cut or extended to their size. A register narrower than the declared size
 * lowers the size to its own. `sym(%rip)`, `sym` and `16(%rip)` become OPERAND_PC and the distance
 * from the probe.
 *
 * Returns true; false: it cannot be read (floating, a high-byte or vector register, a segment, an
 * unknown symbol, an odd size, bad syntax) and *operand is OPERAND_NONE.
 */
bool operand_parse(const char *text, const struct operand_scope *scope, struct operand *operand);

/*
 * operand_parse_all() - the arguments of a note, at most `max` (<= OPERAND_ARGS_MAX) of them. Those
 * that cannot be read are OPERAND_NONE. Returns how many there are.
 */
size_t operand_parse_all(const char *args, const struct operand_scope *scope,
			 struct operand *operands, size_t max);

#endif
