// SPDX-License-Identifier: MIT
// links: events emit core util -lprotobuf-c -lzstd -liberty -ljansson
/* Traces of Perfetto, whole ones: they sum up to the report, and nest whatever comes. */
#include "tests/fixtures/stream.h"
#include "twice.h"

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

static void a_poll_of_many_sleeps_is_shown_whole(void **state)
{
	const uint64_t sleeps = 100000;
	struct twice twice;
	uint64_t ns;

	(void)state;
	twice_begin(&twice);
	for (uint64_t i = 0; i < sleeps; i++)
		capture_sleep(&twice.capture, 100 + 10 * i, 103 + 10 * i, 105 + 10 * i, 75);
	capture_poll(&twice.capture, 90, 110 + 10 * sleeps, 1);
	twice_end(&twice, 200 + 10 * sleeps);
	assert_int_equal(trace_sum(twice.trace, "blocked", NULL, &ns), sleeps);
	assert_int_equal(ns, 3 * sleeps);
	assert_int_equal(slice_at(&twice, "blocked", 0)->depth, 1);
	assert_int_equal(slice_at(&twice, "blocked", sleeps - 1)->depth, 1);
	twice_free(&twice);
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
		cmocka_unit_test(slices_sum_up_to_the_report),
		cmocka_unit_test(flows_cross_threads),
		cmocka_unit_test(whatever_comes_slices_nest),
		cmocka_unit_test(a_poll_of_many_sleeps_is_shown_whole),
		cmocka_unit_test(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
