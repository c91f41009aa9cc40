// SPDX-License-Identifier: MIT
/*
 * flat_out SECONDS: the most that a runtime can ask of a tracer: a worker on each CPU, each with
 * tasks that do nothing but yield. Prints how many polls there were, those of the block_on future
 * included.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pollrt.h"

#define TASKS_MAX 256

struct yielding {
	struct pollrt_async async;
	uint64_t until_ns;
};

static POLLRT_ASYNC(yielding)
{
	POLLRT_BEGIN();
	while (pollrt_now_ns() < self->until_ns)
		POLLRT_YIELD();
	POLLRT_END();
}

struct flat_out {
	struct pollrt_async async;
	unsigned int tasks, i;
	uint64_t until_ns;
	struct pollrt_join join[TASKS_MAX];
};

static POLLRT_ASYNC(flat_out)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->tasks; self->i++)
		pollrt_spawn(NULL, &self->join[self->i], yielding, .until_ns = self->until_ns);
	for (self->i = 0; self->i < self->tasks; self->i++) {
		POLLRT_AWAIT(pollrt_join(&self->join[self->i], cx));
		pollrt_join_detach(&self->join[self->i]);
	}
	POLLRT_END();
}

int main(int argc, char **argv)
{
	double seconds = argc == 2 ? strtod(argv[1], NULL) : 0;
	struct flat_out state = {.until_ns = pollrt_now_ns() + (uint64_t)(seconds * 1e9)};
	struct pollrt_metrics metrics;
	struct pollrt_runtime *rt;
	int err;

	if (seconds <= 0) {
		fputs("usage: flat_out SECONDS\n", stderr);
		return 2;
	}
	err = pollrt_runtime_create(&rt, NULL);
	if (!err) {
		state.tasks = 2 * pollrt_runtime_workers(rt);
		if (state.tasks > TASKS_MAX)
			state.tasks = TASKS_MAX;
		err = pollrt_block_on(rt, flat_out, &state);
		pollrt_runtime_shutdown(rt);
		pollrt_metrics(rt, &metrics);
		pollrt_runtime_destroy(rt);
	}
	if (err) {
		fprintf(stderr, "flat_out: %s\n", strerror(-err));
		return 1;
	}
	printf("%" PRIu64 "\n", metrics.polls + metrics.block_on_polls);
	return 0;
}
