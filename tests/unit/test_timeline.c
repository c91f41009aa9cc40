// SPDX-License-Identifier: MIT
// links: core util
/* What workers did over time: slices hold it where it was, and sum to it. */
#include "capture.h"
#include "core/timeline.h"

#define SLICE (UINT64_C(1) << TIMELINE_FINEST)

static uint64_t sum_of(const struct timeline *timeline, enum model_part part)
{
	uint64_t sum = 0;

	for (int i = 0; timeline->slices && i < TIMELINE_SLICES; i++)
		sum += timeline->slices[i].ns[part];
	return sum;
}

static void time_lies_in_the_slices_that_it_spans(void **state)
{
	struct timeline timeline = {0};

	(void)state;
	assert_int_equal(timeline_add(&timeline, MODEL_PART_POLLING, SLICE - 10, 2 * SLICE + 5), 0);
	assert_int_equal(timeline.slices[0].ns[MODEL_PART_POLLING], 10);
	assert_int_equal(timeline.slices[1].ns[MODEL_PART_POLLING], SLICE);
	assert_int_equal(timeline.slices[2].ns[MODEL_PART_POLLING], 5);
	assert_int_equal(timeline.slices[3].ns[MODEL_PART_POLLING], 0);
	timeline_clear(&timeline);
}

static void nothing_is_lost_as_slices_grow(void **state)
{
	struct timeline timeline = {0};
	uint64_t expected = 0, at = 0;

	(void)state;
	for (uint64_t i = 0; i < 3000; i++) {
		assert_int_equal(timeline_add(&timeline, MODEL_PART_BLOCKED, at, at + 100 * i), 0);
		expected += 100 * i;
		at += SLICE + 77 * i;
	}
	assert_int_equal(sum_of(&timeline, MODEL_PART_BLOCKED), expected);
	assert_true(at >> timeline.shift < TIMELINE_SLICES);
	assert_true(at >> timeline.shift >= TIMELINE_SLICES / 2 - 1);
	timeline_clear(&timeline);
}

static void longest_capture_fits(void **state)
{
	struct timeline timeline = {0};

	(void)state;
	assert_int_equal(timeline_add(&timeline, MODEL_PART_PARKED, 0, UINT64_C(1) << 56), 0);
	assert_int_equal(sum_of(&timeline, MODEL_PART_PARKED), UINT64_C(1) << 56);
	timeline_clear(&timeline);
}

static void nothing_takes_no_memory(void **state)
{
	struct timeline timeline = {0};

	(void)state;
	assert_int_equal(timeline_add(&timeline, MODEL_PART_POLLING, 5, 5), 0);
	assert_null(timeline.slices);
}

static void merged_timelines_are_of_the_longer_slices(void **state)
{
	struct timeline into = {0}, from = {0};

	(void)state;
	assert_int_equal(timeline_add(&into, MODEL_PART_POLLING, 0, 10), 0);
	assert_int_equal(timeline_add(&from, MODEL_PART_POLLING, 0, 1000 * SLICE), 0);
	timeline_merge(&into, &from);
	assert_null(from.slices);
	assert_int_equal(into.shift, TIMELINE_FINEST + 2);
	assert_int_equal(into.slices[0].ns[MODEL_PART_POLLING], 4 * SLICE + 10);
	assert_int_equal(sum_of(&into, MODEL_PART_POLLING), 1000 * SLICE + 10);
	timeline_clear(&into);
}

static uint64_t worker_sum(const struct model *model, size_t worker, enum model_part part)
{
	uint64_t sum = 0;

	assert_non_null(model->workers[worker].slices);
	for (size_t i = 0; i < model->nslices; i++)
		sum += model->workers[worker].slices[i].ns[part];
	return sum;
}

