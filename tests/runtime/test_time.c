// SPDX-License-Identifier: MIT
#include "helper.h"
#include "sched/runtime.h"

struct naps {
	struct pollrt_async async;
	uint64_t ns;
	uint64_t started_ns;
	uint64_t slept_ns;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(naps)
{
	POLLRT_BEGIN();
	self->started_ns = pollrt_now_ns();
	POLLRT_SLEEP(self->sleep, self->ns);
	self->slept_ns = pollrt_now_ns() - self->started_ns;
	POLLRT_END();
}

static void a_sleep_is_never_too_short(void **state)
{
	static const uint64_t durations[] = {
		0, 1, POLLRT_US(1), POLLRT_MS(1), POLLRT_US(1500), POLLRT_MS(70)};

	(void)state;
	for (unsigned int flavour = POLLRT_MULTI_THREAD; flavour <= POLLRT_CURRENT_THREAD;
	     flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 1);

		for (unsigned int i = 0; i < 6; i++) {
			struct naps future = {.ns = durations[i]};

			pollrt_block_on(rt, naps, &future);
			assert_true(future.slept_ns >= durations[i]);
		}
		helper_finish(rt);
	}
}

/* Who polls it in another's place would wait for ever, were it told that it is the one to be woken. */
static void a_sleep_that_is_over_is_not_taken_over(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct naps future = {.ns = POLLRT_MS(1)};

	(void)state;
	pollrt_block_on(rt, naps, &future);
	assert_false(driver_timer_retarget(&rt->driver, &future.sleep.timer, NULL));
	assert_non_null(future.sleep.timer.task);
	helper_finish(rt);
}

struct naps_all {
	struct pollrt_async async;
	struct pollrt_join *joins;
	unsigned int count;
	unsigned int i;
};

static POLLRT_ASYNC(naps_all)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->count; self->i++) {
		POLLRT_AWAIT(pollrt_join(&self->joins[self->i], cx));
		assert_int_equal(self->joins[self->i].status, 0);
	}
	POLLRT_END();
}

static void many_sleeps_all_end(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);
	struct pollrt_join joins[1000];

	(void)state;
	for (unsigned int i = 0; i < 1000; i++)
		pollrt_spawn(rt, &joins[i], naps, .ns = POLLRT_US(i * 137 % 100000));
	pollrt_block_on(rt, naps_all, &(struct naps_all){.joins = joins, .count = 1000});
	for (unsigned int i = 0; i < 1000; i++) {
		const struct naps *naps = pollrt_join_state(&joins[i]);

		assert_true(naps->slept_ns >= naps->ns);
		pollrt_join_detach(&joins[i]);
	}
	helper_finish(rt);
}

static void sleepers_can_be_aborted(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		struct pollrt_join join;

		/* Some before, some at, some after the abort. */
		pollrt_spawn(rt, &join, naps, .ns = POLLRT_US(i % 3 * 1000));
		if (i % 2)
			usleep(i % 7 * 100);
		pollrt_join_abort(&join);
		pollrt_join_detach(&join);
	}
	pollrt_spawn(rt, NULL, naps, .ns = POLLRT_SEC(100000));
	pollrt_spawn(rt, NULL, naps, .ns = UINT64_MAX);
	helper_finish(rt);
}

struct ticks {
	struct pollrt_async async;
	uint64_t started_ns;
	uint64_t took_ns;
	unsigned int i;
	struct pollrt_interval interval;
};

static POLLRT_ASYNC(ticks)
{
	POLLRT_BEGIN();
	self->started_ns = pollrt_now_ns();
	self->interval.period_ns = POLLRT_MS(2);
	for (self->i = 0; self->i < 10; self->i++)
		POLLRT_AWAIT(pollrt_interval_tick(&self->interval, cx));
	self->took_ns = pollrt_now_ns() - self->started_ns;
	POLLRT_END();
}

