// SPDX-License-Identifier: MIT
/* What pollscope counts is what the runtime counts, to the last one. */
#include <string.h>

#include "report.h"

/* Large enough for all that is counted here: losing some for want of CPU time is not the matter. */
#define ROOMY "--buffer 256M -F 0 --tasks 100000 --sample 1"

static void assert_counts_equal(const json_t *report, const json_t *truth)
{
	const json_t *capture = json_object_get(report, "capture");
	uint64_t late = report_number(capture, "late");

	assert_nothing_lost(report);
	assert_identities(report);
	assert_int_equal(report_sum(report, "polls"), report_number(truth, "polls"));
	assert_int_equal(report_sum(report, "wakes"), report_number(truth, "wakes"));
	/* What a CPU that was taken away has told too late may seem to be of another poll. */
	assert_at_most(report_sum(report, "redundant_wakes"), late, 0);
	assert_at_most(report_number(capture, "unmatched_wakes"), late, 0);
	assert_int_equal(report_sum(report, "tasks"), report_number(truth, "spawns"));
	assert_int_equal(report_sum(report, "tasks") - report_sum(report, "alive"),
			 report_number(truth, "completions") +
				 report_number(truth, "cancellations"));
	assert_int_equal(report_sum_block_on(report, "tasks"), report_number(truth, "block_ons"));
	assert_int_equal(report_sum_block_on(report, "polls"),
			 report_number(truth, "block_on_polls"));
	assert_int_equal(report_sum_block_on(report, "wakes"),
			 report_number(truth, "block_on_wakes"));
}

static uint64_t tasks_in_state(const json_t *report, const char *state)
{
	uint64_t n = 0;
	json_t *task;
	size_t i;

	json_array_foreach (json_object_get(report, "tasks"), i, task)
		n += !strcmp(report_string(task, "state"), state) &&
		     report_string(task, "type")[0] != '[';
	return n;
}

static void million_polls_are_counted_exactly(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, ROOMY, "counts yield 2 100 11000", &truth);

	assert_true(report_number(truth, "polls") >= 1000000);
	assert_counts_equal(report, truth);
	assert_int_equal(report_number(report_type(report, "yielder"), "polls"), 1100000);
}

static void wakes_across_threads_are_counted_exactly(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, ROOMY, "counts relay 4 50 1000", &truth);

	assert_counts_equal(report, truth);
	assert_true(report_number(report_type(report, "runner"), "wakes") > 0);
}

static void aborted_tasks_are_cancelled_ones(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, ROOMY, "counts abort 2 400", &truth);

	assert_counts_equal(report, truth);
	assert_true(report_number(truth, "cancellations") > 0);
	assert_int_equal(tasks_in_state(report, "cancelled"),
			 report_number(truth, "cancellations"));
	assert_int_equal(tasks_in_state(report, "done"), report_number(truth, "completions"));
}

static void sixty_four_workers_are_all_seen(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, ROOMY, "counts yield 64 640 100", &truth);
	uint64_t polls = 0;
	json_t *worker;
	size_t i;

	assert_counts_equal(report, truth);
	assert_int_equal(report_number(json_object_get(report, "capture"), "workers"), 64);
	json_array_foreach (json_object_get(report, "workers"), i, worker)
		polls += report_number(worker, "polls");
	assert_int_equal(polls,
			 report_number(truth, "polls") + report_number(truth, "block_on_polls"));
}

static void threads_that_come_and_go_are_followed(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, ROOMY, "counts churn 4 20 100", &truth);

	assert_int_equal(report_number(truth, "block_ons"), 100);
	assert_counts_equal(report, truth);
}

static void nested_polls_belong_to_their_own_tasks(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, ROOMY, "counts nested 2 20 50", &truth);
	json_t *host = report_type(report, "host"),
	       *inner = report_type(report, "[block_on yielder]");

	assert_counts_equal(report, truth);
	assert_int_equal(report_number(inner, "tasks"), 20 * 50);
	assert_int_equal(report_number(inner, "polls"), 20 * 50 * 5);
	assert_int_equal(report_number(json_object_get(report, "capture"), "nested_polls"),
			 20 * 50 * 5);
	/* Inclusive: the inner polls are part of the outer ones. */
	assert_true(report_number(host, "polling_ns") >= report_number(inner, "polling_ns"));
}

static void jobs_of_the_blocking_pool_are_counted_exactly(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, ROOMY, "counts jobs 2 300", &truth);
	json_t *jobs = json_object_get(report, "blocking_jobs");

	assert_counts_equal(report, truth);
	assert_int_equal(json_array_size(jobs), 1);
	assert_int_equal(report_number(json_array_get(jobs, 0), "jobs"),
			 report_number(truth, "blocking_runs"));
}

static void what_ran_before_the_capture_is_not_counted(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "counts yield 2 10 500"), *tracer;
	json_t *truth, *report;

	target_tell(target, "go");
	target_truth(target);
	tracer = tracer_attach(e, "report --json " ROOMY " -p %d", process_pid(target));
	target_tell(target, "go");
	truth = target_truth(target);
	target_tell(target, "end");
	report = tracer_json(tracer);
	assert_counts_equal(report, truth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(million_polls_are_counted_exactly),
		e2e_test(wakes_across_threads_are_counted_exactly),
		e2e_test(aborted_tasks_are_cancelled_ones),
		e2e_test(sixty_four_workers_are_all_seen),
		e2e_test(threads_that_come_and_go_are_followed),
		e2e_test(nested_polls_belong_to_their_own_tasks),
		e2e_test(jobs_of_the_blocking_pool_are_counted_exactly),
		e2e_test(what_ran_before_the_capture_is_not_counted),
	};

	return cmocka_run_group_tests_name("counts", tests, NULL, NULL);
}
