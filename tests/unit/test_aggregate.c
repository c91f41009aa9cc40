// SPDX-License-Identifier: MIT
// links: core util
/* Types, top lists, weights and their roots. */
#include <string.h>

#include "capture.h"
#include "core/stack_end.h"

static void kind_named_after_use_still_names_the_type(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	CAPTURE_EVENT(&capture, 20, EVENT_POLL,
		      .poll = {.task = 1, .kind = 77, .start = CAPTURE_ORIGIN + 10});
	capture_kind(&capture, 77, "late", "late.c", 0);
	type = capture_type(capture_end(&capture, 20), "late");
	assert_int_equal(type->polls, 1);
	assert_string_equal(type->location, "late.c");
	capture_free(&capture);
}

static void kinds_and_sources_of_one_name_are_one_type(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_kind(&capture, 3, "work", "work.c", 7);
	capture_kind(&capture, 4, "work", "work.c", 8);
	capture_source(&capture, 1, 0, UINT32_MAX);
	capture_poll(&capture, 10, 20, 1);
	CAPTURE_EVENT(&capture, 40, EVENT_POLL,
		      .poll = {.task = 2, .kind = 3, .start = CAPTURE_ORIGIN + 25});
	capture.source = 1;
	capture_kind(&capture, 99, "work", "work.c", 7);
	CAPTURE_EVENT(&capture, 60, EVENT_POLL,
		      .poll = {.task = 1, .kind = 99, .start = CAPTURE_ORIGIN + 57});
	CAPTURE_EVENT(&capture, 70, EVENT_POLL,
		      .poll = {.task = 2, .kind = 99, .start = CAPTURE_ORIGIN + 69});
	type = capture_type(capture_end(&capture, 70), "work");
	assert_int_equal(capture.model->ntypes, 1);
	assert_int_equal(type->tasks, 4);
	assert_int_equal(type->polls, 4);
	assert_int_equal(type->times.polling_ns, 10 + 15 + 3 + 1);
	assert_int_equal(type->poll_ns.p50, 3);
	assert_int_equal(type->poll_ns.max, 15);
	assert_int_equal(capture.model->non_cpu, 1);
	assert_int_equal(capture.model->on_cpu[0].ns, 29);
	capture_free(&capture);
}

static void types_of_two_processes_are_two(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	capture_process(&capture, 0, 1, 77, 0);
	capture_source(&capture, 1, 1, UINT32_MAX);
	capture_poll(&capture, 10, 20, 1);
	capture.source = 1;
	capture.tid = 20;
	capture_kind(&capture, 1, "work", "work.c", 7);
	capture_poll(&capture, 10, 21, 1);
	capture_end(&capture, 30);
	assert_int_equal(capture.model->ntypes, 2);
	assert_int_equal(capture.model->types[0].source, 1);
	assert_int_equal(capture.model->sources[1].process, 1);
	assert_int_equal(capture.model->nworkers, 2);
	assert_int_equal(capture.model->workers[1].source, 1);
	capture_free(&capture);
}

static void task_without_a_readable_kind_is_unknown(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	CAPTURE_EVENT(
		&capture, 0, EVENT_KIND,
		.kind = {.kind = 50, .unreadable = true, .type = "x", .file = "y", .full = ""});
	CAPTURE_EVENT(&capture, 10, EVENT_POLL, .poll = {.task = 1, .start = CAPTURE_ORIGIN});
	CAPTURE_EVENT(&capture, 20, EVENT_POLL,
		      .poll = {.task = 2, .kind = 50, .start = CAPTURE_ORIGIN + 10});
	CAPTURE_EVENT(&capture, 30, EVENT_POLL,
		      .poll = {.task = 3, .kind = EVENT_UNKNOWN, .start = CAPTURE_ORIGIN + 20});
	type = capture_type(capture_end(&capture, 30), "[unknown]");
	assert_int_equal(capture.model->ntypes, 1);
	assert_int_equal(type->tasks, 3);
	assert_string_equal(type->location, "");
	capture_free(&capture);
}

