// SPDX-License-Identifier: MIT
// links: core util
/* Idle gaps, and the stacks of where tasks began to wait. */
#include "capture.h"

static const uint64_t frames[] = {1, 2, 3, 4, 5, 6, 7, 8};

/* On a stack of `place` and a caller that all share. */
static void await_flagged(struct capture *capture, uint64_t at, uint64_t task, unsigned int place,
			  uint8_t flags)
{
	const uint64_t stack[] = {frames[place], 100};

	CAPTURE_EVENT(capture, at, EVENT_AWAIT, .flags = flags,
		      .sample = {.task = task, .kind = 1, .stack = {.frames = stack, .nuser = 2}});
}

static void await(struct capture *capture, uint64_t at, uint64_t task, unsigned int place)
{
	await_flagged(capture, at, task, place, 0);
}

static void lose(struct capture *capture, uint64_t since, uint64_t at, uint32_t type)
{
	CAPTURE_EVENT(capture, at, EVENT_LOST,
		      .lost = {.type = type, .count = 1, .since = CAPTURE_ORIGIN + since});
}

/* What is attributed to a place; *count: of how many gaps. */
static uint64_t waited(const struct model *model, unsigned int place, uint64_t *count)
{
	uint64_t ns = 0;

	*count = 0;
	for (size_t i = 0; i < model->nweights; i++) {
		const struct model_weight *weight = &model->weights[i];

		if (weight->kind != MODEL_WEIGHT_IDLE)
			continue;
		assert_true(weight->stack < model->nstacks);
		if (model->stacks[weight->stack].frames[0] != frames[place])
			continue;
		ns += weight->ns;
		*count += weight->count;
	}
	return ns;
}

static void check(const struct model *model, unsigned int place, uint64_t count, uint64_t ns)
{
	uint64_t counted;

	assert_int_equal(waited(model, place, &counted), ns);
	assert_int_equal(counted, count);
}

static uint64_t attributed(const struct model *model)
{
	return capture_weight(model, MODEL_WEIGHT_IDLE, NULL);
}

static void gap_after_a_poll_belongs_to_its_await(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	capture_wake(&capture, 5, 1);
	await(&capture, 12, 1, 0);
	capture_poll(&capture, 10, 20, 1);
	capture_wake(&capture, 50, 1);
	await(&capture, 61, 1, 1);
	capture_poll(&capture, 60, 70, 1);
	capture_wake(&capture, 90, 1);
	capture_poll(&capture, 95, 100, 1);
	model = capture_end(&capture, 200);
	check(model, 0, 1, 50 - 20);
	check(model, 1, 1, 90 - 70);
	/* 100 to 200 had no await. */
	assert_int_equal(capture_type(model, "work")->times.idle_ns, 30 + 20 + 100);
	assert_int_equal(model->nidle, 1);
	assert_int_equal(model->idle[0].ns, 150);
	capture_free(&capture);
}

/* Of the gaps, not of their sum; a loss takes its gap's back. */
static void squares_of_gaps_add_up(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	await(&capture, 12, 1, 0);
	capture_poll(&capture, 10, 20, 1);
	capture_wake(&capture, 50, 1);
	await(&capture, 61, 1, 0);
	capture_poll(&capture, 60, 70, 1);
	capture_wake(&capture, 74, 1);
	await(&capture, 76, 1, 0);
	capture_poll(&capture, 75, 80, 1);
	capture_wake(&capture, 90, 1);
	CAPTURE_EVENT(&capture, 92, EVENT_POLL, .flags = EVENT_READY,
		      .poll = {.task = 1, .kind = 1, .start = CAPTURE_ORIGIN + 91});
	lose(&capture, 85, 95, EVENT_WAKE);
	model = capture_end(&capture, 100);
	check(model, 0, 2, 30 + 4);
	for (size_t i = 0; i < model->nweights; i++) {
		const struct model_weight *weight = &model->weights[i];
		bool idle = weight->kind == MODEL_WEIGHT_IDLE;
		double squares = idle ? 30 * 30 + 4 * 4 : 0;

		assert_int_equal(weight->whole_ns, idle ? 30 + 4 : 0);
		assert_float_equal(weight->squares, squares, 1e-9);
		assert_float_equal(weight->sampled_squares, squares, 1e-9);
	}
	capture_free(&capture);
}

static void first_await_of_a_poll_counts(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	await(&capture, 12, 1, 2);
	await(&capture, 13, 1, 3);
	capture_poll(&capture, 10, 20, 1);
	model = capture_end(&capture, 100);
	check(model, 2, 1, 80);
	check(model, 3, 0, 0);
	capture_free(&capture);
}

