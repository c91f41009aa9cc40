// SPDX-License-Identifier: MIT
/*
 * in_place WORKERS TASKS CALLS: tasks that each sleep CALLS times in pollrt_block_in_place(), and
 * then compute for as long. Afterwards the threads have nothing to do, for half of a second.
 */
#include "metrics.h"

#define CALL_NS POLLRT_MS(4)

struct sums {
	_Atomic uint64_t called_ns;   /* in place */
	_Atomic uint64_t computed_ns; /* in polls */
};

struct napper {
	struct pollrt_async async;
	struct sums *sums;
	unsigned int calls;
};

static void nap(struct sums *sums)
{
	(void)sums;
	usleep(CALL_NS / 1000);
}

static void call(struct sums *sums)
{
	uint64_t start = truth_clock(CLOCK_MONOTONIC);

	if (pollrt_block_in_place(nap, sums))
		abort();
	sums->called_ns += truth_clock(CLOCK_MONOTONIC) - start;
}

static void compute(struct sums *sums)
{
	uint64_t start = truth_clock(CLOCK_MONOTONIC), now;

	do
		now = truth_clock(CLOCK_MONOTONIC);
	while (now - start < CALL_NS);
	sums->computed_ns += now - start;
}

static POLLRT_ASYNC(napper)
{
	POLLRT_BEGIN();
	while (self->calls--) {
		call(self->sums);
		POLLRT_YIELD();
		compute(self->sums);
	}
	POLLRT_END();
}

struct all {
	struct pollrt_async async;
	struct sums *sums;
	struct pollrt_join *joins;
	unsigned int tasks, calls, i;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(all)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->tasks; self->i++)
		if (pollrt_spawn(NULL, &self->joins[self->i], napper, .sums = self->sums,
				 .calls = self->calls))
			abort();
	for (self->i = 0; self->i < self->tasks; self->i++) {
		POLLRT_AWAIT(pollrt_join(&self->joins[self->i], cx));
		pollrt_join_detach(&self->joins[self->i]);
	}
	POLLRT_SLEEP(self->sleep, POLLRT_MS(500));
	POLLRT_END();
}

static uint64_t busy(const struct pollrt_runtime *rt)
{
	struct pollrt_worker_metrics m;
	uint64_t sum = 0;

	for (unsigned int i = 0; !pollrt_worker_metrics(rt, i, &m); i++)
		sum += m.busy_ns;
	return sum;
}

static void run(struct truth *truth, const struct pollrt_config *config, unsigned int tasks,
		unsigned int calls)
{
	struct sums sums = {0};
	struct all state = {
		.sums = &sums,
		.joins = calloc(tasks, sizeof(*state.joins)),
		.tasks = tasks,
		.calls = calls,
	};
	struct pollrt_metrics m;
	struct pollrt_runtime *rt;

	if (!state.joins || pollrt_runtime_create(&rt, config) || pollrt_block_on(rt, all, &state))
		abort();
	pollrt_metrics(rt, &m);
	truth_say(truth, "{\"threads\":%llu,", (unsigned long long)m.blocking_threads);
	pollrt_runtime_shutdown(rt);
	pollrt_metrics(rt, &m);
	truth_say(truth,
		  "\"handovers\":%llu,\"busy_ns\":%llu,\"called_ns\":%llu,\"computed_ns\":%llu,",
		  (unsigned long long)m.handovers, (unsigned long long)busy(rt),
		  (unsigned long long)sums.called_ns, (unsigned long long)sums.computed_ns);
	truth_say_metrics(truth, &m);
	truth_say(truth, "}\n");
	pollrt_runtime_destroy(rt);
	free(state.joins);
}

int main(int argc, char **argv)
{
	struct pollrt_config config = {.workers = argc > 1 ? (unsigned int)atoi(argv[1]) : 2};
	unsigned int tasks = argc > 2 ? (unsigned int)atoi(argv[2]) : 8;
	unsigned int calls = argc > 3 ? (unsigned int)atoi(argv[3]) : 25;
	struct truth truth;

	truth_open(&truth);
	while (truth_go(&truth))
		run(&truth, &config, tasks, calls);
	return 0;
}
