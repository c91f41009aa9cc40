// SPDX-License-Identifier: MIT
// links: attach
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attach/sites.h"

static void rows_are_taken_in_a_row(void **state)
{
	struct sites sites = {0};

	(void)state;
	assert_int_equal(sites_take(&sites, 0, 10), 0);
	assert_int_equal(sites_take(&sites, 1, 5), 10);
	assert_int_equal(sites_take(&sites, 2, 0), 0);
	assert_int_equal(sites_take(&sites, 2, PROBE_SITES - 14), -ENOSPC);
	assert_int_equal(sites_take(&sites, 2, SIZE_MAX), -ENOSPC);
	assert_int_equal(sites_take(&sites, 2, PROBE_SITES - 15), 15);
	assert_int_equal(sites_take(&sites, 3, 1), -ENOSPC);
}

static void rows_that_are_given_back_are_used_again(void **state)
{
	struct sites sites = {0};

	(void)state;
	sites_take(&sites, 0, 10);
	sites_take(&sites, 1, 20);
	sites_take(&sites, 2, 5);
	sites_give_back(&sites, 1);
	assert_int_equal(sites_take(&sites, 3, 21), 35);
	assert_int_equal(sites_take(&sites, 4, 20), 10);
	for (uint16_t source = 5; source < 5000; source++) {
		assert_int_equal(sites_take(&sites, source, 4000), 56);
		sites_give_back(&sites, source);
	}
}

static void equal_sites_share_a_row(void **state)
{
	static struct probe_point points[5000];
	static uint32_t row[5000];

	(void)state;
	/* Another offset is another point, not another site. */
	for (size_t i = 0; i < 5000; i++) {
		points[i].offset = i;
		points[i].site.header.id = i % 30;
	}
	assert_int_equal(sites_number(points, 5000, row), 30);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(row[i], i % 30);
	/* Many that differ are not searched to the first: it costs rows, not sense. */
	for (size_t i = 0; i < 5000; i++)
		points[i].site.header.id = i % 4000;
	assert_int_equal(sites_number(points, 5000, row), 5000);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(row[i], i);
	assert_int_equal(sites_number(points, 0, row), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_sites_share_a_row),
		cmocka_unit_test(rows_are_taken_in_a_row),
		cmocka_unit_test(rows_that_are_given_back_are_used_again),
	};

	return cmocka_run_group_tests_name("sites", tests, NULL, NULL);
}
