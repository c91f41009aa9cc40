// SPDX-License-Identifier: MIT
/* Rings that are too small for what happens. */
#include <string.h>

#include "report.h"

/* One line that is about losses. */
static void assert_loss_is_said_once(const char *said)
{
	const char *first = strstr(said, "events were lost");

	assert_non_null(first);
	assert_null(strstr(first + 1, "events were lost"));
}

static uint64_t sum_of(const json_t *object)
{
	uint64_t sum = 0;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		assert_true(json_is_integer(value) && json_integer_value(value) > 0);
		sum += (uint64_t)json_integer_value(value);
	}
	return sum;
}

static void lost_events_are_counted_by_kind(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *tracer;
	json_t *truth, *report, *capture;
	uint64_t polls, lost_polls, lost_wakes;

	tracer = tracer_launch(e, "report --json -q --sample 1 --buffer 4K -F 0 -- %s",
			       e2e_target(e, "counts yield 2 20 3000"));
	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	truth = target_truth(tracer);
	report = tracer_json(tracer);
	/* Even with -q. */
	assert_loss_is_said_once(process_err(tracer));
	assert_identities(report);

	capture = json_object_get(report, "capture");
	assert_true(report_number(capture, "events_lost") > 0);
	assert_int_equal(sum_of(json_object_get(capture, "lost")),
			 report_number(capture, "events_lost"));
	assert_true(report_number(capture, "uncertain_ns") > 0);
	polls = report_sum(report, "polls") + report_sum_block_on(report, "polls");
	lost_polls = report_number(json_object_get(capture, "lost"), "poll");
	lost_wakes = report_number(json_object_get(capture, "lost"), "wake");
	/* What came and what was lost is what there was. */
	assert_int_equal(polls + lost_polls,
			 report_number(truth, "polls") + report_number(truth, "block_on_polls"));
	assert_int_equal(report_sum(report, "wakes") + report_sum_block_on(report, "wakes") +
				 lost_wakes,
			 report_number(truth, "wakes") + report_number(truth, "block_on_wakes"));
}

static void recording_keeps_what_was_lost(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "lossy");
	struct process *tracer = tracer_launch(e, "record --sample 1 -F 0 --buffer 4K -o %s -- %s",
					       path, e2e_target(e, "counts yield 2 20 2000"));
	json_t *report;

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	target_truth(tracer);
	tracer_expect(tracer, 0);
	assert_loss_is_said_once(process_err(tracer));
	tracer = tracer_run(e, "report --json %s", path);
	report = tracer_json(tracer);
	assert_loss_is_said_once(process_err(tracer));
	assert_identities(report);
	assert_true(report_number(json_object_get(report, "capture"), "events_lost") > 0);
}

static void nothing_is_said_where_nothing_was_lost(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, "-F 0 -q", "counts yield 2 10 100", &truth);
	json_t *capture = json_object_get(report, "capture");

	assert_nothing_lost(report);
	assert_int_equal(json_object_size(json_object_get(capture, "lost")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(lost_events_are_counted_by_kind),
		e2e_test(recording_keeps_what_was_lost),
		e2e_test(nothing_is_said_where_nothing_was_lost),
	};

	return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
