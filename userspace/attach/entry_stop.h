/* SPDX-License-Identifier: MIT */
/* Stopping a traced process right before its executable's first instruction. */
#ifndef POLLSCOPE_ATTACH_ENTRY_STOP_H
#define POLLSCOPE_ATTACH_ENTRY_STOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A breakpoint at an image's entry point; all zero: none. May be copied for a forked child. */
struct entry_stop {
	uint64_t address;
	uint8_t original[4]; /* the instruction that the breakpoint stands on */
	bool planted;
};

/*
 * Plants the breakpoint in tid, which is stopped by an exec. Returns 0; -EALREADY if it stands at
 * its entry point already, for it has no dynamic loader; -ENOEXEC for a program of another width
 * than ours; or another negative errno where it cannot be looked into. Nothing is planted then.
 */
int entry_stop_plant(struct entry_stop *stop, pid_t tid);

/* Puts the original instruction back, if the breakpoint is there. */
void entry_stop_remove(struct entry_stop *stop, pid_t tid);

/*
 * Whether the SIGTRAP that stopped tid is this breakpoint's. It is then removed, and tid about to
 * run the original instruction.
 */
bool entry_stop_reached(struct entry_stop *stop, pid_t tid);

#endif
