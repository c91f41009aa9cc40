// SPDX-License-Identifier: MIT
/* The contract's probes under another provider's name. */
#include <sys/sdt.h>

#include "truth.h"

#define POLLS 300

static const struct {
	const char *type;
	const char *file;
	uint32_t line;
} kind = {"provided_task", "sdt_provider.c", 5};

int main(void)
{
	struct truth truth;

	truth_open(&truth);
	while (truth_go(&truth)) {
		STAP_PROBE3(otherrt, task_spawn, 9ul, &kind, 0ul);
		for (int i = 1; i <= POLLS; i++) {
			STAP_PROBE2(otherrt, task_poll_start, 9ul, &kind);
			if (i < POLLS)
				STAP_PROBE1(otherrt, task_wake, 9ul);
			STAP_PROBE2(otherrt, task_poll_end, 9ul, (uint8_t)(i == POLLS));
		}
		STAP_PROBE2(otherrt, task_terminate, 9ul, 0);
		truth_say(&truth, "{\"polls\":%d}\n", POLLS);
	}
	return 0;
}
