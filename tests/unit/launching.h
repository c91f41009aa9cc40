/* SPDX-License-Identifier: MIT */
/* What the tests of launching share: an on_image that watches, and small ways to start and wait. */
#ifndef POLLSCOPE_TESTS_LAUNCHING_H
#define POLLSCOPE_TESTS_LAUNCHING_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach/launch.h"

#define PATIENCE_MS 60000
#define STATUS_LINE 256

/* What on_image is to do, and what it saw. */
struct watch {
	const char *claim; /* name of the executable to claim, NULL: none */
	int error;         /* to return instead */
	int calls;
	bool saw_libc;
	bool libc_at_first;
	pid_t claimed;
};

static char why[256]; /* of the last start */

static inline void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* The value (STATUS_LINE) of a line "NAME:\tvalue" in /proc/PID/status; empty if there is no such
 * process. */
static inline void proc_status(pid_t pid, const char *name, char *value)
{
	char path[64], line[STATUS_LINE];
	FILE *file;

	value[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			snprintf(value, STATUS_LINE, "%s", line + strlen(name) + 2);
	fclose(file);
}

static inline char proc_state(pid_t pid)
{
	char value[STATUS_LINE];

	proc_status(pid, "State", value);
	return value[0];
}

static inline bool dead(pid_t pid)
{
	char state = proc_state(pid);

	return state == '\0' || state == 'Z' || state == 'X';
}

static inline bool in_state(pid_t pid, const char *states)
{
	char state = proc_state(pid);

	return state && strchr(states, state);
}

static inline void await_state(pid_t pid, const char *states)
{
	for (int ms = 0; !in_state(pid, states); ms++) {
		assert_true(ms < PATIENCE_MS);
		sleep_ms(1);
	}
}

static inline void await_death(pid_t pid)
{
	for (int ms = 0; !dead(pid); ms++) {
		assert_true(ms < PATIENCE_MS);
		sleep_ms(1);
	}
}

/* Whether the process has set up what it does with a signal, which "SigCgt" or "SigIgn" tells. */
static inline bool disposed(pid_t pid, const char *name, int signal)
{
	char value[STATUS_LINE];

	proc_status(pid, name, value);
	return strtoull(value, NULL, 16) >> (signal - 1) & 1;
}

static inline int on_image(pid_t pid, void *ctx)
{
	struct watch *watch = ctx;
	char path[64], exe[256], line[512];
	const char *name;
	FILE *maps;
	ssize_t size;

	watch->calls++;
	if (watch->error)
		return watch->error;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "/libc.so") || strstr(line, "/libc-"))
			watch->saw_libc = true;
	fclose(maps);
	if (watch->calls == 1)
		watch->libc_at_first = watch->saw_libc;
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	size = readlink(path, exe, sizeof(exe) - 1);
	assert_true(size > 0);
	exe[size] = '\0';
	name = strrchr(exe, '/') + 1;
	if (!watch->claim || strcmp(name, watch->claim))
		return 0;
	watch->claimed = pid;
	return 1;
}

static inline int start(struct launch **launch, struct watch *watch, char *const *argv)
{
	struct launch_options options = {.argv = argv, .on_image = on_image, .ctx = watch};

	return launch_start(launch, &options, why, sizeof(why));
}

static inline struct launch *start_shell(struct watch *watch, const char *script)
{
	char *argv[] = {"sh", "-c", (char *)script, NULL};
	struct launch *launch;

	assert_int_equal(start(&launch, watch, argv), 0);
	return launch;
}

static inline int run_to_end(struct launch *launch)
{
	int status;

	for (int ms = 0; launch_poll(launch) == 1; ms++) {
		assert_true(ms < PATIENCE_MS);
		sleep_ms(1);
	}
	status = launch_status(launch);
	launch_free(launch);
	return status;
}

static inline void poll_until_found(struct launch *launch)
{
	for (int ms = 0; !launch_found(launch) || launch_following(launch); ms++) {
		assert_true(ms < PATIENCE_MS);
		assert_int_equal(launch_poll(launch), 1);
		sleep_ms(1);
	}
}

static inline void poll_for(struct launch *launch, int ms)
{
	for (; ms > 0; ms -= 2) {
		launch_poll(launch);
		sleep_ms(2);
	}
}

/* Follows a command until it has set up what it does with a signal. */
static inline void poll_until_disposed(struct launch *launch, const char *name, int signal)
{
	for (int ms = 0; !disposed(launch_pid(launch), name, signal); ms++) {
		assert_true(ms < PATIENCE_MS);
		poll_for(launch, 2);
	}
}

/* Follows a command until it stays in one of these states. */
static inline void poll_until_state(struct launch *launch, const char *states)
{
	int looks = 0;

	for (int ms = 0; looks < 20; ms++) {
		assert_true(ms < PATIENCE_MS);
		poll_for(launch, 2);
		looks = in_state(launch_pid(launch), states) ? looks + 1 : 0;
	}
}

static inline void assert_exit(int status, int code)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

#endif
