// SPDX-License-Identifier: MIT
/* The command line: usage, errors, help. Where output goes: test_output.c. Views: test_flame.c. */
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "refusal.h"
#include "report.h"

static const char *const names[] = {"record", "report", "flame", "export", "info", "doctor"};
#define COMMANDS (sizeof(names) / sizeof(*names))

/* ---- usage ---- */

static void wrong_usage_is_told_in_one_line(void **state)
{
	static const struct {
		const char *arguments, *about;
	} wrong[] = {
		{"frobnicate", "frobnicate"},
		{"report file -d 5s", "--duration"},
		{"flame -F 0 file", "--freq"},
		{"report -p 1 -p 2", "twice"},
		{"--frobnicate", "--frobnicate"},
		{"report --frobnicate file", "--frobnicate"},
		{"report -Z file", "-Z"},
		{"info --kind wall file", "--kind"},
		{"report --json=yes file", "--json"},
		{"report -d", "-d"},
		{"record --output", "--output"},
		{"report one two", "two"},
		{"report -p 1 file", "more than one source"},
		{"report -p 1 -n init", "more than one source"},
		{"flame file -- true", "more than one source"},
		{"record", "nothing to trace"},
		{"record file", "file"},
		{"report", "nothing to look at"},
		{"flame", "nothing to look at"},
		{"report --", "--"},
		{"info", "recording"},
		{"info -p 1", "-p"},
		{"doctor file", "file"},
		{"report -d soon file", "soon"},
		{"report -d 0 file", "--duration"},
		{"report -d 5 file", "--duration 5: a unit is missing: 5us, 5ms, 5s ("},
		{"flame --min-block 1 file", "--min-block 1: a unit is missing: 1us, 1ms, 1s ("},
		{"report -d -1s file", "-1s"},
		{"record --buffer 1 -- true", "--buffer"},
		{"record --buffer 9T -- true", "9T"},
		{"record -F fast -- true", "fast"},
		{"record -F 10001 -- true", "10001"},
		{"flame --kind tall file", "tall"},
		{"flame --by day file", "day"},
		{"flame --format gif file", "gif"},
		{"report --sort sched file", "scheduled_ns, "},
		{"report --format pdf file", "text or html"},
		{"export file", "Give -f jsonl, perfetto, pprof, speedscope ("},
		{"export -f gif file", "'gif' is no FORMAT of --format: one of jsonl, perfetto, "},
		{"export -f pprof --json file", "(-f jsonl: an event a line)"},
		{"export --jsonl file", "unknown option --jsonl"},
		{"export -f jsonl", "nothing to look at"},
		{"export -f jsonl --schema file", "--schema"},
		{"export -f pprof --schema", "pprof"},
		{"export -f perfetto --min-block 1ms missing", "--min-block"},
		{"export -f jsonl --type a file", "--type"},
		{"export -f jsonl -- true", "COMMAND"},
		{"report --schema file", "--schema"},
		{"report -f jsonl file", "-f"},
		{"report --sort beauty file", "beauty"},
		{"report --tasks many file", "many"},
		{"report --min-block x file", "--min-block"},
		{"report --symfs . -p 1", "--symfs"},
		{"report --runtime none file", "tokio, pollrt or usdt:PROVIDER"},
		{"report --runtime usdt: file", "'usdt:'"},
		{"report --sample 0 -p 1", "--sample"},
		{"report --sample half -p 1", "half"},
		{"report --sample 2 file", "--sample"},
		{"record --max-overhead 101 -- true", "101"},
		{"record --max-overhead -1 -- true", "--max-overhead"},
		{"record --await-stacks 1001 -- true", "1001"},
		{"flame --kind idle --by worker -- true", "--by type or task"},
		{"report -p self", "self"},
		{"report -p 0", "--pid"},
		{"report -p 1,,2", "1,,2"},
		{"record --keep -p 1", "--keep"},
		{"record --user nobody -n init", "--user"},
	};
	struct e2e *e = e2e_of(state);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_refused(tracer_run(e, "%s", wrong[i].arguments), 2, wrong[i].about);
}

static void a_symfs_that_is_no_directory_is_refused(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *file = e2e_write(e, "file", "", 0);

	assert_refused(tracer_run(e, "report --symfs %s/none %s", file, file), 1, "--symfs");
	assert_refused(tracer_run(e, "flame --symfs /nosuch %s", file), 1,
		       "--symfs /nosuch: no such directory");
	assert_refused(tracer_run(e, "export -f jsonl --symfs %s %s", file, file), 1,
		       "this is no directory");
}

