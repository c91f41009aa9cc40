// SPDX-License-Identifier: MIT
/* Recordings: what is in them, what is left of damaged ones, the edges of the capture in them. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "report.h"

#define HEADER_BYTES 16
#define ROOMY "-F 0 --buffer 64M --sample 1"

/* Records one round of a target from its first instruction to its exit. */
static const char *record(struct e2e *e, const char *options, const char *target, json_t **truth)
{
	const char *path = e2e_path(e, "recording");
	struct process *tracer = tracer_launch(e, "record --sample 1 %s -o %s -- %s", options, path,
					       e2e_target(e, target));

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	*truth = target_truth(tracer);
	tracer_expect(tracer, 0);
	return path;
}

static json_t *report_of(struct e2e *e, const char *path)
{
	return tracer_json(tracer_run(e, "report --json --tasks 100000 %s", path));
}

static json_t *info_of(struct e2e *e, const char *path)
{
	return tracer_json(tracer_run(e, "info --json %s", path));
}

static const char *flame_of(struct e2e *e, const char *options, const char *path)
{
	struct process *tracer = tracer_run(e, "flame %s %s", options, path);

	tracer_expect(tracer, 0);
	return process_out(tracer);
}

/* How many events of a kind a recording holds. */
static uint64_t events(const json_t *info, const char *kind)
{
	json_t *number = json_object_get(json_object_get(info, "events"), kind);

	return number ? (uint64_t)json_integer_value(number) : 0;
}

static uint64_t all_events(const json_t *info)
{
	uint64_t sum = 0;
	const char *kind;
	json_t *number;

	json_object_foreach (json_object_get(info, "events"), kind, number) {
		sum += (uint64_t)json_integer_value(number);
	}
	return sum;
}

static bool is_cut(const json_t *info)
{
	return json_is_true(json_object_get(json_object_get(info, "file"), "truncated"));
}

static uint64_t damaged_chunks(const json_t *info)
{
	return report_number(json_object_get(info, "file"), "damaged_chunks");
}

/* ---- whole recordings ---- */

static void recording_holds_what_the_target_counted(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report, *info;
	const char *path = record(e, ROOMY, "counts abort 2 100", &truth);

	report = report_of(e, path);
	assert_identities(report);
	assert_nothing_lost(report);
	assert_int_equal(report_sum(report, "polls"), report_number(truth, "polls"));
	assert_int_equal(report_sum(report, "wakes"), report_number(truth, "wakes"));
	assert_int_equal(report_sum(report, "tasks"), report_number(truth, "spawns"));
	assert_int_equal(report_sum(report, "alive"), 0);

	info = info_of(e, path);
	assert_string_equal(report_string(info, "schema"), "pollscope.info/1");
	assert_false(is_cut(info));
	assert_int_equal(damaged_chunks(info), 0);
	assert_true(
		json_equal(json_object_get(info, "capture"), json_object_get(report, "capture")));
	assert_int_equal(events(info, "poll"),
			 report_sum(report, "polls") + report_sum_block_on(report, "polls"));
	assert_int_equal(events(info, "wake"),
			 report_sum(report, "wakes") + report_sum_block_on(report, "wakes"));
	assert_int_equal(events(info, "spawn"), report_sum(report, "tasks"));
	assert_true(json_array_size(json_object_get(info, "modules")) > 1);
}

static void same_recording_gives_the_same_report(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth;
	const char *path = record(e, "", "causes lock 10", &truth);
	static const char *const views[] = {"report", "report --json", "flame",
					    "flame --format svg", "info"};

	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++) {
		struct process *one = tracer_run(e, "%s %s", views[i], path);
		struct process *two = tracer_run(e, "%s %s", views[i], path);

		tracer_expect(one, 0);
		tracer_expect(two, 0);
		assert_true(process_out(one)[0]);
		assert_string_equal(process_out(one), process_out(two));
	}
}

static void poll_costs_few_bytes(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *info;

	info = info_of(e, record(e, ROOMY, "counts yield 2 50 4000", &truth));
	assert_int_equal(events(info, "poll"),
			 report_number(truth, "polls") + report_number(truth, "block_on_polls"));
	assert_at_most(report_number(json_object_get(info, "file"), "bytes"),
		       8 * events(info, "poll"), 0);
}

