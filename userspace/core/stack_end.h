/* SPDX-License-Identifier: MIT */
/*
 * How a user stack that was unwound by tables ends. One that does not reach the thread's start has a mark
 * instead of a last frame: a number that is no user's address, and says why.
 */
#ifndef POLLSCOPE_CORE_STACK_END_H
#define POLLSCOPE_CORE_STACK_END_H

#include <stdint.h>

#include "core/event.h"

#define STACK_MARK 0xffffffffffffff00ULL /* + enum stack_end */
#define STACK_PROBE                                                                                \
	(STACK_MARK + 0x80) /* in a model: the kernel in a probe (core/probe_frames.h) */

/* Recordings hold these values; append-only. */
enum stack_end {
	STACK_WHOLE = 1,
	STACK_FULL = 2,
	STACK_UNKNOWN_CODE = 3,
	STACK_NO_RULE = 4,
	STACK_RULE_BEYOND = 5,
	STACK_UNREADABLE = 6,
	STACK_BACKWARDS = 7,
	STACK_NO_TABLE = 8,
	STACK_ENDS = 9, /* one past the last */
};

/* Of an event with EVENT_UNWOUND. A mark that is not known is STACK_NO_TABLE. */
enum stack_end stack_end_of(const struct event_stack *stack);

/* What is shown for an address that is a mark, as "[unwound no further: unknown code]" or "[probe]"; NULL: it is none. */
const char *stack_mark_frame(uint64_t address);

/* In words, as "unknown code", and as a JSON key, as "unknown_code". */
const char *stack_end_text(enum stack_end end);
const char *stack_end_key(enum stack_end end);

#endif
