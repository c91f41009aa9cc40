// SPDX-License-Identifier: MIT
// links: core util
/* What sampled gaps stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/model.h"
#include "core/strata.h"
#include "core/weights.h"
#include "util/clock.h"

struct second {
	struct strata strata;
	struct stratum stratum;
	struct weight weight;
};

static uint32_t begin_at(struct second *s, uint64_t time, uint32_t stack)
{
	uint32_t gap;

	assert_int_equal(strata_begin(&s->strata, &s->stratum, time, stack, &gap), 0);
	return gap;
}

static uint32_t begin(struct second *s, uint64_t second, uint32_t stack)
{
	return begin_at(s, second * NSEC_PER_SEC, stack);
}

static void pass_over(struct second *s, uint64_t second, unsigned int n)
{
	while (n--)
		assert_int_equal(begin(s, second, MODEL_NO_STACK), 0);
}

/* A sample that lasts `ns`, until then. */
static void sample(struct second *s, uint64_t second, uint64_t ns)
{
	uint32_t gap = begin(s, second, 7);

	assert_true(gap > 0);
	strata_end(&s->strata, gap, &s->weight, ns, ns);
}

static void check(struct second *s, double whole_ns, double squares, double sampled_squares)
{
	stratum_close(&s->strata, &s->stratum);
	assert_float_equal(s->weight.whole_ns, whole_ns, 1e-6);
	assert_float_equal(s->weight.squares, squares, 1e-6);
	assert_float_equal(s->weight.sampled_squares, sampled_squares, 1e-6);
	strata_clear(&s->strata);
}

static void gaps_stand_for_those_of_their_second(void **state)
{
	struct second s = {0};

	(void)state;
	sample(&s, 1, 10);
	pass_over(&s, 1, 3);
	sample(&s, 1, 20);
	pass_over(&s, 1, 1);
	/* Each for three; a quiet second's for itself. */
	sample(&s, 2, 100);
	assert_int_equal(s.weight.ns, 130);
	assert_int_equal(s.weight.count, 3);
	check(&s, 3 * 30 + 100, 9 * (100 + 400) + 10000, 3 * (100 + 400) + 10000);
}

static void gap_may_outlast_its_second(void **state)
{
	struct second s = {0};
	uint32_t gap = begin(&s, 1, 7);

	(void)state;
	pass_over(&s, 1, 1);
	pass_over(&s, 2, 500);
	assert_int_equal(s.strata.gaps[gap].stack, 7);
	strata_end(&s.strata, gap, &s.weight, 40, 50);
	check(&s, 2 * 40, 4 * 1600, 2 * 1600);
}

static void what_comes_late_counts_as_of_now(void **state)
{
	struct second s = {0};

	(void)state;
	sample(&s, 5, 10);
	pass_over(&s, 4, 1);
	check(&s, 20, 400, 200);
}

static void seconds_without_a_sample_are_like_the_next(void **state)
{
	struct second s = {0};

	(void)state;
	pass_over(&s, 1, 4);
	pass_over(&s, 3, 4);
	sample(&s, 4, 10);
	pass_over(&s, 4, 3);
	/* 4, and two others of 4. */
	sample(&s, 5, 100);
	check(&s, 12 * 10 + 100, 144 * 100 + 10000, 12 * 100 + 10000);
}

/* A slot of `n`, one of them a sample of 1 ns where that is asked for. */
static void slot(struct second *s, uint64_t number, unsigned int n, bool sampled)
{
	uint64_t time = number * STRATA_SLOT_NS;

	while (--n)
		begin_at(s, time, MODEL_NO_STACK);
	if (sampled)
		strata_end(&s->strata, begin_at(s, time, 7), &s->weight, 1, 1);
	else
		begin_at(s, time, MODEL_NO_STACK);
}

/* Also the slots in which none was sampled, and those without a gap. */
static void second_of_one_load_is_one_stratum(void **state)
{
	static const unsigned int gaps[] = {5, 4, 7, 6, 4};
	struct second s = {0};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		slot(&s, i, gaps[i], i == 2);
	slot(&s, 6, 3, false);
	check(&s, 29, 29 * 29, 29);
}