static void kind_of_a_woken_task_is_learnt_from_its_poll(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	CAPTURE_EVENT(&capture, 5, EVENT_SPAWN, .spawn = {.task = 1, .kind = EVENT_UNKNOWN});
	capture_poll(&capture, 10, 20, 1);
	capture_wake(&capture, 12, 2);
	capture_poll(&capture, 22, 25, 2);
	capture_end(&capture, 30);
	assert_int_equal(capture.model->ntypes, 1);
	assert_int_equal(capture_type(capture.model, "work")->tasks, 2);
	assert_int_equal(capture_type(capture.model, "work")->wakes, 1);
	capture_free(&capture);
}

static void top_tasks_are_by_poll_then_life_then_id(void **state)
{
	const struct correlate_options options = {.tasks = 4};
	struct capture capture = capture_begin_with(&options);
	const struct model_task *tasks;

	(void)state;
	for (uint64_t i = 1; i <= 50; i++) {
		capture_spawn(&capture, i * 100, i);
		capture_poll(&capture, i * 100, i * 100 + (i == 30 ? 50 : 10), i);
		if (i != 17)
			capture_terminate(&capture, i * 100 + 60, i);
	}
	tasks = capture_end(&capture, 10000)->tasks;
	assert_int_equal(capture.model->ntasks, 4);
	assert_int_equal(tasks[0].id, 30);
	assert_int_equal(tasks[1].id, 17); /* alive: longest-lived */
	assert_int_equal(tasks[2].id, 1);
	assert_int_equal(tasks[3].id, 2);
	assert_int_equal(capture_type(capture.model, "work")->tasks, 50);
	assert_int_equal(capture_type(capture.model, "work")->alive, 1);
	capture_free(&capture);
}

static void glob_filters_all_but_the_totals(void **state)
{
	const struct correlate_options options = {.tasks = 10, .slowest = 10, .type_glob = "wo*"};
	struct capture capture = capture_begin_with(&options);
	const struct model *model;

	(void)state;
	for (uint64_t i = 0; i < 20; i++) {
		uint64_t at = i * 10;

		CAPTURE_EVENT(&capture, at + 9, EVENT_POLL,
			      .poll = {.task = 100 + i, .kind = 2, .start = CAPTURE_ORIGIN + at});
		CAPTURE_EVENT(&capture, at + 9, EVENT_SAMPLE,
			      .sample = {.task = 100 + i, .kind = 2});
	}
	capture_poll(&capture, 300, 301, 1);
	CAPTURE_EVENT(&capture, 301, EVENT_SAMPLE, .sample = {.task = 1, .kind = 1});
	model = capture_end(&capture, 400);
	assert_int_equal(model->ntypes, 1);
	assert_string_equal(model->types[0].name, "work");
	assert_int_equal(model->ntasks, 1);
	assert_int_equal(model->nslowest, 1);
	assert_int_equal(model->nweights, 1);
	assert_int_equal(model->non_cpu, 1);
	assert_int_equal(model->capture.events, 42);
	assert_int_equal(model->workers[0].polls, 21);
	capture_free(&capture);
}

static bool glob_chooses(const char *glob)
{
	const struct correlate_options options = {.tasks = 1, .slowest = 1, .type_glob = glob};
	struct capture capture = capture_begin_with(&options);
	bool chosen;

	capture_kind(&capture, 7, "httpd::Pool<a::Job>::job_worker", "src/bin/httpd.rs", 73);
	CAPTURE_EVENT(&capture, 9, EVENT_POLL,
		      .poll = {.task = 1, .kind = 7, .start = CAPTURE_ORIGIN});
	chosen = capture_end(&capture, 10)->ntypes;
	capture_free(&capture);
	return chosen;
}

