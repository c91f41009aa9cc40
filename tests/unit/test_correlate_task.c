// SPDX-License-Identifier: MIT
// links: core util
/* The life of single tasks: waits, polls, and their edges. */
#include "capture.h"

static void spawned_task_waits_polls_idles_and_ends(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;
	const struct model *model;

	(void)state;
	capture_spawn(&capture, 10, 1);
	capture_poll(&capture, 15, 25, 1);
	capture_wake(&capture, 40, 1);
	CAPTURE_EVENT(&capture, 60, EVENT_POLL, .flags = EVENT_READY,
		      .poll = {.task = 1, .kind = 1, .start = CAPTURE_ORIGIN + 47});
	capture_terminate(&capture, 61, 1);
	model = capture_end(&capture, 100);
	task = capture_task(model, 1);
	assert_int_equal(task->state, MODEL_DONE);
	assert_int_equal(task->in_progress_ns, 0);
	assert_int_equal(task->polls, 2);
	assert_int_equal(task->max_poll_ns, 13);
	assert_int_equal(task->times.lifetime_ns, 51);
	assert_int_equal(task->times.scheduled_ns, 5 + 7);
	assert_int_equal(task->times.polling_ns, 10 + 13);
	assert_int_equal(task->times.idle_ns, 15 + 1);
	assert_int_equal(model->types[0].tasks, 1);
	assert_int_equal(model->types[0].alive, 0);
	assert_int_equal(model->types[0].wakes, 1);
	assert_int_equal(model->types[0].scheduled_wait_ns.max, 7);
	assert_string_equal(model->types[0].location, "work.c:7");
	assert_int_equal(model->capture.unmatched_wakes, 0);
	assert_int_equal(model->capture.events, 5);
	assert_int_equal(model->capture.late, 0);
	capture_free(&capture);
}

static void wake_during_a_poll_schedules_from_its_end(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_spawn(&capture, 10, 1);
	capture_wake(&capture, 15, 1);
	capture_poll(&capture, 10, 20, 1);
	capture_poll(&capture, 26, 30, 1);
	task = capture_task(capture_end(&capture, 50), 1);
	assert_int_equal(task->times.scheduled_ns, 6);
	assert_int_equal(task->times.idle_ns, 20);
	assert_int_equal(task->state, MODEL_IDLE);
	assert_int_equal(task->in_progress_ns, 20);
	assert_int_equal(capture.model->capture.redundant_wakes, 0);
	assert_int_equal(capture.model->capture.unmatched_wakes, 0);
	capture_free(&capture);
}

static void wake_before_and_wake_in_one_poll_both_count(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_spawn(&capture, 0, 1);
	capture_poll(&capture, 0, 10, 1);
	capture_wake(&capture, 15, 1);
	capture_wake(&capture, 25, 1);
	capture_poll(&capture, 20, 30, 1);
	capture_poll(&capture, 33, 40, 1);
	task = capture_task(capture_end(&capture, 40), 1);
	assert_int_equal(task->times.idle_ns, 5);
	assert_int_equal(task->times.scheduled_ns, 5 + 3);
	assert_int_equal(capture.model->capture.redundant_wakes, 0);
	assert_int_equal(capture.model->capture.unmatched_wakes, 0);
	capture_free(&capture);
}

static void further_wakes_are_redundant_and_the_first_counts(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_spawn(&capture, 0, 1);
	capture_wake(&capture, 0, 1);
	capture_poll(&capture, 1, 10, 1);
	capture_wake(&capture, 12, 1);
	capture_wake(&capture, 14, 1);
	capture_wake(&capture, 16, 1);
	capture_poll(&capture, 20, 30, 1);
	type = capture_type(capture_end(&capture, 30), "work");
	assert_int_equal(type->times.scheduled_ns, 1 + 8);
	assert_int_equal(type->wakes, 4);
	assert_int_equal(type->redundant_wakes, 3);
	assert_int_equal(capture.model->capture.redundant_wakes, 3);
	capture_free(&capture);
}

static void poll_without_a_wake_leaves_the_gap_idle(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_spawn(&capture, 0, 1);
	capture_poll(&capture, 0, 10, 1);
	capture_poll(&capture, 20, 30, 1);
	task = capture_task(capture_end(&capture, 30), 1);
	assert_int_equal(task->times.idle_ns, 10);
	assert_int_equal(task->times.scheduled_ns, 0);
	assert_int_equal(capture.model->capture.unmatched_wakes, 1);
	capture_free(&capture);
}

