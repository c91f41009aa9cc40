// SPDX-License-Identifier: MIT
// links: events emit core util -lprotobuf-c -lzstd -liberty -ljansson
/* Traces of Perfetto: what they show is what happened, and sums up to the report. */
#include "emit/perfetto.h"

#include "capture.h"
#include "emit/export.h"
#include "tests/fixtures/events.h"
#include "tests/fixtures/stream.h"
#include "trace.h"

/* A capture that is made once and read twice. */
struct twice {
	struct fixture_list list;
	struct capture capture; /* feeds the list */
	struct correlate_options options;
	struct model *model;
	char *bytes;
	size_t size;
	struct trace *trace;
};

static void feed(const struct fixture_list *list, struct event_sink *sink)
{
	for (size_t i = 0; i < list->n; i++)
		assert_int_equal(sink->take(sink, &list->events[i]), 0);
}

static void twice_begin(struct twice *twice)
{
	*twice = (struct twice){
		.options = {.tasks = 100, .slowest = 1, .syscall_name = capture_syscall},
	};
	fixture_list_init(&twice->list);
	twice->capture.sink = &twice->list.sink;
	twice->capture.tid = 10;
	CAPTURE_EVENT(&twice->capture, 0, EVENT_CAPTURE_START,
		      .capture_start = {.unix_ns = 1700000000000000000,
					.ncpus = 2,
					.kernel = "6.1",
					.arch = "x86_64",
					.tool_version = "0",
					.command_line = "pollscope"});
	capture_process(&twice->capture, 0, 0, CAPTURE_PID, 0);
	capture_source(&twice->capture, 0, 0, CAPTURE_CAN_ALL);
}

static struct model *make_model(const struct twice *twice)
{
	struct correlator *correlator = correlator_new(&twice->options);
	struct model *model;

	assert_non_null(correlator);
	feed(&twice->list, correlator_sink(correlator));
	model = correlator_finish(correlator);
	assert_non_null(model);
	correlator_free(correlator);
	return model;
}

static void twice_read(struct twice *twice)
{
	FILE *out = open_memstream(&twice->bytes, &twice->size);
	struct export_stream *stream;

	twice->model = make_model(twice);
	stream = emit_perfetto_open(twice->model, out);
	assert_non_null(stream);
	feed(&twice->list, &stream->sink);
	assert_int_equal(stream->finish(stream), 0);
	stream->free(stream);
	fclose(out);
	twice->trace = trace_read(twice->bytes, twice->size);
}

/* Names come last, as Tokio's do. */
static void twice_end(struct twice *twice, uint64_t at)
{
	CAPTURE_EVENT(&twice->capture, at, EVENT_CAPTURE_END,
		      .capture_end = {.reason = EVENT_END_DURATION});
	capture_kind(&twice->capture, 1, "work", "work.c", 7);
	capture_kind(&twice->capture, 2, "other", "other.c", 8);
	twice_read(twice);
}

static void twice_free(struct twice *twice)
{
	trace_free(twice->trace);
	model_free(twice->model);
	free(twice->bytes);
	fixture_list_free(&twice->list);
}

static void name_thread(struct twice *twice, uint32_t tid, const char *name)
{
	twice->capture.tid = tid;
	CAPTURE_EVENT(&twice->capture, 0, EVENT_THREAD,
		      .thread = {.process = 0, .pid = CAPTURE_PID, .comm = name});
}

/* The i-th slice or instant of a category, by time. */
static const struct trace_slice *slice_at(const struct twice *twice, const char *category, size_t i)
{
	for (size_t at = 0; at < twice->trace->nslices; at++) {
		if (!strcmp(twice->trace->slices[at].category, category) && !i--)
			return &twice->trace->slices[at];
	}
	fail_msg("no such slice of %s", category);
	return NULL;
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
	track = trace_named(twice.trace, "work 1");
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
	trace_named(twice.trace, "work 5");
	trace_named(twice.trace, "work 4");
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
	twice.capture.tid = 20;
	CAPTURE_EVENT(&twice.capture, 300, EVENT_BLOCKING_QUEUE,
		      .blocking = {.job = 1, .kind = 2, .depth = 3, .threads = 1});
	CAPTURE_EVENT(&twice.capture, 400, EVENT_BLOCKING_START, .blocking = {.job = 1, .kind = 2});
	CAPTURE_EVENT(&twice.capture, 500, EVENT_BLOCKING_END, .blocking = {.job = 1, .kind = 2});
	twice_end(&twice, 1000);
	assert_spans(slice_at(&twice, "park", 0), 100, 200);
	assert_spans(slice_at(&twice, "job", 0), 400, 500);
	assert_string_equal(slice_at(&twice, "job", 0)->name, "other");
	assert_int_equal(twice.trace->ncounts, 1);
	assert_true(twice.trace->counts[0].value == 3);
	twice_free(&twice);
}

