// SPDX-License-Identifier: MIT
/* Programs that keep to the contract of the probes, and have nothing of the reference runtime. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

static bool can(const json_t *report, const char *capability)
{
	json_t *runtime = json_object_get(json_object_get(report, "capture"), "runtime"), *name;
	size_t i;

	json_array_foreach (json_object_get(runtime, "capabilities"), i, name) {
		if (!strcmp(json_string_value(name), capability))
			return true;
	}
	return false;
}

static void program_with_only_the_probes_is_traced(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, "-F 0", "sdt plain", &truth);
	uint64_t tasks = report_number(truth, "tasks"), polls = report_number(truth, "polls");
	json_t *type = report_type(report, "plain_task");

	assert_nothing_lost(report);
	assert_identities(report);
	assert_string_equal(report_string(type, "location"), "sdt.c:10");
	assert_int_equal(report_number(type, "tasks"), tasks);
	assert_int_equal(report_number(type, "polls"), tasks * polls);
	assert_int_equal(report_number(type, "wakes"), tasks * (polls - 1));
	assert_int_equal(report_number(type, "redundant_wakes"), 0);
	assert_int_equal(report_number(type, "alive"), 0);
}

static void polls_in_polls_are_kept_apart_eight_deep(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, "-F 0", "sdt nested", &truth);
	uint64_t rounds = report_number(truth, "rounds"), outer = UINT64_MAX;
	json_t *capture = json_object_get(report, "capture");

	assert_identities(report);
	for (int depth = 0; depth < 8; depth++) {
		json_t *type = report_type(report, e2e_text(e, "nested_%d", depth));

		assert_int_equal(report_number(type, "polls"), rounds);
		/* Inclusive: the sleep of the innermost belongs to each. */
		assert_true(report_number(type, "polling_ns") <= outer);
		assert_non_null(report_find_cause(type, "clock_nanosleep"));
		outer = report_number(type, "polling_ns");
	}
	/* Deeper ones are not kept, and that is counted. */
	assert_int_equal(report_number(capture, "events_lost"), 2 * rounds);
	assert_int_equal(report_number(json_object_get(capture, "lost"), "poll"), 2 * rounds);
	assert_int_equal(report_number(capture, "nested_polls"), 7 * rounds);
}

static void arguments_are_read_wherever_they_are(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, "-F 0", "sdt operands", &truth);
	uint64_t polls = report_number(truth, "polls");
	static const struct {
		const char *type;
		uint64_t id;
	} wanted[] = {{"in_static", 1001}, {"on_stack", 1002}, {"constant", 4242}, {"narrow", 200}};

	assert_nothing_lost(report);
	assert_identities(report);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		assert_int_equal(report_number(report_type(report, wanted[i].type), "polls"),
				 polls);
		assert_string_equal(report_string(report_task(report, wanted[i].id), "type"),
				    wanted[i].type);
	}
}

/* The target's operands are of all classes: else the test above would show nothing. */
static void arguments_of_the_target_are_of_all_classes(void **state)
{
	struct e2e *e = e2e_of(state);
	size_t size;
	const char *file = e2e_file(e, e2e_target(e, "sdt"), &size);

	assert_non_null(memmem(file, size, "@$4242 ", 7));
	assert_non_null(memmem(file, size, "(%rip) ", 7));
	assert_true(memmem(file, size, "(%rsp) ", 7) || memmem(file, size, "(%rbp) ", 7));
	assert_non_null(memmem(file, size, "1@", 2));
}

static void task_without_a_readable_kind_is_unknown(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, "-F 0", "sdt kinds", &truth);
	uint64_t polls = report_number(truth, "polls"), unknown = 0;
	json_t *type;
	size_t i;

	assert_nothing_lost(report);
	assert_identities(report);
	assert_int_equal(report_number(report_type(report, "plain_task"), "polls"), polls);
	json_array_foreach (json_object_get(report, "task_types"), i, type) {
		if (!strcmp(report_string(type, "name"), "[unknown]"))
			unknown += report_number(type, "polls");
	}
	assert_int_equal(unknown, 2 * polls);
	assert_string_equal(report_string(report_task(report, 1), "type"), "[unknown]");
	assert_string_equal(report_string(report_task(report, 2), "type"), "[unknown]");
}

