// SPDX-License-Identifier: MIT
#include "threads.h"

#define POOL "pollrt-block-"

struct pool {
	_Atomic unsigned int running;
	_Atomic unsigned int most;
	_Atomic unsigned int ran;
	_Atomic bool go;
};

/* Runs until `go`. */
struct work {
	struct pool *pool;
	int result;
};

static void work(struct work *self)
{
	struct pool *pool = self->pool;
	unsigned int now = ++pool->running, most = pool->most;

	while (now > most && !atomic_compare_exchange_weak(&pool->most, &most, now))
		;
	while (!pool->go)
		usleep(100);
	pool->running--;
	pool->ran++;
	self->result = 42;
}

struct joins {
	struct pollrt_async async;
	struct pollrt_join *joins;
	unsigned int count;
	unsigned int i;
};

static POLLRT_ASYNC(joins)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->count; self->i++)
		POLLRT_AWAIT(pollrt_join(&self->joins[self->i], cx));
	POLLRT_END();
}

static void await_joins(struct pollrt_runtime *rt, struct pollrt_join *handles, unsigned int count)
{
	pollrt_block_on(rt, joins, &(struct joins){.joins = handles, .count = count});
}

static struct pollrt_runtime *runtime_with(enum pollrt_flavour flavour, unsigned int limit,
					   uint64_t keepalive_ns)
{
	struct pollrt_config config = {
		.flavour = flavour, .blocking_limit = limit, .blocking_keepalive_ns = keepalive_ns};
	struct pollrt_runtime *rt;

	assert_int_equal(pollrt_runtime_create(&rt, &config), 0);
	return rt;
}

static struct pollrt_runtime *runtime_of(unsigned int limit, uint64_t keepalive_ns)
{
	return runtime_with(POLLRT_CURRENT_THREAD, limit, keepalive_ns);
}

static void a_job_returns_its_result(void **state)
{
	struct pollrt_runtime *rt = runtime_of(1, 0);
	struct pool pool = {.go = true};
	struct pollrt_metrics m;
	struct pollrt_join join;

	(void)state;
	assert_int_equal(pollrt_spawn_blocking(rt, &join, work, .pool = &pool), 0);
	await_joins(rt, &join, 1);
	assert_int_equal(join.status, 0);
	assert_int_equal(((struct work *)pollrt_join_state(&join))->result, 42);
	pollrt_join_detach(&join);
	pollrt_metrics(rt, &m);
	assert_int_equal(m.blocking_jobs, 1);
	assert_int_equal(m.blocking_runs, 1);
	assert_int_equal(m.spawns, 0);
	helper_finish(rt);
}

static void the_pool_grows_to_its_limit_and_no_further(void **state)
{
	struct pollrt_runtime *rt = runtime_of(4, 0);
	struct pollrt_join handles[16];
	struct pool pool = {0};

	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(pollrt_spawn_blocking(rt, &handles[i], work, .pool = &pool), 0);
	while (pool.running < 4)
		usleep(100);
	await_threads(POOL, 4);
	pool.go = true;
	await_joins(rt, handles, 16);
	for (unsigned int i = 0; i < 16; i++)
		pollrt_join_detach(&handles[i]);
	assert_int_equal(pool.most, 4);
	assert_int_equal(pool.ran, 16);
	helper_finish(rt);
}

static void an_idle_thread_is_used_again(void **state)
{
	struct pollrt_runtime *rt = runtime_of(8, POLLRT_SEC(1000));
	struct pool pool = {.go = true};
	struct pollrt_metrics m;

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		struct pollrt_join join;

		pollrt_spawn_blocking(rt, &join, work, .pool = &pool);
		await_joins(rt, &join, 1);
		pollrt_join_detach(&join);
		/* A job has ended before its thread is idle. */
		do {
			usleep(10);
			pollrt_metrics(rt, &m);
		} while (!m.blocking_idle);
	}
	assert_int_equal(m.blocking_threads, 1);
	await_threads(POOL, 1);
	helper_finish(rt);
	await_threads(POOL, 0);
}

