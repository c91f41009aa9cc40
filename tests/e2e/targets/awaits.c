// SPDX-License-Identifier: MIT
/*
 * awaits TASKS ROUNDS LONG-US SHORT-US: tasks that wait, again and again: in long_step() and short_step() for
 * their time to pass, in join_step() for a task of theirs, in waker_step() for whoever has their waker. Each
 * adds up what it waited where, from a poll's end to the next one's start.
 *
 * awaits turns TASKS SECONDS LONG-US SHORT-US: tasks that wait in long_step() for a second, and in short_step() for
 * the next.
 *
 * awaits flood NS: a task that clones its waker all the time, in polls that never end up waiting.
 */
#include "pollrt.h"
#include "truth.h"

#define FLOOD_CLONES 1000 /* in a poll */

enum { LONG, SHORT, JOIN, WAKER, STEPS };

static const char *const step_names[STEPS] = {"long_step", "short_step", "join_step", "waker_step"};

struct options {
	unsigned int tasks, rounds, seconds;
	uint64_t start;
	uint64_t ns[STEPS];
	_Atomic uint64_t waited_ns[STEPS], waits[STEPS], clones;
};

struct waiter {
	struct pollrt_async async;
	struct options *options;
	struct pollrt_sleep sleep;
	struct pollrt_join join;
	struct pollrt_waker waker;
	bool woken;
	unsigned int round;
	uint64_t since; /* the last poll's end; 0: it did not wait */
};

/* A poll of a step begins. */
static void step_enter(struct waiter *w, int step)
{
	if (w->since)
		w->options->waited_ns[step] += truth_clock(CLOCK_MONOTONIC) - w->since;
	w->since = 0;
}

static enum pollrt_poll step_leave(struct waiter *w, int step, enum pollrt_poll poll)
{
	if (poll == POLLRT_PENDING) {
		w->options->waits[step]++;
		w->since = truth_clock(CLOCK_MONOTONIC);
	}
	return poll;
}

static __attribute__((noinline)) enum pollrt_poll long_step(struct waiter *w, struct pollrt_cx *cx)
{
	step_enter(w, LONG);
	return step_leave(w, LONG, pollrt_sleep(&w->sleep, cx));
}

static __attribute__((noinline)) enum pollrt_poll short_step(struct waiter *w, struct pollrt_cx *cx)
{
	step_enter(w, SHORT);
	return step_leave(w, SHORT, pollrt_sleep(&w->sleep, cx));
}

static __attribute__((noinline)) enum pollrt_poll join_step(struct waiter *w, struct pollrt_cx *cx)
{
	step_enter(w, JOIN);
	return step_leave(w, JOIN, pollrt_join(&w->join, cx));
}

static __attribute__((noinline)) enum pollrt_poll waker_step(struct waiter *w, struct pollrt_cx *cx)
{
	step_enter(w, WAKER);
	if (!w->woken && !w->waker.task)
		w->waker = pollrt_waker(cx);
	return step_leave(w, WAKER, w->woken ? POLLRT_READY : POLLRT_PENDING);
}

struct napper {
	struct pollrt_async async;
	struct pollrt_sleep sleep;
	struct waiter *wakes; /* NULL: nobody */
};

static POLLRT_ASYNC(napper)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT(pollrt_sleep(&self->sleep, cx));
	if (self->wakes) {
		self->wakes->woken = true;
		pollrt_waker_wake(&self->wakes->waker);
	}
	POLLRT_END();
}

static POLLRT_ASYNC(waiter)
{
	const uint64_t *ns = self->options->ns;

	POLLRT_BEGIN();
	for (self->round = 0; self->round < self->options->rounds; self->round++) {
		self->sleep = (struct pollrt_sleep){.ns = self->options->ns[LONG]};
		POLLRT_AWAIT(long_step(self, cx));
		self->sleep = (struct pollrt_sleep){.ns = self->options->ns[SHORT]};
		POLLRT_AWAIT(short_step(self, cx));
		if (pollrt_spawn(NULL, &self->join, napper, .sleep.ns = ns[JOIN]))
			abort();
		POLLRT_AWAIT(join_step(self, cx));
		pollrt_join_detach(&self->join);
		self->woken = false;
		if (pollrt_spawn(NULL, NULL, napper, .sleep.ns = ns[WAKER], .wakes = self))
			abort();
		POLLRT_AWAIT(waker_step(self, cx));
	}
	POLLRT_END();
}

