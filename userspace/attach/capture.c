// SPDX-License-Identifier: MIT
#include "attach/capture.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attach/addresses.h"
#include "attach/calibrate.h"
#include "attach/intake.h"
#include "attach/launch.h"
#include "attach/targets.h"
#include "attach/tracer.h"
#include "symbolize/kallsyms.h"
#include "symbolize/symbolizer.h"
#include "util/clock.h"

#define TICK_NS (5 * NSEC_PER_MSEC)
#define HURRY_BYTES 256			  /* rings of this times the records of one turn are read on at once */
#define RESCAN_NS NSEC_PER_SEC		  /* for what targets have mapped since */
#define PROGRESS_NS (100 * NSEC_PER_MSEC)
#define LAUNCH_GRACE_MS 5000
#define WALKED_MAX 4096

struct capture {
	const struct capture_options *options;
	struct event_sink *sink;
	struct event_sink passing; /* what the capture's parts see of it */
	bool refused;		   /* the sink has failed */
	struct kallsyms *kallsyms;
	struct symbolizer *symbolizer;
	struct tracer *tracer;
	struct calibration cost;
	struct targets *targets;
	struct intake *intake;
	struct launch *launch;
	struct rlimit descriptors; /* before it was raised, for COMMAND */
	uint64_t start; /* 0: not yet */
	uint64_t rescanned, progressed;
	char *why;
	size_t why_len;
};

static int fail(struct capture *c, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct capture *c, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->why, c->why_len, format, args);
	va_end(args);
	return err;
}

/* For errors that have no better account. */
static int fail_errno(struct capture *c, int err, const char *what)
{
	if (c->refused)
		return err;
	return fail(c, err, "%s: %s", what, strerror(-err));
}

static int pass(struct event_sink *sink, const struct event *event)
{
	struct capture *c = (struct capture *)((char *)sink - offsetof(struct capture, passing));
	int err = c->sink->take(c->sink, event);

	c->refused |= err != 0;
	return err;
}

static void notice(void *ctx, const char *line)
{
	struct capture *c = ctx;

	if (c->options->notice)
		c->options->notice(c->options->ctx, line);
}

/* Loads the programs, with multi-uprobes where the kernel has them and they see every thread. */
static int tracer_prepare(struct capture *c)
{
	struct tracer_options options = {
		.ring_bytes = c->options->ring_bytes,
		.sample_hz = c->options->sample_hz,
		.kallsyms = c->kallsyms,
		.multi = true,
	};
	int err;

	for (;;) {
		err = tracer_open(&c->tracer, &options, c->why, c->why_len);
		if (!err)
			err = calibrate(c->tracer, &c->cost);
		if (!err || !options.multi)
			break;
		tracer_free(c->tracer);
		c->tracer = NULL;
		options.multi = false;
	}
	if (err && c->tracer)
		return fail_errno(c, err, "cannot attach uprobes (see pollscope doctor)");
	return err;
}

/* A perf-event uprobe takes a descriptor for each point, a large target has many files. */
static void descriptors_raise(struct rlimit *before)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, before))
		return;
	limit = *before;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int prepare(struct capture *c)
{
	struct targets_options targets;
	struct intake_options intake;
	int err;

	descriptors_raise(&c->descriptors);
	c->kallsyms = kallsyms_new(NULL);
	if (!c->kallsyms)
		return fail_errno(c, -ENOMEM, "cannot capture");
	err = kallsyms_load(c->kallsyms);
	if (err)
		notice(c, "kernel symbols cannot be read (CAP_SYSLOG, kernel.kptr_restrict): kernel "
			  "frames have no names, page faults in system calls are not told apart");
	c->symbolizer = symbolizer_new(c->kallsyms);
	if (!c->symbolizer)
		return fail_errno(c, -ENOMEM, "cannot capture");
	err = tracer_prepare(c);
	if (err)
		return err;
	targets = (struct targets_options){
		.tracer = c->tracer,
		.symbolizer = c->symbolizer,
		.adapter = c->options->adapter,
		.notice = notice,
		.ctx = c,
	};
	c->targets = targets_new(&targets);
	if (!c->targets)
		return fail_errno(c, -ENOMEM, "cannot capture");
	intake = (struct intake_options){
		.tracer = c->tracer,
		.targets = c->targets,
		.kallsyms = c->kallsyms,
		.sink = &c->passing,
	};
	err = intake_new(&c->intake, &intake);
	return err ? fail_errno(c, err, "cannot read the ring buffers") : 0;
}

