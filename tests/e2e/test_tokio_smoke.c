// SPDX-License-Identifier: MIT
/*
 * An unmodified Tokio, short enough for other kernels on emulated CPUs: nothing is asserted of times.
 */
#include <inttypes.h>
#include <stdio.h>

#include "report.h"
#include "tokio.h"

/* The build brings all its libraries along. */
static const char *mix(struct e2e *e, const char *arguments)
{
	return e2e_text(e, "%s %s", tokio_command(e, "static-pie", "mix"), arguments);
}

static void counts_are_exact(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, "--sample 1 -F 0 --buffer 16M --tasks 100000",
						  mix(e, "3"), &truth);
	uint64_t polls = report_sum(report, "polls");

	assert_nothing_lost(report);
	assert_tokio_counts(report, truth, TOKIO_LOCATED);
	print_message("probes took %" PRIu64 " ns for each of %" PRIu64 " polls, wakes included\n",
		      report_number(json_object_get(report, "capture"), "probe_overhead_ns") /
			      polls,
		      polls);
}

static void sampled_polls_are_counted_exactly(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report;

	report = report_of_launch(e, "--sample 4 -F 0 --buffer 16M", mix(e, "3"), &truth);
	assert_nothing_lost(report);
	assert_int_equal(report_sum(report, "polls"), tokio_sum(truth, "polls"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(counts_are_exact),
		e2e_test(sampled_polls_are_counted_exactly),
	};

	return cmocka_run_group_tests_name("tokio smoke", tests, NULL, NULL);
}