static void what_the_probes_cannot_show_is_null(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, "-F 0", "sdt_minimal", &truth);
	json_t *type = report_type(report, "minimal_task");

	assert_nothing_lost(report);
	assert_identities(report);
	assert_int_equal(report_number(type, "polls"), report_number(truth, "polls"));
	assert_true(json_is_null(json_object_get(type, "scheduled_ns")));
	assert_true(json_is_null(json_object_get(type, "scheduled_wait_ns")));
	assert_non_null(report_find_cause(type, "clock_nanosleep"));
	assert_false(can(report, "wake"));
	assert_false(can(report, "spawn"));
	report = report_of_launch(e, "-F 0", "sdt plain", &truth);
	assert_true(can(report, "wake") && can(report, "spawn"));
}

static void target_load(struct e2e *e, struct process *target, const char *path)
{
	json_t *answer = target_ask(target, e2e_text(e, "load %s", path));

	if (json_object_get(answer, "error"))
		fail_msg("%s", report_string(answer, "error"));
}

static void library_that_is_loaded_later_is_traced(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *tracer;
	const char *path = e2e_path(e, "data");
	json_t *report;
	uint64_t polls;

	tracer = tracer_attach(e, "record --sample 1 -o %s -p %d", path, process_pid(target));
	target_load(e, target, e2e_target(e, "lib/sdt_library.so"));
	e2e_await(tracer_recorded(e, path, "source") > 1);
	polls = tracer_recorded(e, path, "poll");
	e2e_await(tracer_recorded(e, path, "poll") > polls + 500);
	process_kill(tracer, SIGINT);
	tracer_expect(tracer, 0);
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_identities(report);
	assert_true(report_number(report_type(report, "ticking"), "polls") > 0);
	assert_true(report_number(report_type(report, "library_task"), "polls") > 10);
	assert_non_null(report_find_cause(report_type(report, "library_task"), "clock_nanosleep"));
}

static void library_that_a_command_loads_is_waited_for(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *library = e2e_target(e, "lib/sdt_library.so"), *path = e2e_path(e, "data");
	struct process *tracer = tracer_launch(e, "record --sample 1 -o %s -- %s %s", path,
					       e2e_target(e, "loader"), library);
	json_t *report;

	target_ready(tracer);
	assert_true(json_is_true(json_object_get(target_ask(tracer, "go"), "runs")));
	e2e_await(tracer_recorded(e, path, "poll") > 100);
	target_tell(tracer, "end");
	tracer_expect(tracer, 0);
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_identities(report);
	assert_true(report_number(report_type(report, "library_task"), "polls") > 100);
}

static void library_that_cannot_be_probed_ends_no_capture(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *tracer;
	const char *path = e2e_target(e, "lib/refused_library.so");
	json_t *report;

	tracer = tracer_attach(e, "report --json --sample 1 -p %d", process_pid(target));
	target_load(e, target, path);
	e2e_await(strstr(process_err(tracer), "refused_library.so: cannot attach"));
	process_kill(tracer, SIGINT);
	report = tracer_json(tracer);
	assert_identities(report);
	assert_true(report_number(report_type(report, "ticking"), "polls") > 0);
}

static void awaits_that_cannot_be_probed_end_no_capture(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "data"), *said;
	struct process *tracer = tracer_launch(e, "record --sample 1 -o %s -- %s", path,
					       e2e_target(e, "sdt_refused_await"));
	json_t *report, *truth;

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	truth = target_truth(tracer);
	tracer_expect(tracer, 0);
	said = strstr(process_err(tracer),
		      "sdt_refused_await: cannot probe where the pollrt tasks");
	assert_non_null(said);
	assert_null(strstr(strchr(said, '\n'), "cannot probe"));
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_identities(report);
	assert_int_equal(report_number(report_type(report, "refused_task"), "polls"),
			 report_number(truth, "polls"));
	assert_true(can(report, "wake"));
	assert_false(can(report, "await"));
	tracer = tracer_run(e, "report %s", path);
	tracer_expect(tracer, 0);
	assert_non_null(strstr(process_out(tracer), "\n! The kernel refused the probes where"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(library_that_a_command_loads_is_waited_for),
		e2e_test(program_with_only_the_probes_is_traced),
		e2e_test(polls_in_polls_are_kept_apart_eight_deep),
		e2e_test(arguments_are_read_wherever_they_are),
		e2e_test(arguments_of_the_target_are_of_all_classes),
		e2e_test(task_without_a_readable_kind_is_unknown),
		e2e_test(what_the_probes_cannot_show_is_null),
		e2e_test(library_that_is_loaded_later_is_traced),
		e2e_test(library_that_cannot_be_probed_ends_no_capture),
		e2e_test(awaits_that_cannot_be_probed_end_no_capture),
	};

	return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