static void glob_is_of_name_or_location_or_their_ends(void **state)
{
	static const char *const matching[] = {
		"httpd::Pool<a::Job>::job_worker",
		"Pool<*>::job_worker",
		"job_worker",
		"job_*",
		"httpd*",
		"httpd.rs:73",
		"bin/httpd.rs:*",
		"src/bin/httpd.rs:73",
	};
	static const char *const others[] = {"worker", "httpd", "Job*",       "Pool",
					     "rs:73",  "73",    "httpd.rs:7", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(matching) / sizeof(*matching); i++)
		assert_true(glob_chooses(matching[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(glob_chooses(others[i]));
}

static void samples_weigh_the_period_by_stack(void **state)
{
	struct capture capture = capture_begin();
	const uint64_t frames[2][2] = {{5, 6}, {5, 7}};
	uint64_t ns = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		CAPTURE_EVENT(&capture, 10, EVENT_SAMPLE,
			      .sample = {.task = 1,
					 .kind = 1,
					 .stack = {.frames = frames[i % 2], .nuser = 2}});
	capture_poll(&capture, 0, 20, 1);
	capture_end(&capture, 20);
	assert_int_equal(capture.model->nstacks, 2);
	assert_int_equal(capture.model->nweights, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(capture.model->weights[i].kind, MODEL_WEIGHT_ON_CPU);
		assert_null(capture.model->weights[i].cause);
		ns += capture.model->weights[i].ns;
	}
	assert_int_equal(ns, 5 * CAPTURE_PERIOD);
	assert_int_equal(capture.model->on_cpu[0].ns, 20);
	capture_free(&capture);
}

static void full_stacks_count_as_truncated(void **state)
{
	static const uint64_t frames[127];
	struct capture capture = capture_begin();

	(void)state;
	CAPTURE_EVENT(&capture, 10, EVENT_SAMPLE,
		      .sample = {.kind = 1, .stack = {.frames = frames, .nuser = 127}});
	CAPTURE_EVENT(&capture, 10, EVENT_SAMPLE,
		      .sample = {.kind = 1, .stack = {.frames = frames, .nuser = 126}});
	assert_int_equal(capture_end(&capture, 20)->capture.truncated_stacks, 1);
	assert_int_equal(capture.model->capture.unwound_stacks, 0);
	capture_free(&capture);
}

static void ends_of_unwound_stacks_are_counted(void **state)
{
	static const uint64_t marked[] = {1, 2, STACK_MARK + STACK_UNKNOWN_CODE};
	static const uint64_t deep[] = {1, 2, STACK_MARK + STACK_FULL};
	struct capture capture = capture_begin();
	const struct model_capture *counts;

	(void)state;
	CAPTURE_EVENT(&capture, 10, EVENT_SAMPLE, .flags = EVENT_UNWOUND,
		      .sample = {.kind = 1, .stack = {.frames = marked, .nuser = 3}});
	CAPTURE_EVENT(&capture, 10, EVENT_SAMPLE, .flags = EVENT_UNWOUND,
		      .sample = {.kind = 1, .stack = {.frames = marked, .nuser = 2}});
	CAPTURE_EVENT(&capture, 10, EVENT_SAMPLE, .flags = EVENT_UNWOUND,
		      .sample = {.kind = 1, .stack = {.frames = deep, .nkernel = 1, .nuser = 2}});
	/* Only the kernel's frames: nothing was unwound. */
	CAPTURE_EVENT(&capture, 10, EVENT_SAMPLE, .flags = EVENT_UNWOUND,
		      .sample = {.kind = 1, .stack = {.frames = deep, .nkernel = 1}});
	counts = &capture_end(&capture, 20)->capture;
	assert_int_equal(counts->unwound_stacks, 3);
	assert_int_equal(counts->unwound_ends[STACK_WHOLE], 1);
	assert_int_equal(counts->unwound_ends[STACK_UNKNOWN_CODE], 1);
	assert_int_equal(counts->unwound_ends[STACK_FULL], 1);
	assert_int_equal(counts->truncated_stacks, 1);
	capture_free(&capture);
}

static void every_mark_has_a_name(void **state)
{
	(void)state;
	assert_null(stack_mark_frame(STACK_MARK - 1));
	for (int end = STACK_WHOLE + 1; end < STACK_ENDS; end++) {
		assert_non_null(stack_end_key(end));
		assert_non_null(strstr(stack_mark_frame(STACK_MARK + end), stack_end_text(end)));
	}
	assert_string_equal(stack_mark_frame(UINT64_MAX), stack_mark_frame(STACK_MARK));
}

static void queue_waits_name_their_waker(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	CAPTURE_EVENT(&capture, 0, EVENT_THREAD,
		      .thread = {.process = 0, .pid = CAPTURE_PID, .comm = "driver"});
	capture_spawn(&capture, 0, 1);
	capture_poll(&capture, 3, 10, 1);
	capture_wake(&capture, 20, 1);
	capture_poll(&capture, 25, 30, 1);
	/* By task 2, which is not known yet: its first poll is told later. */
	CAPTURE_EVENT(&capture, 40, EVENT_WAKE, .wake = {.task = 1, .waker_task = 2});
	CAPTURE_EVENT(&capture, 41, EVENT_POLL,
		      .poll = {.task = 2, .kind = 2, .start = CAPTURE_ORIGIN + 35});
	capture_poll(&capture, 47, 50, 1);
	CAPTURE_EVENT(&capture, 60, EVENT_WAKE, .wake = {.task = 1, .waker_task = 2});
	capture_poll(&capture, 64, 70, 1);
	CAPTURE_EVENT(&capture, 80, EVENT_WAKE, .wake = {.task = 1, .waker_task = 999});
	capture_poll(&capture, 82, 90, 1);
	capture.tid = 0;
	capture_wake(&capture, 91, 1);
	capture.tid = 10;
	capture_poll(&capture, 92, 95, 1);
	model = capture_end(&capture, 95);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_SCHEDULED, "[spawned]"), 3);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_SCHEDULED, "driver"), 5);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_SCHEDULED, "other"), 7 + 4);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_SCHEDULED, "[unknown]"), 2 + 1);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_SCHEDULED, NULL),
			 capture_type(model, "work")->times.scheduled_ns);
	capture_free(&capture);
}