static int start_tell(struct capture *c)
{
	struct utsname kernel;
	struct event start = {
		.time = c->start,
		.source = EVENT_NO_SOURCE,
		.type = EVENT_CAPTURE_START,
		.capture_start = {
			.unix_ns = clock_read_ns(CLOCK_REALTIME) - (clock_monotonic_ns() - c->start),
			.sample_period_ns = c->options->sample_hz ?
						    NSEC_PER_SEC / c->options->sample_hz : 0,
			.ncpus = sysconf(_SC_NPROCESSORS_ONLN),
			.kernel = kernel.release,
			.arch = kernel.machine,
			.tool_version = c->options->tool_version,
			.command_line = c->options->command_line,
		},
	};
	struct event overhead = {
		.time = c->start,
		.source = EVENT_NO_SOURCE,
		.type = EVENT_OVERHEAD,
		.overhead = { .poll_ns = c->cost.poll_ns, .signal_ns = c->cost.signal_ns },
	};
	int err;

	uname(&kernel);
	err = pass(&c->passing, &start);
	if (!err)
		err = pass(&c->passing, &overhead);
	return err ? err : targets_tell(c->targets, &c->passing, c->start);
}

/* Begins to record: what is attached by now is there from the first instant. */
static int start(struct capture *c)
{
	pid_t pids[WALKED_MAX];
	uint16_t processes[WALKED_MAX];
	size_t n;
	int err;

	c->start = tracer_start(c->tracer);
	intake_start(c->intake, c->start);
	c->rescanned = c->start;
	err = start_tell(c);
	if (err)
		return fail_errno(c, err, "cannot write events");
	n = targets_live(c->targets, pids, processes, WALKED_MAX);
	for (size_t i = 0; i < n; i++)
		tracer_name_threads(c->tracer, pids[i], processes[i]);
	return 0;
}

/* One of several that cannot be attached to spoils no other. */
static int attach_failed(struct capture *c, pid_t pid, int err)
{
	char line[128];

	if (err == -ESRCH || err == -ENOENT)
		fail(c, -ESRCH, "pid %d: no such process: it has exited", pid);
	else
		fail(c, err, "pid %d: cannot attach: %s", pid, strerror(-err));
	if (c->options->npids == 1 || err == -ENOMEM)
		return err;
	snprintf(line, sizeof(line), "%s", c->why);
	notice(c, line);
	c->why[0] = '\0';
	return 0;
}

static int attach_running(struct capture *c)
{
	size_t found = 0;

	for (size_t i = 0; i < c->options->npids && !*c->options->interrupted; i++) {
		int n = targets_add(c->targets, c->options->pids[i], false);

		if (n < 0)
			n = attach_failed(c, c->options->pids[i], n);
		if (n < 0)
			return n;
		found += n > 0;
	}
	/* Once more: of threads that began while probes were attached nothing is known. */
	for (size_t i = 0; found && i < c->options->npids; i++)
		targets_add(c->targets, c->options->pids[i], false);
	if (!found && *c->options->interrupted)
		return fail(c, -EINTR, "interrupted before an async runtime was found");
	if (!found && c->options->npids == 1)
		return fail(c, -ENOENT,
			    "pid %d: no async runtime found: no pollrt probes in its executable or "
			    "libraries (pollscope doctor -p %d says what was looked at)",
			    c->options->pids[0], c->options->pids[0]);
	if (!found)
		return fail(c, -ENOENT, "none of the %zu processes has an async runtime: no pollrt "
					"probes in their executables or libraries", c->options->npids);
	return 0;
}

/* An image of the launched command is in memory, and stands still. */
static int image_take(pid_t pid, void *ctx)
{
	struct capture *c = ctx;
	int n = targets_add(c->targets, pid, true), err = 0;

	if (n == -ESRCH || n == -ENOENT)
		return 0;
	if (n <= 0)
		return n;
	if (!c->start)
		err = start(c);
	else
		err = targets_tell(c->targets, intake_sink(c->intake), clock_monotonic_ns());
	return err ? err : 1;
}

static int launch_begin(struct capture *c)
{
	struct launch_options options = {
		.argv = c->options->argv,
		.user = c->options->user,
		.descriptors = &c->descriptors,
		.interrupted = c->options->interrupted,
		.on_image = image_take,
		.ctx = c,
	};

	return launch_start(&c->launch, &options, c->why, c->why_len);
}

static void progress_show(struct capture *c, uint64_t now)
{
	struct capture_progress progress = { .duration_ns = c->options->duration_ns };
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
	c->options->progress(c->options->ctx, &progress);
}

