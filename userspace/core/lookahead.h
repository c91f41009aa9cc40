/* SPDX-License-Identifier: MIT */
/*
 * A few events wait, in order, while memory that they will touch is on its way.
 *
 * With a million live tasks each event misses the caches several times, each miss behind another:
 * the slot of the task's id, the task, its kind, the kind's histograms. Events that are on the way
 * to be taken ask for one of them each, so that those misses of different events overlap: wakes and
 * polls of a million tasks in turn took 310 ns an event instead of 1,200 (with huge pages; those of
 * a thousand take 70 either way).
 */
#ifndef POLLSCOPE_CORE_LOOKAHEAD_H
#define POLLSCOPE_CORE_LOOKAHEAD_H

#include <stdbool.h>

#include "core/event.h"

#define LOOKAHEAD_STAGE 8 /* events between two of the steps */
#define LOOKAHEAD_EVENTS (LOOKAHEAD_STAGE * 4)

struct correlator;

struct lookahead {
	struct event events[LOOKAHEAD_EVENTS]; /* a ring */
	unsigned int first, count;
};

/* Whether it may wait: it is about a task, and lends nothing. */
bool lookahead_wants(const struct event *event);

/* Takes a copy. There must be room: count < LOOKAHEAD_EVENTS. */
void lookahead_push(struct correlator *correlator, const struct event *event);

/* The oldest; valid until the next push. There must be one. */
const struct event *lookahead_pop(struct lookahead *lookahead);

#endif
