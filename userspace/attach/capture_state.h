/* SPDX-License-Identifier: MIT */
/* What attach/capture*.c share: one capture. */
#ifndef POLLSCOPE_ATTACH_CAPTURE_STATE_H
#define POLLSCOPE_ATTACH_CAPTURE_STATE_H

#include <sys/resource.h>

#include "attach/await_budget.h"
#include "attach/calibrate.h"
#include "attach/capture.h"
#include "attach/capture_kinds.h"
#include "attach/cgroup_quota.h"
#include "attach/governor.h"

#define CAPTURE_QUOTAS 16 /* processes at a time whose limits of CPU time are looked at */

struct capture_quota;

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
	struct governor governor;
	struct await_budget await_budget;
	struct capture_kinds kinds;
	struct cgroup_mounts cgroup_mounts;
	struct capture_quota *quotas[CAPTURE_QUOTAS];
	size_t nquotas;
	uint32_t one_in;           /* polls that are recorded since one event said so; 0: each */
	struct rlimit descriptors; /* before it was raised, for COMMAND */
	uint64_t start;            /* 0: not yet */
	uint64_t waiting_since;    /* for a runtime in COMMAND; 0: not, or told */
	uint64_t rescanned, progressed, skips_told, awaits_told, quotas_seen,
		flushed;       /* when each was done last */
	uint64_t nowhere;      /* tracer_unwound_nowhere() then */
	uint64_t haste_ns;     /* how soon it is done again where that goes on */
	uint64_t names, named; /* as in struct capture_progress */
	char *why;
	size_t why_len;
};

/* Says why, once. Returns err. */
int capture_fail(struct capture *capture, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for errors that have no better account; nothing where the sink's owner has one. */
int capture_fail_errno(struct capture *capture, int err, const char *what);

/* Shows how far it is, now and then. */
void capture_progress(struct capture *capture, uint64_t now);

/* Passes one line on to the user; ctx is the capture. */
void capture_notice(void *ctx, const char *line);

/* Sets everything up, short of the targets; what it needs is released by capture_release(). */
int capture_prepare(struct capture *capture);
void capture_release(struct capture *capture);

/* Begins to record: what is attached by now is there from the first instant. */
int capture_start(struct capture *capture);

/* Attaches to the targets that run, or starts COMMAND. */
int capture_attach(struct capture *capture);

/* Why nothing can be traced, once. Returns a negative errno. */
int capture_nothing_found(struct capture *capture);

/* Follows what the targets do; sets *reason when that ends the capture. */
int capture_follow(struct capture *capture, uint64_t now, uint32_t *reason);

/* Samples polls from the start, where that is wanted; else begins to watch what they cost. */
int capture_sampling_begin(struct capture *capture);

/* Samples polls from now on where they cost too much. Where they are, tells how many were left out so far,
 * now and then: a recording may be cut. */
int capture_sampling_follow(struct capture *capture, uint64_t now);

/* Tells how many polls were left out. */
int capture_sampling_finish(struct capture *capture, uint64_t time);

/* Watches what the probes where tasks wait cost, from the start on. */
void capture_awaits_begin(struct capture *capture);

/* Takes them off and puts them on, as their budget says; tells what they have cost, now and then. */
int capture_awaits_follow(struct capture *capture, uint64_t now);

/* Tells what they have cost in the end. */
int capture_awaits_finish(struct capture *capture, uint64_t time);

/* Looks, now and then, at the limits of CPU time that the targets are under; tells what these have done. */
int capture_quotas_follow(struct capture *capture, uint64_t now);

/* Tells what they have done in the end. */
int capture_quotas_finish(struct capture *capture, uint64_t time);
void capture_quotas_release(struct capture *capture);

/* One more is looked up. */
void capture_names_count(struct capture *capture);

/* Names what the events mention. */
int capture_names_tell(struct capture *capture, uint64_t time);

/* Ends COMMAND unless it is to be kept, and tells how it ended. Nothing without one. */
int capture_launch_finish(struct capture *capture, uint64_t time);

#endif
