/* SPDX-License-Identifier: MIT */
/*
 * A sleep that a stop or a tracer interrupted goes on in restart_syscall: it is charged to the call
 * that it restarts. This needs the thread's sleep before it, so it happens where events are in
 * order.
 */
#ifndef POLLSCOPE_EVENTS_RESTART_H
#define POLLSCOPE_EVENTS_RESTART_H

#include <stdint.h>

#include "core/event.h"

#define RESTART_THREADS 1024

/* Passes events on to `next`, with the restarted call in the place of restart_syscall. */
struct restart {
	struct event_sink sink;
	struct event_sink *next;
	struct {
		uint32_t tid;
		int32_t syscall; /* in which the thread slept last */
	} last[RESTART_THREADS]; /* by tid modulo; who collides keeps restart_syscall */
};

/* For a capture on this machine. `next` may be changed at any time. */
void restart_init(struct restart *restart, struct event_sink *next);

#endif
