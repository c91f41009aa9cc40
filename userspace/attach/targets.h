/* SPDX-License-Identifier: MIT */
/*
 * The processes of a capture: their images, the runtimes found in them, the probes attached to them.
 *
 * A number is given to each (pid, exec generation), the `process` of events, and one to each runtime in
 * one of them, the `source`. What is learnt is told to a sink once, when the capture is ready for it.
 */
#ifndef POLLSCOPE_ATTACH_TARGETS_H
#define POLLSCOPE_ATTACH_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/adapter.h"
#include "core/event.h"

#define KIND_PLACES 4 /* a file may be mapped more than once, but hardly at more addresses */

struct calibration;
struct symbolizer;
struct targets;
struct tracer;

struct targets_options {
	struct tracer *tracer;
	struct symbolizer *symbolizer;
	const struct calibration *cost;              /* of the probes */
	struct adapter_choice choice;                /* of adapters */
	void (*notice)(void *ctx, const char *line); /* what the user should know; one line */
	void *ctx;
};

/* Returns NULL without memory. All that the options point to must outlive it. */
struct targets *targets_new(const struct targets_options *options);
void targets_free(struct targets *targets);

/*
 * Takes a process in, attaches to the runtimes in it, and follows it from then on; one that is known is
 * looked at anew. Returns how many sources it has, or a negative errno: -ESRCH, -EACCES, ... One that is
 * beyond the number that can be followed has none, which a notice says.
 */
int targets_add(struct targets *targets, pid_t pid, bool launched);

/* Looks for files that targets have mapped since (dlopen). 0 or a negative errno. */
int targets_rescan(struct targets *targets);

/* Whether any runtime was found. */
bool targets_found(const struct targets *targets);

/* A target's exec, seen at `time`: ends that process, begins the next generation. 0 or a negative errno. */
int targets_exec(struct targets *targets, uint16_t process, uint64_t time);

/* Tells the sink of what it has not been told yet, as of `time`. 0 or the sink's error. */
int targets_tell(struct targets *targets, struct event_sink *sink, uint64_t time);

/* Tells of targets that have exited; how many are left that hold a runtime in *alive. */
int targets_reap(struct targets *targets, struct event_sink *sink, size_t *alive);

/* Tells how the launched pid ended (waitpid's status). */
int targets_tell_status(struct targets *targets, struct event_sink *sink, pid_t pid, int status,
			uint64_t time);

/* What the user should know of the targets; one line. */
void targets_notice(struct targets *targets, const char *line);

/* What helps where a target has mapped files that may not be read, so that a runtime in them was not seen; NULL: none has. */
const char *targets_unreadable(const struct targets *targets);

/* Why a runtime that is in a target cannot be traced, where it was not said yet; "": nothing is wrong. */
const char *targets_refusal(const struct targets *targets);

/* CPU time that the targets with a runtime have used since the first call, all together. */
uint64_t targets_cpu_ns(struct targets *targets);

/* Of the process: its pid; 0 for a number that was not given. */
pid_t targets_pid(const struct targets *targets, uint16_t process);

/* Of a source: its process; EVENT_NO_PROCESS for a number that was not given. */
uint16_t targets_process_of(const struct targets *targets, uint16_t source);

/* When the source's process went by exec; UINT64_MAX: it did not. */
uint64_t targets_source_end(const struct targets *targets, uint16_t source);

/* What the probes of a source cost, or of a number that was not given. */
const struct event_overhead *targets_source_cost(const struct targets *targets, uint16_t source);

/* Whether the source's kinds are named by kind_place_name(), not by the programs. */
bool targets_names_kinds(const struct targets *targets, uint16_t source);

/* Where a kind is in its file: link-time addresses, of which one holds. The targets own the rest. */
struct kind_place {
	struct kind_names *names;
	uint64_t vaddrs[KIND_PLACES];
	size_t n;
};

/* Finds a kind of such a source, also when its process is gone. */
void targets_kind_place(const struct targets *targets, uint16_t source, uint64_t kind,
			struct kind_place *place);

/*
 * What it is called; one thread at a time may ask. 0 and *name (kind_name_release); -ENOENT: nothing is known
 * of it; -ENOMEM.
 */
int kind_place_name(const struct kind_place *place, struct kind_name *name);

/* Whether a stack of a task that gives its waker away goes through a timer of its runtime. */
bool targets_at_timer(const struct targets *targets, uint16_t source,
		      const struct event_stack *stack);

/* Live processes that hold a runtime, for walking their threads: fills both (n entries at most). */
size_t targets_live(const struct targets *targets, pid_t *pids, uint16_t *processes, size_t n);

#endif
