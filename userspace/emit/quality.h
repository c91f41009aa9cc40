/* SPDX-License-Identifier: MIT */
/* How far the numbers are to be trusted, in words, for every form of report that people read. */
#ifndef POLLSCOPE_EMIT_QUALITY_H
#define POLLSCOPE_EMIT_QUALITY_H

#include <stdbool.h>

#include "core/model.h"

struct quality_text {
	char s[1024];
};

struct quality_uncertainty {
	char text[160]; /* "" if all is certain */
	bool slight;    /* too little to matter */
};

/* Measured by the time that tasks were polled or waited for it: they may be idle without end. */
struct quality_uncertainty quality_uncertainty(const struct model *model);

/*
 * Visits a line for each thing that casts doubt: a cut or damaged recording, no polls, probes that were
 * refused, losses, uncertain time, nesting.
 */
void quality_warnings(const struct model *model, void (*visit)(void *context, const char *text),
		      void *context);

/* That no task was polled, and why that may be; NULL if one was. */
const char *quality_unseen_polls(const struct model *model);

/* "estimated: one poll in 16 was timed; …": of a capture that is. */
struct quality_text quality_sampling(const struct model *model);

/* What the probes do not show of waiting for a worker, if they show any of it; else NULL. */
const char *quality_unseen_waits(const struct model *model);

/* "97 of 12,345 stacks end before their thread's start: unknown code 90, damaged stack 7"; "" if none does. */
struct quality_text quality_unwound(const struct model *model);

/* "56,129 events · probes took about 33.2ms, …" */
struct quality_text quality_cost(const struct model *model);

#endif
