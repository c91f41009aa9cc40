// SPDX-License-Identifier: MIT
/*
 * counts MODE WORKERS TASKS POLLS: tasks whose every spawn, poll and wake the runtime counts.
 *
 *	yield	TASKS tasks of POLLS polls each, which wake themselves
 *	relay	TASKS pairs that wake each other across threads, POLLS times
 *	abort	TASKS sleepers, every second one aborted; each spawned by a task
 *	churn	POLLS runtimes one after the other, each with WORKERS threads and TASKS tasks
 *	nested	TASKS tasks that each block on POLLS futures of a current_thread runtime
 *	jobs	TASKS jobs for the blocking pool, awaited by one task each
 */
#include <pthread.h>

#include "metrics.h"

struct options {
	const char *mode;
	unsigned int workers, tasks, polls;
};

static unsigned int number(int argc, char **argv, int i, unsigned int fallback)
{
	return argc > i ? (unsigned int)strtoul(argv[i], NULL, 10) : fallback;
}

/* ---- yield ---- */

struct yielder {
	struct pollrt_async async;
	unsigned int polls;
};

static POLLRT_ASYNC(yielder)
{
	POLLRT_BEGIN();
	while (--self->polls)
		POLLRT_YIELD();
	POLLRT_END();
}

/* ---- relay ---- */

struct baton {
	pthread_mutex_t lock;
	struct pollrt_waker waiting[2];
	unsigned int turn; /* whose it is, by its parity */
};

struct runner {
	struct pollrt_async async;
	struct baton *baton;
	unsigned int side, laps;
};

/* Ready when it is this side's turn. */
static enum pollrt_poll baton_take(struct runner *runner, struct pollrt_cx *cx)
{
	struct baton *baton = runner->baton;
	enum pollrt_poll poll = POLLRT_READY;

	pthread_mutex_lock(&baton->lock);
	if ((baton->turn & 1) != runner->side) {
		pollrt_waker_drop(&baton->waiting[runner->side]);
		baton->waiting[runner->side] = pollrt_waker(cx);
		poll = POLLRT_PENDING;
	}
	pthread_mutex_unlock(&baton->lock);
	return poll;
}

static void baton_pass(struct runner *runner)
{
	struct baton *baton = runner->baton;
	struct pollrt_waker other;

	pthread_mutex_lock(&baton->lock);
	baton->turn++;
	other = baton->waiting[!runner->side];
	baton->waiting[!runner->side] = (struct pollrt_waker){0};
	pthread_mutex_unlock(&baton->lock);
	pollrt_waker_wake(&other);
}

static POLLRT_ASYNC(runner)
{
	POLLRT_BEGIN();
	while (self->laps--) {
		POLLRT_AWAIT(baton_take(self, cx));
		baton_pass(self);
	}
	POLLRT_END();
}

/* ---- abort ---- */

