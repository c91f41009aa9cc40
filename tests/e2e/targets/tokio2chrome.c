// SPDX-License-Identifier: MIT
/* The probes of the Tokio that tokio2chrome comes with. Each scheduling is told, the first one too. */
#include "tests/fixtures/note.h"
#include "truth.h"

#define TASKS 10
#define POLLS 60

static void start(uint64_t id)
{
	NOTE("tokio", "task_start", NOTE_NO_SEMAPHORE, "-8@%q[id]", [id] "r"(id));
}

static void schedule(uint64_t id)
{
	NOTE("tokio", "task_schedule_start", NOTE_NO_SEMAPHORE, "-8@%q[id]", [id] "r"(id));
}

static void poll_begin(uint64_t id)
{
	NOTE("tokio", "task_poll_begin", NOTE_NO_SEMAPHORE, "-8@%q[id]", [id] "r"(id));
}

static void poll_end(uint64_t id, bool ready, bool panicked)
{
	NOTE("tokio", "task_poll_end", NOTE_NO_SEMAPHORE, "-8@%q[id] -8@%q[ready] -8@%q[panicked]",
	     [id] "r"(id), [ready] "r"((long)ready), [panicked] "r"((long)panicked));
}

static void finish(uint64_t id)
{
	NOTE("tokio", "task_finish", NOTE_NO_SEMAPHORE, "-8@%q[id]", [id] "r"(id));
}

static void block(void)
{
	struct timespec pause = {.tv_nsec = 100000};

	NOTE("tokio", "task_blocking_begin", NOTE_NO_SEMAPHORE, "");
	nanosleep(&pause, NULL);
	NOTE("tokio", "task_blocking_end", NOTE_NO_SEMAPHORE, "");
}

static void run(void)
{
	for (uint64_t id = 1; id <= TASKS; id++) {
		start(id);
		schedule(id);
	}
	for (int poll = 1; poll <= POLLS; poll++) {
		for (uint64_t id = 1; id <= TASKS; id++) {
			poll_begin(id);
			block();
			poll_end(id, poll == POLLS && id % 2, poll == POLLS && !(id % 2));
			if (poll == POLLS)
				finish(id);
			else
				schedule(id);
		}
	}
}

int main(void)
{
	struct truth truth;

	truth_open(&truth);
	while (truth_go(&truth)) {
		run();
		truth_say(&truth, "{\"tasks\":%d,\"polls\":%d}\n", TASKS, POLLS);
	}
	return 0;
}
