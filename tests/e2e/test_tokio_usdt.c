// SPDX-License-Identifier: MIT
/* Programs that have the probes of a Tokio built with one of its USDT contracts. */
#include <signal.h>
#include <string.h>

#include "report.h"

static json_t *runtime_of(const json_t *report)
{
	return json_object_get(json_object_get(report, "capture"), "runtime");
}

static bool can(const json_t *report, const char *capability)
{
	json_t *name;
	size_t i;

	json_array_foreach (json_object_get(runtime_of(report), "capabilities"), i, name) {
		if (!strcmp(json_string_value(name), capability))
			return true;
	}
	return false;
}

/* A whole round of a target, nothing of which may be missed. */
static json_t *trace(struct e2e *e, const char *options, const char *target, json_t **truth)
{
	json_t *report = report_of_launch(e, e2e_text(e, "-F 0 %s", options), target, truth);

	assert_nothing_lost(report);
	assert_identities(report);
	return report;
}

static void assert_type(const json_t *report, const char *name, const char *location,
			uint64_t tasks, uint64_t polls)
{
	json_t *type = report_type(report, name);

	assert_string_equal(report_string(type, "location"), location);
	assert_int_equal(report_number(type, "tasks"), tasks);
	assert_int_equal(report_number(type, "polls"), polls);
	assert_int_equal(report_number(type, "alive"), 0);
}

/* ---- Tokio's own probes ---- */

static void assert_own_probes(const json_t *report, const json_t *truth)
{
	uint64_t polls = report_number(truth, "task_polls");
	json_t *named, *unnamed;

	assert_string_equal(report_string(runtime_of(report), "name"), "tokio");
	assert_int_equal(report_number(truth, "tasks"), 30);
	/* Half of them have a name; of each half three are cancelled before their first poll. */
	assert_type(report, "ingest", "src/bin/ingest.rs:10", 15, 12 * polls);
	assert_type(report, "main.rs:42", "src/main.rs:42", 15, 12 * polls);
	named = report_type(report, "ingest");
	unnamed = report_type(report, "main.rs:42");
	assert_non_null(report_find_cause(named, "clock_nanosleep"));
	assert_null(report_find_cause(unnamed, "clock_nanosleep"));
	/* Each poll but the last wakes its task twice: once to some effect. */
	assert_int_equal(report_number(named, "wakes") + report_number(unnamed, "wakes"),
			 report_number(truth, "wakes"));
	assert_int_equal(report_number(named, "redundant_wakes"), 12 * (polls - 1));
	assert_int_equal(report_number(unnamed, "redundant_wakes"), 12 * (polls - 1));
}

static void polls_wakes_and_ends_of_tokios_probes_are_counted(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = trace(e, "", "tokio_probes", &truth);

	assert_own_probes(report, truth);
	assert_int_equal(report_sum(report, "polls"),
			 report_number(truth, "polls") - report_number(truth, "block_on_polls"));
	assert_true(can(report, "spawn") && can(report, "terminate") && can(report, "wake"));
	assert_string_equal(report_string(report_task(report, 5), "state"), "cancelled");
	assert_string_equal(report_string(report_task(report, 3), "state"), "done");
}

static void contract_and_version_are_told(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "tokio_probes"), *doctor;
	json_t *truth, *report = trace(e, "", "tokio_probes", &truth);

	assert_string_equal(report_string(runtime_of(report), "version"), "1.48.0");
	doctor = tracer_run(e, "doctor -p %d", process_pid(target));
	process_wait(doctor);
	assert_non_null(strstr(process_out(doctor), "tokio 1.48.0"));
	assert_non_null(strstr(process_out(doctor), "pull request 7717"));
	target = target_start(e, "tokio_dtrace");
	doctor = tracer_run(e, "doctor -p %d", process_pid(target));
	process_wait(doctor);
	assert_non_null(strstr(process_out(doctor), "USDT probes of tokio-dtrace"));
	assert_non_null(strstr(process_out(doctor), "wakes cannot be seen"));
}

static void future_in_block_on_is_no_task(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = trace(e, "", "tokio_probes", &truth);

	assert_type(report, "[block_on main.rs:7]", "src/main.rs:7", 1,
		    report_number(truth, "block_on_polls"));
}

static void provider_can_be_named(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = trace(e, "--runtime usdt:tokio", "tokio_probes", &truth);

	assert_own_probes(report, truth);
}

/* ---- tokio-dtrace ---- */

static void assert_dtrace(const json_t *report, const json_t *truth)
{
	uint64_t tasks = report_number(truth, "tasks"), polls = report_number(truth, "polls");
	uint64_t each = tasks / 6;

	assert_string_equal(report_string(runtime_of(report), "name"), "tokio");
	assert_int_equal(report_number(truth, "starts"), tasks * polls);
	assert_int_equal(report_number(truth, "ends"), tasks * polls);
	assert_type(report, "one.rs:5", "src/one.rs:5", each, each * polls);
	assert_type(report, "two.rs:5", "src/two.rs:5", each, each * polls);
	assert_type(report, "two.rs:6", "src/two.rs:6", each, each * polls);
	assert_type(report, "three.rs:1", "a/three.rs:1", each, each * polls);
	assert_type(report, "three.rs:2", "b/three.rs:2", each, each * polls);
	assert_type(report, "another.rs:70",
		    "/home/somebody/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/"
		    "a-crate-with-a-long-name-1.2.3/src/a_module/another.rs:70",
		    each, each * polls);
	assert_non_null(report_find_cause(report_type(report, "two.rs:5"), "clock_nanosleep"));
	assert_null(report_find_cause(report_type(report, "two.rs:6"), "clock_nanosleep"));
}