static void no_command_shows_how_to_use_it(void **state)
{
	struct process *tracer = tracer_run(e2e_of(state), "%s", "");

	tracer_expect(tracer, 2);
	assert_string_equal(process_out(tracer), "");
	assert_non_null(strstr(process_err(tracer), "Usage:"));
}

/* Whether a line of help is about the option. */
static bool help_has(const char *help, const char *option)
{
	const char *at = help;

	while ((at = strstr(at, option))) {
		at += strlen(option);
		if (*at == ' ' || *at == '\n')
			return true;
	}
	return false;
}

static void help_mentions_each_option_that_is_accepted(void **state)
{
	static const char *const options[] = {
		"--pid",      "--name",         "--duration",  "--freq",   "--runtime",
		"--buffer",   "--user",         "--keep",      "--type",   "--sort",
		"--tasks",    "--symfs",        "--min-block", "--kind",   "--by",
		"--format",   "--json",         "--output",    "--quiet",  "--help",
		"--no-color", "--verbose",      "--version",   "--sample", "--max-overhead",
		"--schema",   "--await-stacks",
	};
	static const char *const everywhere[] = {"--output",   "--quiet", "--verbose",
						 "--no-color", "--help",  "--version"};
	struct e2e *e = e2e_of(state);

	for (size_t i = 0; i < COMMANDS; i++) {
		struct process *tracer = tracer_run(e, "%s --help", names[i]);
		const char *help = process_out(tracer);

		tracer_expect(tracer, 0);
		assert_string_equal(process_err(tracer), "");
		for (size_t k = 0; k < sizeof(everywhere) / sizeof(*everywhere); k++)
			assert_true(help_has(help, everywhere[k]));
		for (size_t k = 0; k < sizeof(options) / sizeof(*options); k++) {
			tracer = tracer_run(e, "%s %s", names[i], options[k]);
			if (help_has(help, options[k]) ==
			    !!strstr(process_err(tracer), "unknown option"))
				fail_msg("%s %s: help and what is accepted differ", names[i],
					 options[k]);
		}
	}
}

static void commands_have_the_options_of_the_contract(void **state)
{
	static const struct {
		const char *option;
		bool of[COMMANDS]; /* in the order of names */
	} contract[] = {
		{"--pid", {1, 1, 1, 1, 0, 1}},          {"--name", {1, 1, 1, 1, 0, 1}},
		{"--duration", {1, 1, 1, 1, 0, 0}},     {"--freq", {1, 1, 1, 1, 0, 0}},
		{"--runtime", {1, 1, 1, 1, 0, 1}},      {"--buffer", {1, 1, 1, 1, 0, 0}},
		{"--sample", {1, 1, 1, 1, 0, 0}},       {"--max-overhead", {1, 1, 1, 1, 0, 0}},
		{"--user", {1, 1, 1, 1, 0, 0}},         {"--keep", {1, 1, 1, 1, 0, 0}},
		{"--type", {0, 1, 1, 1, 0, 0}},         {"--sort", {0, 1, 0, 0, 0, 0}},
		{"--tasks", {0, 1, 0, 0, 0, 0}},        {"--min-block", {0, 1, 1, 1, 0, 0}},
		{"--symfs", {0, 1, 1, 1, 0, 0}},        {"--kind", {0, 0, 1, 0, 0, 0}},
		{"--format", {0, 1, 1, 1, 0, 0}},       {"--by", {0, 0, 1, 0, 0, 0}},
		{"--await-stacks", {1, 1, 1, 1, 0, 0}}, {"--json", {1, 1, 1, 0, 1, 1}},
		{"--schema", {0, 0, 0, 1, 0, 0}},
	};
	struct e2e *e = e2e_of(state);

	for (size_t i = 0; i < COMMANDS; i++) {
		struct process *tracer = tracer_run(e, "%s --help", names[i]);

		for (size_t k = 0; k < sizeof(contract) / sizeof(*contract); k++) {
			if (contract[k].of[i] && !help_has(process_out(tracer), contract[k].option))
				fail_msg("%s has no %s", names[i], contract[k].option);
		}
	}
}

static void version_and_overview_are_printed(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *version = tracer_run(e, "--version"), *help = tracer_run(e, "--help");
	unsigned int major, minor, patch;

	tracer_expect(version, 0);
	assert_int_equal(
		sscanf(process_out(version), "pollscope %u.%u.%u\n", &major, &minor, &patch), 3);
	assert_string_equal(process_err(version), "");
	assert_string_equal(process_out(tracer_run(e, "report --version")), process_out(version));
	tracer_expect(help, 0);
	for (size_t i = 0; i < COMMANDS; i++)
		assert_non_null(strstr(process_out(help), e2e_text(e, "pollscope %s ", names[i])));
}

