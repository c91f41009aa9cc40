/* SPDX-License-Identifier: MIT */
/* A tracer that uses the best of what the kernel has. */
#ifndef POLLSCOPE_ATTACH_TRACER_PREPARE_H
#define POLLSCOPE_ATTACH_TRACER_PREPARE_H

#include <stddef.h>

struct calibration;
struct tracer;
struct tracer_options;

/*
 * Opens a tracer, and measures what its probes cost: with uprobe sessions where the kernel has them, else
 * with multi-uprobes where it has them and they see every thread, else with one perf event a probe. Fills in
 * options->multi and options->session. Returns 0, or a negative errno with one line in why.
 */
int tracer_prepare(struct tracer **out, struct tracer_options *options, struct calibration *cost,
		   char *why, size_t why_len);

#endif
