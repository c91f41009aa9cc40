// SPDX-License-Identifier: MIT
/* Formats for other tools: opened by those, and with the numbers of the report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "report.h"

/* What speedscope.sh says where it cannot be had. */
#define CANNOT_BE_HAD 77

static const char *record(struct e2e *e, const char *target)
{
	return recording_of_launch(e, "data", "-q --buffer 256M", target);
}

static const char *export(struct e2e *e, const char *format, const char *path, const char *name)
{
	const char *output = e2e_path(e, name);

	tracer_expect(tracer_run(e, "export -f %s -o %s %s", format, output, path), 0);
	return output;
}

/* ---- jsonl ---- */

/* Calls visit() for each line, parsed. */
static void lines_visit(const char *text, void (*visit)(const json_t *line, void *context),
			void *context)
{
	assert_true(*text);
	while (*text) {
		size_t n = strcspn(text, "\n");
		json_t *line = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);

		assert_int_equal(text[n], '\n');
		if (!line)
			fail_msg("not JSON: %.*s", (int)n, text);
		visit(line, context);
		json_decref(line);
		text += n + 1;
	}
}

/* Counts lines by type: {"poll": 12, ...}. */
static void line_count(const json_t *line, void *counts)
{
	const char *type = report_string(line, "type");
	const json_t *before = json_object_get(counts, type);

	json_object_set_new(counts, type, json_integer(json_integer_value(before) + 1));
}

static json_t *counts_of(struct e2e *e, const char *text)
{
	json_t *counts = e2e_json(e, "{}");

	lines_visit(text, line_count, counts);
	return counts;
}

static void line_has_what_the_schema_says(const json_t *line, void *schema)
{
	const json_t *definitions = json_object_get(schema, "$defs");
	const json_t *wanted = json_object_get(definitions, report_string(line, "type"));
	const json_t *required = json_object_get(wanted, "required");
	json_t *name;
	size_t i;

	assert_non_null(wanted);
	assert_int_equal(json_object_size(line), json_array_size(required));
	json_array_foreach (required, i, name)
		assert_non_null(json_object_get(line, json_string_value(name)));
}

static void jsonl_has_every_event_of_a_recording(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "causes pipe 20");
	const char *text = e2e_file(e, export(e, "jsonl", path, "lines"), NULL);
	json_t *info = tracer_json(tracer_run(e, "info --json %s", path));
	json_t *report = tracer_json(tracer_run(e, "report --json %s", path));
	json_t *counts = counts_of(e, text);

	if (!json_equal(counts, json_object_get(info, "events")))
		fail_msg("lines: %s", json_dumps(counts, 0));
	assert_int_equal(report_number(counts, "poll"),
			 report_sum(report, "polls") + report_sum_block_on(report, "polls"));
	lines_visit(text, line_has_what_the_schema_says,
		    tracer_json(tracer_run(e, "export -f jsonl --schema")));
}

static void jsonl_of_a_live_target_is_written_while_it_runs(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *output = e2e_path(e, "lines");
	struct process *tracer = tracer_launch(e, "export -f jsonl --sample 1 -o %s -- %s", output,
					       e2e_target(e, "counts yield 2 10 300"));
	json_t *truth, *counts;

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	truth = target_truth(tracer);
	tracer_expect(tracer, 0);
	counts = counts_of(e, e2e_file(e, output, NULL));
	assert_at_most(report_number(truth, "polls"), report_number(counts, "poll"), 0);
	assert_int_equal(report_number(counts, "capture_start"), 1);
	assert_int_equal(report_number(counts, "capture_end"), 1);
}

/* The memory that the process and what it calls may have. */
static void limit_memory(void *context)
{
	const struct rlimit limit = {.rlim_cur = 64 << 20, .rlim_max = 64 << 20};

	(void)context;
	setrlimit(RLIMIT_DATA, &limit);
}