/* ---- what cannot be done ---- */

static void target_that_cannot_be_traced_is_named(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process_options options = {0};
	struct process *sleeper = process_start(e, &options, "sleep 600");
	pid_t pid = process_pid(sleeper);
	struct process *gone = process_start(e, &options, "true");

	process_wait(gone);
	assert_refused(tracer_run(e, "report -p %d", process_pid(gone)), 1,
		       e2e_text(e, "%d", process_pid(gone)));
	assert_refused(tracer_run(e, "report -n no-process-of-this-name"), 1,
		       "no-process-of-this-name");
	assert_refused(tracer_run(e, "report -p %d", pid), 1, e2e_text(e, "doctor -p %d", pid));
	assert_refused(tracer_run(e, "flame -p %d", pid), 1, e2e_text(e, "doctor -p %d", pid));
	assert_refused(tracer_run(e, "report -p 2"), 1, "kernel");
	assert_refused(tracer_run(e, "report -- /no/such/command"), 1, "/no/such/command");
	assert_refused(tracer_run(e, "report -u no-such-user -- true"), 1, "no-such-user");
	assert_refused(tracer_run(e, "doctor -p %d", process_pid(gone)), 1,
		       e2e_text(e, "%d", process_pid(gone)));
	assert_true(process_running(sleeper));
}

static bool doctor_found(const json_t *document, const char *subject, const char *word)
{
	json_t *check;
	bool found = false;
	size_t i;

	assert_string_equal(report_string(document, "schema"), "pollscope.doctor/1");
	assert_true(json_array_size(json_object_get(document, "checks")) > 0);
	json_array_foreach (json_object_get(document, "checks"), i, check) {
		assert_non_null(report_string(check, "state"));
		found |= !strcmp(report_string(check, "subject"), subject) &&
			 strstr(report_string(check, "found"), word);
	}
	return found;
}

static void runtime_that_was_chosen_is_the_only_one(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker");
	pid_t pid = process_pid(target);

	tracer_expect(tracer_run(e, "report --runtime pollrt -d 200ms -p %d", pid), 0);
	tracer_expect(tracer_run(e, "report --runtime usdt:pollrt -d 200ms -p %d", pid), 0);
	assert_refused(tracer_run(e, "report --runtime tokio -p %d", pid), 1, "no tokio");
	assert_refused(tracer_run(e, "report --runtime usdt:other -p %d", pid), 1,
		       "provider other");
}

static void runtime_of_unknown_layout_is_refused(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "old_tokio"), *tracer;
	const char *path = e2e_target(e, "old_tokio");
	pid_t pid = process_pid(target);

	assert_refused(tracer_run(e, "report -p %d", pid), 1, "tokio 1.3.2");
	assert_true(process_running(target));
	tracer = tracer_run(e, "doctor --json -p %d", pid);
	tracer_expect(tracer, 1);
	assert_true(doctor_found(e2e_json(e, process_out(tracer)), "runtime", "tokio 1.3.2"));
	/* Nobody waits for another runtime; the command is ended. */
	tracer = tracer_run(e, "report -d 1s -- sh -c %s", path);
	tracer_expect(tracer, 1);
	assert_non_null(strstr(process_err(tracer), "tokio 1.3.2"));
}

static void nothing_is_left_of_a_capture_that_did_not_begin(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process_options options = {0};
	struct process *sleeper = process_start(e, &options, "sleep 600");
	const char *path = e2e_path(e, "nothing");

	assert_refused(tracer_run(e, "record -o %s -p %d", path, process_pid(sleeper)), 1,
		       "runtime");
	assert_int_equal(access(path, F_OK), -1);
}

