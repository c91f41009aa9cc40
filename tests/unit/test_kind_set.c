// SPDX-License-Identifier: MIT
// links: attach util
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attach/kind_set.h"

static void each_kind_is_kept_once(void **state)
{
	struct kind_set *set = kind_set_new();

	(void)state;
	assert_non_null(set);
	assert_int_equal(kind_set_count(set), 0);
	/* More than the cache and the first table hold, in an order that misses both. */
	for (int round = 0; round < 3; round++)
		for (uint64_t i = 0; i < 5000; i++)
			assert_int_equal(kind_set_add(set, i % 3, 0x7f0000001000 + i / 3 * 88), 0);
	assert_int_equal(kind_set_count(set), 5000);
	for (uint64_t i = 0; i < 5000; i++) {
		struct kind_ref ref = kind_set_at(set, i);

		assert_int_equal(ref.source, i % 3);
		assert_int_equal(ref.kind, 0x7f0000001000 + i / 3 * 88);
	}
	kind_set_free(set);
}

static void no_kind_is_none(void **state)
{
	struct kind_set *set = kind_set_new();

	(void)state;
	kind_set_add(set, 0, 0);
	kind_set_add(set, 1, 0);
	assert_int_equal(kind_set_count(set), 0);
	kind_set_free(set);
	kind_set_free(NULL);
}

static void target_that_makes_kinds_up_fills_no_memory(void **state)
{
	struct kind_set *set = kind_set_new();
	size_t before;

	(void)state;
	for (uint64_t kind = 1; kind < 1 << 18; kind++)
		assert_int_equal(kind_set_add(set, 0, kind), 0);
	before = kind_set_count(set);
	for (uint64_t kind = 1; kind < 1 << 19; kind++)
		assert_int_equal(kind_set_add(set, 1, kind), 0);
	assert_int_equal(kind_set_count(set), before);
	kind_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_kept_once),
		cmocka_unit_test(no_kind_is_none),
		cmocka_unit_test(target_that_makes_kinds_up_fills_no_memory),
	};

	return cmocka_run_group_tests_name("kind_set", tests, NULL, NULL);
}
