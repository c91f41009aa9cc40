// SPDX-License-Identifier: MIT
/*
 * sdt MODE: a program that has the contract's probes by <sys/sdt.h> and nothing else of ours. With
 * the header's own constraints the compiler puts arguments where it likes: memory and constants as
 * well.
 *
 *	plain		TASKS tasks of POLLS polls, woken by themselves
 *	nested		polls in polls, DEPTH deep, ROUNDS times
 *	operands	ids in static and in stack memory, constants, and narrow ones
 *	dying		a thread every millisecond, that dies inside of its only poll
 *	kinds		a task without a kind, one whose kind cannot be read, and one that has one
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/sdt.h>

#include "truth.h"

#define TASKS 50
#define POLLS 200
#define DEPTH 10
#define ROUNDS 100
#define CONSTANT 4242
#define DYING 5000

struct kind {
	const char *type;
	const char *file;
	uint32_t line;
};

static const struct kind plain = {"plain_task", "sdt.c", 10};
static const struct kind nested[DEPTH] = {
	{"nested_0", "sdt.c", 20}, {"nested_1", "sdt.c", 21}, {"nested_2", "sdt.c", 22},
	{"nested_3", "sdt.c", 23}, {"nested_4", "sdt.c", 24}, {"nested_5", "sdt.c", 25},
	{"nested_6", "sdt.c", 26}, {"nested_7", "sdt.c", 27}, {"nested_8", "sdt.c", 28},
	{"nested_9", "sdt.c", 29},
};
static const struct kind in_static = {"in_static", "sdt.c", 30};
static const struct kind on_stack = {"on_stack", "sdt.c", 31};
static const struct kind constant = {"constant", "sdt.c", 32};
static const struct kind narrow = {"narrow", "sdt.c", 33};

/* ---- plain ---- */

static void run_plain(void)
{
	for (uint64_t task = 1; task <= TASKS; task++)
		STAP_PROBE3(pollrt, task_spawn, task, &plain, 0ul);
	for (int poll = 1; poll <= POLLS; poll++) {
		for (uint64_t task = 1; task <= TASKS; task++) {
			STAP_PROBE4(pollrt, task_poll_start, task, &plain, 0u, 0u);
			if (poll < POLLS)
				STAP_PROBE1(pollrt, task_wake, task);
			STAP_PROBE2(pollrt, task_poll_end, task, poll == POLLS);
			if (poll == POLLS)
				STAP_PROBE2(pollrt, task_terminate, task, 0);
		}
	}
}

/* ---- nested ---- */

/* The innermost sleeps; each level does after it what is its own. */
static __attribute__((noinline)) void nest(uint64_t round, int depth)
{
	uint64_t task = 1 + round * DEPTH + (uint64_t)depth;
	struct timespec pause = {.tv_nsec = 200000};

	STAP_PROBE4(pollrt, task_poll_start, task, &nested[depth], 0u, 0u);
	if (depth + 1 < DEPTH)
		nest(round, depth + 1);
	else
		nanosleep(&pause, NULL);
	STAP_PROBE2(pollrt, task_poll_end, task, 1);
	STAP_PROBE2(pollrt, task_terminate, task, 0);
}

/* ---- operands ---- */

static volatile uint64_t static_id = 1001;
static volatile struct {
	uint64_t unused;
	uint64_t ids[4];
} table = {0, {0, 0, 1002, 0}};
static volatile uint8_t narrow_id = 200;

static __attribute__((noinline)) void poll_in_static(void)
{
	STAP_PROBE4(pollrt, task_poll_start, static_id, &in_static, 0u, 0u);
	STAP_PROBE2(pollrt, task_poll_end, static_id, (uint8_t)0);
}

static __attribute__((noinline)) void poll_on_stack(volatile uint64_t *ids, size_t i)
{
	volatile uint64_t copy = ids[i];

	STAP_PROBE4(pollrt, task_poll_start, copy, &on_stack, 0u, 0u);
	STAP_PROBE2(pollrt, task_poll_end, ids[i], (uint8_t)0);
}

static __attribute__((noinline)) void poll_constant(void)
{
	STAP_PROBE4(pollrt, task_poll_start, CONSTANT, &constant, 0, 0);
	STAP_PROBE2(pollrt, task_poll_end, CONSTANT, 0);
}

static __attribute__((noinline)) void poll_narrow(void)
{
	STAP_PROBE4(pollrt, task_poll_start, narrow_id, &narrow, 0, 0);
	STAP_PROBE2(pollrt, task_poll_end, narrow_id, 0);
}

static void run_operands(void)
{
	for (int i = 0; i < POLLS; i++) {
		poll_in_static();
		poll_on_stack(table.ids, 2);
		poll_constant();
		poll_narrow();
	}
}

/* ---- kinds ---- */

static void run_kinds(void)
{
	for (int i = 0; i < POLLS; i++) {
		STAP_PROBE4(pollrt, task_poll_start, 1ul, 0ul, 0u, 0u);
		STAP_PROBE2(pollrt, task_poll_end, 1ul, (uint8_t)0);
		STAP_PROBE4(pollrt, task_poll_start, 2ul, (const struct kind *)16, 0u, 0u);
		STAP_PROBE2(pollrt, task_poll_end, 2ul, (uint8_t)0);
		STAP_PROBE4(pollrt, task_poll_start, 3ul, &plain, 0u, 0u);
		STAP_PROBE2(pollrt, task_poll_end, 3ul, (uint8_t)0);
	}
}

/* ---- dying ---- */

static const struct kind dying = {"dying", "sdt.c", 34};

static void *die_in_a_poll(void *task)
{
	struct timespec pause = {.tv_nsec = 200000000};

	STAP_PROBE3(pollrt, task_spawn, (uint64_t)task, &dying, 0ul);
	STAP_PROBE4(pollrt, task_poll_start, (uint64_t)task, &dying, 0u, 0u);
	nanosleep(&pause, NULL);
	return NULL;
}

static void run_dying(void)
{
	struct timespec pause = {.tv_nsec = 1000000};
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (uint64_t task = 1; task <= DYING; task++) {
		if (pthread_create(&thread, &attributes, die_in_a_poll, (void *)task))
			abort();
		nanosleep(&pause, NULL);
	}
	pthread_attr_destroy(&attributes);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "plain";
	struct truth truth;

	truth_open(&truth);
	while (truth_go(&truth)) {
		if (!strcmp(mode, "plain"))
			run_plain();
		else if (!strcmp(mode, "operands"))
			run_operands();
		else if (!strcmp(mode, "dying"))
			run_dying();
		else if (!strcmp(mode, "kinds"))
			run_kinds();
		for (uint64_t round = 0; !strcmp(mode, "nested") && round < ROUNDS; round++)
			nest(round, 0);
		truth_say(
			&truth,
			"{\"tasks\":%d,\"polls\":%d,\"depth\":%d,\"rounds\":%d,\"constant\":%d}\n",
			TASKS, POLLS, DEPTH, ROUNDS, CONSTANT);
	}
	return 0;
}
