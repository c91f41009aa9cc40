// SPDX-License-Identifier: MIT
/*
 * The short test that other kernels are tried with, on emulated CPUs: nothing is asserted of times.
 */
#include "report.h"

static void counts_are_exact(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth,
		*report = report_of_launch(e, "-F 0 --buffer 16M", "counts yield 2 10 500", &truth);

	assert_nothing_lost(report);
	assert_identities(report);
	assert_int_equal(report_sum(report, "polls"), report_number(truth, "polls"));
	assert_int_equal(report_sum(report, "wakes"), report_number(truth, "wakes"));
	assert_int_equal(report_sum(report, "tasks"), report_number(truth, "spawns"));
	assert_int_equal(report_sum(report, "alive"), 0);
	assert_int_equal(report_sum_block_on(report, "polls"),
			 report_number(truth, "block_on_polls"));
}

static void blocking_call_is_named(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, "--buffer 16M", "causes nanosleep 20", &truth);
	json_t *cause = report_cause(report_type(report, "blocker"), "clock_nanosleep");

	assert_identities(report);
	assert_string_equal(report_string(cause, "kind"), "syscall");
	assert_in_range(report_number(cause, "count"), 15, 20);
	assert_true(report_number(cause, "total_ns") > 0);
}

static void lock_and_pipe_are_told_apart(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report;

	report = report_of_launch(e, "-F 0 --buffer 16M", "causes lock 5", &truth);
	assert_string_equal(
		report_string(report_cause(report_type(report, "blocker"), "futex"), "kind"),
		"futex");
	report = report_of_launch(e, "-F 0 --buffer 16M", "causes pipe 5", &truth);
	assert_string_equal(
		report_string(report_cause(report_type(report, "blocker"), "read"), "kind"),
		"syscall");
}

static void recording_is_read_back(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "data");
	struct process *tracer = tracer_launch(e, "record --sample 1 -F 0 --buffer 16M -o %s -- %s",
					       path, e2e_target(e, "counts relay 2 5 50"));
	json_t *truth, *report;

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	truth = target_truth(tracer);
	tracer_expect(tracer, 0);
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_identities(report);
	assert_int_equal(report_sum(report, "polls"), report_number(truth, "polls"));
	tracer_expect(tracer_run(e, "info %s", path), 0);
	tracer_expect(tracer_run(e, "flame %s", path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(counts_are_exact),
		e2e_test(blocking_call_is_named),
		e2e_test(lock_and_pipe_are_told_apart),
		e2e_test(recording_is_read_back),
	};

	return cmocka_run_group_tests_name("smoke", tests, NULL, NULL);
}