static void recording_goes_through_a_pipe(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "piped");
	struct process *target = target_start(e, "counts yield 2 10 500");
	struct process_options options = {.terminal = true};
	struct process *shell;
	const char *script;
	json_t *truth, *report;

	script = e2e_text(e, "%s record " ROOMY " -o - -p %d | cat >%s\n", e2e_pollscope(e),
			  process_pid(target), path);
	shell = process_start(e, &options,
			      e2e_text(e, "sh %s", e2e_write(e, "script", script, strlen(script))));
	process_await_progress(shell);
	target_tell(target, "go");
	truth = target_truth(target);
	target_tell(target, "end");
	assert_int_equal(process_wait(shell), 0);
	report = report_of(e, path);
	assert_identities(report);
	assert_int_equal(report_sum(report, "polls"), report_number(truth, "polls"));
	assert_false(is_cut(info_of(e, path)));
}

/* ---- damaged recordings ---- */

/* Opens what is left of a file. The number of its polls. */
static uint64_t assert_cut_readable(struct e2e *e, const char *path)
{
	struct process *tracer = tracer_run(e, "report -q --json %s", path);
	json_t *report = tracer_json(tracer), *info = info_of(e, path);

	assert_true(is_cut(info));
	assert_non_null(strstr(process_err(tracer), "cut"));
	assert_null(strstr(process_err(tracer), "damaged"));
	assert_int_equal(damaged_chunks(info), 0);
	if (json_array_size(json_object_get(report, "task_types")))
		assert_identities(report);
	return report_sum(report, "polls");
}

/* Whether no chunk of it is whole, which is told in one line. */
static bool holds_nothing(struct e2e *e, const char *path)
{
	struct process *tracer = tracer_run(e, "report -q --json %s", path);

	if (!strstr(process_err(tracer), "holds nothing yet"))
		return false;
	tracer_expect(tracer, 1);
	assert_string_equal(process_out(tracer), "");
	return true;
}

static void truncated_file_opens_up_to_its_end(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth;
	size_t size, steps = 24;
	const char *bytes = e2e_file(e, record(e, ROOMY, "counts yield 2 20 4000", &truth), &size);
	uint64_t polls = 0, last = 0;

	for (size_t i = 0; i <= steps; i++) {
		/* From the header alone to all but one byte. */
		size_t length = HEADER_BYTES + (size - 1 - HEADER_BYTES) * i / steps;
		const char *path = e2e_write(e, "cut", bytes, length);
		bool empty = holds_nothing(e, path);

		assert_true(empty || i > 0);
		assert_true(!empty || !last);
		polls = empty ? 0 : assert_cut_readable(e, path);
		assert_true(polls >= last);
		last = polls;
	}
	/* Only the mark of the end was missing. */
	assert_int_equal(polls, report_number(truth, "polls"));
}

static void file_without_its_header_is_refused(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth;
	const char *bytes = e2e_file(e, record(e, ROOMY, "counts yield 2 10 100", &truth), NULL);

	for (size_t length = 0; length < HEADER_BYTES; length += 5) {
		const char *path = e2e_write(e, "headless", bytes, length);
		struct process *tracer = tracer_run(e, "report %s", path);
		const char *said = process_err(tracer);

		tracer_expect(tracer, 1);
		assert_string_equal(process_out(tracer), "");
		assert_non_null(strstr(said, path));
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	}
}

static void flipped_byte_costs_one_chunk(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *whole;
	size_t size, steps = 20;
	const char *path = record(e, ROOMY, "counts yield 2 20 4000", &truth);
	char *bytes = e2e_file(e, path, &size);
	uint64_t chunks;

	whole = info_of(e, path);
	chunks = report_number(json_object_get(whole, "file"), "chunks");
	assert_true(chunks >= 3);
	for (size_t i = 0; i < steps; i++) {
		size_t at = HEADER_BYTES + (size - HEADER_BYTES) * i / steps;
		struct process *tracer;
		json_t *info, *report;

		/* Of zstd's headers single bits have no meaning. */
		bytes[at] ^= 0xff;
		path = e2e_write(e, "flipped", bytes, size);
		bytes[at] ^= 0xff;
		tracer = tracer_run(e, "info -q --json %s", path);
		info = tracer_json(tracer);
		assert_int_equal(report_number(json_object_get(info, "file"), "chunks"),
				 chunks - 1);
		assert_non_null(strstr(process_err(tracer), "damaged"));
		assert_true(all_events(info) > 0 && all_events(info) < all_events(whole));
		report = report_of(e, path);
		if (events(info, "poll"))
			assert_identities(report);
	}
}

