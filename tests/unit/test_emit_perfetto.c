// SPDX-License-Identifier: MIT
// links: events emit core util -lprotobuf-c -lzstd -liberty -ljansson
/* Traces of Perfetto: what they show is what happened. */
#include "twice.h"

static void name_thread(struct twice *twice, uint32_t tid, const char *name)
{
	twice->capture.tid = tid;
	CAPTURE_EVENT(&twice->capture, 0, EVENT_THREAD,
		      .thread = {.process = 0, .pid = CAPTURE_PID, .comm = name});
}

static void assert_spans(const struct trace_slice *slice, uint64_t start, uint64_t end)
{
	assert_int_equal(slice->start, CAPTURE_ORIGIN + start);
	assert_int_equal(slice->end, CAPTURE_ORIGIN + end);
}

static void a_poll_is_a_slice_on_its_thread(void **state)
{
	const struct trace_slice *poll;
	const struct trace_track *track;
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	name_thread(&twice, 10, "worker-0");
	capture_poll(&twice.capture, 100, 400, 7);
	twice_end(&twice, 1000);
	poll = slice_at(&twice, "poll", 0);
	assert_spans(poll, 100, 400);
	assert_string_equal(poll->name, "work");
	assert_string_equal(poll->result, "pending");
	assert_int_equal(poll->task, 7);
	track = trace_track(twice.trace, poll->track);
	assert_int_equal(track->about->thread->pid, CAPTURE_PID);
	assert_int_equal(track->about->thread->tid, 10);
	assert_string_equal(track->about->thread->thread_name, "worker-0");
	twice_free(&twice);
}

static void sleeps_lie_in_their_poll(void **state)
{
	const struct trace_slice *blocked, *runqueue;
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	CAPTURE_EVENT(&twice.capture, 300, EVENT_OFFCPU,
		      .offcpu = {.task = 1,
				 .kind = 1,
				 .out = CAPTURE_ORIGIN + 100,
				 .wake = CAPTURE_ORIGIN + 250,
				 .cause = EVENT_CAUSE_SYSCALL,
				 .syscall = 75,
				 .waker = EVENT_WAKER_THREAD,
				 .waker_tid = 77,
				 .file_ino = 1,
				 .file_name = "journal"});
	CAPTURE_EVENT(&twice.capture, 380, EVENT_OFFCPU,
		      .offcpu = {.task = 1,
				 .kind = 1,
				 .out = CAPTURE_ORIGIN + 350,
				 .wake = CAPTURE_ORIGIN + 350,
				 .cause = EVENT_CAUSE_RUNQUEUE,
				 .syscall = -1,
				 .file_name = ""});
	/* Begins with its sleep, to the nanosecond. */
	capture_poll(&twice.capture, 100, 400, 1);
	twice_end(&twice, 1000);
	blocked = slice_at(&twice, "blocked", 0);
	runqueue = slice_at(&twice, "runqueue", 0);
	assert_spans(blocked, 100, 250);
	assert_string_equal(blocked->name, "fdatasync");
	assert_string_equal(blocked->file, "journal");
	assert_int_equal(blocked->waker, 77);
	assert_int_equal(blocked->depth, 1);
	assert_spans(runqueue, 250, 300);
	assert_string_equal(runqueue->name, "run queue");
	assert_int_equal(runqueue->parent, blocked->parent);
	assert_spans(slice_at(&twice, "runqueue", 1), 350, 380);
	twice_free(&twice);
}

static void polls_nest_as_they_were(void **state)
{
	const struct trace_slice *outer, *inner;
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	capture_sleep(&twice.capture, 220, 240, 250, 202);
	CAPTURE_EVENT(&twice.capture, 300, EVENT_POLL,
		      .poll = {.task = 2, .kind = 2, .start = CAPTURE_ORIGIN + 100, .depth = 1});
	capture_poll(&twice.capture, 100, 300, 1);
	twice_end(&twice, 1000);
	outer = slice_at(&twice, "poll", 0);
	inner = slice_at(&twice, "poll", 1);
	assert_string_equal(outer->name, "work");
	assert_int_equal(outer->depth, 0);
	assert_string_equal(inner->name, "other");
	assert_int_equal(inner->depth, 1);
	assert_int_equal(slice_at(&twice, "blocked", 0)->depth, 2);
	twice_free(&twice);
}

