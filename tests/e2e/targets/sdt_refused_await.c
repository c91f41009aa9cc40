// SPDX-License-Identifier: MIT
/*
 * A task that is polled, woken, and waits where the kernel takes no probe: at a breakpoint, which is never reached.
 */
#include <sys/sdt.h>

#include "truth.h"

#define POLLS 500
#define TASK 9ul

static const struct {
	const char *type;
	const char *file;
	uint32_t line;
} kind = {"refused_task", "sdt_refused_await.c", 7};

static void wait_nowhere(void)
{
#pragma push_macro("_SDT_NOP")
#undef _SDT_NOP
#define _SDT_NOP int3
	STAP_PROBE1(pollrt, waker_clone, TASK);
#pragma pop_macro("_SDT_NOP")
}

int main(int argc, char **argv)
{
	struct timespec pause = {.tv_nsec = 100000};
	struct truth truth;

	(void)argv;
	if (argc > 1000)
		wait_nowhere();
	truth_open(&truth);
	while (truth_go(&truth)) {
		for (int i = 0; i < POLLS; i++) {
			STAP_PROBE1(pollrt, task_wake, TASK);
			STAP_PROBE2(pollrt, task_poll_start, TASK, &kind);
			STAP_PROBE2(pollrt, task_poll_end, TASK, (uint8_t)0);
			nanosleep(&pause, NULL);
		}
		truth_say(&truth, "{\"polls\":%d}\n", POLLS);
	}
	return 0;
}
