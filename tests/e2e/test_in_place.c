// SPDX-License-Identifier: MIT
/* Threads that hand their workers over in order to block, and get others. */
#include "report.h"

#define CALLS 200u
#define CALL_NS 4000000u

/* Large enough for all that is counted here: losing some for want of CPU time is not the matter. */
#define ROOMY "--buffer 64M -F 0"

static void polls_stay_on_their_threads(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, ROOMY, "in_place 2 8 25", &truth);
	json_t *sleep = report_cause(report_type(report, "napper"), "clock_nanosleep");
	size_t threads = json_array_size(json_object_get(report, "workers"));

	assert_nothing_lost(report);
	assert_identities(report);
	assert_int_equal(report_number(truth, "handovers"), CALLS);
	assert_int_equal(report_sum(report, "polls"), report_number(truth, "polls"));
	assert_int_equal(report_sum(report, "wakes"), report_number(truth, "wakes"));
	assert_int_equal(report_sum_workers(report, "polls"),
			 report_number(truth, "polls") + report_number(truth, "block_on_polls"));
	assert_int_equal(report_number(json_object_get(report, "capture"), "workers"), 2);
	/* More threads than workers ran one, and no others than there were, one of them in block_on. */
	assert_true(threads > 2 + 1);
	assert_at_most(threads, 2 + report_number(truth, "threads") + 1, 0);
	/* One that expires before its thread is off the CPU is none. */
	assert_near(report_number(sleep, "count"), CALLS, CALLS / 10);
	assert_at_most(CALLS * CALL_NS, report_number(sleep, "total_ns"), CALLS * CALL_NS / 10);
}

static void a_thread_is_busy_with_a_worker_or_a_poll(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, ROOMY, "in_place 2 8 25", &truth);
	uint64_t busy_ns = report_sum_workers(report, "busy_ns");
	uint64_t known_ns = report_number(truth, "busy_ns") + report_number(truth, "called_ns");

	assert_identities(report);
	/* Waiting in the blocking pool, without a worker, is neither. */
	assert_at_most(report_number(report_type(report, "napper"), "polling_ns"), busy_ns, 0);
	assert_near(busy_ns, known_ns, known_ns / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(polls_stay_on_their_threads),
		e2e_test(a_thread_is_busy_with_a_worker_or_a_poll),
	};

	return cmocka_run_group_tests_name("in_place", tests, NULL, NULL);
}
