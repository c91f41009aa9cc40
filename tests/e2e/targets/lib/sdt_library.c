// SPDX-License-Identifier: MIT
/*
 * A library with the contract's probes and a runtime too small to be one: a task that is polled on.
 */
#include <stdint.h>
#include <time.h>

#include <sys/sdt.h>

#define TASK 77

static const struct {
	const char *type;
	const char *file;
	uint32_t line;
} kind = {"library_task", "sdt_library.c", 1};

/* Runs until the process ends: a tracer may be late to notice the library. */
void sdt_library_run(void);
void sdt_library_run(void)
{
	struct timespec pause = {.tv_nsec = 2000000};

	for (;;) {
		STAP_PROBE4(pollrt, task_poll_start, (uint64_t)TASK, &kind, 0u, 0u);
		nanosleep(&pause, NULL);
		STAP_PROBE2(pollrt, task_poll_end, (uint64_t)TASK, (uint8_t)0);
	}
}
