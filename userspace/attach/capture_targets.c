// SPDX-License-Identifier: MIT
/* The targets of a capture: attached to while they run, or launched, and followed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "attach/capture_state.h"
#include "attach/intake.h"
#include "attach/launch.h"
#include "attach/procfs.h"
#include "attach/targets.h"
#include "attach/tracer.h"
#include "util/clock.h"

#define RESCAN_NS NSEC_PER_SEC        /* for what targets have mapped since */
#define HASTE_NS (20 * NSEC_PER_MSEC) /* the same where stacks go on leading there */
#define LAUNCH_GRACE_MS 5000
#define WAITING_NS (3 * NSEC_PER_SEC)

static int attach_failed(struct capture *c, pid_t pid, int err)
{
	char line[256];

	if (err == -ESRCH || err == -ENOENT)
		capture_fail(c, -ESRCH, "pid %d: no such process: it has exited", pid);
	else if (err == -EACCES || err == -EPERM)
		capture_fail(c, err, "pid %d: may not be looked at (%s): %s", pid, strerror(-err),
			     procfs_refusal_remedy());
	else
		capture_fail(c, err, "pid %d: cannot attach: %s", pid, strerror(-err));
	if (c->options->npids == 1 || err == -ENOMEM)
		return err;
	snprintf(line, sizeof(line), "%s", c->why);
	capture_notice(c, line);
	c->why[0] = '\0';
	return 0;
}

/* What was looked for in vain, and where the choice is the user's, that it is. */
static void sought_put(const struct capture *c, char *text, size_t size)
{
	const struct adapter_choice *choice = &c->options->choice;

	if (choice->provider)
		snprintf(text, size, "no probes of provider %s that show a poll (--runtime)",
			 choice->provider);
	else if (choice->name)
		snprintf(text, size, "no %s (--runtime; without it others are looked for too)",
			 choice->name);
	else
		snprintf(text, size, "no Tokio tasks, and no USDT probes of pollrt or Tokio");
}

int capture_nothing_found(struct capture *c)
{
	const pid_t *pids = c->options->pids;
	const char *refusal = targets_refusal(c->targets);
	const char *unreadable = targets_unreadable(c->targets);
	char sought[128];

	sought_put(c, sought, sizeof(sought));
	if (refusal[0])
		return capture_fail(c, -ENOTSUP, "%s", refusal);
	if (unreadable)
		return capture_fail(
			c, -EACCES,
			"no async runtime found, but some files of the target may not be read: %s",
			unreadable);
	if (c->options->argv && *c->options->interrupted)
		return capture_fail(c, -EINTR,
				    "%s: interrupted before an async runtime was found in it",
				    c->options->argv[0]);
	if (c->options->argv)
		return capture_fail(c, -ENOENT,
				    "%s ended before an async runtime was found in it: %s",
				    c->options->argv[0], sought);
	if (c->options->npids == 1)
		return capture_fail(c, -ENOENT,
				    "pid %d: no async runtime found: %s in its executable or "
				    "libraries (pollscope doctor -p %d says what was looked at)",
				    pids[0], sought, pids[0]);
	return capture_fail(c, -ENOENT,
			    "none of the %zu processes has an async runtime: %s in their "
			    "executables or libraries",
			    c->options->npids, sought);
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
		return capture_fail(c, -EINTR, "interrupted before tracing began");
	if (!found)
		return capture_nothing_found(c);
	return capture_start(c);
}

/* An image of the launched command is in memory, and stands still. */
static int image_take(pid_t pid, void *ctx)
{
	struct capture *c = ctx;
	int n = targets_add(c->targets, pid, true), err = 0;

	if (n == -ESRCH || n == -ENOENT)
		return 0;
	/* It is what was waited for, though not as it should be. */
	if (!n && !c->start && targets_refusal(c->targets)[0])
		return 1;
	if (n <= 0)
		return n;
	if (!c->start)
		err = capture_start(c);
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

	c->waiting_since = clock_monotonic_ns();
	return launch_start(&c->launch, &options, c->why, c->why_len);
}

int capture_attach(struct capture *c)
{
	return c->options->argv ? launch_begin(c) : attach_running(c);
}

/* A capture that waits looks like one that hangs. */
static void waiting_say(struct capture *c, uint64_t now)
{
	char line[512];

	if (!c->waiting_since || now < c->waiting_since + WAITING_NS)
		return;
	c->waiting_since = 0;
	snprintf(line, sizeof(line), "%s has no async runtime yet: waiting for one to start",
		 c->options->argv[0]);
	capture_notice(c, line);
}

/* COMMAND has no runtime yet: it may load one. */
static int runtime_await(struct capture *c, uint64_t now)
{
	int err;

	if (targets_refusal(c->targets)[0])
		return capture_nothing_found(c);
	waiting_say(c, now);
	if (now < c->rescanned + RESCAN_NS)
		return 0;
	c->rescanned = now;
	err = targets_rescan(c->targets);
	if (err || !targets_found(c->targets))
		return err;
	launch_detach(c->launch);
	return capture_start(c);
}

/*
 * Whether to look at what the targets have mapped: at once where stacks have led out of it, but then less
 * and less so, for it may be code that is in no file.
 */
static bool rescan_is_due(struct capture *c, uint64_t now)
{
	uint64_t nowhere = tracer_unwound_nowhere(c->tracer);
	bool haste = nowhere != c->nowhere && now >= c->rescanned + c->haste_ns;

	if (now < c->rescanned + RESCAN_NS && !haste)
		return false;
	if (haste)
		c->haste_ns = c->haste_ns ? 2 * c->haste_ns : HASTE_NS;
	else
		c->haste_ns = 0;
	c->nowhere = nowhere;
	c->rescanned = now;
	return true;
}

int capture_follow(struct capture *c, uint64_t now, uint32_t *reason)
{
	struct event_sink *sink = intake_sink(c->intake);
	size_t alive;
	int living = 0, err;

	if (c->launch) {
		living = launch_poll(c->launch);
		if (living < 0)
			return living;
	}
	if (!c->start && !living)
		*reason = EVENT_END_TARGET_EXITED;
	if (!c->start)
		return runtime_await(c, now);
	if (rescan_is_due(c, now)) {
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

/* Says how COMMAND ended; status: waitpid's, -1 while it lives. */
static void end_say(struct capture *c, int status)
{
	const char *name = c->options->argv[0];
	char line[512];

	if (status == -1)
		snprintf(line, sizeof(line), "%s (pid %d) goes on running", name,
			 launch_pid(c->launch));
	else if (WIFSIGNALED(status))
		snprintf(line, sizeof(line), "%s was ended by signal %d (%s)", name,
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(line, sizeof(line), "%s exited with status %d", name, WEXITSTATUS(status));
	capture_notice(c, line);
}

int capture_launch_finish(struct capture *c, uint64_t time)
{
	int status, err = 0;

	if (!c->launch)
		return 0;
	if (!c->options->keep)
		launch_end(c->launch, LAUNCH_GRACE_MS);
	launch_poll(c->launch);
	status = launch_status(c->launch);
	end_say(c, status);
	if (status != -1 && c->start)
		err = targets_tell_status(c->targets, &c->passing, launch_pid(c->launch), status,
					  time);
	launch_free(c->launch);
	c->launch = NULL;
	return err;
}
