/* SPDX-License-Identifier: MIT */
/* What attach/capture*.c share: one capture. */
#ifndef POLLSCOPE_ATTACH_CAPTURE_STATE_H
#define POLLSCOPE_ATTACH_CAPTURE_STATE_H

#include <sys/resource.h>

#include "attach/calibrate.h"
#include "attach/capture.h"

struct capture {
	const struct capture_options *options;
	struct event_sink *sink;
	struct event_sink passing; /* what the capture's parts see of it */
	bool refused;              /* the sink has failed */
	struct kallsyms *kallsyms;
	struct symbolizer *symbolizer;
	struct tracer *tracer;
	struct calibration cost;
	struct targets *targets;
	struct intake *intake;
	struct launch *launch;
	struct rlimit descriptors; /* before it was raised, for COMMAND */
	uint64_t start;            /* 0: not yet */
	uint64_t waiting_since;    /* for a runtime in COMMAND; 0: not, or told */
	uint64_t rescanned, progressed;
	char *why;
	size_t why_len;
};

/* Says why, once. Returns err. */
int capture_fail(struct capture *capture, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for errors that have no better account; nothing where the sink's owner has one. */
int capture_fail_errno(struct capture *capture, int err, const char *what);

/* Passes one line on to the user; ctx is the capture. */
void capture_notice(void *ctx, const char *line);

/* Sets everything up, short of the targets; what it needs is released by capture_release(). */
int capture_prepare(struct capture *capture);
void capture_release(struct capture *capture);

/* Begins to record: what is attached by now is there from the first instant. */
int capture_start(struct capture *capture);

/* Attaches to the targets that run, or starts COMMAND. */
int capture_attach(struct capture *capture);

/* Follows what the targets do; sets *reason when that ends the capture. */
int capture_follow(struct capture *capture, uint64_t now, uint32_t *reason);

/* Ends COMMAND unless it is to be kept, and tells how it ended. Nothing without one. */
int capture_launch_finish(struct capture *capture, uint64_t time);

#endif