static void file_that_is_no_recording_is_named(void **state)
{
	/* A header whose checksum is right, of format 2. */
	static const unsigned char newer[16] = {0x89, 'P', 'S', 'R', '\r', '\n', 0x1a, '\n',
						2,    0,   0,   0,   0,    0,    0,    0};
	struct e2e *e = e2e_of(state);
	const char *missing = e2e_path(e, "missing"), *text = e2e_write(e, "text", "hello\n", 6);
	const char *folder = e2e_path(e, "folder"), *empty = e2e_write(e, "empty", "", 0);
	unsigned char header[sizeof(newer)];
	uint32_t crc = 0xffffffff;

	assert_int_equal(mkdir(folder, 0755), 0);
	memcpy(header, newer, sizeof(newer));
	for (size_t i = 0; i < 12; i++) {
		crc ^= (uint32_t)newer[i] << 24;
		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7 : 0);
	}
	for (int i = 0; i < 4; i++)
		header[12 + i] = (unsigned char)(crc >> 8 * i);
	for (size_t i = 1; i < COMMANDS - 1; i++) {
		const struct {
			const char *path, *remedy;
		} files[] = {
			{missing, "pollscope record"},
			{text, "pollscope record"},
			{empty, "pollscope record"},
			{folder, "pollscope record"},
			{e2e_write(e, "newer", header, sizeof(header)),
			 "newer pollscope (format 2"},
		};

		for (size_t k = 0; k < sizeof(files) / sizeof(*files); k++) {
			struct process *tracer = tracer_run(
				e, "%s %s %s", names[i],
				strcmp(names[i], "export") ? "" : "-f jsonl", files[k].path);

			assert_refused(tracer, 1, files[k].path);
			assert_non_null(strstr(process_err(tracer), files[k].remedy));
		}
	}
}

static void program_that_is_no_recording_is_to_be_run(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_target(e, "ticker");
	const char *remedy = e2e_text(e, "pollscope report -- %s", path);

	assert_refused(tracer_run(e, "report %s", path), 1, remedy);
	assert_refused(tracer_run(e, "report -d 1s %s", path), 2, remedy);
	assert_refused(tracer_run(e, "report %s 1", path), 2, remedy);
	assert_refused(tracer_run(e, "doctor %s", path), 2, "pollscope doctor -- ");
}

static void recording_may_come_through_a_pipe(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *shell;
	struct process_options options = {0};
	const char *script = e2e_text(e, "%s record -q -d 300ms -p %d -o - | %s report --json -\n",
				      e2e_pollscope(e), process_pid(target), e2e_pollscope(e));

	script = e2e_write(e, "script", script, strlen(script));
	shell = process_start(e, &options, e2e_text(e, "sh %s", script));
	assert_int_equal(process_wait(shell), 0);
	assert_true(report_sum(e2e_json(e, process_out(shell)), "polls") > 0);
}

/* ---- what is said ---- */

static void quiet_says_nothing_but_losses(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "recording"),
		   *target = e2e_target(e, "counts yield 2 100 3000");
	struct process *tracer =
		tracer_launch(e, "record -q --sample 1 --buffer 256M -o %s -- %s", path, target);
	json_t *report;

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	tracer_expect(tracer, 0);
	assert_string_equal(process_err(tracer), "");

	tracer = tracer_launch(e, "report -q --json --sample 1 --buffer 4K -- %s", target);
	target_tell(tracer, "go");
	target_tell(tracer, "end");
	report = tracer_json(tracer);
	assert_true(report_number(json_object_get(report, "capture"), "events_lost") > 0);
	assert_one_line(process_err(tracer));
	assert_non_null(strstr(process_err(tracer), "lost"));
}

