// SPDX-License-Identifier: MIT
/* What the runtime says about itself, against what the test knows. */
#include "helper.h"

#include <stdbool.h>

static struct pollrt_metrics metrics_of(const struct pollrt_runtime *rt)
{
	struct pollrt_metrics m;

	pollrt_metrics(rt, &m);
	return m;
}

static struct pollrt_worker_metrics worker_of(const struct pollrt_runtime *rt, unsigned int index)
{
	struct pollrt_worker_metrics m;

	assert_int_equal(pollrt_worker_metrics(rt, index, &m), 0);
	return m;
}

/* Waits until @field of the metrics is @value. */
#define await_metric(rt, field, value)                                                             \
	do {                                                                                       \
		uint64_t end_ = pollrt_now_ns() + POLLRT_SEC(30);                                  \
		while (metrics_of(rt).field != (value) && pollrt_now_ns() < end_)                  \
			usleep(200);                                                               \
		assert_int_equal(metrics_of(rt).field, (value));                                   \
	} while (0)

/* What is counted for each worker adds up to what is counted in all. */
static void assert_sums(const struct pollrt_runtime *rt)
{
	struct pollrt_worker_metrics all = {0};
	struct pollrt_metrics m = metrics_of(rt);

	for (unsigned int i = 0; i < pollrt_runtime_workers(rt); i++) {
		struct pollrt_worker_metrics one = worker_of(rt, i);

		all.polls += one.polls;
		all.parks += one.parks;
		all.steals += one.steals;
		all.stolen += one.stolen;
		all.overflows += one.overflows;
		all.lifo_hits += one.lifo_hits;
		assert_true(one.lifo_hits <= one.polls);
		assert_true(one.steals <= one.stolen);
	}
	assert_int_equal(all.polls, m.polls);
	assert_int_equal(all.parks, m.parks);
	assert_int_equal(all.steals, m.steals);
	assert_int_equal(all.stolen, m.stolen);
	assert_int_equal(all.overflows, m.overflows);
	assert_int_equal(all.lifo_hits, m.lifo_hits);
	assert_int_equal(m.injections, m.remote_schedules + m.overflows);
	assert_int_equal(m.spawns, m.completions + m.cancellations + m.live_tasks);
}

/* Shuts down; then nothing is left anywhere. */
static void finish(struct pollrt_runtime *rt)
{
	struct pollrt_metrics m;

	pollrt_runtime_shutdown(rt);
	m = metrics_of(rt);
	assert_sums(rt);
	assert_int_equal(m.live_tasks, 0);
	assert_int_equal(m.injection_depth, 0);
	assert_int_equal(m.blocking_threads, 0);
	assert_int_equal(m.blocking_idle, 0);
	assert_int_equal(m.blocking_depth, 0);
	for (unsigned int i = 0; i < pollrt_runtime_workers(rt); i++)
		assert_int_equal(worker_of(rt, i).local_depth, 0);
	helper_finish(rt);
}

/* Ends in its first poll. */
struct once {
	struct pollrt_async async;
	_Atomic unsigned int *ran;
};

static POLLRT_ASYNC(once)
{
	POLLRT_BEGIN();
	++*self->ran;
	POLLRT_END();
}

/* Never ends. */
struct stuck {
	int nothing;
};

static enum pollrt_poll stuck(struct stuck *self, struct pollrt_cx *cx)
{
	(void)self;
	(void)cx;
	return POLLRT_PENDING;
}

static void await_flag(const _Atomic bool *flag)
{
	while (!*flag)
		usleep(100);
}

/* Keeps its worker in one poll from `in` to `go`. */
struct hold {
	struct pollrt_async async;
	_Atomic bool *in;
	_Atomic bool *go;
};

static POLLRT_ASYNC(hold)
{
	POLLRT_BEGIN();
	*self->in = true;
	await_flag(self->go);
	POLLRT_END();
}

struct joined {
	struct pollrt_async async;
	struct pollrt_join *join;
};

static POLLRT_ASYNC(joined)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT(pollrt_join(self->join, cx));
	pollrt_join_detach(self->join);
	POLLRT_END();
}

static void await_join(struct pollrt_runtime *rt, struct pollrt_join *handle)
{
	assert_int_equal(pollrt_block_on(rt, joined, &(struct joined){.join = handle}), 0);
}

/* ---- queues ---- */