/* A timer keeps a waker before it looks at the time: what comes behind it is what is waited for. */
static void timers_give_way_to_what_is_none(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	/* One whose time had come, what is waited for, its timeout. */
	await_flagged(&capture, 12, 1, 0, EVENT_AT_TIMER);
	await(&capture, 13, 1, 1);
	await_flagged(&capture, 14, 1, 2, EVENT_AT_TIMER);
	capture_poll(&capture, 10, 20, 1);
	capture_wake(&capture, 50, 1);
	/* One timer, and then another. */
	await_flagged(&capture, 61, 1, 3, EVENT_AT_TIMER);
	await_flagged(&capture, 62, 1, 4, EVENT_AT_TIMER);
	capture_poll(&capture, 60, 70, 1);
	model = capture_end(&capture, 100);
	check(model, 0, 0, 0);
	check(model, 1, 1, 30);
	check(model, 2, 0, 0);
	check(model, 3, 0, 0);
	check(model, 4, 1, 30);
	capture_free(&capture);
}

static void gap_ends_with_the_capture_the_task_or_the_process(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	capture_process(&capture, 0, 1, 99, 0);
	capture_source(&capture, 1, 1, CAPTURE_CAN_ALL);
	await(&capture, 12, 1, 0);
	capture_poll(&capture, 10, 20, 1);
	await(&capture, 22, 2, 1);
	capture_poll(&capture, 21, 30, 2);
	capture.source = 1;
	capture.tid = 11;
	await(&capture, 32, 3, 2);
	capture_poll(&capture, 31, 40, 3);
	capture.source = 0;
	CAPTURE_EVENT(&capture, 60, EVENT_TERMINATE, .terminate = {.task = 2, .cancelled = 1});
	/* exec */
	capture_process(&capture, 75, 2, 99, 1);
	model = capture_end(&capture, 100);
	check(model, 0, 1, 100 - 20);
	check(model, 1, 1, 60 - 30);
	check(model, 2, 1, 75 - 40);
	capture_free(&capture);
}

static void polls_that_do_not_leave_a_task_waiting_have_no_gap(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	await(&capture, 12, 1, 0);
	CAPTURE_EVENT(&capture, 20, EVENT_POLL, .flags = EVENT_READY,
		      .poll = {.task = 1, .kind = 1, .start = CAPTURE_ORIGIN + 10});
	/* Woken in its poll: queued from its end on. */
	await(&capture, 32, 2, 1);
	capture_wake(&capture, 35, 2);
	capture_poll(&capture, 30, 40, 2);
	capture_poll(&capture, 50, 55, 2);
	await(&capture, 91, 3, 2);
	CAPTURE_EVENT(&capture, 100, EVENT_POLL, .flags = EVENT_IN_PROGRESS,
		      .poll = {.task = 3, .kind = 1, .start = CAPTURE_ORIGIN + 90});
	assert_int_equal(attributed(capture_end(&capture, 100)), 0);
	capture_free(&capture);
}

static void nested_polls_have_their_own(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	await(&capture, 11, 1, 0);
	await(&capture, 16, 2, 1);
	CAPTURE_EVENT(&capture, 20, EVENT_POLL,
		      .poll = {.task = 2, .kind = 1, .start = CAPTURE_ORIGIN + 15, .depth = 1});
	/* Its poll was lost: it is not that of task 1's. */
	await(&capture, 22, 3, 2);
	capture_poll(&capture, 10, 30, 1);
	capture_poll(&capture, 40, 50, 3);
	model = capture_end(&capture, 100);
	check(model, 0, 1, 100 - 30);
	check(model, 1, 1, 100 - 20);
	check(model, 2, 0, 0);
	capture_free(&capture);
}

static void await_of_a_poll_that_was_lost_is_not_the_next_ones(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	await(&capture, 12, 1, 0);
	capture_poll(&capture, 30, 40, 1);
	/* Nor another thread's, nor another runtime's. */
	await(&capture, 52, 1, 1);
	capture.tid = 11;
	capture_poll(&capture, 50, 60, 1);
	model = capture_end(&capture, 100);
	assert_int_equal(attributed(model), 0);
	capture_free(&capture);
}

static void gaps_that_losses_reach_into_belong_to_none(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	for (uint64_t task = 1; task <= 4; task++) {
		await(&capture, 10 * task + 1, task, task);
		capture_poll(&capture, 10 * task, 10 * task + 5, task);
	}
	/* Over before the loss. */
	capture_wake(&capture, 60, 1);
	capture_poll(&capture, 61, 62, 1);
	/* Over, but not before: what was told is taken back. */
	capture_wake(&capture, 75, 2);
	capture_poll(&capture, 76, 77, 2);
	lose(&capture, 70, 80, EVENT_WAKE);
	/* Goes on. */
	capture_wake(&capture, 90, 3);
	capture_poll(&capture, 91, 92, 3);
	/* Begins after it. */
	await(&capture, 96, 5, 5);
	capture_poll(&capture, 95, 97, 5);
	model = capture_end(&capture, 100);
	check(model, 1, 1, 60 - 15);
	check(model, 2, 0, 0);
	check(model, 3, 0, 0);
	check(model, 4, 0, 0);
	check(model, 5, 1, 3);
	for (size_t i = 0; i < model->nweights; i++)
		assert_true(model->weights[i].count > 0);
	capture_free(&capture);
}