static void a_sleep_outside_of_polls_is_not_shown(void **state)
{
	struct twice twice;
	uint64_t ns;

	(void)state;
	twice_begin(&twice);
	CAPTURE_EVENT(&twice.capture, 50, EVENT_OFFCPU, .flags = EVENT_UNSETTLED,
		      .offcpu = {.out = CAPTURE_ORIGIN,
				 .wake = CAPTURE_ORIGIN + 40,
				 .cause = EVENT_CAUSE_OTHER,
				 .syscall = -1,
				 .file_name = ""});
	capture_poll(&twice.capture, 100, 300, 1);
	twice_end(&twice, 1000);
	assert_int_equal(trace_sum(twice.trace, "blocked", NULL, &ns), 0);
	assert_int_equal(trace_sum(twice.trace, "runqueue", NULL, &ns), 0);
	assert_int_equal(trace_sum(twice.trace, "poll", NULL, &ns), 1);
	twice_free(&twice);
}

static void a_flow_leads_from_the_wake_to_the_poll(void **state)
{
	const struct trace_slice *wake, *poll;
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	capture_poll(&twice.capture, 100, 300, 1);
	twice.capture.tid = 11;
	capture_wake(&twice.capture, 400, 1);
	capture_wake(&twice.capture, 420, 1); /* to no effect */
	twice.capture.tid = 10;
	capture_poll(&twice.capture, 500, 600, 1);
	twice_end(&twice, 1000);
	wake = slice_at(&twice, "wake", 0);
	poll = slice_at(&twice, "poll", 1);
	assert_spans(wake, 400, 400);
	assert_true(wake->instant);
	assert_string_equal(wake->name, "wake");
	assert_int_equal(wake->task, 1);
	assert_int_equal(trace_track(twice.trace, wake->track)->about->thread->tid, 11);
	assert_true(wake->flow);
	assert_int_equal(poll->flow, wake->flow);
	assert_int_equal(slice_at(&twice, "poll", 0)->flow, 0);
	assert_int_equal(trace_sum(twice.trace, "wake", NULL, &(uint64_t){0}), 1);
	twice_free(&twice);
}

static void a_wake_in_the_own_poll_is_shown_where_it_was(void **state)
{
	const struct trace_slice *wake;
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	capture_wake(&twice.capture, 200, 1);
	capture_poll(&twice.capture, 100, 300, 1);
	capture_poll(&twice.capture, 500, 600, 1);
	twice_end(&twice, 1000);
	wake = slice_at(&twice, "wake", 0);
	assert_spans(wake, 200, 200);
	assert_int_equal(wake->depth, 1);
	assert_int_equal(wake->flow, slice_at(&twice, "poll", 1)->flow);
	twice_free(&twice);
}

static void idle_is_named_by_where_the_task_waits(void **state)
{
	static const struct event_frame frames[] = {{"pollrt_read", "", 0}, {"read_line", "", 0}};
	static const uint64_t stack[] = {0x1000};
	const struct trace_slice *first, *second;
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	CAPTURE_EVENT(&twice.capture, 0, EVENT_SYMBOL,
		      .symbol = {.address = 0x1000, .nframes = 2, .frames = frames});
	CAPTURE_EVENT(&twice.capture, 150, EVENT_AWAIT,
		      .sample = {.task = 1, .kind = 1, .stack = {.frames = stack, .nuser = 1}});
	capture_poll(&twice.capture, 100, 300, 1);
	capture_poll(&twice.capture, 500, 600, 1);
	twice_end(&twice, 1000);
	first = slice_at(&twice, "task", 1);
	second = slice_at(&twice, "task", 3);
	assert_spans(first, 300, 500);
	assert_string_equal(first->name, "idle at read_line");
	assert_spans(second, 600, 1000);
	assert_string_equal(second->name, "idle");
	twice_free(&twice);
}