static void workers_slices_sum_to_their_polls(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	capture_wake(&capture, 1, 1);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t at = 1000000 * i;

		capture_sleep(&capture, at + 200, at + 400, at + 500, 75);
		CAPTURE_EVENT(&capture, at + 900, EVENT_POLL,
			      .poll = {.task = 1,
				       .kind = 1,
				       .start = CAPTURE_ORIGIN + at + 100,
				       .blocked_ns = 200,
				       .runqueue_ns = 100});
		CAPTURE_EVENT(&capture, at + 1000, EVENT_PARK, .worker = {.workers = 1});
		CAPTURE_EVENT(&capture, at + 900000, EVENT_UNPARK, .worker = {.workers = 1});
	}
	model = capture_end(&capture, 100000000);
	assert_int_equal(model->nworkers, 1);
	assert_int_equal(model->slice_ns, UINT64_C(1) << 19);
	assert_int_equal(model->nslices, 191);
	assert_int_equal(worker_sum(model, 0, MODEL_PART_POLLING), 100 * 800);
	assert_int_equal(worker_sum(model, 0, MODEL_PART_POLLING),
			 model->types[0].times.polling_ns);
	assert_int_equal(worker_sum(model, 0, MODEL_PART_BLOCKED),
			 model->types[0].times.blocked_ns);
	assert_int_equal(worker_sum(model, 0, MODEL_PART_RUNQUEUE),
			 model->types[0].times.runqueue_ns);
	assert_int_equal(worker_sum(model, 0, MODEL_PART_PARKED), model->workers[0].parked_ns);
	capture_free(&capture);
}

/* As of a program that hangs: what is told is one sleep, and one poll, as long as the capture. */
static void sleep_in_a_poll_that_never_ends_is_drawn(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	CAPTURE_EVENT(&capture, 1000000, EVENT_OFFCPU, .flags = EVENT_UNSETTLED,
		      .offcpu = {.out = CAPTURE_ORIGIN,
				 .wake = CAPTURE_ORIGIN + 1000000,
				 .cause = EVENT_CAUSE_SYSCALL,
				 .syscall = 202,
				 .file_name = ""});
	CAPTURE_EVENT(
		&capture, 1000000, EVENT_POLL, .flags = EVENT_CLIPPED | EVENT_IN_PROGRESS,
		.poll = {.task = 1, .kind = 1, .start = CAPTURE_ORIGIN, .blocked_ns = 1000000});
	model = capture_end(&capture, 1000000);
	assert_int_equal(worker_sum(model, 0, MODEL_PART_POLLING), 1000000);
	assert_int_equal(worker_sum(model, 0, MODEL_PART_BLOCKED), 1000000);
	capture_free(&capture);
}

static void sleep_outside_of_polls_is_not_drawn(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	CAPTURE_EVENT(&capture, 500000, EVENT_OFFCPU, .flags = EVENT_UNSETTLED,
		      .offcpu = {.out = CAPTURE_ORIGIN,
				 .wake = CAPTURE_ORIGIN + 500000,
				 .cause = EVENT_CAUSE_SYSCALL,
				 .syscall = 202,
				 .file_name = ""});
	CAPTURE_EVENT(&capture, 700000, EVENT_POLL,
		      .poll = {.task = 1, .kind = 1, .start = CAPTURE_ORIGIN + 600000});
	model = capture_end(&capture, 1000000);
	assert_int_equal(worker_sum(model, 0, MODEL_PART_POLLING), 100000);
	assert_int_equal(worker_sum(model, 0, MODEL_PART_BLOCKED), 0);
	capture_free(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_lies_in_the_slices_that_it_spans),
		cmocka_unit_test(nothing_is_lost_as_slices_grow),
		cmocka_unit_test(longest_capture_fits),
		cmocka_unit_test(nothing_takes_no_memory),
		cmocka_unit_test(merged_timelines_are_of_the_longer_slices),
		cmocka_unit_test(workers_slices_sum_to_their_polls),
		cmocka_unit_test(sleep_in_a_poll_that_never_ends_is_drawn),
		cmocka_unit_test(sleep_outside_of_polls_is_not_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