static void first_poll_of_an_older_task_needs_no_wake(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_poll(&capture, 20, 30, 1);
	task = capture_task(capture_end(&capture, 50), 1);
	assert_int_equal(task->times.lifetime_ns, 30);
	assert_int_equal(task->times.polling_ns, 10);
	assert_int_equal(task->times.idle_ns, 20);
	assert_int_equal(capture.model->capture.unmatched_wakes, 0);
	capture_free(&capture);
}

static void older_task_lives_from_its_first_wake(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_wake(&capture, 20, 1);
	capture_poll(&capture, 28, 30, 1);
	task = capture_task(capture_end(&capture, 50), 1);
	assert_int_equal(task->times.lifetime_ns, 30);
	assert_int_equal(task->times.scheduled_ns, 8);
	capture_free(&capture);
}

static void older_task_woken_in_its_first_poll_is_as_old_as_the_poll(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_wake(&capture, 20, 1);
	capture_poll(&capture, 5, 30, 1);
	capture_poll(&capture, 32, 40, 1);
	task = capture_task(capture_end(&capture, 40), 1);
	assert_int_equal(task->times.lifetime_ns, 35);
	assert_int_equal(task->times.polling_ns, 33);
	assert_int_equal(task->times.scheduled_ns, 2);
	assert_int_equal(capture.model->capture.uncertain_ns, 0);
	capture_free(&capture);
}

static void runtime_without_wakes_has_no_scheduled_time(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_source(&capture, 1, 0, EVENT_CAN_POLL | EVENT_CAN_SPAWN);
	capture.source = 1;
	capture_kind(&capture, 1, "blind", "blind.c", 1);
	capture_spawn(&capture, 0, 1);
	capture_poll(&capture, 4, 10, 1);
	capture_poll(&capture, 20, 30, 1);
	type = capture_type(capture_end(&capture, 30), "blind");
	assert_false(type->has_scheduled);
	assert_int_equal(type->times.scheduled_ns, 0);
	assert_int_equal(type->times.idle_ns, 14);
	assert_int_equal(capture.model->capture.unmatched_wakes, 0);
	capture_free(&capture);
}

static void terminate_during_a_poll_takes_effect_at_its_end(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_spawn(&capture, 0, 1);
	CAPTURE_EVENT(&capture, 15, EVENT_TERMINATE, .terminate = {.task = 1, .cancelled = 1});
	capture_poll(&capture, 10, 20, 1);
	task = capture_task(capture_end(&capture, 50), 1);
	assert_int_equal(task->times.lifetime_ns, 20);
	assert_int_equal(task->times.polling_ns, 10);
	assert_int_equal(task->state, MODEL_CANCELLED);
	assert_int_equal(capture.model->types[0].tasks, 1);
	capture_free(&capture);
}

static void task_terminated_without_a_poll_was_queued(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_spawn(&capture, 5, 1);
	CAPTURE_EVENT(&capture, 15, EVENT_TERMINATE, .terminate = {.task = 1, .cancelled = 1});
	capture_poll(&capture, 10, 20, 2);
	task = capture_task(capture_end(&capture, 50), 1);
	assert_int_equal(task->times.lifetime_ns, 10);
	assert_int_equal(task->times.scheduled_ns, 10);
	capture_free(&capture);
}

static void wake_that_races_with_the_end_does_not_revive(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_spawn(&capture, 0, 1);
	CAPTURE_EVENT(&capture, 10, EVENT_POLL, .flags = EVENT_READY,
		      .poll = {.task = 1, .kind = 1, .start = CAPTURE_ORIGIN});
	capture_terminate(&capture, 11, 1);
	capture_wake(&capture, 12, 1);
	capture_terminate(&capture, 13, 1);
	type = capture_type(capture_end(&capture, 50), "work");
	assert_int_equal(type->tasks, 1);
	assert_int_equal(type->alive, 0);
	assert_int_equal(type->wakes, 1);
	assert_int_equal(type->redundant_wakes, 1);
	capture_free(&capture);
}

