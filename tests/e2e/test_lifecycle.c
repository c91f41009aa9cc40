// SPDX-License-Identifier: MIT
/* Targets and tracers that begin and end at any moment, in any way. */
#include <dirent.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probes.h"
#include "report.h"

/* A ticker's: each may have counted a poll whose probe it has not come to. */
#define WORKERS 2

static uint64_t polls_now(struct process *ticker)
{
	return report_number(target_ask(ticker, "count"), "polls");
}

static const char *end_of(const json_t *report)
{
	return report_string(json_object_get(report, "capture"), "end");
}

static json_t *targets_of(const json_t *report)
{
	return json_object_get(json_object_get(report, "capture"), "targets");
}

/* A number of the task type in one process. */
static uint64_t of_process(const json_t *report, const char *name, pid_t pid, const char *key)
{
	json_t *type;
	size_t i;

	json_array_foreach (json_object_get(report, "task_types"), i, type) {
		if (!strcmp(report_string(type, "name"), name) &&
		    report_number(type, "pid") == (uint64_t)pid)
			return report_number(type, key);
	}
	return 0;
}

static bool lives(pid_t pid)
{
	return !kill(pid, 0);
}

/* Waits until each of its tasks has been polled some times. */
static void await_polls(struct process *ticker)
{
	uint64_t polls = polls_now(ticker);

	e2e_await(polls_now(ticker) > polls + 40);
}

/* ---- attaching ---- */

static void running_process_is_counted_while_attached(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *tracer;
	uint64_t before = polls_now(target), inside, after, polls;
	json_t *report;

	tracer = tracer_attach(e, "report --json --sample 1 -p %d", process_pid(target));
	inside = polls_now(target);
	e2e_sleep_ms(300);
	await_polls(target);
	inside = polls_now(target) - inside;
	process_kill(tracer, SIGINT);
	report = tracer_json(tracer);
	after = polls_now(target);
	assert_identities(report);
	assert_nothing_lost(report);
	polls = report_sum(report, "polls");
	assert_at_most(inside, polls, WORKERS);
	assert_at_most(polls, after - before, WORKERS);
	assert_string_equal(end_of(report), "interrupted");
	assert_string_equal(report_string(json_object_get(report, "capture"), "comm"), "ticker");
	assert_int_equal(report_number(report_type(report, "ticking"), "tasks"), 4);
	assert_int_equal(report_number(report_type(report, "ticking"), "alive"), 4);
}

static void duration_ends_a_capture(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker");
	json_t *report = tracer_json(
		tracer_run(e, "report --json --sample 1 -d 700ms -p %d", process_pid(target)));

	assert_string_equal(end_of(report), "duration");
	assert_in_range(report_number(json_object_get(report, "capture"), "duration_ns"), 700000000,
			30000000000);
	assert_true(process_running(target));
}

static void two_processes_are_kept_apart(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *one = target_start(e, "ticker"), *two = target_start(e, "ticker");
	json_t *report = tracer_json(tracer_run(e, "report --json --sample 1 -d 500ms -p %d,%d",
						process_pid(one), process_pid(two)));

	assert_identities(report);
	assert_int_equal(json_array_size(targets_of(report)), 2);
	assert_true(of_process(report, "ticking", process_pid(one), "polls") > 0);
	assert_true(of_process(report, "ticking", process_pid(two), "polls") > 0);
}

static void name_matches_all_processes_that_have_it(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *name = e2e_text(e, "tick-%d", getpid());
	const char *path = e2e_copy_target(e, "ticker", name);
	struct process *one = target_start(e, path), *two = target_start(e, path);
	struct process *tracer = tracer_run(e, "report --json --sample 1 -d 500ms -n %s", name);
	json_t *report = tracer_json(tracer);

	assert_int_equal(json_array_size(targets_of(report)), 2);
	assert_true(of_process(report, "ticking", process_pid(one), "polls") > 0);
	assert_true(of_process(report, "ticking", process_pid(two), "polls") > 0);
	assert_non_null(strstr(process_err(tracer), e2e_text(e, "%d", process_pid(one))));
	assert_non_null(strstr(process_err(tracer), e2e_text(e, "%d", process_pid(two))));
}

/* ---- launching ---- */