static void tasks_from_outside_are_remote_and_wait_in_the_injection_queue(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	_Atomic unsigned int ran = 0;
	_Atomic bool in = false, go = false;

	(void)state;
	assert_int_equal(pollrt_spawn(rt, NULL, hold, .in = &in, .go = &go), 0);
	await_flag(&in);
	assert_int_equal(metrics_of(rt).remote_schedules, 1);
	assert_int_equal(metrics_of(rt).injection_depth, 0);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(pollrt_spawn(rt, NULL, once, .ran = &ran), 0);
	assert_int_equal(metrics_of(rt).remote_schedules, 11);
	assert_int_equal(metrics_of(rt).injection_depth, 10);
	assert_int_equal(metrics_of(rt).live_tasks, 11);
	go = true;
	await_metric(rt, completions, 11);
	assert_int_equal(metrics_of(rt).injection_depth, 0);
	assert_int_equal(metrics_of(rt).remote_schedules, 11);
	assert_int_equal(metrics_of(rt).overflows, 0);
	assert_int_equal(worker_of(rt, 0).polls, 11);
	finish(rt);
}

/* In one poll spawns more than the local queue holds, and looks where they are. */
struct flood {
	struct pollrt_async async;
	struct pollrt_runtime *rt;
	_Atomic unsigned int *ran;
	unsigned int count;
	struct pollrt_worker_metrics *seen;
};

static POLLRT_ASYNC(flood)
{
	POLLRT_BEGIN();
	for (unsigned int i = 0; i < self->count; i++)
		pollrt_spawn(NULL, NULL, once, .ran = self->ran);
	pollrt_worker_metrics(self->rt, 0, self->seen);
	POLLRT_END();
}

static struct pollrt_metrics flood_of(enum pollrt_flavour flavour, unsigned int count,
				      struct pollrt_worker_metrics *seen)
{
	struct pollrt_runtime *rt = helper_runtime(flavour, 1);
	struct pollrt_join handle;
	struct pollrt_metrics m;
	_Atomic unsigned int ran = 0;

	assert_int_equal(pollrt_spawn(rt, &handle, flood, .rt = rt, .ran = &ran, .count = count,
				      .seen = seen),
			 0);
	await_join(rt, &handle);
	if (flavour == POLLRT_MULTI_THREAD)
		await_metric(rt, completions, count + 1);
	pollrt_runtime_shutdown(rt);
	m = metrics_of(rt);
	assert_int_equal(ran, m.completions - 1);
	finish(rt);
	return m;
}

static void a_full_local_queue_overflows(void **state)
{
	struct pollrt_worker_metrics seen;
	struct pollrt_metrics m;

	(void)state;
	/* One task in the LIFO slot, 256 in the queue; the next takes half of those with it. */
	m = flood_of(POLLRT_MULTI_THREAD, 257, &seen);
	assert_int_equal(seen.local_depth, 256);
	assert_int_equal(seen.overflows, 0);
	assert_int_equal(m.overflows, 0);
	m = flood_of(POLLRT_MULTI_THREAD, 258, &seen);
	assert_int_equal(seen.overflows, 129);
	assert_int_equal(seen.local_depth, 128);
	assert_int_equal(m.overflows, 129);
	assert_int_equal(m.injections, m.remote_schedules + 129);
	m = flood_of(POLLRT_MULTI_THREAD, 1000, &seen);
	assert_int_equal(seen.local_depth + seen.overflows + 1, 1000);
	/* Without a LIFO slot. */
	m = flood_of(POLLRT_CURRENT_THREAD, 256, &seen);
	assert_int_equal(seen.local_depth, 256);
	assert_int_equal(m.lifo_hits, 0);
}

/* Spawns, and keeps its worker until all but the one in the LIFO slot have been run elsewhere. */
struct parent {
	struct pollrt_async async;
	_Atomic unsigned int *ran;
	unsigned int count;
};

static POLLRT_ASYNC(parent)
{
	POLLRT_BEGIN();
	for (unsigned int i = 0; i < self->count; i++)
		pollrt_spawn(NULL, NULL, once, .ran = self->ran);
	while (*self->ran < self->count - 1)
		usleep(100);
	POLLRT_END();
}

static void stolen_tasks_are_polled_by_the_thief(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);
	struct pollrt_join handle;
	struct pollrt_worker_metrics least, most;
	struct pollrt_metrics m;
	_Atomic unsigned int ran = 0;

	(void)state;
	assert_int_equal(pollrt_spawn(rt, &handle, parent, .ran = &ran, .count = 100), 0);
	await_join(rt, &handle);
	await_metric(rt, completions, 101);
	m = metrics_of(rt);
	least = worker_of(rt, 0);
	most = worker_of(rt, 1);
	if (least.polls > most.polls) {
		least = worker_of(rt, 1);
		most = worker_of(rt, 0);
	}
	assert_int_equal(m.polls, 101);
	assert_true(most.polls >= 99);
	/* Of the one that was kept busy; all but the parent came from there. */
	assert_int_equal(most.stolen >= 99, true);
	assert_true(most.steals >= 2);
	assert_true(m.stolen <= 101);
	finish(rt);
}

