/* SPDX-License-Identifier: MIT */
/*
 * Correlation: events in, model out. Pure: no clock, no files, no kernel.
 */
#ifndef POLLSCOPE_CORE_CORRELATE_H
#define POLLSCOPE_CORE_CORRELATE_H

#include <stdint.h>

#include "core/event.h"
#include "core/model.h"

struct observer;

/* What the roots of weighted stacks are; finer ones cost memory for each task or thread. */
enum correlate_by { CORRELATE_BY_TYPE, CORRELATE_BY_TASK, CORRELATE_BY_WORKER };

struct correlate_options {
	uint32_t tasks;        /* single tasks kept in the model */
	uint32_t slowest;      /* slowest polls kept */
	uint64_t min_block_ns; /* blocked intervals shorter than this stay out of the stacks */
	enum correlate_by by;
	/* NULL: all types; fnmatch(3) pattern otherwise: of name or location, or of their last parts */
	const char *type_glob;
	/* Names a system call of a machine (uname's), or returns NULL. */
	const char *(*syscall_name)(const char *arch, int32_t number);
	struct observer *observer; /* NULL: none (core/observe.h) */
};

struct correlator;

/* Returns NULL without memory. The options are copied; type_glob and observer must outlive the correlator. */
struct correlator *correlator_new(const struct correlate_options *options);
void correlator_free(struct correlator *correlator);

/* The correlator's sink: feed it events in order. -ENOMEM ends it. Lives as long as the correlator. */
struct event_sink *correlator_sink(struct correlator *correlator);

/*
 * Ends every open interval at the capture's end (or, in a recording that is cut, at its last event) and
 * returns the model, NULL without memory. Symbols may be taken until then. Call it once.
 */
struct model *correlator_finish(struct correlator *correlator);

#endif
