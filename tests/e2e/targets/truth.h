/* SPDX-License-Identifier: MIT */
/*
 * How a target talks with the test that traces it: over the socket whose number is in E2E_FD, in
 * lines. The target says "ready PID", does a round of its work for each line "go", and after it
 * prints what it knows about it as one line of JSON. Without E2E_FD it does one round and prints to
 * stdout.
 */
#ifndef POLLSCOPE_E2E_TRUTH_H
#define POLLSCOPE_E2E_TRUTH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRUTH_LINE 512
/* No target outlives its test by more than this. */
#define TRUTH_ALARM 600

struct truth {
	FILE *out;
	int in; /* -1: nobody talks to us */
	int rounds;
};

static inline void truth_open(struct truth *truth)
{
	const char *fd = getenv("E2E_FD");

	alarm(TRUTH_ALARM);
	truth->rounds = 0;
	truth->in = fd ? atoi(fd) : -1;
	truth->out = fd ? fdopen(dup(truth->in), "w") : stdout;
	if (!truth->out) {
		perror("E2E_FD");
		exit(1);
	}
	fprintf(truth->out, "ready %d\n", getpid());
	fflush(truth->out);
}

/* Reads a command into @line. False when there will be none: the target should exit. */
static inline bool truth_command(struct truth *truth, char line[TRUTH_LINE])
{
	size_t n = 0;

	if (truth->in < 0) {
		strcpy(line, "go");
		return !truth->rounds++;
	}
	while (n < TRUTH_LINE - 1 && read(truth->in, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	return n && strcmp(line, "end");
}

static inline bool truth_go(struct truth *truth)
{
	char line[TRUTH_LINE];

	return truth_command(truth, line);
}

static inline void truth_say(struct truth *truth, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static inline void truth_say(struct truth *truth, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(truth->out, format, args);
	va_end(args);
	fflush(truth->out);
}

static inline uint64_t truth_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
