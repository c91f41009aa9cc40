/* SPDX-License-Identifier: MIT */
/* A capture that is made once and read twice: what a Perfetto trace is made of. */
#ifndef POLLSCOPE_TESTS_TWICE_H
#define POLLSCOPE_TESTS_TWICE_H

#include "capture.h"
#include "emit/export.h"
#include "emit/perfetto.h"
#include "tests/fixtures/events.h"
#include "trace.h"

struct twice {
	struct fixture_list list;
	struct capture capture; /* feeds the list */
	struct correlate_options options;
	struct model *model;
	char *bytes;
	size_t size;
	struct trace *trace;
};

static inline void feed(const struct fixture_list *list, struct event_sink *sink)
{
	for (size_t i = 0; i < list->n; i++)
		assert_int_equal(sink->take(sink, &list->events[i]), 0);
}

static inline void twice_begin(struct twice *twice)
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

static inline struct model *make_model(const struct twice *twice)
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

static inline void twice_read(struct twice *twice)
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
static inline void twice_end(struct twice *twice, uint64_t at)
{
	CAPTURE_EVENT(&twice->capture, at, EVENT_CAPTURE_END,
		      .capture_end = {.reason = EVENT_END_DURATION});
	capture_kind(&twice->capture, 1, "work", "work.c", 7);
	capture_kind(&twice->capture, 2, "other", "other.c", 8);
	twice_read(twice);
}

static inline void twice_free(struct twice *twice)
{
	trace_free(twice->trace);
	model_free(twice->model);
	free(twice->bytes);
	fixture_list_free(&twice->list);
}

/* The i-th slice or instant of a category, by time. */
static inline const struct trace_slice *slice_at(const struct twice *twice, const char *category,
						 size_t i)
{
	for (size_t at = 0; at < twice->trace->nslices; at++) {
		if (!strcmp(twice->trace->slices[at].category, category) && !i--)
			return &twice->trace->slices[at];
	}
	fail_msg("no such slice of %s", category);
	return NULL;
}

#endif
