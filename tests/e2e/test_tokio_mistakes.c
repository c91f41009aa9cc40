// SPDX-License-Identifier: MIT
/* Five mistakes, each beside its fix (tests/tokio/src/bin/mistakes): what tells them apart in a report. */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "tokio.h"

#define EXACT "--sample 1 -F 0 --buffer 64M --tasks 100000"

struct side {
	json_t *report, *truth;
};

static struct side side_of(struct e2e *e, const char *mistake, const char *name)
{
	const char *command = tokio_command(e, "release", "mistakes");
	struct side side;

	side.report = report_of_launch(e, EXACT, e2e_text(e, "%s %s %s", command, mistake, name),
				       &side.truth);
	assert_tokio_counts(side.report, side.truth, TOKIO_NAMED);
	return side;
}

/* A number of one of the mistake's futures. */
static uint64_t number_of(const struct side *side, const char *future, const char *key)
{
	return report_number(report_type(side->report, future), key);
}

/* How long its tasks waited for a worker, at worst. */
static uint64_t longest_wait(const struct side *side, const char *future)
{
	json_t *waits = json_object_get(report_type(side->report, future), "scheduled_wait_ns");

	return report_number(waits, "max");
}

static uint64_t jobs_of(const struct side *side)
{
	json_t *job;
	uint64_t n = 0;
	size_t i;

	json_array_foreach (json_object_get(side->report, "blocking_jobs"), i, job)
		n += report_number(job, "jobs");
	return n;
}

static void blocking_call_makes_others_wait(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "blocking_call", "wrong");
	struct side fixed = side_of(e, "blocking_call", "fixed");
	const char *handles = "mistakes::blocking_call::handles";
	json_t *cause = report_cause(report_type(wrong.report, handles), "clock_nanosleep");

	/* Nearly all of what the polls do; and what is on the worker's queue waits as long. */
	assert_true(report_number(cause, "total_ns") * 10 >
		    (number_of(&wrong, handles, "polling_ns") -
		     number_of(&wrong, handles, "runqueue_ns")) *
			    8);
	assert_true(longest_wait(&wrong, "mistakes::blocking_call::beats") > 4000000);
	assert_null(report_find_cause(report_type(fixed.report, handles), "clock_nanosleep"));
	assert_true(number_of(&fixed, handles, "blocked_ns") * 10 <
		    number_of(&wrong, handles, "blocked_ns"));
	assert_int_equal(jobs_of(&wrong), 0);
	assert_int_equal(jobs_of(&fixed), number_of(&fixed, handles, "tasks") * 10);
}

/* A time of a future's tasks, in per cent of another. */
static uint64_t share(const struct side *side, const char *future, const char *key, const char *of)
{
	return number_of(side, future, key) * 100 / number_of(side, future, of);
}

static void too_many_threads_wait_for_cpus_inside_of_polls(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "thread_count", "wrong");
	struct side fixed = side_of(e, "thread_count", "fixed");
	const char *renders = "mistakes::thread_count::renders";

	assert_true(share(&wrong, renders, "runqueue_ns", "polling_ns") > 50);
	/* With as many threads as CPUs they wait for a worker instead. */
	assert_true(share(&fixed, renders, "runqueue_ns", "lifetime_ns") <
		    share(&wrong, renders, "runqueue_ns", "lifetime_ns"));
	assert_true(share(&fixed, renders, "scheduled_ns", "lifetime_ns") >
		    share(&wrong, renders, "scheduled_ns", "lifetime_ns"));
}

static void tiny_tasks_are_very_many_that_run_once(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "tiny_tasks", "wrong");
	struct side fixed = side_of(e, "tiny_tasks", "fixed");
	const char *sums = "mistakes::tiny_tasks::sums";

	assert_int_equal(number_of(&wrong, sums, "tasks"), 20000);
	assert_int_equal(number_of(&wrong, sums, "polls"), 20000);
	assert_int_equal(number_of(&fixed, sums, "tasks"), 8);
	/* All the work is done in less time. */
	assert_true(number_of(&fixed, sums, "polling_ns") * 2 <
		    number_of(&wrong, sums, "polling_ns"));
}

static void nested_block_on_sleeps_inside_of_polls(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "nested_block_on", "wrong");
	struct side fixed = side_of(e, "nested_block_on", "fixed");
	const char *handles = "mistakes::nested_block_on::handles";

	assert_int_equal(number_of(&wrong, handles, "polls"), number_of(&wrong, handles, "tasks"));
	assert_true(number_of(&wrong, handles, "blocked_ns") * 10 >
		    number_of(&wrong, handles, "lifetime_ns") * 5);
	assert_non_null(report_find_cause(report_type(wrong.report, handles), "futex"));
	assert_true(number_of(&fixed, handles, "idle_ns") * 10 >
		    number_of(&fixed, handles, "lifetime_ns") * 5);
	assert_true(number_of(&fixed, handles, "blocked_ns") * 10 <
		    number_of(&wrong, handles, "blocked_ns"));
}

static void unbounded_queue_never_holds_up_who_fills_it(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "unbounded_queue", "wrong");
	struct side fixed = side_of(e, "unbounded_queue", "fixed");
	const char *accepts = "mistakes::unbounded_queue::accepts";
	const char *forwards = "mistakes::unbounded_queue::forwards";

	/* Who fills it is over at once; who empties it waits, for its first answer. */
	assert_int_equal(number_of(&wrong, accepts, "polls"), 1);
	assert_true(number_of(&wrong, forwards, "polls") < 5);
	assert_true(number_of(&wrong, forwards, "idle_ns") * 10 >
		    number_of(&wrong, forwards, "lifetime_ns") * 9);
	assert_true(number_of(&fixed, accepts, "polls") > 50);
	assert_true(number_of(&fixed, forwards, "polls") > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(blocking_call_makes_others_wait),
		e2e_test(too_many_threads_wait_for_cpus_inside_of_polls),
		e2e_test(tiny_tasks_are_very_many_that_run_once),
		e2e_test(nested_block_on_sleeps_inside_of_polls),
		e2e_test(unbounded_queue_never_holds_up_who_fills_it),
	};

	return cmocka_run_group_tests_name("tokio mistakes", tests, NULL, NULL);
}
