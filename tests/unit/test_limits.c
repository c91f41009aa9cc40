// SPDX-License-Identifier: MIT
// links: symbolize core util
/* What targets may fill without end is kept to a limit, and what is beyond it is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/stacks.h"
#include "symbolize/addresses.h"

#define STEP 100

static void stacks_beyond_the_limit_have_no_number(void **state)
{
	struct stacks stacks = {0};
	uint32_t number;

	(void)state;
	for (uint64_t i = 0; i < STACKS_MAX; i++) {
		struct event_stack stack = {.nuser = 1, .frames = &i};

		assert_int_equal(stacks_intern(&stacks, 1, &stack, &number), 0);
		assert_int_equal(number, i);
	}
	for (uint64_t i = STACKS_MAX - 1; i <= STACKS_MAX; i++) {
		struct event_stack stack = {.nuser = 1, .frames = &i};

		assert_int_equal(stacks_intern(&stacks, 1, &stack, &number), 0);
		assert_int_equal(number, i < STACKS_MAX ? i : MODEL_NO_STACK);
	}
	stacks_clear(&stacks);
}

static void addresses_beyond_the_limit_are_counted(void **state)
{
	struct addresses *addresses = addresses_new();
	uint64_t frames[STEP], next = 1;
	struct event_stack stack = {.nuser = STEP, .frames = frames};

	(void)state;
	while (!addresses_left_out(addresses)) {
		for (size_t i = 0; i < STEP; i++)
			frames[i] = next++;
		assert_int_equal(addresses_add(addresses, 1, &stack), 0);
	}
	assert_int_equal(addresses_count(addresses) + addresses_left_out(addresses), next - 1);
	/* Those that are known still are. */
	for (size_t i = 0; i < STEP; i++)
		frames[i] = i + 1;
	assert_int_equal(addresses_add(addresses, 1, &stack), 0);
	assert_int_equal(addresses_count(addresses) + addresses_left_out(addresses), next - 1);
	addresses_free(addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_beyond_the_limit_have_no_number),
		cmocka_unit_test(addresses_beyond_the_limit_are_counted),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
