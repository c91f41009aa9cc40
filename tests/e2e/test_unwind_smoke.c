// SPDX-License-Identifier: MIT
/* Stacks without frame pointers, in little: what also runs on other kernels. */
#include <string.h>

#include "report.h"
#include "stacks.h"
#include "tokio.h"

static void a_chain_is_whole(void **state)
{
	static const struct chain_expected expected = {"walker;", 100, "leaf_nanosleep;",
						       "[blocked: clock_nanosleep]"};

	assert_chains_waited(e2e_of(state), "chains-static nanosleep 100 20", 20, &expected);
}

static void a_handler_is_passed(void **state)
{
	static const struct chain_expected expected = {"walker;", 12, "leaf_handler;",
						       "[blocked: clock_nanosleep]"};

	assert_chains_waited(e2e_of(state), "chains-static handler 12 20", 20, &expected);
}

static void samples_are_whole(void **state)
{
	static const struct chain_expected expected = {"walker;", 40, "leaf_spin", "leaf_spin"};
	struct e2e *e = e2e_of(state);
	const char *path = stacks_record(e, "-F 999", "chains-static spin 40 5");

	assert_at_most(
		10000, /* ten samples: emulated processors are slow */
		assert_chains(e, stacks_flame(e, "--kind oncpu --type walker", path), &expected),
		0);
}

static void return_probes_are_passed(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = stacks_record(e, "-F 0", tokio_command(e, "static-pie", "mix 2"));
	json_t *unwind = json_object_get(stacks_capture(e, path), "unwind");

	assert_at_most(20, report_number(unwind, "stacks"), 0);
	assert_at_most(report_number(unwind, "stacks") * 9, report_number(unwind, "complete") * 10,
		       0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(a_chain_is_whole),
		e2e_test(a_handler_is_passed),
		e2e_test(samples_are_whole),
		e2e_test(return_probes_are_passed),
	};

	return cmocka_run_group_tests_name("unwind_smoke", tests, NULL, NULL);
}
