/* SPDX-License-Identifier: MIT */
/*
 * What the correlator finds out, told while it does: for those who draw what happened when. What is told sums
 * up to the model's numbers. Times are since the capture's start.
 */
#ifndef POLLSCOPE_CORE_OBSERVE_H
#define POLLSCOPE_CORE_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

struct event;

struct observed_task {
	uint64_t serial; /* as struct model_task has it */
	uint64_t id;
	uint32_t kind; /* index into the model's kinds */
	uint16_t source;
};

/* A time outside of polls: idle from since to queued, scheduled from queued to until. */
struct observed_gap {
	struct observed_task task;
	uint64_t since, queued, until;
	uint32_t tid; /* of the poll that ended it; 0: none did */
	bool unknown; /* polls were sampled: there may have been others in it */
	/* Of the wake or spawning that queued it, which may lie in the poll before. Only where queued < until. */
	uint64_t woken;
	uint32_t waker_tid; /* 0: unknown */
	bool spawned;
	/* Where it began to wait, as a number of the model's stacks; MODEL_NO_STACK: not known. A loss that is
	 * told later may take that back. */
	uint32_t await;
};

struct observed_poll {
	struct observed_task task;
	uint64_t start, end;       /* of what counts */
	const struct event *event; /* EVENT_POLL */
};

/* A job of a blocking pool that ended, or that the capture left running. */
struct observed_job {
	uint64_t start, end;
	uint32_t kind;
	uint32_t tid;
};

/* Each returns 0 or a negative errno, which ends the capture or replay. */
struct observer {
	int (*gap)(struct observer *observer, const struct observed_gap *gap);
	int (*poll)(struct observer *observer, const struct observed_poll *poll);
	int (*job)(struct observer *observer, const struct observed_job *job);
};

#endif