static void scattered_damage_leaves_the_rest(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *info;
	size_t size;
	char *bytes = e2e_file(e, record(e, ROOMY, "counts yield 2 20 4000", &truth), &size);

	bytes[size / 2] ^= 1;
	bytes[size / 2 + 100] ^= 1;
	memmove(bytes + size / 3, bytes + size / 3 + 10, size - size / 3 - 10);
	info = info_of(e, e2e_write(e, "damaged", bytes, size - 10));
	assert_in_range(damaged_chunks(info), 1, 3);
	assert_false(is_cut(info));
	assert_true(events(info, "poll") > 0);
}

static void killed_recorder_leaves_a_recording(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "killed");
	struct process *target = target_start(e, "ticker"), *tracer;
	json_t *info, *report, *worker;
	uint64_t polls, before;

	tracer = tracer_attach(e, "record --sample 1 -o %s -p %d", path, process_pid(target));
	before = report_number(target_ask(target, "count"), "polls");
	e2e_sleep_ms(300);
	polls = report_number(target_ask(target, "count"), "polls") - before;
	assert_true(polls > 0);
	e2e_await(tracer_recorded(e, path, "poll") >= polls);
	process_kill(tracer, SIGKILL);
	assert_true(WIFSIGNALED(process_wait(tracer)));

	info = info_of(e, path);
	assert_true(is_cut(info));
	assert_int_equal(damaged_chunks(info), 0);
	report = report_of(e, path);
	assert_identities(report);
	assert_true(report_sum(report, "polls") >= polls);
	/* What only the end would have told is not made up. */
	worker = json_array_get(json_object_get(report, "workers"), 0);
	assert_true(json_is_null(json_object_get(worker, "on_cpu_ns")));
	assert_true(json_is_integer(json_object_get(worker, "parked_ns")));

	/* The target goes on, and can be traced again. */
	path = e2e_path(e, "second");
	tracer_expect(
		tracer_run(e, "record --sample 1 -d 1s -o %s -p %d", path, process_pid(target)), 0);
	assert_false(is_cut(info_of(e, path)));
	assert_int_equal(report_number(report_type(report_of(e, path), "ticking"), "tasks"), 4);
	assert_true(process_running(target));
}

/* However little a target does: it must not take more events for the last ones to be written. */
static void killed_recorder_leaves_what_came_before_a_silence(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "silent");
	struct process *target = target_start(e, "counts yield 2 10 500"), *tracer;
	uint64_t polls;
	json_t *truth;

	tracer = tracer_attach(e, "record " ROOMY " -o %s -p %d", path, process_pid(target));
	target_tell(target, "go");
	truth = target_truth(target);
	polls = report_number(truth, "polls") + report_number(truth, "block_on_polls");
	e2e_await(tracer_recorded(e, path, "poll") >= polls);
	process_kill(tracer, SIGKILL);
	assert_true(WIFSIGNALED(process_wait(tracer)));
	target_tell(target, "end");
	assert_int_equal(tracer_recorded(e, path, "poll"), polls);
	assert_true(is_cut(info_of(e, path)));
}

/* ---- the capture's edges ---- */

/* The slowest poll that was off the CPU for @cause longest. */
static json_t *slow_poll(const json_t *report, const char *cause)
{
	json_t *poll;
	size_t i;

	json_array_foreach (json_object_get(report, "slowest_polls"), i, poll) {
		const char *longest = json_string_value(json_object_get(poll, "cause"));

		if (longest && !strcmp(longest, cause))
			return poll;
	}
	fail_msg("no slow poll in %s", cause);
	return NULL;
}

static void poll_in_progress_at_attach_is_clipped(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "clipped");
	struct process *target = target_start(e, "ticker stuck"), *tracer;
	json_t *report, *poll, *task;

	e2e_await(process_thread_in(process_pid(target), SYS_read));
	tracer = tracer_attach(e, "record --sample 1 -o %s -p %d", path, process_pid(target));
	e2e_sleep_ms(300);
	target_ask(target, "release");
	e2e_await(tracer_recorded(e, path, "terminate"));
	process_kill(tracer, SIGINT);
	tracer_expect(tracer, 0);
	report = report_of(e, path);
	assert_identities(report);
	assert_nothing_lost(report);
	/* It counts, from the capture's start on, and what it slept in has its name. */
	poll = slow_poll(report, "read");
	assert_int_equal(report_number(poll, "start_ns"), 0);
	assert_true(report_number(poll, "blocked_ns") + report_number(poll, "runqueue_ns") >=
		    report_number(poll, "poll_ns") / 10 * 9);
	assert_at_most(report_number(poll, "poll_ns"),
		       report_number(json_object_get(report, "capture"), "duration_ns"), 0);
	task = report_task(report, report_number(poll, "task"));
	assert_int_equal(report_number(task, "polls"), 1);
	assert_int_equal(report_number(task, "in_progress_ns"), 0);
	assert_string_equal(report_string(task, "state"), "done");
}

