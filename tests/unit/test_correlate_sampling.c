// SPDX-License-Identifier: MIT
// links: core util
/* Sampled polls: counted in full, and scaled by what was timed. */
#include "capture.h"

#include "core/state.h"

static void sample(struct capture *capture, uint64_t at, uint32_t one_in)
{
	CAPTURE_EVENT(capture, at, EVENT_SAMPLING, .sampling = {.one_in = one_in});
}

static void skipped(struct capture *capture, uint64_t at, uint64_t kind, uint64_t polls)
{
	CAPTURE_EVENT(capture, at, EVENT_SKIPPED, .skipped = {.kind = kind, .polls = polls});
}

/* A poll of kind 1 that blocked and queued for some of its time. */
static void poll(struct capture *capture, uint64_t start, uint64_t end, uint64_t task,
		 uint64_t blocked_ns, uint64_t runqueue_ns)
{
	CAPTURE_EVENT(capture, end, EVENT_POLL,
		      .poll = {.task = task,
			       .kind = 1,
			       .start = CAPTURE_ORIGIN + start,
			       .blocked_ns = blocked_ns,
			       .runqueue_ns = runqueue_ns});
}

static void polls_are_counted_and_times_scaled(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;
	const struct model *model;

	(void)state;
	sample(&capture, 0, 4);
	capture_sleep(&capture, 102, 107, 109, 75);
	poll(&capture, 100, 120, 1, 5, 2);
	poll(&capture, 130, 140, 1, 0, 0);
	skipped(&capture, 900, 1, 3);
	skipped(&capture, 1000, 1, 5);
	model = capture_end(&capture, 1000);
	type = capture_type(model, "work");
	assert_true(model->capture.estimated);
	assert_int_equal(model->capture.sampled_one_in, 4);
	/* Two of seven were timed: each stands for three and a half. */
	assert_int_equal(type->polls, 7);
	assert_int_equal(type->times.blocked_ns, 18); /* 17.5 */
	assert_int_equal(type->times.runqueue_ns, 7);
	assert_int_equal(type->times.on_cpu_ns, 81); /* 80.5 */
	assert_int_equal(type->times.polling_ns, 106);
	assert_int_equal(type->times.lifetime_ns, 0);
	assert_int_equal(capture_cause(type, "fdatasync", NULL)->count, 4);
	assert_int_equal(capture_cause(type, "fdatasync", NULL)->total_ns, 18);
	assert_int_equal(capture_cause(type, "fdatasync", NULL)->max_ns, 5);
	assert_int_equal(type->poll_ns.max, 20);
	assert_int_equal(capture_task(model, 1)->polls, 2);
	assert_int_equal(capture_task(model, 1)->times.polling_ns, 30);
	assert_int_equal(model->slowest[0].poll_ns, 20);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_BLOCKED, "fdatasync"), 18);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_RUNQUEUE, NULL), 7);
	assert_int_equal(model->on_cpu[0].ns, 81);
	capture_free(&capture);
}

static void what_was_timed_before_counts_once(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;
	const struct model *model;

	(void)state;
	capture_sleep(&capture, 20, 60, 60, 75);
	poll(&capture, 10, 100, 1, 40, 0);
	sample(&capture, 200, 10);
	poll(&capture, 300, 308, 1, 0, 0);
	capture_sleep(&capture, 310, 313, 313, 75);
	poll(&capture, 309, 320, 1, 3, 0);
	skipped(&capture, 1000, 1, 18);
	model = capture_end(&capture, 1000);
	type = capture_type(model, "work");
	assert_int_equal(model->capture.sampled_since_ns, 200);
	assert_int_equal(type->polls, 1 + 2 + 18);
	assert_int_equal(type->times.blocked_ns, 40 + 3 * 10);
	assert_int_equal(type->times.on_cpu_ns, 50 + 16 * 10);
	assert_int_equal(capture_cause(type, "fdatasync", NULL)->count, 1 + 10);
	assert_int_equal(type->ncauses, 1);
	capture_free(&capture);
}

static void a_poll_that_was_open_when_sampling_began_counts_once(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;
	const struct model *model;

	(void)state;
	poll(&capture, 10, 20, 1, 0, 0);
	sample(&capture, 100, 10);
	capture_sleep(&capture, 110, 150, 160, 75);
	poll(&capture, 90, 200, 1, 40, 10);
	capture_sleep(&capture, 310, 311, 311, 75);
	poll(&capture, 300, 320, 1, 1, 0);
	skipped(&capture, 1000, 1, 9);
	model = capture_end(&capture, 1000);
	type = capture_type(model, "work");
	assert_int_equal(type->times.blocked_ns, 40 + 10);
	assert_int_equal(type->times.runqueue_ns, 10);
	assert_int_equal(type->times.on_cpu_ns, 10 + 60 + 190);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_BLOCKED, NULL), 40 + 10);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_RUNQUEUE, NULL), 10);
	capture_free(&capture);
}