struct sleeper {
	struct pollrt_async async;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(sleeper)
{
	POLLRT_BEGIN();
	POLLRT_SLEEP(self->sleep, POLLRT_MS(20));
	POLLRT_END();
}

struct aborter {
	struct pollrt_async async;
	bool abort;
	struct pollrt_join join;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(aborter)
{
	POLLRT_BEGIN();
	if (pollrt_spawn(NULL, &self->join, sleeper))
		abort();
	POLLRT_SLEEP(self->sleep, POLLRT_MS(2));
	if (self->abort)
		pollrt_join_abort(&self->join);
	POLLRT_AWAIT(pollrt_join(&self->join, cx));
	pollrt_join_detach(&self->join);
	POLLRT_END();
}

/* ---- nested ---- */

struct inner_sum {
	pthread_mutex_t lock;
	struct pollrt_metrics metrics;
};

struct host {
	struct pollrt_async async;
	unsigned int inner;
	struct inner_sum *sum;
};

static POLLRT_ASYNC(host)
{
	struct pollrt_config config = {.flavour = POLLRT_CURRENT_THREAD};
	struct yielder state = {.polls = 5};
	struct pollrt_runtime *rt;

	POLLRT_BEGIN();
	while (self->inner--) {
		if (pollrt_runtime_create(&rt, &config))
			abort();
		state = (struct yielder){.polls = 5};
		if (pollrt_block_on(rt, yielder, &state))
			abort();
		pthread_mutex_lock(&self->sum->lock);
		truth_add(&self->sum->metrics, rt);
		pthread_mutex_unlock(&self->sum->lock);
		pollrt_runtime_destroy(rt);
		POLLRT_YIELD();
	}
	POLLRT_END();
}

/* ---- jobs ---- */

struct job {
	int unused;
};

static void job(struct job *self)
{
	(void)self;
}

struct awaiter {
	struct pollrt_async async;
	struct pollrt_join join;
};

static POLLRT_ASYNC(awaiter)
{
	POLLRT_BEGIN();
	if (pollrt_spawn_blocking(NULL, &self->join, job))
		abort();
	POLLRT_AWAIT(pollrt_join(&self->join, cx));
	pollrt_join_detach(&self->join);
	POLLRT_END();
}

/* ---- a round ---- */

struct all {
	struct pollrt_async async;
	const struct options *options;
	struct pollrt_join *joins;
	struct baton *batons;
	struct inner_sum *inner;
	unsigned int n, i;
};

static int all_spawn(struct all *all, unsigned int i)
{
	const struct options *o = all->options;
	struct pollrt_join *join = &all->joins[i];

	if (!strcmp(o->mode, "relay"))
		return pollrt_spawn(NULL, join, runner, .baton = &all->batons[i / 2], .side = i & 1,
				    .laps = o->polls);
	if (!strcmp(o->mode, "abort"))
		return pollrt_spawn(NULL, join, aborter, .abort = i & 1);
	if (!strcmp(o->mode, "nested"))
		return pollrt_spawn(NULL, join, host, .inner = o->polls, .sum = all->inner);
	if (!strcmp(o->mode, "jobs"))
		return pollrt_spawn(NULL, join, awaiter);
	return pollrt_spawn(NULL, join, yielder, .polls = o->polls);
}

static POLLRT_ASYNC(all)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->n; self->i++)
		if (all_spawn(self, self->i))
			abort();
	for (self->i = 0; self->i < self->n; self->i++) {
		POLLRT_AWAIT(pollrt_join(&self->joins[self->i], cx));
		pollrt_join_detach(&self->joins[self->i]);
	}
	POLLRT_END();
}

static void round_run(const struct options *o, struct pollrt_metrics *sum)
{
	struct pollrt_config config = {.workers = o->workers};
	unsigned int n = strcmp(o->mode, "relay") ? o->tasks : 2 * o->tasks;
	struct inner_sum inner = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct all state = {
		.options = o,
		.inner = &inner,
		.joins = calloc(n, sizeof(*state.joins)),
		.batons = calloc(o->tasks, sizeof(*state.batons)),
		.n = n,
	};
	struct pollrt_runtime *rt;

	if (!state.joins || !state.batons || pollrt_runtime_create(&rt, &config))
		abort();
	for (unsigned int i = 0; i < o->tasks; i++)
		pthread_mutex_init(&state.batons[i].lock, NULL);
	if (pollrt_block_on(rt, all, &state))
		abort();
	pollrt_runtime_shutdown(rt);
	truth_add(sum, rt);
	truth_sum(sum, &inner.metrics);
	pollrt_runtime_destroy(rt);
	free(state.joins);
	free(state.batons);
}

int main(int argc, char **argv)
{
	struct options o = {
		.mode = argc > 1 ? argv[1] : "yield",
		.workers = number(argc, argv, 2, 2),
		.tasks = number(argc, argv, 3, 10),
		.polls = number(argc, argv, 4, 100),
	};
	bool churn = !strcmp(o.mode, "churn");
	unsigned int rounds = churn ? o.polls : 1;
	struct truth truth;

	if (churn)
		o.polls = 3;
	truth_open(&truth);
	while (truth_go(&truth)) {
		struct pollrt_metrics sum = {0};

		for (unsigned int i = 0; i < rounds; i++)
			round_run(&o, &sum);
		truth_say(&truth, "{");
		truth_say_metrics(&truth, &sum);
		truth_say(&truth, "}\n");
	}
	return 0;
}