/* Runs a shell script that runs "counts" in the way that @format says; returns the report. */
static json_t *report_of_script(struct e2e *e, const char *script, struct process **tracer)
{
	const char *path = e2e_write(e, "script", script, strlen(script));
	json_t *truth, *report;

	*tracer = tracer_launch(e, "report --json --sample 1 -F 0 -- sh %s", path);
	target_tell(*tracer, "go");
	target_tell(*tracer, "end");
	target_ready(*tracer);
	truth = target_truth(*tracer);
	report = tracer_json(*tracer);
	assert_identities(report);
	assert_int_equal(report_sum(report, "polls"), report_number(truth, "polls"));
	assert_int_equal(report_number(json_object_get(report, "capture"), "pid"),
			 report_number(truth, "pid"));
	return report;
}

static void launched_shell_is_followed_over_exec(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *tracer;
	json_t *report = report_of_script(
		e, e2e_text(e, "exec %s", e2e_target(e, "counts yield 2 10 100")), &tracer);

	/* The shell is no generation of the target. */
	assert_int_equal(json_array_size(targets_of(report)), 1);
	assert_int_equal(report_number(json_array_get(targets_of(report), 0), "generation"), 0);
	assert_non_null(strstr(process_err(tracer), "exited with status 0"));
}

static void launched_shell_is_followed_over_fork(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *tracer;

	report_of_script(e,
			 e2e_text(e, "true\n%s\nexit 3\n", e2e_target(e, "counts yield 2 10 100")),
			 &tracer);
	/* How the command ended is told, and is not the tracer's own status. */
	assert_non_null(strstr(process_err(tracer), "exited with status 3"));
}

static void launched_command_is_ended_with_the_capture(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *tracer = tracer_launch(e, "report --json --sample 1 -d 500ms -- %s",
					       e2e_target(e, "ticker"));
	const json_t *capture = json_object_get(tracer_json(tracer), "capture");

	assert_false(lives((pid_t)report_number(capture, "pid")));
	assert_non_null(strstr(process_err(tracer), "signal 15"));
}

static void interrupt_reaches_tracer_and_command(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *tracer =
		tracer_launch(e, "report --json --sample 1 -- %s", e2e_target(e, "ticker"));
	pid_t pid = target_ready(tracer);
	json_t *report;

	await_polls(tracer);
	/* As a terminal does: to the whole foreground group. */
	assert_int_equal(kill(-process_pid(tracer), SIGINT), 0);
	report = tracer_json(tracer);
	assert_identities(report);
	assert_true(of_process(report, "ticking", pid, "polls") > 0);
	assert_false(lives(pid));
	assert_non_null(strstr(process_err(tracer), "signal 2"));
}

static void kept_command_goes_on(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *tracer = tracer_launch(e, "report --json --sample 1 --keep -d 500ms -- %s",
					       e2e_target(e, "ticker"));
	pid_t pid = target_ready(tracer);

	tracer_json(tracer);
	await_polls(tracer);
	target_tell(tracer, "end");
	e2e_await(!lives(pid));
}

static void command_runs_as_the_user_that_is_asked_for(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_copy_target(e, "ticker", "ticker");
	struct passwd *nobody = getpwnam("nobody");
	struct process *tracer;
	struct stat stats;
	json_t *report;
	pid_t pid;

	assert_non_null(nobody);
	tracer = tracer_launch(e, "report --json --sample 1 -u nobody -- %s", path);
	pid = target_ready(tracer);
	assert_int_equal(stat(e2e_text(e, "/proc/%d/stat", pid), &stats), 0);
	assert_int_equal(stats.st_uid, nobody->pw_uid);
	await_polls(tracer);
	process_kill(tracer, SIGINT);
	report = tracer_json(tracer);
	assert_true(of_process(report, "ticking", pid, "polls") > 0);
}

/* ---- ends ---- */

static void killed_target_ends_the_capture(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker stuck"), *tracer;
	json_t *report;
	uint64_t polls;

	tracer = tracer_attach(e, "report --json --sample 1 -p %d", process_pid(target));
	polls = polls_now(target);
	await_polls(target);
	polls = polls_now(target) - polls;
	process_kill(target, SIGKILL);
	report = tracer_json(tracer);
	assert_identities(report);
	assert_string_equal(end_of(report), "target-exited");
	assert_at_most(polls, report_sum(report, "polls"), WORKERS);
}