/* ---- tasks ---- */

static void a_task_lives_until_its_end(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);
	struct pollrt_join joins[8];

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(pollrt_spawn(rt, &joins[i], stuck), 0);
	assert_int_equal(metrics_of(rt).live_tasks, 8);
	for (unsigned int i = 0; i < 3; i++)
		pollrt_join_abort(&joins[i]);
	await_metric(rt, live_tasks, 5);
	assert_int_equal(metrics_of(rt).cancellations, 3);
	for (unsigned int i = 0; i < 8; i++)
		pollrt_join_detach(&joins[i]);
	assert_int_equal(metrics_of(rt).live_tasks, 5);
	finish(rt);
}

/* ---- the blocking pool ---- */

struct job {
	const _Atomic bool *go;
};

static void job(struct job *self)
{
	await_flag(self->go);
}

static void jobs_beyond_the_limit_wait(void **state)
{
	struct pollrt_config config = {.workers = 1, .blocking_limit = 2};
	struct pollrt_join joins[5];
	struct pollrt_runtime *rt;
	_Atomic bool go = false;

	(void)state;
	assert_int_equal(pollrt_runtime_create(&rt, &config), 0);
	assert_int_equal(metrics_of(rt).blocking_threads, 0);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(pollrt_spawn_blocking(rt, &joins[i], job, .go = &go), 0);
	await_metric(rt, blocking_runs, 2);
	assert_int_equal(metrics_of(rt).blocking_jobs, 5);
	assert_int_equal(metrics_of(rt).blocking_threads, 2);
	assert_int_equal(metrics_of(rt).blocking_depth, 3);
	assert_int_equal(metrics_of(rt).blocking_idle, 0);
	go = true;
	for (unsigned int i = 0; i < 5; i++)
		await_join(rt, &joins[i]);
	await_metric(rt, blocking_idle, 2);
	assert_int_equal(metrics_of(rt).blocking_runs, 5);
	assert_int_equal(metrics_of(rt).blocking_threads, 2);
	assert_int_equal(metrics_of(rt).blocking_depth, 0);
	/* Jobs are no tasks. */
	assert_int_equal(metrics_of(rt).spawns, 0);
	finish(rt);
}

static void idle_threads_retire(void **state)
{
	struct pollrt_config config = {.workers = 1, .blocking_keepalive_ns = POLLRT_MS(5)};
	struct pollrt_runtime *rt;
	_Atomic bool go = true;

	(void)state;
	assert_int_equal(pollrt_runtime_create(&rt, &config), 0);
	assert_int_equal(pollrt_spawn_blocking(rt, NULL, job, .go = &go), 0);
	await_metric(rt, blocking_runs, 1);
	await_metric(rt, blocking_threads, 0);
	assert_int_equal(metrics_of(rt).blocking_idle, 0);
	finish(rt);
}

/* ---- time ---- */

/* One poll of that much time, measured by itself. */
struct spin {
	struct pollrt_async async;
	uint64_t ns;
	uint64_t *spent_ns;
};

static POLLRT_ASYNC(spin)
{
	uint64_t start = pollrt_now_ns();

	POLLRT_BEGIN();
	while (pollrt_now_ns() - start < self->ns)
		;
	*self->spent_ns = pollrt_now_ns() - start;
	POLLRT_END();
}

static void a_poll_is_busy_time(void **state)
{
	uint64_t start = pollrt_now_ns(), busy_ns, spent_ns;
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_join handle;

	(void)state;
	assert_int_equal(
		pollrt_spawn(rt, &handle, spin, .ns = POLLRT_MS(20), .spent_ns = &spent_ns), 0);
	await_join(rt, &handle);
	busy_ns = worker_of(rt, 0).busy_ns;
	assert_true(busy_ns >= spent_ns);
	assert_true(busy_ns <= pollrt_now_ns() - start);
	finish(rt);
}

static void a_poll_under_way_is_busy_time(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	_Atomic bool in = false, go = false;
	uint64_t start, before, elapsed;

	(void)state;
	assert_int_equal(pollrt_spawn(rt, NULL, hold, .in = &in, .go = &go), 0);
	await_flag(&in);
	before = worker_of(rt, 0).busy_ns;
	start = pollrt_now_ns();
	usleep(5000);
	elapsed = pollrt_now_ns() - start;
	assert_true(worker_of(rt, 0).busy_ns - before >= elapsed);
	go = true;
	finish(rt);
}

