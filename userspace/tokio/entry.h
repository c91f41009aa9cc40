/* SPDX-License-Identifier: MIT */
/*
 * Where near a function's entry to put a probe. The kernel emulates the instruction that a probe
 * replaces if it can (push, relative jumps and calls, nop: branch_setup_xol_ops() and
 * push_setup_xol_ops() in arch/x86/kernel/uprobes.c, Linux 6.1 to 6.18), and single-steps others,
 * which takes twenty times as long; some it refuses. So an instruction further on may do better.
 */
#ifndef POLLSCOPE_TOKIO_ENTRY_H
#define POLLSCOPE_TOKIO_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

struct code;
struct image;

/* What must still be as the caller left it. */
enum entry_need {
	ENTRY_REGISTER, /* the first argument (rdi), whatever is in memory */
	ENTRY_ARGUMENT, /* the same, and memory */
	ENTRY_RETURN,   /* and the return address on top of the stack */
};

struct entry_point {
	uint64_t vaddr;
	bool stepped; /* the kernel will single-step it */
};

/*
 * entry_find() - the point for a probe that each call of the function at vaddr passes once. One of
 * ENTRY_REGISTER or ENTRY_ARGUMENT may be in a loop that is run again when another thread changed the same
 * word. False: no probe can be put there.
 */
bool entry_find(const struct image *image, struct code *code, uint64_t vaddr, enum entry_need need,
		struct entry_point *point);

#endif