static void an_interval_ticks_at_once_and_then_each_period(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct ticks future = {0};

	(void)state;
	pollrt_block_on(rt, ticks, &future);
	assert_true(future.took_ns >= POLLRT_MS(18));
	helper_finish(rt);
}

struct never {
	struct pollrt_cleanup cleanup;
	unsigned int polls;
	unsigned int cleaned;
};

static void never_clean(struct pollrt_cleanup *cleanup)
{
	((struct never *)cleanup)->cleaned++;
}

static enum pollrt_poll never(struct never *self, struct pollrt_cx *cx)
{
	if (self->polls++ == 0)
		pollrt_defer(cx, &self->cleanup, never_clean);
	return POLLRT_PENDING;
}

struct times_out {
	struct pollrt_async async;
	struct never never;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(times_out)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), never(&self->never, cx));
	POLLRT_END();
}

static void a_timeout_ends_what_it_bounds(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct times_out future = {0};

	(void)state;
	pollrt_block_on(rt, times_out, &future);
	assert_int_equal(future.timeout.status, -ETIMEDOUT);
	assert_int_equal(future.never.cleaned, 1);
	helper_finish(rt);
}

struct in_time {
	struct pollrt_async async;
	struct naps naps;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(in_time)
{
	POLLRT_BEGIN();
	self->naps.ns = POLLRT_MS(1);
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_SEC(1000), naps(&self->naps, cx));
	POLLRT_END();
}

static void what_ends_in_time_is_not_timed_out(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct in_time future = {0};

	(void)state;
	pollrt_block_on(rt, in_time, &future);
	assert_int_equal(future.timeout.status, 0);
	assert_true(future.naps.slept_ns >= POLLRT_MS(1));
	helper_finish(rt);
}

/* Bounds never() by a long time. */
struct patient {
	struct pollrt_async async;
	struct never never;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(patient)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_SEC(1000), never(&self->never, cx));
	POLLRT_END();
}

struct impatient {
	struct pollrt_async async;
	struct patient patient;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(impatient)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), patient(&self->patient, cx));
	POLLRT_END();
}

static void an_outer_timeout_ends_an_inner_one(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct impatient future = {0};

	(void)state;
	pollrt_block_on(rt, impatient, &future);
	assert_int_equal(future.timeout.status, -ETIMEDOUT);
	assert_int_equal(future.patient.never.cleaned, 1);
	helper_finish(rt);
}

struct ticks_in_between {
	struct pollrt_async async;
	struct pollrt_interval interval;
	struct pollrt_timeout timeout;
	uint64_t start;
};

/* The second tick is given up, and awaited again. */
static POLLRT_ASYNC(ticks_in_between)
{
	POLLRT_BEGIN();
	self->start = pollrt_now_ns();
	self->interval.period_ns = POLLRT_MS(20);
	POLLRT_AWAIT(pollrt_interval_tick(&self->interval, cx));
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(1),
			     pollrt_interval_tick(&self->interval, cx));
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_SEC(10),
			     pollrt_interval_tick(&self->interval, cx));
	assert_int_equal(self->timeout.status, 0);
	assert_true(pollrt_now_ns() - self->start >= POLLRT_MS(20));
	POLLRT_END();
}

static void a_tick_that_was_given_up_can_be_awaited_again(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct ticks_in_between future = {0};

	(void)state;
	pollrt_block_on(rt, ticks_in_between, &future);
	helper_finish(rt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sleep_is_never_too_short),
		cmocka_unit_test(a_sleep_that_is_over_is_not_taken_over),
		cmocka_unit_test(many_sleeps_all_end),
		cmocka_unit_test(sleepers_can_be_aborted),
		cmocka_unit_test(an_interval_ticks_at_once_and_then_each_period),
		cmocka_unit_test(a_timeout_ends_what_it_bounds),
		cmocka_unit_test(what_ends_in_time_is_not_timed_out),
		cmocka_unit_test(an_outer_timeout_ends_an_inner_one),
		cmocka_unit_test(a_tick_that_was_given_up_can_be_awaited_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