/* What a command prints to a terminal. */
static const char *on_terminal(struct e2e *e, const char *arguments, const char *no_color)
{
	struct winsize size = {.ws_row = 50, .ws_col = 100};
	char *text = e2e_bytes(e, 1 << 16);
	int terminal, status;
	size_t used = 0;
	ssize_t n;
	pid_t pid = forkpty(&terminal, NULL, NULL, &size);

	assert_true(pid >= 0);
	if (!pid) {
		unsetenv("NO_COLOR");
		if (no_color)
			setenv("NO_COLOR", no_color, 1);
		execl("/bin/sh", "sh", "-c", e2e_text(e, "exec %s %s", e2e_pollscope(e), arguments),
		      NULL);
		_exit(127);
	}
	while (used + 1 < 1 << 16 && (n = read(terminal, text + used, (1 << 16) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(terminal);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return text;
}

static void colors_are_for_terminals_that_want_them(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = sample_recording(e);
	const char *const commands[] = {"doctor", e2e_text(e, "report %s", path)};

	for (size_t i = 0; i < 2; i++) {
		const char *plain = e2e_text(e, "%s --no-color", commands[i]);
		struct process *tracer = tracer_run(e, "%s", commands[i]);

		tracer_expect(tracer, 0);
		assert_null(strchr(process_out(tracer), '\033'));
		assert_non_null(strchr(on_terminal(e, commands[i], NULL), '\033'));
		assert_non_null(strchr(on_terminal(e, commands[i], ""), '\033'));
		assert_null(strchr(on_terminal(e, commands[i], "1"), '\033'));
		assert_null(strchr(on_terminal(e, plain, NULL), '\033'));
	}
}

/* ---- doctor ---- */

static void doctor_finds_what_can_be_traced(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process_options options = {0};
	struct process *sleeper = process_start(e, &options, "sleep 600");
	struct process *target = target_start(e, "ticker"), *tracer;
	json_t *document;

	tracer_expect(tracer_run(e, "doctor"), 0);
	tracer_json(tracer_run(e, "doctor --json"));
	document = tracer_json(tracer_run(e, "doctor --json -p %d", process_pid(target)));
	assert_true(doctor_found(document, "probes", "pollrt"));
	document = tracer_json(tracer_run(e, "doctor --json -- %s", e2e_target(e, "ticker")));
	assert_true(doctor_found(document, "probes", "pollrt"));

	/* A target without a runtime is a failure, which the document explains. */
	tracer = tracer_run(e, "doctor --json -p %d", process_pid(sleeper));
	tracer_expect(tracer, 1);
	document = e2e_json(e, process_out(tracer));
	assert_false(doctor_found(document, "probes", "pollrt"));
	assert_true(doctor_found(document, "runtime", e2e_text(e, "pid %d", process_pid(sleeper))));
	tracer = tracer_run(e, "doctor --json --runtime usdt:other -p %d", process_pid(target));
	tracer_expect(tracer, 1);
	document = e2e_json(e, process_out(tracer));
	assert_false(doctor_found(document, "probes", "pollrt"));
}

/* ---- documents ---- */

/* Every element that begins ends. */
static void assert_balanced(const char *xml)
{
	int depth = 0;

	for (const char *at = strchr(xml, '<'); at; at = strchr(at, '<')) {
		const char *end = strncmp(at, "<![CDATA[", 9) ? strchr(at, '>') : strstr(at, "]]>");

		assert_non_null(end);
		if (at[1] == '/')
			assert_true(--depth >= 0);
		else if (at[1] != '?' && at[1] != '!' && end[-1] != '/')
			depth++;
		at = end;
	}
	assert_int_equal(depth, 0);
}

static void svg_is_well_formed(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process_options options = {0};
	const char *path = sample_recording(e), *svg;
	struct process *tracer = tracer_run(e, "flame --format svg %s", path), *xmllint;

	tracer_expect(tracer, 0);
	svg = process_out(tracer);
	assert_balanced(svg);
	/* It names the namespace of SVG, and nothing else that is elsewhere. */
	for (const char *url = strstr(svg, "://"); url; url = strstr(url + 1, "://"))
		assert_memory_equal(url, "://www.w3.org/", strlen("://www.w3.org/"));
	xmllint = process_start(
		e, &options,
		e2e_text(e, "xmllint --noout --nonet %s", e2e_write(e, "svg", svg, strlen(svg))));
	/* Where it is installed. */
	if (WEXITSTATUS(process_wait(xmllint)) == 127)
		return;
	assert_int_equal(process_wait(xmllint), 0);
	assert_string_equal(process_err(xmllint), "");
}

static void type_that_is_not_there_is_told_with_those_that_are(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = sample_recording(e);
	static const char *const views[] = {"report --json",        "report -q",
					    "report --format html", "flame",
					    "export -f pprof",      "export -f perfetto"};

	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++)
		assert_refused(tracer_run(e, "%s --type no-such-type -o %s %s", views[i],
					  e2e_path(e, "none"), path),
			       1,
			       "no task type matches 'no-such-type': there are [block_on all], "
			       "prepare, blocker");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(wrong_usage_is_told_in_one_line),
		e2e_test(a_symfs_that_is_no_directory_is_refused),
		e2e_test(no_command_shows_how_to_use_it),
		e2e_test(help_mentions_each_option_that_is_accepted),
		e2e_test(commands_have_the_options_of_the_contract),
		e2e_test(version_and_overview_are_printed),
		e2e_test(target_that_cannot_be_traced_is_named),
		e2e_test(runtime_that_was_chosen_is_the_only_one),
		e2e_test(runtime_of_unknown_layout_is_refused),
		e2e_test(nothing_is_left_of_a_capture_that_did_not_begin),
		e2e_test(file_that_is_no_recording_is_named),
		e2e_test(program_that_is_no_recording_is_to_be_run),
		e2e_test(recording_may_come_through_a_pipe),
		e2e_test(quiet_says_nothing_but_losses),
		e2e_test(colors_are_for_terminals_that_want_them),
		e2e_test(doctor_finds_what_can_be_traced),
		e2e_test(svg_is_well_formed),
		e2e_test(type_that_is_not_there_is_told_with_those_that_are),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