static void exec_begins_a_new_generation(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *tracer;
	const char *path = e2e_path(e, "data");
	json_t *report, *worker;
	pid_t pid = process_pid(target);
	uint64_t polls;
	size_t i;

	tracer = tracer_attach(e, "record --sample 1 -o %s -p %d", path, pid);
	await_polls(target);
	target_tell(target, "exec");
	assert_int_equal(target_ready(target), pid);
	/* It is attached to while it runs: what it did before that is not seen. */
	e2e_await(tracer_recorded(e, path, "source") > 1);
	polls = polls_now(target);
	await_polls(target);
	polls = polls_now(target) - polls;
	target_tell(target, "end");
	tracer_expect(tracer, 0);
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_identities(report);
	assert_int_equal(json_array_size(targets_of(report)), 2);
	assert_int_equal(report_number(json_array_get(targets_of(report), 1), "generation"), 1);
	assert_true(of_process(report, "ticking", pid, "polls") > polls);
	assert_int_equal(of_process(report, "ticking", pid, "tasks"), 2 * 4);
	/* Exec ends every task of the process. */
	assert_int_equal(report_sum(report, "alive"), 0);
	/* The threads of both images are known, and what they did not run is: they mostly sleep. */
	json_array_foreach (json_object_get(report, "workers"), i, worker) {
		assert_string_not_equal(json_string_value(json_object_get(worker, "name")),
					"[unknown]");
		assert_true(report_number(worker, "blocked_ns") > 0);
	}
}

/* Its descriptors of processes. */
static size_t pidfds_of(pid_t pid)
{
	char path[64], link[64];
	struct dirent *entry;
	size_t n = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, link, sizeof(link) - 1);

		link[length < 0 ? 0 : length] = '\0';
		n += strstr(link, "pidfd") != NULL;
	}
	closedir(folder);
	return n;
}

static void images_gone_by_exec_take_no_descriptors(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *tracer;
	const char *path = e2e_path(e, "data");
	json_t *report;

	tracer = tracer_attach(e, "record --sample 1 -o %s -p %d", path, process_pid(target));
	for (int i = 0; i < 4; i++) {
		e2e_sleep_ms(300);
		target_tell(target, "exec");
		target_ready(target);
	}
	e2e_await(tracer_recorded(e, path, "source") > 1);
	e2e_sleep_ms(300);
	e2e_await(pidfds_of(process_pid(tracer)) <= 1);
	target_tell(target, "end");
	tracer_expect(tracer, 0);
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_true(json_array_size(targets_of(report)) >= 2);
}

static void killed_tracer_leaves_nothing_behind(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "cut");
	struct process *target = target_start(e, "ticker"), *tracer;
	size_t size, size_after;
	const char *code = probes_code(e, process_pid(target), &size), *probed;
	struct probes probes;
	json_t *info;

	tracer = tracer_attach(e, "record --sample 1 -o %s -p %d", path, process_pid(target));
	e2e_await(tracer_recorded(e, path, "poll"));
	probes_of(&probes, process_pid(tracer));
	assert_true(probes.nprograms > 0 && probes.nlinks > 0);
	probed = probes_code(e, process_pid(target), &size_after);
	assert_true(size == size_after && memcmp(code, probed, size));

	process_kill(tracer, SIGKILL);
	assert_true(WIFSIGNALED(process_wait(tracer)));
	assert_probes_gone(&probes);
	/* The target has its own code back, and goes on. */
	assert_code_back(e, process_pid(target), code, size);
	await_polls(target);

	/* What was recorded until shortly before can be read, and is told to be cut. */
	assert_true(report_sum(tracer_json(tracer_run(e, "report --json %s", path)), "polls") > 0);
	tracer = tracer_run(e, "info %s", path);
	tracer_expect(tracer, 0);
	assert_non_null(
		strstr(e2e_text(e, "%s%s", process_out(tracer), process_err(tracer)), "cut"));
	info = tracer_json(tracer_run(e, "info --json %s", path));
	assert_true(json_is_object(info));
}

static void ended_tracer_leaves_nothing_behind(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *tracer;
	size_t size;
	const char *code = probes_code(e, process_pid(target), &size);
	struct probes probes;

	tracer = tracer_attach(e, "report --sample 1 -p %d", process_pid(target));
	probes_of(&probes, process_pid(tracer));
	process_kill(tracer, SIGINT);
	tracer_expect(tracer, 0);
	assert_probes_gone(&probes);
	assert_code_back(e, process_pid(target), code, size);
}

/* ---- edges ---- */