static void load_that_changes_ends_a_stratum(void **state)
{
	struct second s = {0};

	(void)state;
	for (uint64_t i = 0; i < 4; i++)
		slot(&s, i, 10, i < 2);
	for (uint64_t i = 4; i < 8; i++)
		slot(&s, i, 500, i == 4);
	slot(&s, 8, 10, true);
	check(&s, 40 + 2000 + 10, 2 * 400 + 4000000 + 100, 40 + 2000 + 10);
}

/* As where the probe is on for a part of a second only. */
static void pause_ends_a_stratum(void **state)
{
	struct second s = {0};

	(void)state;
	slot(&s, 0, 100, true);
	slot(&s, 3, 100, false);
	slot(&s, 4, 100, true);
	check(&s, 300, 10000 + 40000, 300);
}

/* Nor the other way round. */
static void few_gaps_do_not_stand_for_a_flood(void **state)
{
	struct second s = {0};

	(void)state;
	pass_over(&s, 1, 1000);
	pass_over(&s, 2, 1000);
	sample(&s, 3, 10);
	pass_over(&s, 3, 1);
	pass_over(&s, 4, 1000);
	sample(&s, 5, 10);
	check(&s, 2 * 10 + 10, 4 * 100 + 100, 2 * 100 + 100);
}

static void seconds_without_a_sample_may_be_like_the_last(void **state)
{
	struct second s = {0};

	(void)state;
	sample(&s, 1, 1);
	pass_over(&s, 1, 999);
	pass_over(&s, 2, 600);
	pass_over(&s, 3, 1400);
	sample(&s, 4, 10);
	pass_over(&s, 5, 3);
	check(&s, 3000 + 4 * 10, 9e6 + 16 * 100, 3000 + 4 * 100);
}

static void gaps_are_taken_back_before_and_after_their_second(void **state)
{
	struct second s = {0};

	(void)state;
	sample(&s, 1, 10);
	sample(&s, 1, 30);
	pass_over(&s, 1, 2);
	sample(&s, 2, 20);
	sample(&s, 2, 40);
	pass_over(&s, 2, 2);
	strata_take_back(&s.strata, 25);
	assert_int_equal(s.weight.count, 2);
	assert_int_equal(s.weight.ns, 30);
	strata_take_back(&s.strata, 0);
	assert_int_equal(s.weight.count, 2);
	check(&s, 2 * 10 + 2 * 20, 4 * 500, 2 * 500);
}

static void gap_that_is_not_certain_counts_nothing(void **state)
{
	struct second s = {0};

	(void)state;
	sample(&s, 1, 10);
	strata_end(&s.strata, begin(&s, 1, 7), NULL, 1000, 1000);
	assert_int_equal(s.weight.count, 1);
	check(&s, 10, 100, 100);
}

/* However long it goes on, in one second or in many. */
static void memory_is_bounded(void **state)
{
	struct second s = {0};

	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		sample(&s, i < 50000 ? 1 : i / 10, 1);
		pass_over(&s, i < 50000 ? 1 : i / 10, 1);
		assert_true(s.strata.count <= 3 * STRATUM_MOST + STRATA_RECENT + 2);
	}
	stratum_close(&s.strata, &s.stratum);
	/* Where one is over early, what follows its last sample is the next one's. */
	assert_float_equal(s.weight.whole_ns, 2 * 100000, 50000.0 / STRATUM_MOST);
	assert_int_equal(s.weight.ns, 100000);
	strata_clear(&s.strata);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps_stand_for_those_of_their_second),
		cmocka_unit_test(gap_may_outlast_its_second),
		cmocka_unit_test(what_comes_late_counts_as_of_now),
		cmocka_unit_test(seconds_without_a_sample_are_like_the_next),
		cmocka_unit_test(seconds_without_a_sample_may_be_like_the_last),
		cmocka_unit_test(second_of_one_load_is_one_stratum),
		cmocka_unit_test(load_that_changes_ends_a_stratum),
		cmocka_unit_test(pause_ends_a_stratum),
		cmocka_unit_test(few_gaps_do_not_stand_for_a_flood),
		cmocka_unit_test(gaps_are_taken_back_before_and_after_their_second),
		cmocka_unit_test(gap_that_is_not_certain_counts_nothing),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
