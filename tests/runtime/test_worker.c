// SPDX-License-Identifier: MIT
/* Scheduling: the order of tasks, the LIFO slot and its cap, the budget, stealing, lost wakeups. */
#include "helper.h"

#include <sched.h>

/* Writes its name to a log. */
struct note {
	char *log;
	char name;
};

static enum pollrt_poll note(struct note *self, struct pollrt_cx *cx)
{
	(void)cx;
	self->log[strlen(self->log)] = self->name;
	return POLLRT_READY;
}

struct spawns_notes {
	struct pollrt_async async;
	char *log;
};

static POLLRT_ASYNC(spawns_notes)
{
	POLLRT_BEGIN();
	pollrt_spawn(NULL, NULL, note, .log = self->log, .name = 'a');
	pollrt_spawn(NULL, NULL, note, .log = self->log, .name = 'b');
	pollrt_spawn(NULL, NULL, note, .log = self->log, .name = 'c');
	POLLRT_END();
}

struct joins_one {
	struct pollrt_async async;
	struct pollrt_join *join;
	bool keep;
};

static POLLRT_ASYNC(joins_one)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT(pollrt_join(self->join, cx));
	if (!self->keep)
		pollrt_join_detach(self->join);
	POLLRT_END();
}

static void await_join(struct pollrt_runtime *rt, struct pollrt_join *join)
{
	assert_int_equal(pollrt_block_on(rt, joins_one, &(struct joins_one){.join = join}), 0);
}

static void the_task_spawned_last_runs_first(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	char log[8] = "";
	struct pollrt_metrics m;

	(void)state;
	pollrt_spawn(rt, NULL, spawns_notes, .log = log);
	helper_await_completions(rt, 4);
	pollrt_metrics(rt, &m);
	assert_int_equal(m.lifo_hits, 1);
	helper_finish(rt);
	assert_string_equal(log, "cab");
}

static void current_thread_keeps_the_order(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct pollrt_join join;
	char log[8] = "";

	(void)state;
	pollrt_spawn(rt, NULL, spawns_notes, .log = log);
	pollrt_spawn(rt, &join, note, .log = log, .name = 'd');
	await_join(rt, &join);
	pollrt_block_on(rt, note, &(struct note){.log = log, .name = 'e'});
	assert_string_equal(log, "dabce");
	helper_finish(rt);
}

/* A chain of tasks of which each spawns the next: all of them through the LIFO slot. */
struct chain {
	_Atomic bool *stop;
	_Atomic unsigned int *links;
};

static enum pollrt_poll chain(struct chain *self, struct pollrt_cx *cx)
{
	(void)cx;
	++*self->links;
	if (!*self->stop)
		pollrt_spawn(NULL, NULL, chain, .stop = self->stop, .links = self->links);
	return POLLRT_READY;
}

struct starts_chain {
	struct pollrt_async async;
	_Atomic bool *stop;
	_Atomic unsigned int *links;
};

static POLLRT_ASYNC(starts_chain)
{
	POLLRT_BEGIN();
	pollrt_spawn(NULL, NULL, chain, .stop = self->stop, .links = self->links);
	/* Would never be polled again if the chain could keep the slot. */
	POLLRT_YIELD();
	*self->stop = true;
	POLLRT_END();
}

static void the_lifo_slot_starves_nobody(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	_Atomic bool stop = false;
	_Atomic unsigned int links = 0;
	struct pollrt_join join;

	(void)state;
	pollrt_spawn(rt, &join, starts_chain, .stop = &stop, .links = &links);
	await_join(rt, &join);
	helper_finish(rt);
	assert_true(links >= 3);
}

struct sets {
	_Atomic unsigned int *done;
};

static enum pollrt_poll sets(struct sets *self, struct pollrt_cx *cx)
{
	(void)cx;
	++*self->done;
	return POLLRT_READY;
}

#define INJECTED 100u

struct injection {
	struct pollrt_runtime *rt;
	_Atomic unsigned int *done;
};

static void *inject_on_thread(void *argument)
{
	struct injection *injection = argument;

	for (unsigned int i = 0; i < INJECTED; i++)
		pollrt_spawn(injection->rt, NULL, sets, .done = injection->done);
	return NULL;
}

/* Spawns on a thread that is no worker's. When it returns all is in the injection queue. */
static void inject(_Atomic unsigned int *done)
{
	struct injection injection = {.rt = pollrt_runtime_current(), .done = done};
	pthread_t thread;

	pthread_create(&thread, NULL, inject_on_thread, &injection);
	pthread_join(thread, NULL);
}

