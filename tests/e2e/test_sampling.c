// SPDX-License-Identifier: MIT
/* Polls that are left out: because the user wants it so, or because exact tracing costs too much. */
#include <string.h>

#include "report.h"

#define MANY "counts yield 2 100 11000"
/* Of it the last second, and a tenth, may be missing in what is left. */
#define CUT_NS 4000000000ull

static bool is_estimated(const json_t *report)
{
	return json_is_true(json_object_get(json_object_get(report, "capture"), "estimated"));
}

/* One round of a target that polls as fast as it can. */
static json_t *report_of(struct e2e *e, const char *options, struct process **tracer)
{
	*tracer = tracer_launch(e, "report --json -F 0 --buffer 256M %s -- %s", options,
				e2e_target(e, MANY));
	target_tell(*tracer, "go");
	target_tell(*tracer, "end");
	target_ready(*tracer);
	target_truth(*tracer);
	return tracer_json(*tracer);
}

static void polls_left_out_are_counted(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *tracer;
	json_t *report = report_of(e, "--sample 8", &tracer);

	assert_nothing_lost(report);
	assert_true(is_estimated(report));
	assert_int_equal(report_number(report_type(report, "yielder"), "polls"), 1100000);
	/* How many tasks only had polls that were left out is not known. */
	assert_true(json_is_null(json_object_get(report_type(report, "yielder"), "tasks")));
	assert_null(strstr(process_err(tracer), "--sample 1"));
}

/* One more round, after which it may have been said. */
static bool round_is_sampled(struct process *tracer, uint64_t *polls)
{
	*polls += report_number(target_ask(tracer, "go"), "polls");
	return strstr(process_err(tracer), "--sample 1");
}

/* Polls that do nothing: probes are most of what they cost. It takes a while to see that. */
static void sampling_begins_by_itself_where_tracing_is_dear(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *tracer =
		tracer_launch(e, "report --json -F 0 --buffer 256M -- %s", e2e_target(e, MANY));
	uint64_t polls = 0;
	const char *said;
	json_t *report;

	target_ready(tracer);
	e2e_await(round_is_sampled(tracer, &polls));
	target_tell(tracer, "end");
	report = tracer_json(tracer);
	said = strstr(process_err(tracer), "--sample 1");
	assert_null(strstr(said + 1, "--sample 1"));
	assert_nothing_lost(report);
	assert_true(is_estimated(report));
	assert_int_equal(report_number(report_type(report, "yielder"), "polls"), polls);
}

static void exact_is_exact_where_that_is_wanted(void **state)
{
	static const char *const wanted[] = {"--sample 1", "--sample 1 --max-overhead 1",
					     "--max-overhead 0"};
	struct e2e *e = e2e_of(state);

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		struct process *tracer;
		json_t *report = report_of(e, wanted[i], &tracer);

		assert_null(strstr(process_err(tracer), "--sample"));
		assert_false(is_estimated(report));
		assert_int_equal(report_number(report_type(report, "yielder"), "polls"), 1100000);
	}
}

/* A recording's end may be missing: disks fill up. */
static void cut_recording_knows_what_was_left_out(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "recording");
	struct process *tracer = tracer_launch(
		e, "record -F 0 --buffer 256M --sample 2 -o %s -- %s", path, e2e_target(e, MANY));
	uint64_t since = e2e_now_ns(), polls = 0;
	json_t *report;
	size_t size;
	char *bytes;

	target_ready(tracer);
	while (e2e_now_ns() - since < CUT_NS)
		polls += report_number(target_ask(tracer, "go"), "polls");
	target_tell(tracer, "end");
	tracer_expect(tracer, 0);
	bytes = e2e_file(e, path, &size);
	tracer = tracer_run(e, "report --json %s", e2e_write(e, "cut", bytes, size / 10 * 9));
	report = tracer_json(tracer);
	assert_true(is_estimated(report));
	/* All up to the last second of what is there: none of it without this. */
	assert_at_most(polls / 4, report_number(report_type(report, "yielder"), "polls"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(polls_left_out_are_counted),
		e2e_test(sampling_begins_by_itself_where_tracing_is_dear),
		e2e_test(exact_is_exact_where_that_is_wanted),
		e2e_test(cut_recording_knows_what_was_left_out),
	};

	return cmocka_run_group_tests_name("sampling", tests, NULL, NULL);
}