/* What a counter adds up to over the capture, in value x ns. */
static double integral(const struct twice *twice, const char *name)
{
	const struct model_capture *capture = &twice->model->capture;
	uint64_t track = trace_named(twice->trace, name)->about->uuid, since = 0;
	double value = 0, sum = 0;

	for (size_t i = 0; i < twice->trace->ncounts; i++) {
		const struct trace_count *count = &twice->trace->counts[i];

		if (count->track != track)
			continue;
		sum += value * (double)(count->time - since);
		since = count->time;
		value = count->value;
	}
	return sum + value * (double)(capture->start_ns + capture->duration_ns - since);
}

/* Each poll that was waked is at the end of one flow, which begins before it. */
static size_t check_flows(const struct trace *trace)
{
	uint64_t *begins = calloc(trace->nslices + 2, sizeof(*begins));
	size_t flows = 0, ended = 0;

	assert_non_null(begins);
	for (size_t i = 0; i < trace->nslices; i++) {
		const struct trace_slice *slice = &trace->slices[i];

		if (!slice->instant)
			continue;
		assert_in_range(slice->flow, 1, trace->nslices);
		assert_int_equal(begins[slice->flow], 0);
		begins[slice->flow] = slice->start;
		flows++;
	}
	for (size_t i = 0; i < trace->nslices; i++) {
		const struct trace_slice *slice = &trace->slices[i];

		if (slice->instant || !slice->flow)
			continue;
		assert_true(begins[slice->flow] && begins[slice->flow] <= slice->start);
		begins[slice->flow] = 0;
		ended++;
	}
	assert_int_equal(flows, ended);
	free(begins);
	return flows;
}

static void check_sums(const struct twice *twice)
{
	uint64_t ns, scheduled = 0;

	for (size_t i = 0; i < twice->model->ntypes; i++) {
		const struct model_type *type = &twice->model->types[i];
		size_t polls = trace_sum(twice->trace, "poll", type->name, &ns);

		assert_int_equal(polls, type->polls);
		assert_int_equal(ns, type->times.polling_ns);
		scheduled += type->times.scheduled_ns;
	}
	trace_sum(twice->trace, "task", "scheduled", &ns);
	assert_int_equal(ns, scheduled);
	assert_true(integral(twice, "runnable tasks (mean)") > 0.999 * (double)scheduled);
	assert_true(integral(twice, "runnable tasks (mean)") < 1.001 * (double)scheduled);
}

static void twice_stream(struct twice *twice, uint32_t workers)
{
	const struct stream_options options = {.workers = workers,
					       .tasks = 50,
					       .polls = 5000,
					       .poll_ns = 20000,
					       .io_ns = 300000,
					       .blocking = 10};
	struct stream_totals totals;

	twice_begin(twice);
	twice->list.events[0].time = STREAM_START;
	assert_int_equal(stream_run(&options, &twice->list.sink, &totals), 0);
	for (uint64_t kind = 0; kind < STREAM_KINDS; kind++) {
		char name[16];

		snprintf(name, sizeof(name), "kind%d", (int)kind);
		capture_kind(&twice->capture, 0x55d0c0dea000 + 32 * kind, name, "k.c", 1);
	}
	twice_read(twice);
}

static void slices_sum_up_to_the_report(void **state)
{
	uint64_t ns, blocked = 0, runqueue = 0;
	struct twice twice;

	(void)state;
	twice_stream(&twice, 1);
	assert_int_equal(twice.model->capture.uncertain_ns, 0);
	check_sums(&twice);
	for (size_t i = 0; i < twice.model->ntypes; i++) {
		blocked += twice.model->types[i].times.blocked_ns;
		runqueue += twice.model->types[i].times.runqueue_ns;
	}
	trace_sum(twice.trace, "blocked", "fdatasync", &ns);
	assert_int_equal(ns, blocked);
	trace_sum(twice.trace, "runqueue", NULL, &ns);
	assert_int_equal(ns, runqueue);
	twice_free(&twice);
}