/* Follows what the targets do; sets *reason when that ends the capture. */
static int targets_follow(struct capture *c, uint64_t now, uint32_t *reason)
{
	struct event_sink *sink = intake_sink(c->intake);
	size_t alive;
	int living = 0, err;

	if (c->launch) {
		living = launch_poll(c->launch);
		if (living < 0)
			return living;
	}
	if (!c->start) {
		if (c->launch && !living)
			*reason = EVENT_END_TARGET_EXITED;
		return 0;
	}
	if (now >= c->rescanned + RESCAN_NS) {
		c->rescanned = now;
		err = targets_rescan(c->targets);
		if (!err)
			err = targets_tell(c->targets, sink, now);
		if (err)
			return err;
	}
	err = targets_reap(c->targets, sink, &alive);
	if (!err && !alive)
		*reason = EVENT_END_TARGET_EXITED;
	return err;
}

static void tick_wait(const struct capture *c)
{
	struct timespec tick = { .tv_nsec = TICK_NS };

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
			return fail_errno(c, records, "cannot write events");
		err = targets_follow(c, now, &reason);
		if (err)
			return c->why[0] ? err : fail_errno(c, err, "cannot follow the target");
		progress_show(c, now);
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

static int symbols_tell(struct capture *c, uint64_t time)
{
	size_t n;
	const struct address *all = addresses_all(intake_addresses(c->intake), &n);

	for (size_t i = 0; i < n; i++) {
		struct event event = {
			.time = time,
			.source = EVENT_NO_SOURCE,
			.type = EVENT_SYMBOL,
		};
		int err = symbolizer_resolve(c->symbolizer, all[i].process, all[i].address,
					     all[i].is_return, &event.symbol);

		if (!err)
			err = pass(&c->passing, &event);
		if (err)
			return err;
	}
	return 0;
}

/* Ends the command unless it is to be kept, and tells how it ended. */
static int launch_finish(struct capture *c, uint64_t time)
{
	char line[128];
	int status;

	if (!c->launch)
		return 0;
	if (!c->options->keep)
		launch_end(c->launch, LAUNCH_GRACE_MS);
	launch_poll(c->launch);
	status = launch_status(c->launch);
	if (status == -1)
		snprintf(line, sizeof(line), "%s (pid %d) goes on running", c->options->argv[0],
			 launch_pid(c->launch));
	else if (WIFSIGNALED(status))
		snprintf(line, sizeof(line), "%s was ended by signal %d (%s)", c->options->argv[0],
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(line, sizeof(line), "%s exited with status %d", c->options->argv[0],
			 WEXITSTATUS(status));
	notice(c, line);
	if (status == -1 || !c->start)
		return 0;
	return targets_tell_status(c->targets, &c->passing, launch_pid(c->launch), status, time);
}

static int stop(struct capture *c, uint32_t reason)
{
	pid_t pids[WALKED_MAX];
	uint16_t processes[WALKED_MAX];
	size_t n = targets_live(c->targets, pids, processes, WALKED_MAX);
	struct event end = {
		.source = EVENT_NO_SOURCE,
		.type = EVENT_CAPTURE_END,
		.capture_end = { .reason = reason },
	};
	int err;

	end.time = tracer_stop(c->tracer, pids, processes, n);
	intake_end(c->intake, end.time);
	err = intake_finish(c->intake);
	if (!err)
		err = pass(&c->passing, &end);
	if (!err)
		err = launch_finish(c, end.time);
	if (!err)
		err = symbols_tell(c, end.time);
	return err ? fail_errno(c, err, "cannot write events") : 0;
}

static void release(struct capture *c)
{
	launch_free(c->launch);
	intake_free(c->intake);
	symbolizer_free(c->symbolizer);
	targets_free(c->targets); /* owns the files that were symbolized */
	tracer_free(c->tracer);
	kallsyms_free(c->kallsyms);
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
	int err, reason;

	why[0] = '\0';
	err = prepare(&c);
	if (!err)
		err = options->argv ? launch_begin(&c) : attach_running(&c);
	if (!err && !options->argv)
		err = start(&c);
	if (!err) {
		reason = loop(&c);
		if (reason < 0) {
			err = reason;
		} else if (!c.start) {
			launch_finish(&c, 0);
			err = fail(&c, -ENOENT, "%s ended before an async runtime was found in it",
				   options->argv[0]);
		} else {
			err = stop(&c, reason);
		}
	}
	if (err && c.launch && !options->keep)
		launch_end(c.launch, LAUNCH_GRACE_MS);
	release(&c);
	return err;
}
