// SPDX-License-Identifier: MIT
#include "attach/capture_state.h"

#include <stddef.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "attach/intake.h"
#include "attach/launch.h"
#include "attach/targets.h"
#include "attach/tracer.h"
#include "util/clock.h"

#define TICK_NS (5 * NSEC_PER_MSEC)
#define HURRY_BYTES 256 /* rings of this times the records of one turn are read on at once */
#define WALKED_MAX 4096
#define FLUSH_NS NSEC_PER_SEC

static int pass(struct event_sink *sink, const struct event *event)
{
	struct capture *c = (struct capture *)((char *)sink - offsetof(struct capture, passing));
	int err = c->sink->take(c->sink, event);

	c->refused |= err != 0;
	return err;
}

/* A killed tracer loses no more than what came since the last one, however little comes. */
static int flush(struct capture *c, uint64_t now)
{
	int err = c->sink->flush ? c->sink->flush(c->sink) : 0;

	c->flushed = now;
	c->refused |= err != 0;
	return err ? capture_fail_errno(c, err, "cannot write events") : 0;
}

static int start_tell(struct capture *c)
{
	struct utsname kernel;
	struct event start = {
		.time = c->start,
		.source = EVENT_NO_SOURCE,
		.type = EVENT_CAPTURE_START,
		.capture_start =
			{
				.unix_ns = clock_read_ns(CLOCK_REALTIME) -
					   (clock_monotonic_ns() - c->start),
				.sample_period_ns = c->options->sample_hz
							    ? NSEC_PER_SEC / c->options->sample_hz
							    : 0,
				.ncpus = sysconf(_SC_NPROCESSORS_ONLN),
				.kernel = kernel.release,
				.arch = kernel.machine,
				.tool_version = c->options->tool_version,
				.command_line = c->options->command_line,
			},
	};
	int err;

	uname(&kernel);
	err = pass(&c->passing, &start);
	return err ? err : targets_tell(c->targets, &c->passing, c->start);
}

int capture_start(struct capture *c)
{
	pid_t pids[WALKED_MAX];
	uint16_t processes[WALKED_MAX];
	size_t n;
	int err;

	if (c->options->one_in > 1) {
		c->one_in = c->options->one_in;
		tracer_sample(c->tracer, c->one_in);
	}
	c->start = tracer_start(c->tracer);
	intake_start(c->intake, c->start);
	c->rescanned = c->start;
	err = start_tell(c);
	if (!err)
		err = capture_sampling_begin(c);
	capture_awaits_begin(c);
	if (err)
		return capture_fail_errno(c, err, "cannot write events");
	n = targets_live(c->targets, pids, processes, WALKED_MAX);
	for (size_t i = 0; i < n; i++)
		tracer_name_threads(c->tracer, pids[i], processes[i]);
	return 0;
}

static void tick_wait(const struct capture *c)
{
	struct timespec tick = {.tv_nsec = TICK_NS};

	if (c->launch && launch_following(c->launch))
		tick.tv_nsec = NSEC_PER_MSEC;
	nanosleep(&tick, NULL);
}

/* The capture itself. Returns why it ended, or a negative errno. */
static int loop(struct capture *c)
{
	uint32_t reason = 0;

	while (!reason) {
		uint64_t now = clock_monotonic_ns();
		int64_t records = intake_run(c->intake);
		int err;

		if (records < 0)
			return capture_fail_errno(c, records, "cannot write events");
		err = capture_follow(c, now, &reason);
		if (err)
			return c->why[0] ? err
					 : capture_fail_errno(c, err, "cannot follow the target");
		err = capture_sampling_follow(c, now);
		if (!err)
			err = capture_awaits_follow(c, now);
		if (!err)
			err = capture_quotas_follow(c, now);
		if (!err)
			err = capture_kinds_follow(c, now);
		if (err)
			return capture_fail_errno(c, err, "cannot write events");
		err = now - c->flushed < FLUSH_NS ? 0 : flush(c, now);
		if (err)
			return err;
		capture_progress(c, now);
		if (*c->options->interrupted)
			reason = EVENT_END_INTERRUPTED;
		else if (c->start && c->options->duration_ns &&
			 clock_monotonic_ns() - c->start >= c->options->duration_ns)
			reason = EVENT_END_DURATION;
		else if (records * HURRY_BYTES < (int64_t)c->options->ring_bytes)
			tick_wait(c);
	}
	return reason;
}

static int stop(struct capture *c, uint32_t reason)
{
	pid_t pids[WALKED_MAX];
	uint16_t processes[WALKED_MAX];
	size_t n = targets_live(c->targets, pids, processes, WALKED_MAX);
	struct event end = {
		.source = EVENT_NO_SOURCE,
		.type = EVENT_CAPTURE_END,
		.capture_end = {.reason = reason},
	};
	int err;

	end.time = tracer_stop(c->tracer, pids, processes, n);
	intake_end(c->intake, end.time);
	err = intake_finish(c->intake);
	if (!err)
		err = capture_sampling_finish(c, end.time);
	if (!err)
		err = capture_awaits_finish(c, end.time);
	if (!err)
		err = capture_quotas_finish(c, end.time);
	if (!err)
		err = pass(&c->passing, &end);
	/* Names take their time. */
	if (!err)
		err = flush(c, end.time);
	if (!err)
		err = capture_launch_finish(c, end.time);
	if (!err)
		err = capture_names_tell(c, end.time);
	return err ? capture_fail_errno(c, err, "cannot write events") : 0;
}

static int run(struct capture *c)
{
	int err = capture_attach(c), reason;

	if (err)
		return err;
	reason = loop(c);
	if (reason < 0)
		return reason;
	if (!c->start)
		return capture_nothing_found(c);
	return stop(c, reason);
}

int capture_run(const struct capture_options *options, struct event_sink *sink, char *why,
		size_t why_len)
{
	struct capture c = {
		.options = options,
		.sink = sink,
		.passing.take = pass,
		.why = why,
		.why_len = why_len,
	};
	int err;

	why[0] = '\0';
	err = capture_prepare(&c);
	if (!err)
		err = run(&c);
	if (err)
		capture_launch_finish(&c, clock_monotonic_ns());
	capture_release(&c);
	return err;
}
