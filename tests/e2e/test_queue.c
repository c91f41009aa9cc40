// SPDX-License-Identifier: MIT
/* How long tasks were queued, against the program's own stamps around it. */
#include <string.h>

#include "report.h"

#define WAITS 200
#define WORTH_NS 100000

static void queue_waits_are_what_the_program_stamped(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report, *wait, *type;
	uint64_t total = 0, near = 0, longest = 0, apart = 0;
	size_t i;

	report = report_of_launch(e, "-F 0 --tasks 100000", e2e_text(e, "queue %d", WAITS), &truth);
	assert_nothing_lost(report);
	assert_identities(report);
	json_array_foreach (truth, i, wait) {
		json_t *task = report_task(report, report_number(wait, "task"));
		uint64_t spawn = report_number(wait, "spawn_ns"),
			 wake = report_number(wait, "wake_ns");
		uint64_t scheduled = report_number(task, "scheduled_ns");

		assert_true(spawn >= WORTH_NS && wake >= WORTH_NS);
		/* The stamps lie around the probes. */
		assert_at_most(scheduled, spawn + wake, 0);
		total += spawn + wake;
		if (spawn + wake > scheduled + (spawn + wake) / 50 + 10000)
			apart++;
		else
			near += spawn + wake;
		longest = spawn > longest ? spawn : longest;
		longest = wake > longest ? wake : longest;
	}
	assert_int_equal(i, WAITS);
	/* A thread that loses its CPU between stamp and probe waits for that, too. */
	assert_at_most(apart, WAITS / 10, 0);
	type = report_type(report, "waiter");
	assert_int_equal(report_number(type, "wakes"), WAITS);
	assert_at_most(report_number(type, "scheduled_ns"), total, 0);
	assert_at_most(near, report_number(type, "scheduled_ns"), near / 20);
	type = json_object_get(type, "scheduled_wait_ns");
	assert_at_most(report_number(type, "max"), longest, longest / 100);
	assert_true(report_number(type, "p50") >= WORTH_NS);
}

static void who_woke_is_the_frame_under_the_queued_task(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *tracer = tracer_launch(e, "flame --kind sched --sample 1 -F 0 -- %s",
					       e2e_target(e, "queue 50"));

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	target_truth(tracer);
	tracer_expect(tracer, 0);
	assert_non_null(strstr(process_out(tracer), "waiter;feeder;[queued] "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(queue_waits_are_what_the_program_stamped),
		e2e_test(who_woke_is_the_frame_under_the_queued_task),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
