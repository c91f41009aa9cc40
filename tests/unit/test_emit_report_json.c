// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* The report as JSON. */
#include <jansson.h>

#include "emit/report_json.h"
#include "golden.h"
#include "sample_model.h"

static json_t *json_of(const struct model *model, const char *sort)
{
	struct golden_stream stream;
	json_error_t error;
	json_t *root;

	assert_int_equal(emit_report_json(model, sort, golden_open(&stream)), 0);
	root = json_loads(golden_close(&stream), JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fail_msg("line %d: %s", error.line, error.text);
	free(stream.text);
	return root;
}

static void json_report(void **state)
{
	const struct model model = sample_model();
	struct golden_stream stream;

	(void)state;
	assert_int_equal(emit_report_json(&model, NULL, golden_open(&stream)), 0);
	golden_check("report.json", golden_close(&stream));
	free(stream.text);
}

static void json_has_null_for_what_sampling_hides(void **state)
{
	struct model_type types[COUNT(sample_types)];
	struct model model = sample_estimated_model(types);
	json_t *root = json_of(&model, NULL), *capture = json_object_get(root, "capture");
	json_t *all = json_object_get(root, "task_types"), *type = json_array_get(all, 0);
	json_t *task = json_array_get(json_object_get(root, "tasks"), 0);

	(void)state;
	assert_true(json_is_true(json_object_get(capture, "estimated")));
	capture = json_object_get(capture, "sampling");
	assert_int_equal(json_integer_value(json_object_get(capture, "one_in")), 16);
	assert_int_equal(json_integer_value(json_object_get(capture, "since_ns")), 3200 * MS);
	assert_true(json_is_null(json_object_get(type, "tasks")));
	assert_true(json_is_null(json_object_get(type, "alive")));
	assert_true(json_is_null(json_object_get(type, "lifetime_ns")));
	assert_true(json_is_null(json_object_get(type, "scheduled_ns")));
	assert_true(json_is_null(json_object_get(type, "idle_ns")));
	assert_true(json_is_integer(json_object_get(type, "polling_ns")));
	type = json_array_get(all, COUNT(types) - 1);
	assert_true(json_is_integer(json_object_get(type, "polls")));
	assert_true(json_is_null(json_object_get(type, "polling_ns")));
	assert_true(json_is_null(json_object_get(type, "poll_ns")));
	assert_true(json_is_integer(json_object_get(task, "lifetime_ns")));
	assert_true(json_is_null(json_object_get(task, "scheduled_ns")));
	json_decref(root);
}

static void worker_that_was_not_measured_has_nulls(void **state)
{
	static const char *const unknown[] = {"busy_ns", "parked_ns", "on_cpu_ns", "runqueue_ns",
					      "blocked_ns"};
	struct model model = sample_model();
	struct model_worker worker = sample_unmeasured_worker();
	json_t *root, *found;

	(void)state;
	model.workers = &worker;
	model.nworkers = 1;
	root = json_of(&model, NULL);
	found = json_array_get(json_object_get(root, "workers"), 0);
	assert_int_equal(json_integer_value(json_object_get(found, "observed_ns")), 10000 * MS);
	for (size_t i = 0; i < COUNT(unknown); i++)
		assert_true(json_is_null(json_object_get(found, unknown[i])));
	json_decref(root);
}

static void scheduled_time_without_wakes_is_null(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	json_t *root, *type;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[0].has_scheduled = false;
	model.types = types;
	root = json_of(&model, NULL);
	type = json_array_get(json_object_get(root, "task_types"), 0);
	assert_true(json_is_null(json_object_get(type, "scheduled_ns")));
	assert_true(json_is_null(json_object_get(type, "scheduled_wait_ns")));
	type = json_array_get(json_object_get(root, "tasks"), 0);
	assert_true(json_is_null(json_object_get(type, "scheduled_ns")));
	type = json_array_get(json_object_get(root, "tasks"), 1);
	assert_true(json_is_integer(json_object_get(type, "scheduled_ns")));
	json_decref(root);
}

static void wait_of_what_is_not_queued_is_null(void **state)
{
	struct model_job job = sample_jobs[0];
	struct model model = sample_model();
	json_t *root, *first;

	(void)state;
	job.has_wait = false;
	model.jobs = &job;
	root = json_of(&model, NULL);
	first = json_array_get(json_object_get(root, "blocking_jobs"), 0);
	assert_true(json_is_null(json_object_get(first, "queued_ns")));
	assert_true(json_is_null(json_object_get(first, "wait_ns")));
	assert_int_equal(json_integer_value(json_object_get(first, "running")), 2);
	json_decref(root);
}

static void cause_that_took_no_time_is_listed(void **state)
{
	struct sample_timeless sample;
	json_t *root;

	(void)state;
	sample_timeless(&sample);
	root = json_of(&sample.model, NULL);
	assert_int_equal(
		json_array_size(json_object_get(
			json_array_get(json_object_get(root, "task_types"), 0), "blocked")),
		COUNT(sample.causes));
	json_decref(root);
}

static void full_types_are_listed(void **state)
{
	char *full[] = {"app::echo<TcpStream>", "app::echo<\033UnixStream>"};
	struct model_type types[COUNT(sample_types)];
	struct model model = sample_model();
	json_t *root, *type;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[2].full = (struct model_full){full, COUNT(full)};
	model.types = types;
	root = json_of(&model, NULL);
	type = json_array_get(json_object_get(root, "task_types"), 2);
	assert_string_equal(json_string_value(json_object_get(type, "name")), "accept_loop");
	type = json_object_get(type, "full_types");
	assert_int_equal(json_array_size(type), 2);
	assert_string_equal(json_string_value(json_array_get(type, 0)), full[0]);
	json_decref(root);
}

static void target_has_the_quota_that_was_seen(void **state)
{
	struct model model = sample_model();
	struct model_process processes[] = {sample_processes[0], sample_processes[0]};
	json_t *root, *targets, *quota;

	(void)state;
	processes[1].quota = (struct model_quota){"/pod", 50, 100, 40, 10, 1230};
	model.processes = processes;
	model.nprocesses = 2;
	root = json_of(&model, NULL);
	targets = json_object_get(json_object_get(root, "capture"), "targets");
	assert_true(json_is_null(json_object_get(json_array_get(targets, 0), "cpu_quota")));
	quota = json_object_get(json_array_get(targets, 1), "cpu_quota");
	assert_string_equal(json_string_value(json_object_get(quota, "cgroup")), "/pod");
	assert_int_equal(json_integer_value(json_object_get(quota, "quota_ns")), 50);
	assert_int_equal(json_integer_value(json_object_get(quota, "period_ns")), 100);
	assert_int_equal(json_integer_value(json_object_get(quota, "periods")), 40);
	assert_int_equal(json_integer_value(json_object_get(quota, "throttled_periods")), 10);
	assert_int_equal(json_integer_value(json_object_get(quota, "throttled_ns")), 1230);
	json_decref(root);
}

static void several_targets_leave_the_single_ones_null(void **state)
{
	struct model model = sample_model();
	struct model_process processes[] = {sample_processes[0], sample_processes[0]};
	struct model_source sources[] = {sample_sources[0], sample_sources[0]};
	json_t *root, *capture;

	(void)state;
	processes[1].pid = 4300;
	sources[1].process = 1;
	model.processes = processes;
	model.nprocesses = 2;
	model.sources = sources;
	model.nsources = 2;
	root = json_of(&model, NULL);
	capture = json_object_get(root, "capture");
	assert_true(json_is_null(json_object_get(capture, "pid")));
	assert_true(json_is_null(json_object_get(capture, "runtime")));
	assert_int_equal(json_array_size(json_object_get(capture, "targets")), 2);
	assert_int_equal(json_integer_value(json_object_get(capture, "workers")), 4);
	json_decref(root);
}

static void program_behind_a_shell_is_the_target(void **state)
{
	struct model model = sample_model();
	struct model_process processes[] = {sample_processes[0], sample_processes[0]};
	struct model_source source = sample_sources[0];
	json_t *root, *capture;

	(void)state;
	processes[0].comm = "sh";
	processes[1].generation = 1;
	source.process = 1;
	model.processes = processes;
	model.nprocesses = 2;
	model.sources = &source;
	root = json_of(&model, NULL);
	capture = json_object_get(root, "capture");
	assert_string_equal(json_string_value(json_object_get(capture, "comm")), "demo-server");
	json_decref(root);
}

static void json_survives_hostile_strings_and_numbers(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	struct model_task task = sample_tasks[0];
	json_t *root, *value;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[0].name = "\xff\"\\\n\x01\xed\xa0\x80";
	types[0].polls = UINT64_MAX;
	task.id = UINT64_MAX;
	model.types = types;
	model.tasks = &task;
	model.ntasks = 1;
	root = json_of(&model, NULL);
	value = json_array_get(json_object_get(root, "task_types"), 0);
	assert_string_equal(json_string_value(json_object_get(value, "name")),
			    "\uFFFD\"\\\n\x01\uFFFD\uFFFD\uFFFD");
	assert_int_equal(json_integer_value(json_object_get(value, "polls")), INT64_MAX);
	value = json_array_get(json_object_get(root, "tasks"), 0);
	assert_string_equal(json_string_value(json_object_get(value, "id")),
			    "18446744073709551615");
	json_decref(root);
}

static void full_disk_is_an_error(void **state)
{
	const struct model model = sample_model();
	FILE *full = golden_full();

	(void)state;
	assert_int_equal(emit_report_json(&model, NULL, full), -5);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_report),
		cmocka_unit_test(json_has_null_for_what_sampling_hides),
		cmocka_unit_test(worker_that_was_not_measured_has_nulls),
		cmocka_unit_test(scheduled_time_without_wakes_is_null),
		cmocka_unit_test(wait_of_what_is_not_queued_is_null),
		cmocka_unit_test(cause_that_took_no_time_is_listed),
		cmocka_unit_test(full_types_are_listed),
		cmocka_unit_test(target_has_the_quota_that_was_seen),
		cmocka_unit_test(several_targets_leave_the_single_ones_null),
		cmocka_unit_test(program_behind_a_shell_is_the_target),
		cmocka_unit_test(json_survives_hostile_strings_and_numbers),
		cmocka_unit_test(full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
