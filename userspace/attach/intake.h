/* SPDX-License-Identifier: MIT */
/*
 * From the rings to the sink: records are decoded, fitted into the capture's time, put in order. On the
 * way, the addresses of stacks and the paths of files are collected, and losses become events.
 */
#ifndef POLLSCOPE_ATTACH_INTAKE_H
#define POLLSCOPE_ATTACH_INTAKE_H

#include <stdint.h>

#include "core/event.h"

struct intake;
struct kallsyms;
struct kind_set;
struct targets;
struct tracer;

struct intake_options {
	struct tracer *tracer;
	struct targets *targets;
	struct kallsyms *kallsyms;
	struct event_sink *sink;
};

/* Counts so far. */
struct intake_counts {
	uint64_t events;
	uint64_t polls;
	uint64_t lost;
	/* What the probes cost the targets, as they were calibrated (attach/governor.h). */
	uint64_t polls_ns, skips_ns, wakes_ns, others_ns;
};

/* 0 or a negative errno. */
int intake_new(struct intake **out, const struct intake_options *options);
void intake_free(struct intake *intake);

/* The capture began: nothing is older. */
void intake_start(struct intake *intake, uint64_t time);

/* The capture ended: nothing is younger. */
void intake_end(struct intake *intake, uint64_t time);

/*
 * Takes what is in the rings, handles execs, and passes on what is in order by now. Returns how many
 * records there were, or a negative errno (the sink's, -ENOMEM).
 */
int64_t intake_run(struct intake *intake);

/* Passes on everything that is left. 0 or a negative errno. */
int intake_finish(struct intake *intake);

/* For events that userspace makes while capturing: falls into place by its time. */
struct event_sink *intake_sink(struct intake *intake);

void intake_counts(const struct intake *intake, struct intake_counts *counts);

/* The addresses seen in stacks. */
const struct addresses *intake_addresses(const struct intake *intake);

/* The kinds seen that the targets name (targets_names_kinds). The capture may add others. */
struct kind_set *intake_kinds(struct intake *intake);

#endif
