/* SPDX-License-Identifier: MIT */
/*
 * A capture, from finding the runtime to the last symbol: events of live processes into a sink.
 */
#ifndef POLLSCOPE_ATTACH_CAPTURE_H
#define POLLSCOPE_ATTACH_CAPTURE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/adapter.h"
#include "core/event.h"

struct capture_progress {
	bool started; /* false: the command that was launched has no runtime yet */
	uint64_t elapsed_ns;
	uint64_t duration_ns; /* 0: until interrupted */
	uint64_t events;
	uint64_t polls;
	uint64_t lost;
	uint64_t names, named; /* after the capture: to look up, and looked up; 0: not yet */
};

struct capture_options {
	const pid_t *pids; /* running targets; or else argv */
	size_t npids;
	char *const *argv;    /* COMMAND to launch, ends in NULL */
	const char *user;     /* launch as; NULL: as we are */
	bool keep;            /* leave COMMAND running at the end */
	uint64_t duration_ns; /* 0: until interrupted, or the targets have exited */
	uint32_t sample_hz;
	uint32_t await_stacks; /* of where tasks wait: a second of each kind of task; 0: none */
	bool frame_pointers;   /* user stacks are followed by them, not by unwind tables */
	size_t ring_bytes;
	struct adapter_choice choice; /* of runtime adapters; all zero: detect */
	uint32_t one_in;              /* polls: 1: each is timed; N: one in N; 0: each, until: */
	uint32_t max_overhead;        /* percent of the targets' CPU time; 0: whatever it costs */
	const char *tool_version;
	const char *command_line; /* our own */
	const volatile sig_atomic_t *interrupted;
	/* Both may be NULL. notice: one line that the user should see. */
	void (*progress)(void *ctx, const struct capture_progress *progress);
	void (*notice)(void *ctx, const char *line);
	void *ctx;
};

/*
 * Captures into the sink, symbols included. Returns 0, also where it was interrupted or the targets exited;
 * or a negative errno with one line in why: empty where it is the sink's own error, which the sink's owner
 * can name better.
 */
int capture_run(const struct capture_options *options, struct event_sink *sink, char *why,
		size_t why_len);

#endif