/* Spawns its like until the injected tasks are done. */
struct succession {
	_Atomic unsigned int *done;
	unsigned int *links;
};

static enum pollrt_poll succession(struct succession *self, struct pollrt_cx *cx)
{
	(void)cx;
	if ((*self->links)++ == 0)
		inject(self->done);
	if (*self->done < INJECTED)
		pollrt_spawn(NULL, NULL, succession, .done = self->done, .links = self->links);
	return POLLRT_READY;
}

static void a_busy_local_queue_does_not_starve_the_injection_queue(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	_Atomic unsigned int done = 0;
	unsigned int links = 0;

	(void)state;
	pollrt_spawn(rt, NULL, succession, .done = &done, .links = &links);
	while (done < INJECTED)
		usleep(100);
	helper_finish(rt);
	/* They come in one batch, not one by one. */
	assert_in_range(links, 1, 61 * 3 * 3);
}

struct yields_to_injected {
	struct pollrt_async async;
	_Atomic unsigned int done;
	unsigned int seen;
};

static POLLRT_ASYNC(yields_to_injected)
{
	POLLRT_BEGIN();
	inject(&self->done);
	POLLRT_YIELD();
	self->seen = self->done;
	POLLRT_END();
}

static void who_yields_lets_injected_tasks_go_first(void **state)
{
	(void)state;
	for (enum pollrt_flavour i = POLLRT_MULTI_THREAD; i <= POLLRT_CURRENT_THREAD; i++) {
		struct pollrt_runtime *rt = helper_runtime(i, 1);
		struct yields_to_injected *end;
		struct pollrt_join join;

		pollrt_spawn(rt, &join, yields_to_injected, .done = 0);
		pollrt_block_on(rt, joins_one, &(struct joins_one){.join = &join, .keep = true});
		end = pollrt_join_state(&join);
		assert_int_equal(end->seen, INJECTED);
		pollrt_join_detach(&join);
		helper_finish(rt);
	}
}

struct yields {
	struct pollrt_async async;
	unsigned int left;
};

static POLLRT_ASYNC(yields)
{
	POLLRT_BEGIN();
	while (self->left--)
		POLLRT_YIELD();
	POLLRT_END();
}

static void a_task_that_is_alone_yields_to_itself(void **state)
{
	(void)state;
	for (enum pollrt_flavour i = POLLRT_MULTI_THREAD; i <= POLLRT_CURRENT_THREAD; i++) {
		struct pollrt_runtime *rt = helper_runtime(i, 1);
		struct pollrt_metrics m;
		struct pollrt_join join;

		pollrt_spawn(rt, &join, yields, .left = 1000);
		await_join(rt, &join);
		pollrt_metrics(rt, &m);
		assert_int_equal(m.polls, 1001);
		helper_finish(rt);
	}
}

/* Spends its budget on an operation that is always ready. */
struct greedy {
	unsigned int operations;
	unsigned int polls;
	unsigned int in_first_poll;
};

static enum pollrt_poll greedy(struct greedy *self, struct pollrt_cx *cx)
{
	self->polls++;
	while (self->operations < 300) {
		if (!pollrt_coop_proceed(cx))
			return POLLRT_PENDING;
		self->operations++;
		if (self->polls == 1)
			self->in_first_poll++;
	}
	return POLLRT_READY;
}

static void a_task_yields_when_its_budget_is_spent(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct greedy direct = {0};

	(void)state;
	pollrt_block_on(rt, greedy, &direct);
	assert_int_equal(direct.in_first_poll, 128);
	assert_int_equal(direct.polls, 3);
	helper_finish(rt);
}

struct nothing {
	char unused;
};

static enum pollrt_poll nothing(struct nothing *self, struct pollrt_cx *cx)
{
	(void)self;
	(void)cx;
	return POLLRT_READY;
}

struct spawns_many {
	struct pollrt_async async;
	unsigned int count;
	unsigned int i;
};

static POLLRT_ASYNC(spawns_many)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->count; self->i++)
		assert_int_equal(pollrt_spawn(NULL, NULL, nothing, .unused = 0), 0);
	POLLRT_END();
}

static void a_full_queue_overflows_to_the_injection_queue(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_metrics m;

	(void)state;
	pollrt_spawn(rt, NULL, spawns_many, .count = 1000);
	helper_await_completions(rt, 1001);
	pollrt_metrics(rt, &m);
	assert_true(m.overflows >= 129);
	assert_int_equal(m.overflows % 129, 0);
	assert_int_equal(m.polls, 1001);
	helper_finish(rt);
}