static void a_parked_worker_is_not_busy(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	uint64_t end = pollrt_now_ns() + POLLRT_SEC(30);
	struct pollrt_worker_metrics before, after;

	(void)state;
	await_metric(rt, parks, 1);
	/* It may have been just on its way to sleep. */
	do {
		before = worker_of(rt, 0);
		usleep(1000);
		after = worker_of(rt, 0);
	} while (before.busy_ns != after.busy_ns && pollrt_now_ns() < end);
	assert_int_equal(after.busy_ns, before.busy_ns);
	assert_int_equal(after.parks, 1);
	finish(rt);
}

static void a_worker_that_no_thread_runs_is_not_busy(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	uint64_t busy, start, spent_ns;
	struct pollrt_join handle;

	(void)state;
	assert_int_equal(worker_of(rt, 0).busy_ns, 0);
	assert_int_equal(pollrt_spawn(rt, &handle, spin, .ns = POLLRT_MS(5), .spent_ns = &spent_ns),
			 0);
	start = pollrt_now_ns();
	await_join(rt, &handle);
	busy = worker_of(rt, 0).busy_ns;
	assert_true(busy >= spent_ns);
	assert_true(busy <= pollrt_now_ns() - start);
	usleep(1000);
	assert_int_equal(worker_of(rt, 0).busy_ns, busy);
	finish(rt);
}

/* ---- all of it ---- */

static void there_are_as_many_workers_as_said(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 3);
	struct pollrt_worker_metrics m;

	(void)state;
	assert_int_equal(pollrt_worker_metrics(rt, 2, &m), 0);
	assert_int_equal(pollrt_worker_metrics(rt, 3, &m), -EINVAL);
	assert_int_equal(pollrt_worker_metrics(rt, UINT32_MAX, &m), -EINVAL);
	finish(rt);
}

/* Reads all the time what others write. */
struct reader {
	struct pollrt_runtime *rt;
	uint64_t start_ns; /* before there were workers */
	bool steady;
};

static void *reader(void *argument)
{
	struct reader *self = argument;
	uint64_t completions = 0, busy_ns;
	bool steady = true;

	for (unsigned int i = 0; i < 20000; i++) {
		struct pollrt_metrics m = metrics_of(self->rt);
		struct pollrt_worker_metrics one = worker_of(self->rt, i % 2);

		steady &= m.live_tasks <= m.spawns;
		steady &= m.completions >= completions && one.local_depth <= 256;
		completions = m.completions;
		busy_ns = worker_of(self->rt, 0).busy_ns;
		steady &= busy_ns <= pollrt_now_ns() - self->start_ns;
	}
	self->steady = steady;
	return NULL;
}

struct storm {
	struct pollrt_async async;
	struct pollrt_runtime *rt;
	_Atomic unsigned int *ran;
	const _Atomic bool *stop;
};

static POLLRT_ASYNC(storm)
{
	POLLRT_BEGIN();
	while (!*self->stop) {
		for (unsigned int i = 0; i < 300; i++)
			pollrt_spawn(NULL, NULL, once, .ran = self->ran);
		POLLRT_YIELD();
		while (metrics_of(self->rt).live_tasks > 5000)
			POLLRT_YIELD();
	}
	POLLRT_END();
}

static void reading_while_others_write_is_steady(void **state)
{
	struct reader readings = {.start_ns = pollrt_now_ns()};
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);
	_Atomic unsigned int ran = 0;
	_Atomic bool stop = false;
	struct pollrt_join handle;
	pthread_t thread;

	(void)state;
	readings.rt = rt;
	assert_int_equal(pollrt_spawn(rt, &handle, storm, .rt = rt, .ran = &ran, .stop = &stop), 0);
	assert_int_equal(pthread_create(&thread, NULL, reader, &readings), 0);
	pthread_join(thread, NULL);
	assert_true(readings.steady);
	stop = true;
	await_join(rt, &handle);
	await_metric(rt, live_tasks, 0);
	assert_int_equal(metrics_of(rt).completions, ran + 1);
	finish(rt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_from_outside_are_remote_and_wait_in_the_injection_queue),
		cmocka_unit_test(a_full_local_queue_overflows),
		cmocka_unit_test(stolen_tasks_are_polled_by_the_thief),
		cmocka_unit_test(a_task_lives_until_its_end),
		cmocka_unit_test(jobs_beyond_the_limit_wait),
		cmocka_unit_test(idle_threads_retire),
		cmocka_unit_test(a_poll_is_busy_time),
		cmocka_unit_test(a_poll_under_way_is_busy_time),
		cmocka_unit_test(a_parked_worker_is_not_busy),
		cmocka_unit_test(a_worker_that_no_thread_runs_is_not_busy),
		cmocka_unit_test(there_are_as_many_workers_as_said),
		cmocka_unit_test(reading_while_others_write_is_steady),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
