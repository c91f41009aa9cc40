/* SPDX-License-Identifier: MIT */
/*
 * A capture as a trace of Perfetto (https://perfetto.dev), for its UI and its trace processor.
 *
 * Tracks, in each process:
 *
 *	a thread	polls, named by task type, nested as they were; in them what held them up (blocked: named by
 *			its cause, then the run queue until they ran on); parking; jobs of the blocking pool; and an
 *			instant for each wake that counted, from which a flow leads to the poll it led to
 *	a task		scheduled, polling and idle, end to end: of the tasks that the model has singly
 *	counters	tasks that are runnable (scheduled) on average, in 65,536 steps of the capture; queues' depths
 *
 * The events are read twice: their sum, the model, comes first, for what things are called may be told last. Of
 * the second reading little is held: a thread's slices until its outermost poll ends, and what the correlator
 * knows. Slices sum up to the numbers of the report.
 */
#ifndef POLLSCOPE_EMIT_PERFETTO_H
#define POLLSCOPE_EMIT_PERFETTO_H

#include <stdio.h>

struct export_stream;
struct model;

/* The stream takes the events that the model was made of. The model must outlive it. NULL without memory. */
struct export_stream *emit_perfetto_open(const struct model *model, FILE *out);

#endif
