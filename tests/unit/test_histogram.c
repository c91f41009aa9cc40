// SPDX-License-Identifier: MIT
// links: core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/histogram.h"

static void empty_one_has_percentiles_of_zero(void **state)
{
	struct histogram histogram = {0};
	struct model_percentiles summary = histogram_summary(&histogram);

	(void)state;
	assert_int_equal(summary.p50, 0);
	assert_int_equal(summary.max, 0);
}

static void small_values_are_exact(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	for (uint64_t value = 1; value <= 60; value++)
		assert_int_equal(histogram_add(&histogram, value), 0);
	for (unsigned int percent = 5; percent <= 100; percent += 5)
		assert_int_equal(histogram_percentile(&histogram, percent), percent * 60 / 100);
	assert_int_equal(histogram_percentile(&histogram, 0), 1);
	assert_int_equal(histogram_percentile(&histogram, 51), 31); /* ceil(30.6) */
	histogram_clear(&histogram);
}

static void single_value_is_every_percentile(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	assert_int_equal(histogram_add(&histogram, UINT64_MAX), 0);
	assert_int_equal(histogram_percentile(&histogram, 1), UINT64_MAX);
	assert_int_equal(histogram_percentile(&histogram, 100), UINT64_MAX);
	histogram_clear(&histogram);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void error_is_at_most_one_percent_of_the_nearest_rank(void **state)
{
	static uint64_t values[10007];
	struct histogram histogram = {0};
	const size_t count = sizeof(values) / sizeof(*values);
	uint64_t seed = 7;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		values[i] = next_random(&seed) >> (next_random(&seed) % 64);
		assert_int_equal(histogram_add(&histogram, values[i]), 0);
	}
	qsort(values, count, sizeof(*values), compare);
	for (unsigned int percent = 1; percent <= 100; percent++) {
		uint64_t exact = values[(count * percent + 99) / 100 - 1];
		uint64_t value = histogram_percentile(&histogram, percent);
		uint64_t error = value > exact ? value - exact : exact - value;

		assert_true(error <= exact / 100);
	}
	assert_int_equal(histogram_summary(&histogram).max, values[count - 1]);
	histogram_clear(&histogram);
}

static void merging_is_adding_all(void **state)
{
	struct histogram all = {0}, parts[2] = {0}, merged = {0};
	uint64_t seed = 9;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t value = next_random(&seed) >> (i % 50);

		assert_int_equal(histogram_add(&all, value), 0);
		assert_int_equal(histogram_add(&parts[i % 2], value), 0);
	}
	assert_int_equal(histogram_merge(&merged, &parts[0]), 0);
	assert_int_equal(histogram_merge(&merged, &parts[1]), 0);
	assert_int_equal(merged.count, 1000);
	for (unsigned int percent = 0; percent <= 100; percent++)
		assert_int_equal(histogram_percentile(&merged, percent),
				 histogram_percentile(&all, percent));
	histogram_clear(&all);
	histogram_clear(&parts[0]);
	histogram_clear(&parts[1]);
	histogram_clear(&merged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_one_has_percentiles_of_zero),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(single_value_is_every_percentile),
		cmocka_unit_test(error_is_at_most_one_percent_of_the_nearest_rank),
		cmocka_unit_test(merging_is_adding_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
