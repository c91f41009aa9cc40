// SPDX-License-Identifier: MIT
/*
 * The probes of tokio-dtrace: each has a semaphore and is left out while that is 0; file names are made for
 * the probe, always in the same memory; a task's end comes before that of its last poll.
 */
#include "tests/fixtures/note.h"
#include "truth.h"

#define TASKS 24
#define POLLS 50
#define PARKS 10

NOTE_SEMAPHORE(task_spawn_semaphore);
NOTE_SEMAPHORE(task_poll_start_semaphore);
NOTE_SEMAPHORE(task_poll_end_semaphore);
NOTE_SEMAPHORE(task_terminate_semaphore);
NOTE_SEMAPHORE(worker_thread_start_semaphore);
NOTE_SEMAPHORE(worker_thread_stop_semaphore);
NOTE_SEMAPHORE(worker_thread_park_semaphore);
NOTE_SEMAPHORE(worker_thread_unpark_semaphore);

/* How many were told: the semaphore was up. */
static struct {
	uint64_t spawns, starts, ends, terminates, parks;
} told;

struct place {
	const char *file;
	uint32_t line;
};

/* Of one length, on one line, or differing in both by as much: nothing but all of it tells them apart. */
static const struct place places[] = {
	{"src/one.rs", 5},
	{"src/two.rs", 5},
	{"src/two.rs", 6},
	{"a/three.rs", 1},
	{"b/three.rs", 2},
	{"/home/somebody/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/"
	 "a-crate-with-a-long-name-"
	 "1.2.3/src/a_module/another.rs",
	 70},
};

#define PLACES (sizeof(places) / sizeof(places[0]))

static char file_bytes[256];

#define TASK_PROBE(name, semaphore, count, id)                                                     \
	do {                                                                                       \
		const struct place *place = &places[(id) % PLACES];                                \
                                                                                                   \
		if (!(semaphore))                                                                  \
			break;                                                                     \
		(count)++;                                                                         \
		strcpy(file_bytes, place->file);                                                   \
		NOTE("tokio", name, #semaphore,                                                    \
		     "8@%q[task] 8@%q[file] 4@%k[line] 4@%k[column]", [task] "D"(id),              \
		     [file] "S"(file_bytes), [line] "d"(place->line), [column] "c"(13));           \
		memset(file_bytes, '#', sizeof(file_bytes) - 1);                                   \
	} while (0)

#define WORKER_PROBE(name, semaphore, count)                                                       \
	do {                                                                                       \
		if (!(semaphore))                                                                  \
			break;                                                                     \
		(count)++;                                                                         \
		NOTE("tokio", name, #semaphore, "");                                               \
	} while (0)

static void run(void)
{
	struct timespec pause = {.tv_nsec = 100000};
	uint64_t workers = 0;

	WORKER_PROBE("worker-thread-start", worker_thread_start_semaphore, workers);
	for (uint64_t id = 1; id <= TASKS; id++)
		TASK_PROBE("task-spawn", task_spawn_semaphore, told.spawns, id);
	for (int poll = 1; poll <= POLLS; poll++) {
		for (uint64_t id = 1; id <= TASKS; id++) {
			TASK_PROBE("task-poll-start", task_poll_start_semaphore, told.starts, id);
			if (id % PLACES == 1)
				nanosleep(&pause, NULL);
			if (poll == POLLS)
				TASK_PROBE("task-terminate", task_terminate_semaphore,
					   told.terminates, id);
			TASK_PROBE("task-poll-end", task_poll_end_semaphore, told.ends, id);
		}
	}
	for (int park = 0; park < PARKS; park++) {
		WORKER_PROBE("worker-thread-park", worker_thread_park_semaphore, told.parks);
		nanosleep(&pause, NULL);
		WORKER_PROBE("worker-thread-unpark", worker_thread_unpark_semaphore, workers);
	}
	WORKER_PROBE("worker-thread-stop", worker_thread_stop_semaphore, workers);
}

int main(void)
{
	struct truth truth;

	truth_open(&truth);
	while (truth_go(&truth)) {
		memset(&told, 0, sizeof(told));
		run();
		truth_say(&truth,
			  "{\"tasks\":%d,\"polls\":%d,\"spawns\":%lu,\"starts\":%lu,\"ends\":%lu,"
			  "\"terminates\":%lu,\"parks\":%lu}\n",
			  TASKS, POLLS, told.spawns, told.starts, told.ends, told.terminates,
			  told.parks);
	}
	return 0;
}
