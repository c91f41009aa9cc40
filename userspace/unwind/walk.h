/* SPDX-License-Identifier: MIT */
/*
 * Walking a stack as the programs do, but over memory that somebody else reads: of a thread that was
 * asleep before there was a program.
 */
#ifndef POLLSCOPE_UNWIND_WALK_H
#define POLLSCOPE_UNWIND_WALK_H

#include <linux/types.h>
#include <stdint.h>

#include "bpf/unwind.h"

struct unwind_store;

/* read() - the word at an address of the thread's memory; non-zero: it cannot be read. */
struct unwind_memory {
	int (*read)(void *context, uint64_t address, uint64_t *word);
	void *context;
};

/*
 * unwind_walk() - the addresses of a stack, leaf first: regs.pc, then return addresses. Returns how many, at
 * most `max`; *end tells why not more.
 */
uint32_t unwind_walk(const struct unwind_store *store, const struct unwind_modules *modules,
		     struct unwind_regs regs, const struct unwind_memory *memory, uint64_t *frames,
		     uint32_t max, enum unwind_end *end);

#endif
