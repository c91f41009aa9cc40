/* SPDX-License-Identifier: MIT */
/*
 * Wire records (bpf/events.h) to events (core/event.h). Nothing in a record is trusted: whatever it
 * holds, the event that comes out is sound (events/check.h), or the record is refused.
 *
 * How the cause of an off-CPU interval follows from a record:
 *
 *	reason			fault on the kernel stack	otherwise
 *	PREEMPTED		RUNQUEUE			RUNQUEUE
 *	STOPPED			STOPPED				STOPPED
 *	SYSCALL			PAGE_FAULT			SYSCALL
 *	KERNEL with iowait	PAGE_FAULT			PAGE_FAULT
 *	KERNEL			MEMORY				OTHER
 *
 * In a system call iowait does not tell the fault from the call's own I/O, and a fault there counts
 * as one whatever it waits for.
 */
#ifndef POLLSCOPE_EVENTS_DECODE_H
#define POLLSCOPE_EVENTS_DECODE_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"
#include "core/event.h"

struct address_range {
	uint64_t start, end; /* end: first address behind it */
};

struct decode_context {
	/* The kernel's page fault handlers: a frame in one of them shows a fault. Any order;
	 * empty where kernel symbols cannot be read. */
	const struct address_range *fault;
	size_t nfault;
};

/* A target's exec, which is no event: whoever follows the targets learns of it. */
struct decode_exec {
	uint64_t time;
	uint32_t tid;
	uint32_t pid;
	uint16_t process; /* the generation that ended */
};

/* What a record says, and the storage of its strings. Not initialised by the caller. */
struct decoded {
	struct event event;
	struct decode_exec exec;
	char text[WIRE_KIND_TYPE + 1];
	char more_text[WIRE_KIND_FILE + 1];
};

enum { DECODED_EVENT = 0, DECODED_EXEC = 1 };

/*
 * Decodes one record of `size` bytes at `bytes`, which are aligned to 8 as in a ring; a record may
 * be longer than what it holds. Returns DECODED_EVENT or DECODED_EXEC with that part of `out`
 * filled, or -EBADMSG. The event's strings point into `out`, its frames into `bytes`.
 */
int decode_record(const void *bytes, size_t size, const struct decode_context *context,
		  struct decoded *out);

/* The event type that records of a wire type become: of lost records. 0: none, or no such type. */
uint8_t decode_event_type(uint8_t wire_type);

#endif
