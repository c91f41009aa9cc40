// SPDX-License-Identifier: MIT
// links: emit core util -lprotobuf-c
/* Traces of Perfetto of live programs: read with its schema, and with the numbers of the report. */
#include "report.h"
#include "tests/unit/trace.h"

static struct trace *trace_of(struct e2e *e, const char *path)
{
	size_t size;
	const char *bytes = e2e_file(e, path, &size);

	return trace_read(bytes, size);
}

static const char *record(struct e2e *e, const char *target)
{
	return recording_of_launch(e, "data", "-q", target);
}

static size_t count(const struct trace *trace, const char *category, const char *name)
{
	uint64_t ns;

	return trace_sum(trace, category, name, &ns);
}

/* Each type's polls are there, and as long as the report says. */
static void assert_polls_as_reported(const struct trace *trace, const json_t *report)
{
	uint64_t uncertain = report_uncertain(report);
	json_t *type;
	size_t i;

	json_array_foreach (json_object_get(report, "task_types"), i, type) {
		uint64_t ns;

		assert_int_equal(trace_sum(trace, "poll", report_string(type, "name"), &ns),
				 report_number(type, "polls"));
		assert_near(ns, report_number(type, "polling_ns"), uncertain);
	}
}

static void assert_flows_end_in_polls(const struct trace *trace)
{
	size_t begun = 0, ended = 0;

	for (size_t i = 0; i < trace->nslices; i++) {
		const struct trace_slice *slice = &trace->slices[i];

		begun += slice->instant && slice->flow;
		ended += !slice->instant && slice->flow;
		assert_true(!slice->flow || !strcmp(slice->category, "poll") ||
			    !strcmp(slice->category, "wake"));
	}
	assert_int_equal(begun, ended);
	assert_true(begun);
}

static void a_recording_shows_what_its_report_says(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "causes pipe 20"), *output = e2e_path(e, "trace");
	json_t *report = tracer_json(tracer_run(e, "report --json %s", path)), *cause;
	struct trace *trace;

	tracer_expect(tracer_run(e, "export -f perfetto -o %s %s", output, path), 0);
	trace = trace_of(e, output);
	assert_polls_as_reported(trace, report);
	assert_flows_end_in_polls(trace);
	cause = report_cause(report_type(report, "blocker"), "read");
	assert_at_most(report_number(cause, "count"), count(trace, "blocked", "read"), 0);
	assert_true(count(trace, "task", "polling"));
	assert_true(count(trace, "task", "scheduled"));
	assert_true(count(trace, "task", "idle"));
	trace_named(trace, "runnable tasks (mean)");
	trace_named(trace, "local queue");
	trace_free(trace);
}

static void a_live_target_is_captured_first(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *output = e2e_path(e, "trace");
	struct process *tracer = tracer_launch(e, "export -f perfetto --sample 1 -o %s -- %s",
					       output, e2e_target(e, "counts yield 2 300 10"));
	struct trace *trace;
	json_t *truth;

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	truth = target_truth(tracer);
	tracer_expect(tracer, 0);
	/* Not all of the tasks have a track, and that is said. */
	assert_non_null(strstr(process_err(tracer), "tasks have a track of their own (--tasks N)"));
	trace = trace_of(e, output);
	assert_at_most(report_number(truth, "polls"), count(trace, "poll", NULL), 0);
	trace_free(trace);
}

static void a_pipe_gives_the_same_as_a_file(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "counts yield 2 10 20"), *script;
	size_t file_size, pipe_size;
	const char *file, *piped;
	char *text;

	text = e2e_text(e,
			"#!/bin/sh\nset -e\n%s export -f perfetto -o %s %s\n"
			"cat %s | %s export -f perfetto /dev/stdin | cat >%s\n",
			e2e_pollscope(e), e2e_path(e, "a"), path, path, e2e_pollscope(e),
			e2e_path(e, "b"));
	script = e2e_write(e, "script", text, strlen(text));
	tracer_expect(process_start(e, &(struct process_options){0}, script), 0);
	file = e2e_file(e, e2e_path(e, "a"), &file_size);
	piped = e2e_file(e, e2e_path(e, "b"), &pipe_size);
	assert_int_equal(file_size, pipe_size);
	assert_memory_equal(file, piped, file_size);
}

static void as_many_tasks_have_a_track_as_are_asked_for(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "counts yield 2 50 20"), *output = e2e_path(e, "trace");
	size_t tracks = 0;
	struct trace *trace;

	tracer_expect(tracer_run(e, "export -f perfetto --tasks 7 -o %s %s", output, path), 0);
	trace = trace_of(e, output);
	for (size_t i = 0; i < trace->ntracks; i++)
		tracks += trace->tracks[i].about->sibling_order_rank > 0;
	assert_int_equal(tracks, 7);
	trace_free(trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(a_recording_shows_what_its_report_says),
		e2e_test(a_live_target_is_captured_first),
		e2e_test(a_pipe_gives_the_same_as_a_file),
		e2e_test(as_many_tasks_have_a_track_as_are_asked_for),
	};

	return cmocka_run_group_tests_name("export_perfetto", tests, NULL, NULL);
}
