// SPDX-License-Identifier: MIT
/*
 * The probes of Tokio's pull request 7717, in the order in which a runtime fires them: tasks with a name and
 * without, of two places, that wake themselves twice in each poll; some panic, some are cancelled before
 * their first poll; and a future in block_on.
 */
#include "tests/fixtures/note.h"
#include "truth.h"

#define TASKS 30
#define POLLS 40
#define BLOCK_ON_POLLS 5

enum { BLOCK_ON, SPAWN };
enum { SUCCESS, CANCELLED, PANICKED };

NOTE_SEMAPHORE(task_details_semaphore);

/* Panics in Tokio name its files. */
static const char source[] __attribute__((used)) =
	"/registry/src/index.crates.io/tokio-1.48.0/src/runtime/task/harness.rs";

static struct {
	uint64_t details, polls, wakes, ended, cancelled;
} truth_of;

/* Runs for a moment, as constructors of strings do, in memory that is used again. */
static char name_bytes[64];

static void start(uint64_t id, uint8_t kind, const char *name, const char *file, uint32_t line)
{
	NOTE("tokio", "task-start", NOTE_NO_SEMAPHORE,
	     "8@%q[id] 1@%b[kind] 8@%q[size] 8@%q[original]", [id] "r"(id),
	     [kind] "r"((uint32_t)kind), [size] "r"(512ul), [original] "r"(256ul));
	if (!task_details_semaphore)
		return;
	truth_of.details++;
	strcpy(name_bytes, name);
	NOTE("tokio", "task-details", "task_details_semaphore",
	     "8@%q[id] 8@%q[name] 8@%q[file] 4@%k[line] 4@%k[column]", [id] "r"(id),
	     [name] "r"(name_bytes), [file] "r"(file), [line] "r"(line), [column] "r"(9));
	memset(name_bytes, '#', sizeof(name_bytes) - 1);
}

static inline __attribute__((always_inline)) void poll_start(uint64_t id)
{
	truth_of.polls++;
	NOTE("tokio", "task-poll-start", NOTE_NO_SEMAPHORE, "8@%q[id]", [id] "r"(id));
}

static inline __attribute__((always_inline)) void poll_end(uint64_t id)
{
	NOTE("tokio", "task-poll-end", NOTE_NO_SEMAPHORE, "8@%q[id]", [id] "r"(id));
}

static void terminate(uint64_t id, uint8_t reason)
{
	truth_of.ended++;
	truth_of.cancelled += reason == CANCELLED;
	NOTE("tokio", "task-terminate", NOTE_NO_SEMAPHORE,
	     "8@%q[id] 1@%b[reason]", [id] "r"(id), [reason] "r"((uint32_t)reason));
}

static void wake(uint64_t id)
{
	truth_of.wakes++;
	NOTE("tokio", "waker-clone", NOTE_NO_SEMAPHORE, "8@%q[id]", [id] "r"(id));
	NOTE("tokio", "waker-wake", NOTE_NO_SEMAPHORE, "8@%q[id]", [id] "r"(id));
	NOTE("tokio", "waker-drop", NOTE_NO_SEMAPHORE, "8@%q[id]", [id] "r"(id));
}

static void leaf(void)
{
	struct timespec pause = {.tv_nsec = 100000};

	NOTE("tokio", "trace-root", NOTE_NO_SEMAPHORE, "");
	nanosleep(&pause, NULL);
}

/* A poll function for each future, as generic code has them. */
static __attribute__((noinline)) void poll_named(uint64_t id, bool last)
{
	poll_start(id);
	leaf();
	if (!last) {
		wake(id);
		wake(id);
	}
	poll_end(id);
}

static __attribute__((noinline)) void poll_unnamed(uint64_t id, bool last)
{
	poll_start(id);
	if (!last) {
		wake(id);
		wake(id);
	}
	poll_end(id);
}

static bool is_cancelled(uint64_t id)
{
	return id % 5 == 0;
}

static void run_tasks(void)
{
	for (uint64_t id = 1; id <= TASKS; id++)
		start(id, SPAWN, id % 2 ? "ingest" : "",
		      id % 2 ? "src/bin/ingest.rs" : "src/main.rs", id % 2 ? 10 : 42);
	for (int poll = 1; poll <= POLLS; poll++) {
		for (uint64_t id = 1; id <= TASKS; id++) {
			bool last = poll == POLLS;

			if (is_cancelled(id))
				continue;
			(id % 2 ? poll_named : poll_unnamed)(id, last);
			if (last)
				terminate(id, id % 3 ? SUCCESS : PANICKED);
		}
	}
	for (uint64_t id = 5; id <= TASKS; id += 5)
		terminate(id, CANCELLED);
}

static void run_block_on(void)
{
	start(TASKS + 1, BLOCK_ON, "", "src/main.rs", 7);
	for (int poll = 0; poll < BLOCK_ON_POLLS; poll++)
		poll_unnamed(TASKS + 1, true);
	terminate(TASKS + 1, SUCCESS);
}

int main(void)
{
	struct truth truth;

	truth_open(&truth);
	while (truth_go(&truth)) {
		memset(&truth_of, 0, sizeof(truth_of));
		run_tasks();
		run_block_on();
		truth_say(&truth,
			  "{\"tasks\":%d,\"task_polls\":%d,\"block_on_polls\":%d,\"details\":%lu,"
			  "\"polls\":%lu,\"wakes\":%lu,\"ended\":%lu,\"cancelled\":%lu}\n",
			  TASKS, POLLS, BLOCK_ON_POLLS, truth_of.details, truth_of.polls,
			  truth_of.wakes, truth_of.ended, truth_of.cancelled);
	}
	return 0;
}