static void id_spawned_again_is_another_task(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	for (uint64_t at = 0; at < 30; at += 10) {
		capture_spawn(&capture, at, 1);
		capture_poll(&capture, at + 1, at + 4, 1);
		capture_terminate(&capture, at + 5, 1);
	}
	type = capture_type(capture_end(&capture, 50), "work");
	assert_int_equal(type->tasks, 3);
	assert_int_equal(type->times.lifetime_ns, 15);
	assert_int_equal(type->times.polling_ns, 9);
	capture_free(&capture);
}

static void completion_ends_a_task_where_ends_are_not_told(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_source(&capture, 1, 0, EVENT_CAN_POLL | EVENT_CAN_WAKE);
	capture.source = 1;
	CAPTURE_EVENT(&capture, 10, EVENT_POLL, .flags = EVENT_READY,
		      .poll = {.task = 1, .kind = 1, .start = CAPTURE_ORIGIN});
	type = capture_type(capture_end(&capture, 50), "[unknown]");
	assert_int_equal(type->alive, 0);
	assert_int_equal(type->times.lifetime_ns, 10);
	capture_free(&capture);
}

static void states_are_aged_at_the_end(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_spawn(&capture, 10, 1);
	capture_poll(&capture, 10, 20, 2);
	capture_wake(&capture, 30, 2);
	CAPTURE_EVENT(&capture, 100, EVENT_POLL, .flags = EVENT_IN_PROGRESS,
		      .poll = {.task = 3, .kind = 2, .start = CAPTURE_ORIGIN + 40});
	capture_end(&capture, 100);
	task = capture_task(capture.model, 1);
	assert_int_equal(task->state, MODEL_SCHEDULED);
	assert_int_equal(task->in_progress_ns, 90);
	task = capture_task(capture.model, 2);
	assert_int_equal(task->state, MODEL_SCHEDULED);
	assert_int_equal(task->in_progress_ns, 70);
	assert_int_equal(task->times.idle_ns, 10);
	task = capture_task(capture.model, 3);
	assert_int_equal(task->state, MODEL_POLLING);
	assert_int_equal(task->in_progress_ns, 60);
	assert_int_equal(task->times.polling_ns, 60);
	assert_int_equal(capture_type(capture.model, "other")->poll_ns.max, 60);
	assert_true(capture.model->slowest[0].in_progress);
	capture_free(&capture);
}

static void clipped_poll_starts_with_the_capture(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	CAPTURE_EVENT(&capture, 30, EVENT_POLL, .flags = EVENT_CLIPPED,
		      .poll = {.task = 1, .kind = 1, .start = 3});
	task = capture_task(capture_end(&capture, 30), 1);
	assert_int_equal(task->times.polling_ns, 30);
	assert_int_equal(task->times.lifetime_ns, 30);
	capture_free(&capture);
}

static void task_first_seen_at_a_clipped_end_belongs_to_the_type_told_later(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	CAPTURE_EVENT(&capture, 30, EVENT_POLL, .flags = EVENT_CLIPPED,
		      .poll = {.task = 1, .start = CAPTURE_ORIGIN});
	capture_wake(&capture, 40, 1);
	capture_poll(&capture, 42, 50, 1);
	type = capture_type(capture_end(&capture, 60), "work");
	assert_int_equal(type->tasks, 1);
	assert_int_equal(type->polls, 2);
	assert_int_equal(type->times.polling_ns, 38);
	assert_int_equal(capture.model->ntypes, 1);
	capture_free(&capture);
}

static void block_on_is_a_type_of_its_own_and_starts_unqueued(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	CAPTURE_EVENT(&capture, 10, EVENT_BLOCK_ON_ENTER, .block_on = {.task = 7, .kind = 1});
	capture_poll(&capture, 12, 20, 7);
	capture_wake(&capture, 30, 7);
	CAPTURE_EVENT(&capture, 40, EVENT_POLL, .flags = EVENT_READY,
		      .poll = {.task = 7, .kind = 1, .start = CAPTURE_ORIGIN + 33});
	CAPTURE_EVENT(&capture, 41, EVENT_BLOCK_ON_EXIT, .block_on = {.task = 7, .kind = 1});
	type = capture_type(capture_end(&capture, 50), "[block_on work]");
	assert_string_equal(type->location, "work.c:7");
	assert_int_equal(type->times.lifetime_ns, 31);
	assert_int_equal(type->times.idle_ns, 2 + 10 + 1);
	assert_int_equal(type->times.scheduled_ns, 3);
	assert_int_equal(type->alive, 0);
	assert_int_equal(capture.model->ntypes, 1);
	assert_int_equal(capture.model->capture.unmatched_wakes, 0);
	capture_free(&capture);
}