static void jsonl_needs_no_more_memory_for_more_events(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "counts yield 2 1000 400"), *output = e2e_path(e, "lines");
	const struct process_options options = {.before_exec = limit_memory};
	struct process *tracer;
	size_t size;

	tracer = process_start(
		e, &options,
		e2e_text(e, "%s export -f jsonl -o %s %s", e2e_pollscope(e), output, path));
	tracer_expect(tracer, 0);
	e2e_file(e, output, &size);
	assert_true(size > 64 << 20);
}

/* ---- pprof ---- */

/* What `go tool pprof` prints of a profile. */
static const char *pprof(struct e2e *e, const char *options, const char *profile)
{
	const struct process_options none = {0};
	struct process *go;

	go = process_start(e, &none,
			   e2e_text(e,
				    "go tool pprof -symbolize=none -unit=ns -nodefraction=0 %s %s",
				    options, profile));
	tracer_expect(go, 0);
	return process_out(go);
}

/* The number that follows. */
static uint64_t number_after(const char *printed, const char *text)
{
	const char *at = strstr(printed, text);

	if (!at)
		fail_msg("no '%s' in: %s", text, printed);
	return strtoull(at + strlen(text), NULL, 10);
}

/* Sleeps in a system call, whatever the file. */
static uint64_t sleeps_in(const json_t *report, const char *cause)
{
	json_t *type, *entry;
	uint64_t sum = 0;
	size_t i, k;

	json_array_foreach (json_object_get(report, "task_types"), i, type)
		json_array_foreach (json_object_get(type, "blocked"), k, entry)
			if (!strcmp(report_string(entry, "cause"), cause))
				sum += report_number(entry, "count");
	return sum;
}

static void pprof_opens_the_profile(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "causes pipe 20");
	const char *profile = export(e, "pprof", path, "profile.pb.gz"), *printed;
	json_t *report = tracer_json(tracer_run(e, "report --json %s", path));

	printed = pprof(e, "-sample_index=offcpu -top", profile);
	assert_int_equal(number_after(printed, "Total samples = "),
			 report_sum(report, "blocked_ns") + report_sum(report, "runqueue_ns") +
				 report_sum_block_on(report, "blocked_ns") +
				 report_sum_block_on(report, "runqueue_ns"));
	assert_non_null(strstr(printed, "read"));
	printed = pprof(e, "-sample_index=blocked -tagfocus=cause=^read$ -top", profile);
	assert_int_equal(number_after(printed, "Showing nodes accounting for "),
			 sleeps_in(report, "read"));
	printed = pprof(e, "-sample_index=oncpu -tags", profile);
	assert_non_null(strstr(printed, "blocker"));
	printed = pprof(e, "-raw", profile);
	assert_non_null(strstr(printed, "[kernel.kallsyms]"));
	assert_non_null(strstr(printed, e2e_target(e, "causes")));
	assert_non_null(strstr(printed, "[FN]"));
}

/* ---- speedscope ---- */

static void speedscope_opens_the_file(void **state)
{
	struct e2e *e = e2e_of(state);
	const struct process_options options = {0};
	const char *path = record(e, "causes pipe 20"), *ci = getenv("CI"), *page;
	const char *file = export(e, "speedscope", path, "wall.speedscope.json");
	struct process *browser;
	int status;

	browser = process_start(
		e, &options,
		e2e_text(e, "tests/tools/speedscope.sh %s %s", e2e_built(e, "speedscope"), file));
	status = process_wait(browser);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_BE_HAD &&
	    !(ci && !strcmp(ci, "true"))) {
		print_message("skipped: %s", process_err(browser));
		skip();
	}
	tracer_expect(browser, 0);
	page = process_out(browser);
	assert_non_null(strstr(page, "title=\"all task types\""));
	assert_non_null(strstr(page, "title=\"blocker\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(jsonl_has_every_event_of_a_recording),
		e2e_test(jsonl_of_a_live_target_is_written_while_it_runs),
		e2e_test(jsonl_needs_no_more_memory_for_more_events),
		e2e_test(pprof_opens_the_profile),
		e2e_test(speedscope_opens_the_file),
	};

	return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
