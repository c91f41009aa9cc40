// SPDX-License-Identifier: MIT
/* Files that are not what they should be, and disks that are full. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "refusal.h"
#include "report.h"

/* Records one round of a target. */
static const char *record(struct e2e *e, const char *target, json_t **truth)
{
	const char *path = e2e_path(e, "data");
	struct process *tracer = tracer_launch(e, "record --sample 1 --buffer 64M -o %s -- %s",
					       path, e2e_target(e, target));

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	*truth = target_truth(tracer);
	tracer_expect(tracer, 0);
	return path;
}

static void damage_anywhere_never_crashes(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth;
	const char *path = record(e, "counts relay 2 10 200", &truth);
	unsigned int seed = 7;
	size_t size;
	char *bytes = e2e_file(e, path, &size);

	for (int i = 0; i < 25; i++) {
		char *damaged = e2e_bytes(e, size);
		struct process *tracer;
		int status;

		memcpy(damaged, bytes, size);
		for (int j = 0; j < 1 + i; j++)
			damaged[(size_t)rand_r(&seed) % size] = (char)rand_r(&seed);
		tracer = tracer_run(e, "report --json %s", e2e_write(e, "damaged", damaged, size));
		status = process_wait(tracer);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
		/* Nothing left of it is a failure, too. */
		if (!WEXITSTATUS(status) && strstr(process_out(tracer), "\"polls\""))
			assert_identities(e2e_json(e, process_out(tracer)));
	}
}

/* A recording of many chunks with one in its middle overwritten, and cut at `size`, 0: not. */
static const char *damage_middle(struct e2e *e, const char *path, size_t size)
{
	size_t whole;
	char *bytes = e2e_file(e, path, &whole);

	if (!size)
		size = whole;
	memset(bytes + size / 2, 0x5a, 64);
	return e2e_write(e, "damaged", bytes, size);
}

static void assert_damage_is_reported(struct e2e *e, const char *damaged)
{
	struct process *tracer = tracer_run(e, "report --json %s", damaged);
	const json_t *capture = json_object_get(tracer_json(tracer), "capture");

	assert_true(report_number(capture, "damaged_bytes") > 0);
	assert_non_null(strstr(process_err(tracer), "damaged"));
	tracer = tracer_run(e, "report %s", damaged);
	tracer_expect(tracer, 0);
	assert_non_null(strstr(process_out(tracer), "\n! The recording is damaged: "));
	tracer = tracer_run(e, "report --format html %s", damaged);
	tracer_expect(tracer, 0);
	assert_non_null(strstr(process_out(tracer), "class=\"warning\">The recording is damaged"));
}

static void a_report_says_what_damage_took(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth;
	const char *path = record(e, "counts relay 2 100 20000", &truth);
	struct process *tracer = tracer_run(e, "report --json %s", path);
	const json_t *capture = json_object_get(tracer_json(tracer), "capture");
	size_t size;

	assert_int_equal(report_number(capture, "damaged_chunks"), 0);
	assert_int_equal(report_number(capture, "damaged_bytes"), 0);
	e2e_file(e, path, &size);
	assert_damage_is_reported(e, damage_middle(e, path, 0));
	/* The last chunks are gone too. */
	assert_damage_is_reported(e, damage_middle(e, path, size - 100));
}

static void a_recording_cut_before_its_first_chunk_is_refused(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth;
	const char *path = record(e, "counts relay 1 1 10", &truth), *begun;
	static const char *const commands[] = {"report", "report --json",   "flame",
					       "info",   "export -f jsonl", "export -f perfetto"};
	size_t size;
	char *bytes = e2e_file(e, path, &size);

	begun = e2e_write(e, "begun", bytes, 100);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct process *tracer = tracer_run(e, "%s %s", commands[i], begun);

		tracer_expect(tracer, 1);
		assert_string_equal(process_out(tracer), "");
		assert_one_line(process_err(tracer));
		assert_non_null(strstr(process_err(tracer), "holds nothing yet"));
	}
}

static void what_is_no_recording_is_refused_in_one_line(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *files[] = {
		e2e_write(e, "empty", "", 0),
		e2e_write(e, "text", "this is no recording\n", 21),
		e2e_target(e, "counts"),
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct process *tracer = tracer_run(e, "report %s", files[i]);

		tracer_expect(tracer, 1);
		assert_string_equal(process_out(tracer), "");
		assert_non_null(strstr(process_err(tracer), "recording"));
		assert_one_line(process_err(tracer));
	}
}

static void full_disk_ends_a_recording_that_can_be_read(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_text(e, "%s/data", e2e_disk(e, "512k"));
	/* Room for all: what is lost would be told, too. */
	struct process *tracer = tracer_launch(e, "record -q --sample 1 --buffer 64M -o %s -- %s",
					       path, e2e_target(e, "counts relay 2 50 4000"));
	json_t *report;

	target_tell(tracer, "go");
	target_ready(tracer);
	tracer_expect(tracer, 1);
	assert_one_line(process_err(tracer));
	assert_non_null(strstr(process_err(tracer), "No space left"));
	tracer = tracer_run(e, "report --json %s", path);
	report = tracer_json(tracer);
	assert_identities(report);
	assert_true(report_sum(report, "polls") > 0);
	assert_non_null(strstr(process_err(tracer), "cut"));
}

static void full_disk_ends_the_command_too(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_text(e, "%s/data", e2e_disk(e, "16k"));
	struct process *tracer =
		tracer_launch(e, "record -q --sample 1 -o %s -- %s", path, e2e_target(e, "ticker"));
	pid_t pid = target_ready(tracer);

	tracer_expect(tracer, 1);
	assert_one_line(process_err(tracer));
	assert_int_not_equal(kill(pid, 0), 0);
}

static void full_stdout_fails_a_report(void **state)
{
	struct e2e *e = e2e_of(state);
	static const char *const commands[] = {"report", "report --json", "flame", "info"};
	struct process_options options = {.no_output = true};
	json_t *truth;
	const char *path = record(e, "counts yield 1 1 10", &truth);

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct process *tracer = process_start(
			e, &options, e2e_text(e, "%s %s %s", e2e_pollscope(e), commands[i], path));

		tracer_expect(tracer, 1);
		assert_one_line(process_err(tracer));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(damage_anywhere_never_crashes),
		e2e_test(a_report_says_what_damage_took),
		e2e_test(a_recording_cut_before_its_first_chunk_is_refused),
		e2e_test(what_is_no_recording_is_refused_in_one_line),
		e2e_test(full_disk_ends_a_recording_that_can_be_read),
		e2e_test(full_disk_ends_the_command_too),
		e2e_test(full_stdout_fails_a_report),
	};

	return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