static void poll_that_was_open_all_the_time_is_in_progress(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker stuck"), *tracer;
	json_t *report, *poll;
	uint64_t duration;
	size_t i;

	e2e_await(process_thread_in(process_pid(target), SYS_read));
	tracer = tracer_attach(e, "report --json --sample 1 -p %d", process_pid(target));
	e2e_sleep_ms(300);
	/* Its end is seen: a poll of the whole capture until then, whose sleep has a name. */
	target_ask(target, "release");
	e2e_await(report_number(target_ask(target, "count"), "completions"));
	process_kill(tracer, SIGINT);
	report = tracer_json(tracer);
	assert_identities(report);
	duration = report_number(json_object_get(report, "capture"), "duration_ns");
	json_array_foreach (json_object_get(report, "slowest_polls"), i, poll) {
		const char *cause = json_string_value(json_object_get(poll, "cause"));

		if (!cause || strcmp(cause, "read"))
			continue;
		assert_in_range(report_number(poll, "poll_ns"), 250000000, duration);
		assert_int_equal(report_number(poll, "start_ns"), 0);
		return;
	}
	fail_msg("no clipped poll");
}

static void poll_that_does_not_end_is_in_progress(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *tracer;
	json_t *report, *task, *type, *cause;
	const char *pipe;
	pid_t pid;

	tracer = tracer_launch(e, "report --json --sample 1 -- %s", e2e_target(e, "ticker stuck"));
	pid = target_ready(tracer);
	e2e_await(process_thread_in(pid, SYS_read));
	pipe = e2e_text(e, "pipe:[%llu]",
			(unsigned long long)report_number(target_ask(tracer, "count"), "pipe"));
	await_polls(tracer);
	e2e_sleep_ms(400);
	process_kill(tracer, SIGINT);
	report = tracer_json(tracer);
	assert_identities(report);
	type = report_type(report, "stuck");
	cause = report_cause(type, "read");
	assert_string_equal(report_string(cause, "target"), pipe);
	assert_int_equal(report_number(type, "polls"), 1);
	assert_int_equal(report_number(type, "alive"), 1);
	task = json_array_get(json_object_get(report, "tasks"), 0);
	assert_string_equal(report_string(task, "type"), "stuck");
	assert_string_equal(report_string(task, "state"), "polling");
	assert_int_equal(report_number(task, "in_progress_ns"), report_number(task, "polling_ns"));
	assert_true(report_number(task, "in_progress_ns") > 300000000);
}

/* Taking the probes off takes a while: threads go on to die meanwhile. */
static void polls_of_threads_that_die_at_the_end_are_in_progress(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "data");
	struct process *tracer = tracer_launch(e, "record --sample 1 -F 0 -o %s -- %s", path,
					       e2e_target(e, "sdt dying"));
	uint64_t polls, tasks;
	json_t *report;

	target_ready(tracer);
	target_tell(tracer, "go");
	e2e_await(tracer_recorded(e, path, "spawn") > 100);
	process_kill(tracer, SIGINT);
	tracer_expect(tracer, 0);
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_identities(report);
	assert_nothing_lost(report);
	tasks = report_sum(report, "tasks");
	polls = report_sum(report, "polls");
	assert_true(tasks > 100);
	/* The last ones may be between their two probes, or wait there for a CPU. */
	assert_true(polls <= tasks && polls * 20 >= tasks * 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(running_process_is_counted_while_attached),
		e2e_test(duration_ends_a_capture),
		e2e_test(two_processes_are_kept_apart),
		e2e_test(name_matches_all_processes_that_have_it),
		e2e_test(launched_shell_is_followed_over_exec),
		e2e_test(launched_shell_is_followed_over_fork),
		e2e_test(launched_command_is_ended_with_the_capture),
		e2e_test(interrupt_reaches_tracer_and_command),
		e2e_test(kept_command_goes_on),
		e2e_test(command_runs_as_the_user_that_is_asked_for),
		e2e_test(killed_target_ends_the_capture),
		e2e_test(exec_begins_a_new_generation),
		e2e_test(images_gone_by_exec_take_no_descriptors),
		e2e_test(killed_tracer_leaves_nothing_behind),
		e2e_test(ended_tracer_leaves_nothing_behind),
		e2e_test(poll_that_was_open_all_the_time_is_in_progress),
		e2e_test(poll_that_does_not_end_is_in_progress),
		e2e_test(polls_of_threads_that_die_at_the_end_are_in_progress),
	};

	return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
