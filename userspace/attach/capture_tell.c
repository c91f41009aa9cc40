// SPDX-License-Identifier: MIT
/* What a capture says to whoever runs it: why it failed, notices, how far it is. */
#include "attach/capture_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "attach/intake.h"
#include "util/clock.h"

#define PROGRESS_NS (100 * NSEC_PER_MSEC)

int capture_fail(struct capture *c, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->why, c->why_len, format, args);
	va_end(args);
	return err;
}

int capture_fail_errno(struct capture *c, int err, const char *what)
{
	if (c->refused)
		return err;
	return capture_fail(c, err, "%s: %s", what, strerror(-err));
}

void capture_notice(void *ctx, const char *line)
{
	struct capture *c = ctx;

	if (c->options->notice)
		c->options->notice(c->options->ctx, line);
}

void capture_progress(struct capture *c, uint64_t now)
{
	struct capture_progress progress = {.duration_ns = c->options->duration_ns};
	struct intake_counts counts;

	if (!c->options->progress || now < c->start || now - c->progressed < PROGRESS_NS)
		return;
	c->progressed = now;
	intake_counts(c->intake, &counts);
	progress.started = c->start;
	progress.elapsed_ns = c->start ? now - c->start : 0;
	progress.events = counts.events;
	progress.polls = counts.polls;
	progress.lost = counts.lost;
	progress.names = c->names;
	progress.named = c->named;
	c->options->progress(c->options->ctx, &progress);
}
