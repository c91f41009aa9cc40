// SPDX-License-Identifier: MIT
// links: core
/* The containers: ids, top lists, and time that was alive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/alive.h"
#include "core/id_table.h"
#include "core/top.h"

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void ids_come_and_go_like_in_an_array(void **state)
{
	static void *truth[3000];
	struct id_table table = {0};
	uint64_t seed = 3;
	size_t used = 0;

	(void)state;
	assert_null(id_table_find(&table, 5));
	id_table_remove(&table, 5);
	for (int i = 0; i < 200000; i++) {
		uint64_t id = next_random(&seed) % 3000;

		assert_ptr_equal(id_table_find(&table, id), truth[id]);
		if (truth[id]) {
			id_table_remove(&table, id);
			truth[id] = NULL;
			used--;
		} else if (used < 1000) {
			truth[id] = &truth[id];
			assert_int_equal(id_table_add(&table, id, truth[id]), 0);
			used++;
		}
		assert_int_equal(table.used, used);
	}
	for (uint64_t id = 0; id < 3000; id++)
		assert_ptr_equal(id_table_find(&table, id), truth[id]);
	id_table_clear(&table);
}

static int greater(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x > y ? -1 : x < y;
}

static void top_keeps_the_best_in_order(void **state)
{
	struct top top = {.limit = 10, .size = sizeof(int), .compare = greater};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int value = i * 7919 % 1000;

		assert_int_equal(top_offer(&top, &value), 0);
	}
	top_sort(&top);
	assert_int_equal(top.count, 10);
	for (int i = 0; i < 10; i++)
		assert_int_equal(((int *)top.items)[i], 999 - i);
	free(top.items);
}

static void top_of_none_keeps_none(void **state)
{
	struct top top = {.limit = 0, .size = sizeof(int), .compare = greater};
	int value = 1;

	(void)state;
	assert_false(top_takes(&top, &value));
	assert_int_equal(top_offer(&top, &value), 0);
	top_sort(&top);
	assert_int_equal(top.count, 0);
}

#define MS UINT64_C(1000000)

static void stretch_holds_the_time_of_those_alive_in_it(void **state)
{
	struct alive *alive = calloc(1, sizeof(*alive));

	(void)state;
	assert_non_null(alive);
	alive_born(alive, 10 * MS, 10 * MS);
	alive_born(alive, 5 * MS, 20 * MS); /* found at 20 to be older */
	alive_died(alive, 30 * MS);
	/* [10, 20]: two; [20, 30]: two; [30, 40]: one */
	assert_int_equal(alive_uncertain(alive, 15 * MS, 40 * MS), (10 + 20 + 10) * MS);
	assert_int_equal(alive_uncertain(alive, 15 * MS, 40 * MS), 0);
	assert_int_equal(alive_uncertain(alive, 35 * MS, 50 * MS), 10 * MS);
	free(alive);
}

static void long_past_is_taken_as_the_oldest_that_is_remembered(void **state)
{
	struct alive *alive = calloc(1, sizeof(*alive));

	(void)state;
	assert_non_null(alive);
	alive_born(alive, 0, 0);
	for (uint64_t i = 1; i < 3 * ALIVE_MARKS; i++) {
		alive_born(alive, i * MS, i * MS);
		alive_died(alive, i * MS);
	}
	assert_int_equal(alive_uncertain(alive, 0, 3 * ALIVE_MARKS * MS), 3 * ALIVE_MARKS * MS);
	free(alive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_come_and_go_like_in_an_array),
		cmocka_unit_test(top_keeps_the_best_in_order),
		cmocka_unit_test(top_of_none_keeps_none),
		cmocka_unit_test(stretch_holds_the_time_of_those_alive_in_it),
		cmocka_unit_test(long_past_is_taken_as_the_oldest_that_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