static void flows_cross_threads(void **state)
{
	struct twice twice;
	uint64_t polls = 0;

	(void)state;
	twice_stream(&twice, 3);
	for (size_t i = 0; i < twice.model->ntypes; i++) {
		const struct model_type *type = &twice.model->types[i];

		assert_int_equal(trace_sum(twice.trace, "poll", type->name, &(uint64_t){0}),
				 type->polls);
		polls += type->polls;
	}
	assert_int_equal(polls, 5000);
	assert_in_range(check_flows(twice.trace), 4900, polls);
	twice_free(&twice);
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % below;
}

static void feed_anything(struct twice *twice, uint64_t *seed)
{
	uint64_t at = draw(seed, 100000), from = draw(seed, at + 1);
	uint64_t wake = from + draw(seed, at - from + 1);

	twice->capture.tid = 10 + draw(seed, 3);
	switch (draw(seed, 6)) {
	case 0:
		CAPTURE_EVENT(&twice->capture, at, EVENT_POLL, .flags = draw(seed, 16),
			      .poll = {.task = draw(seed, 9),
				       .kind = 1 + draw(seed, 2),
				       .start = CAPTURE_ORIGIN + from,
				       .depth = draw(seed, 4)});
		break;
	case 1:
		CAPTURE_EVENT(&twice->capture, at, EVENT_OFFCPU,
			      .offcpu = {.task = 1,
					 .kind = 1,
					 .out = CAPTURE_ORIGIN + from,
					 .wake = CAPTURE_ORIGIN + wake,
					 .cause = 1 + draw(seed, 6),
					 .file_name = ""});
		break;
	case 2:
		CAPTURE_EVENT(&twice->capture, at, EVENT_PARK + draw(seed, 2),
			      .worker = {.workers = 1});
		break;
	case 3:
		capture_wake(&twice->capture, at, draw(seed, 9));
		break;
	case 4:
		capture_spawn(&twice->capture, at, draw(seed, 9));
		break;
	default:
		CAPTURE_EVENT(&twice->capture, at, EVENT_BLOCKING_START + draw(seed, 2),
			      .blocking = {.job = draw(seed, 3), .kind = 2});
		break;
	}
}

static void whatever_comes_slices_nest(void **state)
{
	uint64_t seed = 88172645463325252;

	(void)state;
	for (unsigned int round = 0; round < 100; round++) {
		struct twice twice;

		twice_begin(&twice);
		for (unsigned int i = 0; i < 300; i++)
			feed_anything(&twice, &seed);
		twice_end(&twice, 100000);
		check_flows(twice.trace);
		twice_free(&twice);
	}
}

static void a_full_disk_is_told(void **state)
{
	struct export_stream *stream;
	struct twice twice;
	int err = 0;
	FILE *full;

	(void)state;
	twice_begin(&twice);
	for (uint64_t i = 1; i < 2000; i++)
		capture_poll(&twice.capture, i * 100, i * 100 + 50, 1);
	twice_end(&twice, 1000000);
	full = fopen("/dev/full", "w");
	stream = emit_perfetto_open(twice.model, full);
	for (size_t i = 0; i < twice.list.n && !err; i++)
		err = stream->sink.take(&stream->sink, &twice.list.events[i]);
	assert_int_equal(err, -EIO);
	stream->free(stream);
	fclose(full);
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
		cmocka_unit_test(a_task_has_its_states_end_to_end),
		cmocka_unit_test(tasks_that_have_no_track_are_said),
		cmocka_unit_test(types_that_are_left_out_are_not_shown),
		cmocka_unit_test(an_id_that_is_used_again_is_another_task),
		cmocka_unit_test(parking_and_jobs_are_slices),
		cmocka_unit_test(slices_sum_up_to_the_report),
		cmocka_unit_test(flows_cross_threads),
		cmocka_unit_test(whatever_comes_slices_nest),
		cmocka_unit_test(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