static void exec_ends_the_tasks_of_the_generation_before(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_spawn(&capture, 0, 1);
	capture_process(&capture, 20, 1, CAPTURE_PID, 1);
	capture_source(&capture, 1, 1, UINT32_MAX);
	capture.source = 1;
	capture_kind(&capture, 1, "fresh", "fresh.c", 1);
	capture_spawn(&capture, 30, 1);
	type = capture_type(capture_end(&capture, 50), "work");
	assert_int_equal(type->alive, 0);
	assert_int_equal(type->times.lifetime_ns, 20);
	type = capture_type(capture.model, "fresh");
	assert_int_equal(type->alive, 1);
	assert_int_equal(type->times.lifetime_ns, 20);
	assert_int_equal(capture.model->nprocesses, 2);
	capture_free(&capture);
}

static void exit_ends_tasks_and_keeps_the_status(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	CAPTURE_EVENT(&capture, 0, EVENT_PROCESS,
		      .process = {.process = 1,
				  .pid = 7,
				  .launched = 1,
				  .comm = "sh",
				  .exe = "/bin/sh",
				  .command_line = "sh -c"});
	capture_source(&capture, 1, 1, UINT32_MAX);
	capture.source = 1;
	capture_spawn(&capture, 0, 5);
	CAPTURE_EVENT(&capture, 20, EVENT_PROCESS_EXIT,
		      .process_exit = {.process = 1, .wait_status = 256});
	task = capture_task(capture_end(&capture, 50), 5);
	assert_int_equal(task->state, MODEL_CANCELLED);
	assert_int_equal(task->times.lifetime_ns, 20);
	assert_true(capture.model->processes[1].exited);
	assert_int_equal(capture.model->processes[1].wait_status, 256);
	assert_int_equal(capture.model->processes[0].wait_status, -1);
	capture_free(&capture);
}

static void late_wake_still_schedules_and_is_counted(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_spawn(&capture, 0, 1);
	capture_poll(&capture, 10, 20, 1);
	capture_wake(&capture, 15, 1);
	capture_poll(&capture, 25, 30, 1);
	task = capture_task(capture_end(&capture, 30), 1);
	assert_int_equal(task->times.scheduled_ns, 10 + 5);
	assert_int_equal(capture.model->capture.late, 1);
	assert_int_equal(capture.model->capture.unmatched_wakes, 0);
	capture_free(&capture);
}

static void late_spawn_makes_the_task_older(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_poll(&capture, 10, 20, 1);
	capture_spawn(&capture, 5, 1);
	task = capture_task(capture_end(&capture, 30), 1);
	assert_int_equal(task->times.lifetime_ns, 25);
	assert_int_equal(task->times.scheduled_ns, 5);
	assert_int_equal(capture.model->types[0].tasks, 1);
	capture_free(&capture);
}

static void poll_that_overlaps_what_is_accounted_is_cut(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;

	(void)state;
	capture_spawn(&capture, 0, 1);
	capture_poll(&capture, 10, 20, 1);
	capture_poll(&capture, 15, 30, 1);
	capture_poll(&capture, 2, 8, 1);
	task = capture_task(capture_end(&capture, 30), 1);
	assert_int_equal(task->polls, 3);
	assert_int_equal(task->times.polling_ns, 20);
	assert_int_equal(task->times.lifetime_ns, 30);
	assert_int_equal(capture.model->capture.uncertain_ns, 5 + 6);
	assert_int_equal(capture.model->capture.late, 1);
	capture_free(&capture);
}