static void waits_end_with_sampling(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;
	const struct model *model;

	(void)state;
	capture_spawn(&capture, 0, 1);
	capture_poll(&capture, 10, 20, 1);
	capture_wake(&capture, 30, 1);
	sample(&capture, 40, 4);
	capture_poll(&capture, 500, 520, 1);
	capture_poll(&capture, 600, 620, 1);
	capture_spawn(&capture, 700, 2);
	skipped(&capture, 1000, 1, 6);
	model = capture_end(&capture, 1000);
	task = capture_task(model, 1);
	assert_int_equal(task->times.scheduled_ns, 10);
	assert_int_equal(task->times.lifetime_ns, 1000);
	assert_int_equal(task->state, MODEL_IDLE);
	assert_int_equal(capture_task(model, 2)->state, MODEL_IDLE);
	assert_int_equal(model->capture.unmatched_wakes, 0);
	assert_false(capture_type(model, "work")->has_scheduled);
	capture_free(&capture);
}

static void a_kind_that_was_never_timed_is_a_type_without_times(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	sample(&capture, 0, 4);
	capture_poll(&capture, 10, 20, 1);
	skipped(&capture, 1000, 1, 3);
	skipped(&capture, 1000, 2, 5);
	type = capture_type(capture_end(&capture, 1000), "other");
	assert_int_equal(type->polls, 5);
	assert_int_equal(type->tasks, 0);
	assert_true(type->untimed);
	assert_int_equal(type->times.polling_ns, 0);
	assert_false(capture_type(capture.model, "work")->untimed);
	capture_free(&capture);
}

static void only_types_that_were_asked_for_are_there(void **state)
{
	const struct correlate_options options = {
		.tasks = 10, .slowest = 10, .type_glob = "oth*", .syscall_name = capture_syscall};
	struct capture capture = capture_begin_with(&options);

	(void)state;
	sample(&capture, 0, 4);
	capture_poll(&capture, 10, 20, 1);
	skipped(&capture, 1000, 1, 3);
	skipped(&capture, 1000, 2, 5);
	capture_type(capture_end(&capture, 1000), "other");
	assert_int_equal(capture.model->ntypes, 1);
	capture_free(&capture);
}

static void kinds_of_one_type_are_scaled_together(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_kind(&capture, 3, "work", "work.c", 7);
	sample(&capture, 0, 4);
	capture_poll(&capture, 10, 20, 1);
	skipped(&capture, 1000, 3, 9);
	type = capture_type(capture_end(&capture, 1000), "work");
	assert_int_equal(type->polls, 10);
	assert_int_equal(type->times.polling_ns, 100);
	assert_false(type->untimed);
	capture_free(&capture);
}

static void workers_share_what_was_skipped(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	sample(&capture, 0, 4);
	capture_sleep(&capture, 12, 16, 16, 35);
	poll(&capture, 10, 20, 1, 4, 0);
	capture_poll(&capture, 30, 40, 1);
	CAPTURE_EVENT(&capture, 1000, EVENT_THREAD_TOTALS, .thread_totals = {.blocked_ns = 600});
	capture.tid = 11;
	capture_poll(&capture, 30, 40, 2);
	skipped(&capture, 1000, 1, 7);
	model = capture_end(&capture, 1000);
	assert_int_equal(model->nworkers, 2);
	assert_int_equal(model->workers[0].polls, 2 + 5);
	assert_int_equal(model->workers[1].polls, 1 + 2);
	/* 4 of 600 were slept in a poll: with those skipped it was 4 + 4 * 7 / 3. */
	assert_int_equal(model->workers[0].parked_ns, 600 - 4 - 9);
	capture_free(&capture);
}

static void skipped_polls_of_block_on_are_told_apart(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	sample(&capture, 0, 4);
	CAPTURE_EVENT(&capture, 5, EVENT_BLOCK_ON_ENTER, .block_on = {.task = 9, .kind = 2});
	CAPTURE_EVENT(&capture, 20, EVENT_POLL,
		      .poll = {.task = 9, .kind = 2, .start = CAPTURE_ORIGIN + 10});
	skipped(&capture, 1000, 2, 3);
	model = capture_end(&capture, 1000);
	assert_int_equal(model->ntypes, 1);
	assert_int_equal(capture_type(model, "[block_on other]")->polls, 4);
	assert_int_equal(capture_type(model, "[block_on other]")->times.polling_ns, 40);
	capture_free(&capture);
}