/* What is known of a poll may not be where it left its task waiting. */
static void poll_that_a_loss_lies_in_leaves_nothing_known(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	lose(&capture, 12, 15, EVENT_AWAIT);
	await(&capture, 16, 1, 0);
	capture_poll(&capture, 10, 20, 1);
	await(&capture, 26, 2, 1);
	capture_poll(&capture, 25, 30, 2);
	model = capture_end(&capture, 100);
	check(model, 0, 0, 0);
	check(model, 1, 1, 70);
	assert_int_equal(model->capture.uncertain_ns, 0);
	capture_free(&capture);
}

static void losses_of_what_says_nothing_about_gaps_do_not_matter(void **state)
{
	static const uint32_t types[] = {EVENT_OFFCPU, EVENT_SAMPLE, EVENT_PARK};
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	await(&capture, 12, 1, 0);
	capture_poll(&capture, 10, 20, 1);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		lose(&capture, 25, 30, types[i]);
	model = capture_end(&capture, 100);
	check(model, 0, 1, 80);
	assert_int_equal(model->capture.events_lost, 3);
	capture_free(&capture);
}

static void nothing_is_attributed_once_polls_are_sampled(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	await(&capture, 12, 1, 0);
	capture_poll(&capture, 10, 20, 1);
	capture_wake(&capture, 30, 1);
	capture_poll(&capture, 31, 32, 1);
	CAPTURE_EVENT(&capture, 50, EVENT_SAMPLING, .sampling = {.one_in = 8});
	await(&capture, 61, 1, 1);
	capture_poll(&capture, 60, 70, 1);
	model = capture_end(&capture, 100);
	assert_int_equal(attributed(model), 0);
	assert_int_equal(model->nidle, 0);
	capture_free(&capture);
}

static void overlapping_polls_belong_to_none(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	await(&capture, 16, 1, 0);
	capture_poll(&capture, 15, 20, 1);
	capture.tid = 11;
	await(&capture, 12, 1, 1);
	capture_poll(&capture, 11, 25, 1);
	assert_int_equal(attributed(capture_end(&capture, 100)), 0);
	capture_free(&capture);
}

static void roots_are_types_or_tasks(void **state)
{
	(void)state;
	for (int by = CORRELATE_BY_TYPE; by <= CORRELATE_BY_WORKER; by++) {
		const struct correlate_options options = {.tasks = 100, .by = by};
		struct capture capture = capture_begin_with(&options);
		const struct model *model;
		uint64_t idle = 0;

		await(&capture, 12, 1, 0);
		capture_poll(&capture, 10, 20, 1);
		capture_poll(&capture, 30, 40, 2);
		model = capture_end(&capture, 100);
		assert_int_equal(attributed(model), 80);
		assert_int_equal(model->nweights, 1);
		assert_int_equal(model->weights[0].task, by == CORRELATE_BY_TASK);
		assert_int_equal(model->weights[0].tid, 0);
		for (size_t i = 0; i < model->nidle; i++)
			idle += model->idle[i].ns;
		assert_int_equal(idle, by == CORRELATE_BY_WORKER ? 0 : 80 + 60);
		assert_int_equal(model->nidle, by == CORRELATE_BY_WORKER ? 0 : 1 + by);
		capture_free(&capture);
	}
}

static void types_that_were_not_asked_for_have_none(void **state)
{
	const struct correlate_options options = {.type_glob = "other"};
	struct capture capture = capture_begin_with(&options);
	const struct model *model;

	(void)state;
	await(&capture, 12, 1, 0);
	capture_poll(&capture, 10, 20, 1);
	model = capture_end(&capture, 100);
	assert_int_equal(attributed(model), 0);
	assert_int_equal(model->nidle, 0);
	capture_free(&capture);
}

/* More stacks in open polls than there can be are left out. */
static void awaits_that_nest_without_end_do_no_harm(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	for (uint64_t task = 1; task <= 100; task++)
		await(&capture, task, task, task % 8);
	capture_poll(&capture, 200, 210, 1);
	await(&capture, 302, 1, 0);
	capture_poll(&capture, 300, 310, 1);
	check(capture_end(&capture, 400), 0, 1, 90);
	capture_free(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gap_after_a_poll_belongs_to_its_await),
		cmocka_unit_test(squares_of_gaps_add_up),
		cmocka_unit_test(first_await_of_a_poll_counts),
		cmocka_unit_test(timers_give_way_to_what_is_none),
		cmocka_unit_test(gap_ends_with_the_capture_the_task_or_the_process),
		cmocka_unit_test(polls_that_do_not_leave_a_task_waiting_have_no_gap),
		cmocka_unit_test(nested_polls_have_their_own),
		cmocka_unit_test(await_of_a_poll_that_was_lost_is_not_the_next_ones),
		cmocka_unit_test(gaps_that_losses_reach_into_belong_to_none),
		cmocka_unit_test(poll_that_a_loss_lies_in_leaves_nothing_known),
		cmocka_unit_test(losses_of_what_says_nothing_about_gaps_do_not_matter),
		cmocka_unit_test(nothing_is_attributed_once_polls_are_sampled),
		cmocka_unit_test(overlapping_polls_belong_to_none),
		cmocka_unit_test(roots_are_types_or_tasks),
		cmocka_unit_test(types_that_were_not_asked_for_have_none),
		cmocka_unit_test(awaits_that_nest_without_end_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