struct turner {
	struct pollrt_async async;
	struct waiter waiter; /* not polled: what takes the steps */
	int step;
};

static uint64_t seconds_since(uint64_t start)
{
	return (truth_clock(CLOCK_MONOTONIC) - start) / POLLRT_US(1000000);
}

static POLLRT_ASYNC(turner)
{
	const struct options *options = self->waiter.options;

	POLLRT_BEGIN();
	while (seconds_since(options->start) < options->seconds) {
		self->step = seconds_since(options->start) % 2 ? SHORT : LONG;
		self->waiter.sleep = (struct pollrt_sleep){.ns = options->ns[self->step]};
		POLLRT_AWAIT(self->step == LONG ? long_step(&self->waiter, cx)
						: short_step(&self->waiter, cx));
	}
	POLLRT_END();
}

struct flood {
	struct pollrt_async async;
	struct options *options;
	uint64_t until;
};

static POLLRT_ASYNC(flood)
{
	POLLRT_BEGIN();
	while (truth_clock(CLOCK_MONOTONIC) < self->until) {
		for (int i = 0; i < FLOOD_CLONES; i++) {
			struct pollrt_waker waker = pollrt_waker(cx);

			pollrt_waker_drop(&waker);
		}
		self->options->clones += FLOOD_CLONES;
		POLLRT_YIELD();
	}
	POLLRT_END();
}

struct parent {
	struct pollrt_async async;
	struct options *options;
	struct pollrt_join *joins;
	unsigned int i;
};

static int spawn_one(struct options *options, struct pollrt_join *join)
{
	if (options->seconds)
		return pollrt_spawn(NULL, join, turner, .waiter.options = options);
	if (!options->rounds)
		return pollrt_spawn(NULL, join, flood, .options = options,
				    .until = truth_clock(CLOCK_MONOTONIC) + options->ns[LONG]);
	return pollrt_spawn(NULL, join, waiter, .options = options);
}

static POLLRT_ASYNC(parent)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->options->tasks; self->i++)
		if (spawn_one(self->options, &self->joins[self->i]))
			abort();
	for (self->i = 0; self->i < self->options->tasks; self->i++) {
		POLLRT_AWAIT(pollrt_join(&self->joins[self->i], cx));
		pollrt_join_detach(&self->joins[self->i]);
	}
	POLLRT_END();
}

static void run(struct options *options)
{
	struct pollrt_config config = {.workers = 2};
	struct parent state = {.options = options};
	struct pollrt_runtime *rt;

	options->start = truth_clock(CLOCK_MONOTONIC);
	state.joins = calloc(options->tasks, sizeof(*state.joins));
	if (!state.joins || pollrt_runtime_create(&rt, &config) ||
	    pollrt_block_on(rt, parent, &state))
		abort();
	pollrt_runtime_destroy(rt);
	free(state.joins);
}

int main(int argc, char **argv)
{
	struct options options = {.tasks = 1};
	struct truth truth;

	if (argc == 3) {
		options.ns[LONG] = strtoull(argv[2], NULL, 10);
	} else if (argc == 6) {
		options.tasks = (unsigned int)strtoul(argv[2], NULL, 10);
		options.seconds = (unsigned int)strtoul(argv[3], NULL, 10);
		options.ns[LONG] = POLLRT_US(strtoull(argv[4], NULL, 10));
		options.ns[SHORT] = POLLRT_US(strtoull(argv[5], NULL, 10));
	} else if (argc == 5) {
		options.tasks = (unsigned int)strtoul(argv[1], NULL, 10);
		options.rounds = (unsigned int)strtoul(argv[2], NULL, 10);
		options.ns[LONG] = POLLRT_US(strtoull(argv[3], NULL, 10));
		for (int step = SHORT; step < STEPS; step++)
			options.ns[step] = POLLRT_US(strtoull(argv[4], NULL, 10));
	} else {
		return 2;
	}
	truth_open(&truth);
	while (truth_go(&truth)) {
		run(&options);
		truth_say(&truth, "{\"clones\":%llu,\"steps\":[",
			  (unsigned long long)options.clones);
		for (int step = 0; step < STEPS; step++)
			truth_say(&truth, "%s{\"name\":\"%s\",\"count\":%llu,\"ns\":%llu}",
				  step ? "," : "", step_names[step],
				  (unsigned long long)options.waits[step],
				  (unsigned long long)options.waited_ns[step]);
		truth_say(&truth, "]}\n");
	}
	return 0;
}