static void roots_are_as_fine_as_asked(void **state)
{
	struct correlate_options options = {.syscall_name = capture_syscall};

	(void)state;
	for (int by = CORRELATE_BY_TYPE; by <= CORRELATE_BY_WORKER; by++) {
		struct capture capture;
		const struct model *model;

		options.by = by;
		capture = capture_begin_with(&options);
		for (uint64_t i = 0; i < 6; i++) {
			capture.tid = 10 + i % 3;
			capture_poll(&capture, i * 10, i * 10 + 5, i % 2);
			CAPTURE_EVENT(&capture, i * 10 + 5, EVENT_SAMPLE,
				      .sample = {.task = i % 2, .kind = 1});
		}
		model = capture_end(&capture, 60);
		assert_int_equal(model->nweights, 1 + by);
		assert_int_equal(model->non_cpu, 1 + by);
		assert_int_equal(model->on_cpu[0].ns, 30 / (1 + by));
		assert_int_equal(model->on_cpu[by].tid, by == CORRELATE_BY_WORKER ? 12 : 0);
		assert_int_equal(model->on_cpu[by].task, by == CORRELATE_BY_TASK ? 1 : 0);
		capture_free(&capture);
	}
}

static void overhead_is_what_each_probe_costs(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	CAPTURE_EVENT(&capture, 0, EVENT_OVERHEAD,
		      .overhead = {.poll_ns = 100, .signal_ns = 7, .await_ns = 1000});
	capture_spawn(&capture, 0, 1);
	capture_wake(&capture, 0, 1);
	capture_poll(&capture, 1, 2, 1);
	capture_poll(&capture, 3, 4, 1);
	capture_sleep(&capture, 5, 6, 7, 1);
	assert_int_equal(capture_end(&capture, 10)->capture.probe_overhead_ns, 1214);
	capture_free(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kind_named_after_use_still_names_the_type),
		cmocka_unit_test(kinds_and_sources_of_one_name_are_one_type),
		cmocka_unit_test(types_of_two_processes_are_two),
		cmocka_unit_test(task_without_a_readable_kind_is_unknown),
		cmocka_unit_test(kind_of_a_woken_task_is_learnt_from_its_poll),
		cmocka_unit_test(top_tasks_are_by_poll_then_life_then_id),
		cmocka_unit_test(glob_filters_all_but_the_totals),
		cmocka_unit_test(glob_is_of_name_or_location_or_their_ends),
		cmocka_unit_test(samples_weigh_the_period_by_stack),
		cmocka_unit_test(full_stacks_count_as_truncated),
		cmocka_unit_test(ends_of_unwound_stacks_are_counted),
		cmocka_unit_test(every_mark_has_a_name),
		cmocka_unit_test(queue_waits_name_their_waker),
		cmocka_unit_test(roots_are_as_fine_as_asked),
		cmocka_unit_test(overhead_is_what_each_probe_costs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