static void polls_and_places_of_tokio_dtrace_are_told(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = trace(e, "", "tokio_dtrace", &truth);
	json_t *worker = json_array_get(json_object_get(report, "workers"), 0);

	assert_dtrace(report, truth);
	assert_true(can(report, "spawn") && can(report, "terminate") && can(report, "park"));
	assert_false(can(report, "wake"));
	assert_true(json_is_null(
		json_object_get(report_type(report, "one.rs:5"), "scheduled_wait_ns")));
	assert_int_equal(json_array_size(json_object_get(report, "workers")), 1);
	/* It parks for longer than a millisecond in all, and polls for about as long. */
	assert_true(report_number(worker, "parked_ns") > 1000000);
	assert_true(report_number(worker, "busy_ns") > 1000000);
}

static void contracts_of_one_provider_are_told_apart(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = trace(e, "--runtime usdt:tokio", "tokio_dtrace", &truth);

	assert_dtrace(report, truth);
	report = trace(e, "--runtime tokio", "tokio_dtrace", &truth);
	assert_dtrace(report, truth);
}

/* The probes of a program that nobody traces are left out by it, before and after. */
static void semaphores_are_up_while_the_capture_lasts(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "tokio_dtrace"), *tracer;
	json_t *truth, *report;

	assert_int_equal(report_number(target_ask(target, "go"), "starts"), 0);
	tracer = tracer_attach(e, "report --json -F 0 -p %d", process_pid(target));
	truth = target_ask(target, "go");
	process_kill(tracer, SIGINT);
	report = tracer_json(tracer);
	assert_nothing_lost(report);
	assert_dtrace(report, truth);
	/* They go as the kernel gets to it. */
	e2e_await(!report_number(target_ask(target, "go"), "starts"));
}

/* ---- sampling ---- */

/* However a contract tells what a task is: polls that are left out are counted by type. */
static void sampled_polls_are_counted_by_type(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of_launch(e, "-F 0 --sample 4", "tokio_probes", &truth);
	uint64_t polls = report_number(truth, "task_polls");

	assert_nothing_lost(report);
	assert_int_equal(report_number(report_type(report, "ingest"), "polls"), 12 * polls);
	assert_int_equal(report_number(report_type(report, "main.rs:42"), "polls"), 12 * polls);
	assert_null(report_find_type(report, "[unknown]"));

	report = report_of_launch(e, "-F 0 --sample 4", "tokio_dtrace", &truth);
	polls = report_number(truth, "polls") * report_number(truth, "tasks") / 6;
	assert_nothing_lost(report);
	assert_int_equal(report_number(report_type(report, "one.rs:5"), "polls"), polls);
	assert_int_equal(report_number(report_type(report, "two.rs:6"), "polls"), polls);
	assert_int_equal(report_number(report_type(report, "another.rs:70"), "polls"), polls);
}

/* ---- tokio2chrome ---- */

static void polls_and_schedulings_of_tokio2chrome_are_counted(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = trace(e, "", "tokio2chrome", &truth);
	uint64_t tasks = report_number(truth, "tasks"), polls = report_number(truth, "polls");
	json_t *type = report_type(report, "[unknown]");

	assert_string_equal(report_string(runtime_of(report), "name"), "tokio");
	assert_type(report, "[unknown]", "", tasks, tasks * polls);
	assert_int_equal(report_number(type, "wakes"), tasks * polls);
	assert_int_equal(report_number(type, "redundant_wakes"), 0);
	assert_int_equal(report_number(json_object_get(report, "capture"), "unmatched_wakes"), 0);
	assert_non_null(report_find_cause(type, "clock_nanosleep"));
	assert_string_equal(report_string(report_task(report, 1), "state"), "done");
}

/* ---- another's name ---- */

static void contract_under_another_name_is_traced_when_that_is_named(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = trace(e, "--runtime usdt:otherrt", "sdt_provider", &truth);
	uint64_t polls = report_number(truth, "polls");

	assert_type(report, "provided_task", "sdt_provider.c:5", 1, polls);
	assert_int_equal(report_number(report_type(report, "provided_task"), "wakes"), polls - 1);
	assert_string_equal(report_string(runtime_of(report), "name"), "pollrt");
}

static void other_runtime_than_the_chosen_one_is_left_alone(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "tokio_probes"), *tracer;

	tracer = tracer_run(e, "report -d 1s --runtime pollrt -p %d", process_pid(target));
	assert_true(process_wait(tracer) != 0);
	tracer = tracer_run(e, "report -d 1s --runtime usdt:nobody -p %d", process_pid(target));
	assert_true(process_wait(tracer) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(polls_wakes_and_ends_of_tokios_probes_are_counted),
		e2e_test(contract_and_version_are_told),
		e2e_test(future_in_block_on_is_no_task),
		e2e_test(provider_can_be_named),
		e2e_test(polls_and_places_of_tokio_dtrace_are_told),
		e2e_test(contracts_of_one_provider_are_told_apart),
		e2e_test(semaphores_are_up_while_the_capture_lasts),
		e2e_test(sampled_polls_are_counted_by_type),
		e2e_test(polls_and_schedulings_of_tokio2chrome_are_counted),
		e2e_test(contract_under_another_name_is_traced_when_that_is_named),
		e2e_test(other_runtime_than_the_chosen_one_is_left_alone),
	};

	return cmocka_run_group_tests_name("tokio_usdt", tests, NULL, NULL);
}