static void poll_in_progress_at_the_end_is_counted(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "open"), *target = e2e_target(e, "ticker stuck"), *pipe;
	struct process *tracer = tracer_launch(e, "record --sample 1 -o %s -- %s", path, target);
	json_t *report, *poll, *task, *cause;
	pid_t pid = target_ready(tracer);

	e2e_await(process_thread_in(pid, SYS_read));
	pipe = e2e_text(e, "pipe:[%llu]",
			(unsigned long long)report_number(target_ask(tracer, "count"), "pipe"));
	e2e_await(tracer_recorded(e, path, "poll") > 40);
	process_kill(tracer, SIGINT);
	tracer_expect(tracer, 0);
	report = report_of(e, path);
	assert_identities(report);
	assert_nothing_lost(report);
	poll = slow_poll(report, "read");
	assert_true(json_is_true(json_object_get(poll, "in_progress")));
	task = report_task(report, report_number(poll, "task"));
	assert_string_equal(report_string(task, "type"), "stuck");
	assert_string_equal(report_string(task, "state"), "polling");
	assert_true(report_number(task, "in_progress_ns") > 0);
	assert_int_equal(report_number(task, "in_progress_ns"), report_number(task, "polling_ns"));
	assert_int_equal(report_number(report_type(report, "stuck"), "polls"), 1);
	cause = report_cause(report_type(report, "stuck"), "read");
	assert_string_equal(report_string(cause, "target"), pipe);
	assert_non_null(strstr(flame_of(e, "--kind offcpu --type stuck", path), "[blocked: read]"));
}

/* ---- stacks ---- */

/* That all stacks of @cause go through the blocker's own function. */
static void assert_stacks_named(const char *folded, const char *cause)
{
	unsigned int found = 0;

	for (const char *line = folded; *line; line += strcspn(line, "\n") + 1) {
		const char *end = line + strcspn(line, "\n");
		const char *leaf = strstr(line, cause);

		if (!leaf || leaf > end)
			continue;
		found++;
		assert_memory_equal(line, "blocker;", strlen("blocker;"));
		assert_true(strstr(line, ";worker_run;") && strstr(line, ";worker_run;") < leaf);
		assert_true(strstr(line, ";blocker;") && strstr(line, ";blocker;") < leaf);
		assert_true(strstr(line, ";schedule_[k];") &&
			    strstr(line, ";schedule_[k];") < leaf);
	}
	assert_true(found > 0);
}

static void stacks_name_the_targets_functions(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *stack, *frame;
	const char *path = record(e, "", "causes pipe 20", &truth);
	bool named = false;
	size_t i;

	assert_stacks_named(flame_of(e, "--kind offcpu --type blocker", path), "[blocked: read]");
	stack = json_object_get(slow_poll(report_of(e, path), "read"), "stack");
	json_array_foreach (stack, i, frame)
		named |= !strcmp(json_string_value(frame), "blocker");
	assert_true(named);
}

static void names_outlive_program_and_binary(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "outlived");
	const char *binary = e2e_copy_target(e, "causes", "short-lived");
	struct process *tracer =
		tracer_launch(e, "record --sample 1 -o %s -- %s nanosleep 20", path, binary);

	target_ready(tracer);
	/* Gone before the capture ends, and so before anybody asks for names. */
	assert_int_equal(unlink(binary), 0);
	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_truth(tracer);
	tracer_expect(tracer, 0);
	assert_stacks_named(flame_of(e, "--kind offcpu --type blocker", path),
			    "[blocked: clock_nanosleep]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(recording_holds_what_the_target_counted),
		e2e_test(same_recording_gives_the_same_report),
		e2e_test(poll_costs_few_bytes),
		e2e_test(recording_goes_through_a_pipe),
		e2e_test(truncated_file_opens_up_to_its_end),
		e2e_test(file_without_its_header_is_refused),
		e2e_test(flipped_byte_costs_one_chunk),
		e2e_test(scattered_damage_leaves_the_rest),
		e2e_test(killed_recorder_leaves_a_recording),
		e2e_test(killed_recorder_leaves_what_came_before_a_silence),
		e2e_test(poll_in_progress_at_attach_is_clipped),
		e2e_test(poll_in_progress_at_the_end_is_counted),
		e2e_test(stacks_name_the_targets_functions),
		e2e_test(names_outlive_program_and_binary),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
