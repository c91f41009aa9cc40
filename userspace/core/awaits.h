/* SPDX-License-Identifier: MIT */
/*
 * What tasks wait for while they are idle.
 *
 * EVENT_AWAIT comes inside of a poll and waits for its end: if that is pending, the idle gap that follows
 * belongs to the event's stack. Of several it is the first that is at no timer: a timeout comes behind what it
 * is for, and a timer whose time had come is followed by what the task really waits for. Else it is the last.
 *
 * A gap of which anything is uncertain belongs to none: one that reaches into a time in which events were lost,
 * or whose poll does, or into one in which polls were sampled. As a loss is told late, gaps that were charged
 * lately are remembered until then. What each stands for: core/strata.h.
 */
#ifndef POLLSCOPE_CORE_AWAITS_H
#define POLLSCOPE_CORE_AWAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "core/strata.h"

#define AWAITS_OPEN 16 /* of a thread's open polls */

struct correlator;
struct poll_span;
struct task;
struct thread;

/* An EVENT_AWAIT whose poll is open. */
struct awaited {
	uint64_t task;
	uint64_t time;
	uint32_t stack;
	uint16_t source;
	bool at_timer;
};

/* All zero is an empty one. */
struct awaits {
	struct strata strata;
	uint64_t lost_until; /* polls and gaps that began before are uncertain */
};

/* EVENT_AWAIT. Returns 0 or -ENOMEM. */
int await_take(struct correlator *correlator, const struct event *event);

/*
 * A poll ended on its thread: where it leaves its task waiting. MODEL_NO_STACK where that is not known, or
 * the task does not wait. Forgets what was inside of the poll.
 */
uint32_t awaits_of_poll(const struct correlator *correlator, struct thread *thread,
			const struct event *event, const struct poll_span *span);

/* That poll was accounted: a gap of its task begins there; stack: as awaits_of_poll() says. Returns 0 or -ENOMEM. */
int awaits_begin(struct correlator *correlator, struct task *task, const struct event *event,
		 const struct poll_span *span, uint32_t stack);

/*
 * A gap of a task ended at `until`; it was idle from task->since to `queued`: where it waited, as its last poll
 * left it. MODEL_NO_STACK where that is not certain.
 */
uint32_t awaits_of_gap(const struct correlator *correlator, const struct task *task,
		       uint64_t queued, uint64_t until);

/* Charges the gap to where it waited. Returns 0 or -ENOMEM. */
int awaits_end(struct correlator *correlator, struct task *task, uint64_t queued, uint64_t until);

/* A task's life is accounted: how long it was idle in all. Returns 0 or -ENOMEM. */
int awaits_settle(struct correlator *correlator, const struct task *task, uint64_t idle_ns);

/* Events without which no gap is certain were lost from `since` to `until`. */
void awaits_lost(struct correlator *correlator, uint64_t since, uint64_t until);

/* All gaps have ended. */
void awaits_finish(struct correlator *correlator);

#endif
