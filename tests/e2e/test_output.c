// SPDX-License-Identifier: MIT
/* Where output goes, and what becomes of it when there is no room. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "refusal.h"
#include "report.h"

static void full_disk_is_told(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = sample_recording(e);
	const char *const commands[] = {
		"--help",
		"--version",
		"doctor --json",
		"report --help",
		e2e_text(e, "report %s", path),
		e2e_text(e, "report --json %s", path),
		e2e_text(e, "report --format html %s", path),
		e2e_text(e, "flame %s", path),
		e2e_text(e, "flame --json %s", path),
		e2e_text(e, "flame --format svg %s", path),
		"export -f jsonl --schema",
		e2e_text(e, "export -f jsonl %s", path),
		e2e_text(e, "export -f perfetto %s", path),
		e2e_text(e, "export -f pprof %s", path),
		e2e_text(e, "export -f speedscope %s", path),
		e2e_text(e, "info %s", path),
		e2e_text(e, "info --json %s", path),
	};
	struct process_options options = {.no_output = true};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct process *tracer;

		tracer = process_start(e, &options,
				       e2e_text(e, "%s %s", e2e_pollscope(e), commands[i]));
		process_wait(tracer);
		assert_refused(tracer, 1, "No space left on device");
		assert_non_null(strstr(process_err(tracer), "stdout"));
	}
}

/* Through links of its own: a tracer that removes too much must not cost the machine a device. */
static void device_named_as_output_stays(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = sample_recording(e), *full = e2e_path(e, "full"),
		   *null = e2e_path(e, "null");
	struct stat stats;

	assert_int_equal(symlink("/dev/full", full), 0);
	assert_int_equal(symlink("/dev/null", null), 0);
	assert_refused(tracer_run(e, "report -o %s %s", full, path), 1, full);
	assert_refused(tracer_run(e, "record -o %s -n no-process-of-this-name", full), 1,
		       "no-process");
	assert_refused(tracer_run(e, "record -o %s -n no-process-of-this-name", null), 1,
		       "no-process");
	assert_int_equal(lstat(full, &stats), 0);
	assert_int_equal(lstat(null, &stats), 0);
	assert_refused(tracer_run(e, "report -o %s/no/such/folder %s", path, path), 1,
		       "no/such/folder");
}

static void failed_record_keeps_the_older_recording(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = sample_recording(e);
	struct stat before, after;

	assert_int_equal(stat(path, &before), 0);
	assert_refused(tracer_run(e, "record -o %s -n no-process-of-this-name", path), 1,
		       "no-process");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_refused(
		tracer_run(e, "record -o %s -n no-process-of-this-name", e2e_path(e, "fresh")), 1,
		"no-process");
	assert_int_not_equal(stat(e2e_path(e, "fresh"), &after), 0);
}

static void recording_is_not_its_own_output(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = sample_recording(e), *link = e2e_path(e, "link");
	const char *const commands[] = {
		e2e_text(e, "report %s -o %s", path, path),
		e2e_text(e, "report --format html -o %s %s", link, path),
		e2e_text(e, "export -f perfetto -o %s %s", path, path),
		e2e_text(e, "export -f jsonl -o %s %s", path, link),
		e2e_text(e, "flame --format svg -o %s %s", path, path),
		e2e_text(e, "flame --diff %s -o %s -p 1", path, path),
	};
	struct stat before, after;

	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(symlink(path, link), 0);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		assert_refused(tracer_run(e, "%s", commands[i]), 1, "--output another name");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(before.st_mtime, after.st_mtime);
}

static void failed_export_keeps_the_older_file(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *older = e2e_write(e, "older", "older\n", 6);
	static const char *const formats[] = {"jsonl", "perfetto", "pprof", "speedscope"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		assert_refused(tracer_run(e, "export -f %s -o %s -n no-process-of-this-name",
					  formats[i], older),
			       1, "no-process");
		assert_refused(tracer_run(e, "export -f %s -o %s missing", formats[i], older), 1,
			       "missing");
		assert_string_equal(e2e_file(e, older, NULL), "older\n");
	}
}