static void loss_makes_live_task_time_uncertain_once(void **state)
{
	struct capture capture = capture_begin();
	uint64_t ms = 1000000;
	const struct model *model;

	(void)state;
	capture_spawn(&capture, 0, 1);
	capture_spawn(&capture, 0, 2);
	capture_poll(&capture, 10 * ms, 20 * ms, 1);
	capture_terminate(&capture, 21 * ms, 2);
	capture_poll(&capture, 30 * ms, 40 * ms, 1);
	CAPTURE_EVENT(&capture, 50 * ms, EVENT_LOST,
		      .lost = {.type = EVENT_WAKE, .count = 3, .since = CAPTURE_ORIGIN + 45 * ms});
	CAPTURE_EVENT(&capture, 50 * ms, EVENT_LOST,
		      .lost = {.type = EVENT_POLL, .count = 1, .since = CAPTURE_ORIGIN + 45 * ms});
	CAPTURE_EVENT(&capture, 50 * ms, EVENT_LOST,
		      .lost = {.type = 99, .count = 1, .since = CAPTURE_ORIGIN + 45 * ms});
	model = capture_end(&capture, 60 * ms);
	/* Task 2's end is pending, so that it counts as alive until the capture ends. */
	assert_true(model->capture.uncertain_ns >= 5 * ms);
	assert_true(model->capture.uncertain_ns <= 10 * ms);
	assert_int_equal(model->capture.events_lost, 5);
	assert_int_equal(model->capture.nlost, 3);
	assert_int_equal(model->capture.lost[0].type, 0);
	assert_int_equal(model->capture.lost[0].count, 1);
	assert_int_equal(model->capture.lost[2].type, EVENT_WAKE);
	assert_int_equal(model->capture.lost[2].count, 3);
	capture_free(&capture);
}

static void lost_samples_make_nothing_uncertain(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	capture_spawn(&capture, 0, 1);
	CAPTURE_EVENT(&capture, 50, EVENT_LOST, .lost = {.type = EVENT_SAMPLE, .count = 3});
	assert_int_equal(capture_end(&capture, 60)->capture.uncertain_ns, 0);
	assert_int_equal(capture.model->capture.events_lost, 3);
	capture_free(&capture);
}

static void cut_recording_ends_at_its_last_event(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	capture_poll(&capture, 10, 20, 1);
	capture_wake(&capture, 35, 1);
	capture.model = correlator_finish(capture.correlator);
	assert_non_null(capture.model);
	capture_check(capture.model);
	assert_int_equal(capture.model->capture.end_reason, 0);
	assert_int_equal(capture.model->capture.duration_ns, 35);
	assert_int_equal(capture.model->tasks[0].times.lifetime_ns, 25);
	capture_free(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spawned_task_waits_polls_idles_and_ends),
		cmocka_unit_test(wake_during_a_poll_schedules_from_its_end),
		cmocka_unit_test(wake_before_and_wake_in_one_poll_both_count),
		cmocka_unit_test(further_wakes_are_redundant_and_the_first_counts),
		cmocka_unit_test(poll_without_a_wake_leaves_the_gap_idle),
		cmocka_unit_test(first_poll_of_an_older_task_needs_no_wake),
		cmocka_unit_test(older_task_lives_from_its_first_wake),
		cmocka_unit_test(older_task_woken_in_its_first_poll_is_as_old_as_the_poll),
		cmocka_unit_test(runtime_without_wakes_has_no_scheduled_time),
		cmocka_unit_test(terminate_during_a_poll_takes_effect_at_its_end),
		cmocka_unit_test(task_terminated_without_a_poll_was_queued),
		cmocka_unit_test(wake_that_races_with_the_end_does_not_revive),
		cmocka_unit_test(id_spawned_again_is_another_task),
		cmocka_unit_test(completion_ends_a_task_where_ends_are_not_told),
		cmocka_unit_test(states_are_aged_at_the_end),
		cmocka_unit_test(clipped_poll_starts_with_the_capture),
		cmocka_unit_test(task_first_seen_at_a_clipped_end_belongs_to_the_type_told_later),
		cmocka_unit_test(block_on_is_a_type_of_its_own_and_starts_unqueued),
		cmocka_unit_test(exec_ends_the_tasks_of_the_generation_before),
		cmocka_unit_test(exit_ends_tasks_and_keeps_the_status),
		cmocka_unit_test(late_wake_still_schedules_and_is_counted),
		cmocka_unit_test(late_spawn_makes_the_task_older),
		cmocka_unit_test(poll_that_overlaps_what_is_accounted_is_cut),
		cmocka_unit_test(loss_makes_live_task_time_uncertain_once),
		cmocka_unit_test(lost_samples_make_nothing_uncertain),
		cmocka_unit_test(cut_recording_ends_at_its_last_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
