// SPDX-License-Identifier: MIT
/*
 * What `make bench` times: polls with the probes of the pollrt contract around next to nothing,
 * without a runtime. Told what to do line by line on stdin, so that variants of the loop, each with
 *a tracer of its own, can run in turns; answers each line with the polls done and the CPU time of
 *this thread in ns.
 *
 *	run POLLS CPU	  as fast as possible, on one CPU
 *	pace RATE MS	  RATE polls a second for MS milliseconds, those of a millisecond in a row
 *	quit
 *
 * The CPU time, not the time passed: what else runs on the machine is not the tracer's cost.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pollrt.h"
#include "probes.h"

#define TASKS 64
#define NSEC_PER_SEC 1000000000u
#define NSEC_PER_MSEC 1000000u

struct loop {
	uint64_t next;
	uint64_t state[TASKS];
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* The future: its time is what is left of a poll without a tracer. */
static __attribute__((noinline)) void future_poll(uint64_t *state)
{
	*(volatile uint64_t *)state += 1;
}

static void polls_run(struct loop *loop, uint64_t polls)
{
	static const struct pollrt_kind kind = {"bench", __FILE__, __LINE__};

	for (uint64_t i = 0; i < polls; i++) {
		uint64_t task = loop->next++ % TASKS;

		probe_task_poll_start(task + 1, &kind, 0, 0);
		future_poll(&loop->state[task]);
		probe_task_poll_end(task + 1, 0);
	}
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* A CPU that is not ours is not worth failing for. */
	sched_setaffinity(0, sizeof(set), &set);
}

/* Catches up after a late wake-up, so that the rate holds. Returns the polls done. */
static uint64_t polls_pace(struct loop *loop, uint64_t rate, uint64_t ms)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC), done = 0;

	for (uint64_t i = 1; i <= ms; i++) {
		uint64_t until = start + i * NSEC_PER_MSEC, due = rate * i / 1000;
		struct timespec at = {until / NSEC_PER_SEC, until % NSEC_PER_SEC};

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
			;
		polls_run(loop, due - done);
		done = due;
	}
	return done;
}

int main(void)
{
	struct loop loop = {0};
	char line[128];

	while (fgets(line, sizeof(line), stdin) && strcmp(line, "quit\n")) {
		uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID), polls, rate, ms;
		int cpu;

		if (sscanf(line, "run %" SCNu64 " %d", &polls, &cpu) == 2) {
			stay_on(cpu);
			start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
			polls_run(&loop, polls);
		} else if (sscanf(line, "pace %" SCNu64 " %" SCNu64, &rate, &ms) == 2) {
			polls = polls_pace(&loop, rate, ms);
		} else {
			fprintf(stderr, "poll_loop: no such command: %s", line);
			return 1;
		}
		printf("%" PRIu64 " %" PRIu64 "\n", polls,
		       clock_ns(CLOCK_THREAD_CPUTIME_ID) - start);
		fflush(stdout);
	}
	return 0;
}