static void idle_threads_retire(void **state)
{
	struct pollrt_runtime *rt = runtime_of(4, POLLRT_MS(5));
	struct pollrt_join handles[4];
	struct pool pool = {0};

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		pool.go = false;
		for (unsigned int i = 0; i < 4; i++)
			pollrt_spawn_blocking(rt, &handles[i], work, .pool = &pool);
		while (pool.running < 4)
			usleep(100);
		pool.go = true;
		await_joins(rt, handles, 4);
		for (unsigned int i = 0; i < 4; i++)
			pollrt_join_detach(&handles[i]);
		await_threads(POOL, 0);
	}
	helper_finish(rt);
}

static void a_waiting_job_can_be_aborted_and_a_running_one_not(void **state)
{
	struct pollrt_runtime *rt = runtime_of(1, 0);
	struct pollrt_join handles[2];
	struct pool pool = {0};

	(void)state;
	for (unsigned int i = 0; i < 2; i++)
		pollrt_spawn_blocking(rt, &handles[i], work, .pool = &pool);
	while (pool.running < 1)
		usleep(100);
	for (unsigned int i = 0; i < 2; i++)
		pollrt_join_abort(&handles[i]);
	pool.go = true;
	await_joins(rt, handles, 2);
	assert_int_equal(handles[0].status, 0);
	assert_int_equal(handles[1].status, -ECANCELED);
	assert_int_equal(pool.ran, 1);
	for (unsigned int i = 0; i < 2; i++)
		pollrt_join_detach(&handles[i]);
	helper_finish(rt);
}

/* Lets jobs end once another has been dropped, which waited behind them. */
struct let_go {
	struct pool *pool;
	struct pollrt_join *last;
};

static void *let_go(void *argument)
{
	struct let_go *self = argument;
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);

	await_joins(rt, self->last, 1);
	self->pool->go = true;
	helper_finish(rt);
	return NULL;
}

/* Shuts down while as many of 5 jobs run as @rt has threads for. */
static void shut_down_with_jobs(struct pollrt_runtime *rt, unsigned int running)
{
	struct pollrt_join handles[5];
	struct pool pool = {0};
	struct let_go others = {.pool = &pool, .last = &handles[4]};
	pthread_t thread;

	for (unsigned int i = 0; i < 5; i++)
		pollrt_spawn_blocking(rt, &handles[i], work, .pool = &pool);
	while (pool.running < running)
		usleep(100);
	pthread_create(&thread, NULL, let_go, &others);
	pollrt_runtime_shutdown(rt);
	assert_int_equal(pool.ran, running);
	assert_int_equal(pool.most, running);
	pthread_join(thread, NULL);
	assert_int_equal(pollrt_spawn_blocking(rt, NULL, work, .pool = &pool), -ESHUTDOWN);
	for (unsigned int i = 0; i < 5; i++)
		pollrt_join_detach(&handles[i]);
	helper_finish(rt);
}

static void shutdown_waits_for_running_jobs_and_drops_the_others(void **state)
{
	(void)state;
	shut_down_with_jobs(runtime_of(2, 0), 2);
}

static void threads_of_workers_that_end_run_no_jobs(void **state)
{
	(void)state;
	shut_down_with_jobs(runtime_with(POLLRT_MULTI_THREAD, 1, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_returns_its_result),
		cmocka_unit_test(the_pool_grows_to_its_limit_and_no_further),
		cmocka_unit_test(an_idle_thread_is_used_again),
		cmocka_unit_test(idle_threads_retire),
		cmocka_unit_test(a_waiting_job_can_be_aborted_and_a_running_one_not),
		cmocka_unit_test(shutdown_waits_for_running_jobs_and_drops_the_others),
		cmocka_unit_test(threads_of_workers_that_end_run_no_jobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
