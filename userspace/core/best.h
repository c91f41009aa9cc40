/* SPDX-License-Identifier: MIT */
/*
 * The tasks and polls that the model keeps singly: the best of those that were asked for. As long as it is
 * not known what a kind is called, and so whether it is asked for, its tasks and polls compete among
 * themselves; with the others once that is known.
 */
#ifndef POLLSCOPE_CORE_BEST_H
#define POLLSCOPE_CORE_BEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/correlate.h"
#include "core/kinds.h"
#include "core/model.h"
#include "core/task.h"
#include "core/top.h"

struct correlator;

struct slow_poll {
	struct model_slow_poll poll; /* type and cause are filled in at the end */
	struct kind *kind;
	uint32_t cause; /* CAUSE_NONE: nothing blocked it */
};

struct best {
	struct top tasks;   /* struct task_summary */
	struct top slowest; /* struct slow_poll */
};

void best_init(struct best *best, const struct correlate_options *options);
void best_clear(struct best *best);

/* Whether a poll of a kind would be kept: saves making it whole. */
bool best_takes_poll(struct correlator *correlator, const struct slow_poll *poll);

/* Each keeps a copy if it is good enough. 0 or -ENOMEM. */
int best_offer_poll(struct correlator *correlator, const struct slow_poll *poll);
int best_offer_task(struct correlator *correlator, const struct task_summary *task);

/* All kinds are named: sorts what was asked for, best first. No offers after that. 0 or -ENOMEM. */
int best_settle(struct correlator *correlator);

#endif
