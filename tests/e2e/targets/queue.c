// SPDX-License-Identifier: MIT
/*
 * queue N: N tasks that wait in the queue of the only worker while another computes: once after
 * they are spawned, once after they are woken. Each stamps when it is polled, and whoever queues it
 * when it did.
 */
#include "pollrt.h"
#include "truth.h"

struct wait {
	uint64_t task;
	uint64_t queued_ns, polled_ns; /* the last */
	uint64_t spawn_ns, wake_ns;    /* how long it waited */
	struct pollrt_waker waker;
};

static void wait_over(struct wait *wait, uint64_t *ns)
{
	wait->polled_ns = truth_clock(CLOCK_MONOTONIC);
	*ns = wait->polled_ns - wait->queued_ns;
}

struct waiter {
	struct pollrt_async async;
	struct wait *wait;
	bool woken;
};

static enum pollrt_poll until_woken(struct waiter *waiter, struct pollrt_cx *cx)
{
	if (waiter->woken)
		return POLLRT_READY;
	waiter->woken = true;
	waiter->wait->waker = pollrt_waker(cx);
	return POLLRT_PENDING;
}

static POLLRT_ASYNC(waiter)
{
	POLLRT_BEGIN();
	wait_over(self->wait, &self->wait->spawn_ns);
	self->wait->task = pollrt_task_id(cx);
	POLLRT_AWAIT(until_woken(self, cx));
	wait_over(self->wait, &self->wait->wake_ns);
	POLLRT_END();
}

static void compute(uint64_t ns)
{
	uint64_t until = truth_clock(CLOCK_MONOTONIC) + ns;

	while (truth_clock(CLOCK_MONOTONIC) < until)
		;
}

struct feeder {
	struct pollrt_async async;
	struct wait *waits;
	unsigned int n, i;
};

static POLLRT_ASYNC(feeder)
{
	struct wait *wait;

	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->n; self->i++) {
		wait = &self->waits[self->i];
		wait->queued_ns = truth_clock(CLOCK_MONOTONIC);
		if (pollrt_spawn(NULL, NULL, waiter, .wait = wait))
			abort();
		compute(POLLRT_US(400));
		POLLRT_YIELD();
		wait = &self->waits[self->i];
		wait->queued_ns = truth_clock(CLOCK_MONOTONIC);
		pollrt_waker_wake(&wait->waker);
		compute(POLLRT_US(400 + 20 * (self->i % 50)));
		POLLRT_YIELD();
	}
	POLLRT_END();
}

struct parent {
	struct pollrt_async async;
	struct feeder *feeder;
	struct pollrt_join join;
};

/* The feeder is a task of the worker, not of block_on's thread. */
static POLLRT_ASYNC(parent)
{
	POLLRT_BEGIN();
	if (pollrt_spawn(NULL, &self->join, feeder, .waits = self->feeder->waits,
			 .n = self->feeder->n))
		abort();
	POLLRT_AWAIT(pollrt_join(&self->join, cx));
	pollrt_join_detach(&self->join);
	POLLRT_END();
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 10;
	struct pollrt_config config = {.workers = 1};
	struct feeder feeder = {.waits = calloc(n, sizeof(struct wait)), .n = n};
	struct pollrt_runtime *rt;
	struct truth truth;

	truth_open(&truth);
	while (truth_go(&truth)) {
		struct parent state = {.feeder = &feeder};

		if (!feeder.waits || pollrt_runtime_create(&rt, &config) ||
		    pollrt_block_on(rt, parent, &state))
			abort();
		pollrt_runtime_destroy(rt);
		truth_say(&truth, "[");
		for (unsigned int i = 0; i < n; i++)
			truth_say(&truth, "%s{\"task\":%llu,\"spawn_ns\":%llu,\"wake_ns\":%llu}",
				  i ? "," : "", (unsigned long long)feeder.waits[i].task,
				  (unsigned long long)feeder.waits[i].spawn_ns,
				  (unsigned long long)feeder.waits[i].wake_ns);
		truth_say(&truth, "]\n");
	}
	return 0;
}
