/* SPDX-License-Identifier: MIT */
/*
 * Launching a COMMAND under the tracer, and following its execs and forks until a runtime is found.
 *
 * COMMAND runs under ptrace only until then: each image that it or a descendant executes is stopped
 * whenever it maps a file executable, and once more at its entry point, and handed to on_image
 * before any instruction of what was mapped has run. As soon as an image is claimed and stands at
 * its entry point, every process is detached from. ptrace ties all of this to one thread: call
 * everything here from the thread that called launch_start.
 */
#ifndef POLLSCOPE_ATTACH_LAUNCH_H
#define POLLSCOPE_ATTACH_LAUNCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct launch;
struct rlimit;

struct launch_options {
	char *const *argv;                /* COMMAND [ARG...], ends in NULL; looked up in PATH */
	const char *user;                 /* run COMMAND as this user; NULL: as pollscope */
	const struct rlimit *descriptors; /* COMMAND's RLIMIT_NOFILE; NULL: ours */
	const volatile sig_atomic_t *interrupted; /* set: waits for no entry point; or NULL */
	/*
	 * Process pid is stopped and has new executable mappings: look at them, attach what is
	 * found. Called several times for one image. Returns 1 if the process holds a runtime (now
	 * or since an earlier call), 0 if not, or a negative errno, which ends the following (see
	 * launch_poll).
	 */
	int (*on_image)(pid_t pid, void *ctx);
	void *ctx; /* passed to on_image */
};

/*
 * Starts COMMAND and returns once its first image stands at its entry point, libraries mapped and
 * not one of the executable's instructions run; it goes on with the first launch_poll. If the
 * tracer dies before that, COMMAND dies too. (If COMMAND ended before its entry point, for want of
 * a library say, this still succeeds, and launch_poll tells.) COMMAND inherits stdin, stdout,
 * stderr and the process group, starts with no signal blocked, and ignores what the caller ignores.
 *
 * Returns 0, or a negative errno with *out NULL and one line without newline in why: exec's error
 * (-ENOENT, -EACCES, ...), an unknown user (-ENOENT), on_image's error, ...
 */
int launch_start(struct launch **out, const struct launch_options *options, char *why,
		 size_t why_len);

/*
 * Handles what has happened since the last call; never sleeps for longer than about 10 ms, and only
 * while an image is between its exec and its entry point. Call it every few milliseconds while
 * launch_following().
 *
 * Returns 1 while COMMAND lives or descendants are still followed, 0 when neither is so, or the
 * negative errno that on_image returned (once; the processes have been let go, and later calls go
 * on as usual).
 */
int launch_poll(struct launch *launch);

/* COMMAND's process id. */
pid_t launch_pid(const struct launch *launch);

/* Whether on_image has claimed a process. */
bool launch_found(const struct launch *launch);

/* Whether any process is still under ptrace. */
bool launch_following(const struct launch *launch);

/* Stops following: every process goes on, untraced. Waits until that is done. */
void launch_detach(struct launch *launch);

/*
 * Ends COMMAND and the processes that on_image claimed: detaches, sends them SIGTERM, and SIGKILL
 * to what is left after grace_ms. Returns 0 when all have ended, -ETIMEDOUT if one outlives even
 * SIGKILL.
 */
int launch_end(struct launch *launch, unsigned int grace_ms);

/* How COMMAND ended, as waitpid's status; -1 while it lives. */
int launch_status(const struct launch *launch);

/* Detaches from what is still followed, leaves COMMAND running if it runs. NULL is allowed. */
void launch_free(struct launch *launch);

#endif