static void a_task_has_its_states_end_to_end(void **state)
{
	static const struct {
		const char *name;
		uint64_t start, end;
	} states[] = {
		{"scheduled", 50, 100},  {"polling", 100, 300}, {"idle", 300, 400},
		{"scheduled", 400, 500}, {"polling", 500, 600}, {"idle", 600, 1000},
	};
	const struct trace_track *track;
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	capture_spawn(&twice.capture, 50, 1);
	capture_poll(&twice.capture, 100, 300, 1);
	capture_wake(&twice.capture, 400, 1);
	capture_poll(&twice.capture, 500, 600, 1);
	twice_end(&twice, 1000);
	track = trace_named(twice.trace, "work #1");
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		const struct trace_slice *slice = slice_at(&twice, "task", i);

		assert_int_equal(slice->track, track->about->uuid);
		assert_string_equal(slice->name, states[i].name);
		assert_spans(slice, states[i].start, states[i].end);
	}
	assert_int_equal(slice_at(&twice, "task", 1)->thread, 10);
	assert_string_equal(slice_at(&twice, "wake", 0)->name, "spawn");
	twice_free(&twice);
}

static void tasks_that_have_no_track_are_said(void **state)
{
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	twice.options.tasks = 2;
	for (uint64_t task = 1; task <= 5; task++)
		capture_poll(&twice.capture, task * 100, task * 100 + task, task);
	twice_end(&twice, 1000);
	trace_named(twice.trace, "tasks (2 of 5, longest polls first)");
	trace_named(twice.trace, "work #5");
	trace_named(twice.trace, "work #4");
	assert_int_equal(trace_sum(twice.trace, "task", "polling", &(uint64_t){0}), 2);
	assert_int_equal(trace_sum(twice.trace, "poll", NULL, &(uint64_t){0}), 5);
	twice_free(&twice);
}

static void types_that_are_left_out_are_not_shown(void **state)
{
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	twice.options.type_glob = "other";
	capture_poll(&twice.capture, 100, 200, 1);
	CAPTURE_EVENT(&twice.capture, 400, EVENT_POLL,
		      .poll = {.task = 2, .kind = 2, .start = CAPTURE_ORIGIN + 300});
	twice_end(&twice, 1000);
	assert_int_equal(trace_sum(twice.trace, "poll", NULL, &(uint64_t){0}), 1);
	assert_string_equal(slice_at(&twice, "poll", 0)->name, "other");
	twice_free(&twice);
}

static void an_id_that_is_used_again_is_another_task(void **state)
{
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	twice.options.tasks = 1;
	capture_spawn(&twice.capture, 50, 1);
	capture_poll(&twice.capture, 100, 200, 1);
	capture_terminate(&twice.capture, 200, 1);
	capture_spawn(&twice.capture, 250, 1);
	capture_poll(&twice.capture, 300, 600, 1);
	twice_end(&twice, 1000);
	assert_int_equal(trace_sum(twice.trace, "task", "polling", &(uint64_t){0}), 1);
	assert_spans(slice_at(&twice, "task", 0), 250, 300);
	twice_free(&twice);
}

static void parking_and_jobs_are_slices(void **state)
{
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	CAPTURE_EVENT(&twice.capture, 100, EVENT_PARK, .worker = {.workers = 1});
	CAPTURE_EVENT(&twice.capture, 200, EVENT_UNPARK, .worker = {.workers = 1});
	/* Of a runtime inside of a poll: the poll's. */
	CAPTURE_EVENT(&twice.capture, 220, EVENT_PARK, .flags = EVENT_INSIDE);
	CAPTURE_EVENT(&twice.capture, 240, EVENT_UNPARK, .flags = EVENT_INSIDE);
	twice.capture.tid = 20;
	CAPTURE_EVENT(&twice.capture, 300, EVENT_BLOCKING_QUEUE,
		      .blocking = {.job = 1, .kind = 2, .depth = 3, .threads = 1});
	CAPTURE_EVENT(&twice.capture, 400, EVENT_BLOCKING_START, .blocking = {.job = 1, .kind = 2});
	CAPTURE_EVENT(&twice.capture, 500, EVENT_BLOCKING_END, .blocking = {.job = 1, .kind = 2});
	twice_end(&twice, 1000);
	assert_spans(slice_at(&twice, "park", 0), 100, 200);
	assert_int_equal(trace_sum(twice.trace, "park", NULL, &(uint64_t){0}), 1);
	assert_spans(slice_at(&twice, "job", 0), 400, 500);
	assert_string_equal(slice_at(&twice, "job", 0)->name, "other");
	twice_free(&twice);
}