static void a_million_tasks_live_at_once(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);

	(void)state;
	for (unsigned int i = 0; i < 1000000; i++)
		assert_int_equal(pollrt_spawn(rt, NULL, nothing, .unused = 0), 0);
	pollrt_block_on(rt, nothing, &(struct nothing){0});
	helper_finish(rt);
}

/* Holds its worker until others have run the tasks that it spawned. */
struct hog {
	struct pollrt_async async;
	_Atomic unsigned int *done;
};

static POLLRT_ASYNC(hog)
{
	POLLRT_BEGIN();
	/* The last one stays in the LIFO slot, which is not stolen from. */
	for (unsigned int i = 0; i < 11; i++)
		pollrt_spawn(NULL, NULL, sets, .done = self->done);
	while (*self->done < 10)
		sched_yield();
	POLLRT_END();
}

static void idle_workers_steal_from_a_busy_one(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 3);
	_Atomic unsigned int done = 0;
	struct pollrt_metrics m;
	struct pollrt_join join;

	(void)state;
	pollrt_spawn(rt, &join, hog, .done = &done);
	await_join(rt, &join);
	helper_await_completions(rt, 12);
	pollrt_metrics(rt, &m);
	assert_true(m.steals >= 1);
	assert_true(m.stolen >= m.steals);
	helper_finish(rt);
}

/* Nothing else goes on: a lost wakeup hangs the test. */
static void a_foreign_spawn_is_never_lost(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	uint64_t end = pollrt_now_ns() + POLLRT_SEC(5);
	_Atomic unsigned int done = 0;

	(void)state;
	/* Where others want the same CPU each turn may take as long as theirs. */
	for (unsigned int i = 1, spins = 0; i <= 50000 && pollrt_now_ns() < end; i++) {
		/* After different times, to meet the worker at any point of its way to sleep. */
		for (volatile unsigned int pause = i % 256; pause; pause--)
			;
		pollrt_spawn(rt, NULL, sets, .done = &done);
		while (done < i) {
			if (++spins % 1024 == 0)
				sched_yield();
		}
	}
	helper_finish(rt);
}

struct ping_pong {
	struct pollrt_async async;
	unsigned int rounds;
	unsigned int i;
	struct pollrt_join join;
};

static POLLRT_ASYNC(ping_pong)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->rounds; self->i++) {
		pollrt_spawn(NULL, &self->join, nothing, .unused = 0);
		POLLRT_AWAIT(pollrt_join(&self->join, cx));
		pollrt_join_detach(&self->join);
	}
	POLLRT_END();
}

static void a_wake_between_threads_is_never_lost(void **state)
{
	(void)state;
	for (unsigned int workers = 1; workers <= 4; workers++) {
		struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, workers);

		/* From the main thread to a worker and back. */
		pollrt_block_on(rt, ping_pong, &(struct ping_pong){.rounds = 5000});
		helper_finish(rt);
	}
}

static void sixty_four_workers_share_the_work(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 64);
	struct pollrt_join joins[64];

	(void)state;
	for (unsigned int i = 0; i < 64; i++)
		pollrt_spawn(rt, &joins[i], ping_pong, .rounds = 50);
	for (unsigned int i = 0; i < 64; i++)
		await_join(rt, &joins[i]);
	assert_int_equal(pollrt_runtime_workers(rt), 64);
	helper_finish(rt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_task_spawned_last_runs_first),
		cmocka_unit_test(current_thread_keeps_the_order),
		cmocka_unit_test(the_lifo_slot_starves_nobody),
		cmocka_unit_test(a_busy_local_queue_does_not_starve_the_injection_queue),
		cmocka_unit_test(who_yields_lets_injected_tasks_go_first),
		cmocka_unit_test(a_task_that_is_alone_yields_to_itself),
		cmocka_unit_test(a_task_yields_when_its_budget_is_spent),
		cmocka_unit_test(a_full_queue_overflows_to_the_injection_queue),
		cmocka_unit_test(a_million_tasks_live_at_once),
		cmocka_unit_test(idle_workers_steal_from_a_busy_one),
		cmocka_unit_test(a_foreign_spawn_is_never_lost),
		cmocka_unit_test(a_wake_between_threads_is_never_lost),
		cmocka_unit_test(sixty_four_workers_share_the_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