static void overhead_is_summed_by_source(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	capture_source(&capture, 1, 0, CAPTURE_CAN_ALL);
	CAPTURE_EVENT(&capture, 0, EVENT_OVERHEAD, .overhead = {300, 20, 1});
	capture.source = EVENT_NO_SOURCE;
	CAPTURE_EVENT(&capture, 0, EVENT_OVERHEAD, .overhead = {1000, 100, 10});
	capture.source = 0;
	capture_poll(&capture, 10, 20, 1);
	capture_wake(&capture, 20, 1);
	sample(&capture, 25, 4);
	skipped(&capture, 1000, 1, 2);
	capture.source = 1;
	capture_poll(&capture, 30, 40, 1);
	capture_terminate(&capture, 40, 1);
	skipped(&capture, 1000, 1, 3);
	assert_int_equal(capture_end(&capture, 1000)->capture.probe_overhead_ns,
			 300 + 20 + 2 * 1 + 1000 + 100 + 3 * 10);
	capture_free(&capture);
}

/* A probe told both, the poll's end and the task's. */
static void an_end_that_tells_its_kind_took_no_probe_of_its_own(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	CAPTURE_EVENT(&capture, 0, EVENT_OVERHEAD, .overhead = {1000, 100, 10});
	capture_poll(&capture, 10, 20, 1);
	CAPTURE_EVENT(&capture, 20, EVENT_TERMINATE, .terminate = {.task = 1, .kind = 1});
	CAPTURE_EVENT(&capture, 30, EVENT_TERMINATE,
		      .terminate = {.task = 2, .kind = 1, .cancelled = 1});
	capture_terminate(&capture, 40, 3);
	assert_int_equal(capture_end(&capture, 50)->capture.probe_overhead_ns, 1000 + 100 + 100);
	capture_free(&capture);
}

static void what_was_only_woken_is_no_type(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	capture_wake(&capture, 5, 2);
	capture_poll(&capture, 10, 20, 1);
	sample(&capture, 100, 4);
	skipped(&capture, 1000, 1, 3);
	model = capture_end(&capture, 1000);
	assert_int_equal(model->ntypes, 1);
	assert_int_equal(model->ntasks, 1);
	assert_int_equal(capture_type(model, "work")->polls, 4);
	capture_free(&capture);
}

/* Of one task after the other the first poll is recorded, and the end is not. */
static void tasks_whose_end_was_skipped_fill_no_memory(void **state)
{
	struct capture capture = capture_begin();
	const struct source *source;
	const struct model_type *type;
	uint64_t tasks = 5 * SAMPLING_TASKS / 2;

	(void)state;
	sample(&capture, 0, 4);
	for (uint64_t id = 1; id <= tasks; id++)
		capture_poll(&capture, 10 * id, 10 * id + 5, id);
	source = capture.correlator->sources[0];
	assert_true(source->tasks.used <= SAMPLING_TASKS);
	/* The latest are still there: no task is counted twice. */
	capture_poll(&capture, 10 * tasks + 10, 10 * tasks + 15, tasks - SAMPLING_TASKS / 4);
	type = capture_type(capture_end(&capture, 10 * tasks + 20), "work");
	assert_int_equal(type->tasks, tasks);
	assert_true(type->alive >= SAMPLING_TASKS / 2 && type->alive <= SAMPLING_TASKS);
	assert_int_equal(type->polls, tasks + 1);
	capture_free(&capture);
}

static void one_in_one_is_exact(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	sample(&capture, 0, 1);
	capture_spawn(&capture, 0, 1);
	capture_poll(&capture, 10, 20, 1);
	model = capture_end(&capture, 30);
	assert_false(model->capture.estimated);
	assert_int_equal(capture_type(model, "work")->times.scheduled_ns, 10);
	capture_free(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polls_are_counted_and_times_scaled),
		cmocka_unit_test(what_was_timed_before_counts_once),
		cmocka_unit_test(a_poll_that_was_open_when_sampling_began_counts_once),
		cmocka_unit_test(waits_end_with_sampling),
		cmocka_unit_test(a_kind_that_was_never_timed_is_a_type_without_times),
		cmocka_unit_test(only_types_that_were_asked_for_are_there),
		cmocka_unit_test(kinds_of_one_type_are_scaled_together),
		cmocka_unit_test(workers_share_what_was_skipped),
		cmocka_unit_test(skipped_polls_of_block_on_are_told_apart),
		cmocka_unit_test(overhead_is_summed_by_source),
		cmocka_unit_test(an_end_that_tells_its_kind_took_no_probe_of_its_own),
		cmocka_unit_test(what_was_only_woken_is_no_type),
		cmocka_unit_test(tasks_whose_end_was_skipped_fill_no_memory),
		cmocka_unit_test(one_in_one_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