static void poll_of_queue(struct capture *capture, uint64_t at, uint32_t depth)
{
	CAPTURE_EVENT(capture, at + 50, EVENT_POLL,
		      .poll = {.task = 1,
			       .kind = 1,
			       .start = CAPTURE_ORIGIN + at,
			       .local_depth = depth,
			       .inject_depth = EVENT_NO_DEPTH});
}

static void a_parked_workers_queue_is_empty(void **state)
{
	static const struct trace_count counts[] = {
		{.time = 100, .value = 3}, {.time = 400, .value = 0}, {.time = 600, .value = 2}};
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	poll_of_queue(&twice.capture, 100, 3);
	poll_of_queue(&twice.capture, 200, 3);
	/* A runtime inside of a poll is another one. */
	CAPTURE_EVENT(&twice.capture, 300, EVENT_PARK, .flags = EVENT_INSIDE);
	CAPTURE_EVENT(&twice.capture, 310, EVENT_UNPARK, .flags = EVENT_INSIDE);
	CAPTURE_EVENT(&twice.capture, 400, EVENT_PARK, .worker = {.workers = 1});
	CAPTURE_EVENT(&twice.capture, 500, EVENT_UNPARK, .worker = {.workers = 1});
	poll_of_queue(&twice.capture, 600, 2);
	twice_end(&twice, 1000);
	assert_int_equal(twice.trace->ncounts, sizeof(counts) / sizeof(counts[0]));
	for (size_t i = 0; i < twice.trace->ncounts; i++) {
		assert_int_equal(twice.trace->counts[i].time, CAPTURE_ORIGIN + counts[i].time);
		assert_true(twice.trace->counts[i].value == counts[i].value);
	}
	twice_free(&twice);
}

static void job(struct capture *capture, uint64_t at, enum event_type type, uint64_t id,
		uint32_t depth)
{
	CAPTURE_EVENT(capture, at, type, .blocking = {.job = id, .kind = 2, .depth = depth});
}

static void jobs_that_begin_wait_no_longer(void **state)
{
	static const double depths[] = {1, 2, 1, 0};
	struct twice twice;

	(void)state;
	twice_begin(&twice);
	/* Queued before the capture: how many waited is not known. */
	job(&twice.capture, 100, EVENT_BLOCKING_START, 1, 0);
	job(&twice.capture, 200, EVENT_BLOCKING_QUEUE, 2, 1);
	job(&twice.capture, 300, EVENT_BLOCKING_QUEUE, 3, 2);
	job(&twice.capture, 400, EVENT_BLOCKING_END, 1, 0);
	job(&twice.capture, 500, EVENT_BLOCKING_START, 2, 0);
	job(&twice.capture, 600, EVENT_BLOCKING_END, 2, 0);
	job(&twice.capture, 700, EVENT_BLOCKING_START, 3, 0);
	twice_end(&twice, 1000);
	assert_int_equal(twice.trace->ncounts, sizeof(depths) / sizeof(depths[0]));
	for (size_t i = 0; i < twice.trace->ncounts; i++)
		assert_true(twice.trace->counts[i].value == depths[i]);
	twice_free(&twice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_poll_is_a_slice_on_its_thread),
		cmocka_unit_test(sleeps_lie_in_their_poll),
		cmocka_unit_test(polls_nest_as_they_were),
		cmocka_unit_test(a_sleep_outside_of_polls_is_not_shown),
		cmocka_unit_test(a_flow_leads_from_the_wake_to_the_poll),
		cmocka_unit_test(a_wake_in_the_own_poll_is_shown_where_it_was),
		cmocka_unit_test(idle_is_named_by_where_the_task_waits),
		cmocka_unit_test(a_task_has_its_states_end_to_end),
		cmocka_unit_test(tasks_that_have_no_track_are_said),
		cmocka_unit_test(types_that_are_left_out_are_not_shown),
		cmocka_unit_test(an_id_that_is_used_again_is_another_task),
		cmocka_unit_test(parking_and_jobs_are_slices),
		cmocka_unit_test(a_parked_workers_queue_is_empty),
		cmocka_unit_test(jobs_that_begin_wait_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