static void recording_made_by_sudo_is_the_users(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "given");
	struct process_options options = {.channel = true};
	struct process *tracer;
	struct stat stats;

	tracer = process_start(
		e, &options,
		e2e_text(e, "env SUDO_UID=65534 SUDO_GID=65534 %s record -q -o %s -- %s",
			 e2e_pollscope(e), path, e2e_target(e, "causes nanosleep 3")));
	target_tell(tracer, "go");
	target_tell(tracer, "end");
	tracer_expect(tracer, 0);
	assert_int_equal(stat(path, &stats), 0);
	assert_int_equal(stats.st_uid, 65534);
	assert_int_equal(stats.st_mode & 0777, 0600);
}

static void recording_to_stdout_does_not_mix_with_a_command(void **state)
{
	struct e2e *e = e2e_of(state);

	assert_refused(tracer_run(e, "record -o - -- true"), 2, "COMMAND");
	assert_refused(tracer_run(e, "record -o - --json -n no-process-of-this-name"), 2, "stdout");
}

/* Files end after some bytes, as on a disk that is full. */
static void limit_files(void *context)
{
	struct rlimit limit = {.rlim_cur = 2048, .rlim_max = 2048};

	(void)context;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
}

static void no_partial_output_is_left(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = sample_recording(e), *output = e2e_path(e, "output");
	struct process_options options = {.before_exec = limit_files};
	static const char *const views[] = {"report --json", "flame --format svg",
					    "export -f jsonl", "export -f speedscope"};

	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++) {
		struct process *tracer;

		tracer = process_start(
			e, &options,
			e2e_text(e, "%s %s -o %s %s", e2e_pollscope(e), views[i], output, path));
		process_wait(tracer);
		assert_refused(tracer, 1, output);
		assert_int_equal(access(output, F_OK), -1);
	}
}

static void output_goes_into_the_file(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = sample_recording(e), *output = e2e_path(e, "output");
	struct process *tracer = tracer_run(e, "report --json -o %s %s", output, path);
	struct process *printed = tracer_run(e, "report --json %s", path);

	tracer_expect(tracer, 0);
	assert_string_equal(process_out(tracer), "");
	assert_string_equal(process_err(tracer), "");
	assert_string_equal(e2e_file(e, output, NULL), process_out(printed));
}

/* A stdout that nobody reads. */
static void close_reader(void *context)
{
	int fds[2];

	(void)context;
	if (pipe(fds) || dup2(fds[1], STDOUT_FILENO) < 0)
		_exit(127);
	close(fds[0]);
	close(fds[1]);
}

static void closed_pipe_ends_it_quietly(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = sample_recording(e);
	struct process_options options = {.before_exec = close_reader};
	static const char *const views[] = {"report",
					    "report --json",
					    "flame",
					    "flame --json",
					    "flame --format svg",
					    "info",
					    "info --json",
					    "export -f jsonl",
					    "export -f pprof",
					    "export -f perfetto"};

	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++) {
		struct process *tracer;
		int status;

		tracer = process_start(e, &options,
				       e2e_text(e, "%s %s %s", e2e_pollscope(e), views[i], path));
		status = process_wait(tracer);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
		assert_string_equal(process_err(tracer), "");
	}
}

static const char *report_with(struct e2e *e, const char *columns, const char *path)
{
	/* A shell of the user's own may export it. */
	const char *environment = columns ? e2e_text(e, "COLUMNS=%s", columns) : "-u COLUMNS";
	struct process_options options = {0};
	struct process *tracer = process_start(
		e, &options,
		e2e_text(e, "env %s %s report %s", environment, e2e_pollscope(e), path));

	assert_int_equal(process_wait(tracer), 0);
	return process_out(tracer);
}

static void columns_limit_what_no_terminal_does(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = sample_recording(e), *free = report_with(e, NULL, path);

	/* Of the first columns for which there is no room. */
	assert_non_null(strstr(free, "p50"));
	assert_null(strstr(report_with(e, "70", path), "p50"));
	assert_string_equal(report_with(e, "many", path), free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(full_disk_is_told),
		e2e_test(device_named_as_output_stays),
		e2e_test(failed_record_keeps_the_older_recording),
		e2e_test(recording_is_not_its_own_output),
		e2e_test(failed_export_keeps_the_older_file),
		e2e_test(recording_made_by_sudo_is_the_users),
		e2e_test(recording_to_stdout_does_not_mix_with_a_command),
		e2e_test(no_partial_output_is_left),
		e2e_test(output_goes_into_the_file),
		e2e_test(closed_pipe_ends_it_quietly),
		e2e_test(columns_limit_what_no_terminal_does),
	};

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
