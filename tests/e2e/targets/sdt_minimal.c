// SPDX-License-Identifier: MIT
/*
 * Only the two probes that the contract cannot do without: tasks are polled, and nothing else is
 * told.
 */
#include <sys/sdt.h>

#include "truth.h"

#define POLLS 500

static const struct {
	const char *type;
	const char *file;
	uint32_t line;
} kind = {"minimal_task", "sdt_minimal.c", 7};

int main(void)
{
	struct timespec pause = {.tv_nsec = 100000};
	struct truth truth;

	truth_open(&truth);
	while (truth_go(&truth)) {
		for (int i = 0; i < POLLS; i++) {
			STAP_PROBE2(pollrt, task_poll_start, 9ul, &kind);
			nanosleep(&pause, NULL);
			STAP_PROBE2(pollrt, task_poll_end, 9ul, (uint8_t)(i == POLLS - 1));
		}
		truth_say(&truth, "{\"polls\":%d}\n", POLLS);
	}
	return 0;
}
