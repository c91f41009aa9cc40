// SPDX-License-Identifier: MIT
// links: attach util
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attach/governor.h"
#include "util/clock.h"

#define MS NSEC_PER_MSEC

/* A target that polls, which costs 1,000 ns each, or 400 if left out; and then works for a while. */
struct target {
	struct governor governor;
	struct governor_reading now;
	char why[320];
};

static void begin(struct target *t, uint32_t max_percent)
{
	memset(t, 0, sizeof(*t));
	t->now.time = 77 * NSEC_PER_SEC;
	governor_start(&t->governor, max_percent, &t->now);
}

/* Lets `ms` pass in which it polls, and uses cpu_ms, the probes' time included; decides. */
static uint32_t pass(struct target *t, uint64_t ms, uint64_t polls, uint64_t cpu_ms)
{
	t->now.time += ms * MS;
	t->now.cpu_ns += cpu_ms * MS;
	t->now.polls += polls;
	t->now.polls_ns += polls * 1000;
	t->now.skips_ns += polls * 400;
	return governor_decide(&t->governor, &t->now, t->why, sizeof(t->why));
}

static void what_is_cheap_stays_exact(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 10);
	for (int i = 0; i < 100; i++)
		assert_int_equal(pass(&t, 500, 50000, 500), 0);
	assert_string_equal(t.why, "");
}

static void what_is_dear_is_sampled_and_it_is_said_once(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 10);
	/* 60 of 500 ms. One in four: 33 of 473. */
	assert_int_equal(pass(&t, 500, 60000, 500), 4);
	assert_non_null(strstr(t.why, "takes 12%"));
	assert_non_null(strstr(t.why, "limit 10%, --max-overhead"));
	assert_non_null(strstr(t.why, "which takes about 7%, and"));
	assert_non_null(strstr(t.why, "120k polls/s"));
	assert_non_null(strstr(t.why, "one poll in 4"));
	assert_non_null(strstr(t.why, "--sample 1"));
	assert_null(strchr(t.why, '\n'));
	assert_false(governor_due(&t.governor, t.now.time + NSEC_PER_SEC));
	assert_int_equal(pass(&t, 500, 60000, 500), 0);
}

static void smallest_that_is_enough_is_taken(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 10);
	/* 90 of 500 ms. One in 4: 49.5 of 459.5; in 8: 42.75 of 452.75. */
	assert_int_equal(pass(&t, 500, 90000, 500), 8);
	begin(&t, 10);
	/* Nothing is enough: left out, the polls alone take 40 of 140. */
	assert_int_equal(pass(&t, 500, 100000, 200), 64);
	assert_non_null(strstr(t.why, "which still takes about 29%, for each poll hits"));
	assert_non_null(strstr(t.why, "(--sample 1 for exact ones)"));
}

static void wakes_cost_nothing_once_sampled(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 10);
	t.now.wakes_ns = 200 * MS;
	assert_int_equal(pass(&t, 500, 1000, 500), 4);
	begin(&t, 10);
	t.now.others_ns = 200 * MS;
	assert_int_equal(pass(&t, 500, 1000, 500), 64);
}

static void more_than_there_is_is_all(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 10);
	assert_int_equal(pass(&t, 500, 400000, 300), 64);
	assert_non_null(strstr(t.why, "100%"));
}

static void target_that_does_little_is_watched_for_longer(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 10);
	for (int i = 0; i < 9; i++)
		assert_int_equal(pass(&t, 500, 5000, 10), 0);
	assert_int_equal(pass(&t, 500, 5000, 10), 64);
	assert_non_null(strstr(t.why, "10000 polls/s"));
}

static void cost_that_is_next_to_nothing_hurts_nobody(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 10);
	/* 4.5 of 10 ms CPU time in half a second. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(pass(&t, 500, 4500, 10), 0);
}

static void window_begins_anew(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 10);
	/* A long time of little does not hide what comes then. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(pass(&t, 500, 1000, 500), 0);
	assert_int_equal(pass(&t, 500, 60000, 500), 4);
}

static void looks_only_now_and_then(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 10);
	assert_false(governor_due(&t.governor, t.now.time + 499 * MS));
	assert_true(governor_due(&t.governor, t.now.time + 500 * MS));
	assert_int_equal(pass(&t, 500, 10, 10), 0);
	assert_false(governor_due(&t.governor, t.now.time + 499 * MS));
	assert_true(governor_due(&t.governor, t.now.time + 500 * MS));
}

static void without_a_limit_nothing_is_sampled(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 0);
	assert_false(governor_due(&t.governor, t.now.time + 9 * NSEC_PER_SEC));
	assert_int_equal(pass(&t, 500, 400000, 400), 0);
}

static void nothing_at_all_is_no_load(void **state)
{
	struct target t;

	(void)state;
	begin(&t, 1);
	assert_int_equal(pass(&t, 500, 0, 0), 0);
	assert_int_equal(pass(&t, 500, 0, 500), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_cheap_stays_exact),
		cmocka_unit_test(what_is_dear_is_sampled_and_it_is_said_once),
		cmocka_unit_test(smallest_that_is_enough_is_taken),
		cmocka_unit_test(wakes_cost_nothing_once_sampled),
		cmocka_unit_test(more_than_there_is_is_all),
		cmocka_unit_test(target_that_does_little_is_watched_for_longer),
		cmocka_unit_test(cost_that_is_next_to_nothing_hurts_nobody),
		cmocka_unit_test(window_begins_anew),
		cmocka_unit_test(looks_only_now_and_then),
		cmocka_unit_test(without_a_limit_nothing_is_sampled),
		cmocka_unit_test(nothing_at_all_is_no_load),
	};

	return cmocka_run_group_tests_name("governor", tests, NULL, NULL);
}
