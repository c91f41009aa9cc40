// SPDX-License-Identifier: MIT
/* Why a poll was off the CPU, and for how long, against what the polled task measured itself. */
#include <string.h>

#include "report.h"

#define OPTIONS "-F 0 --tasks 100000"
#define INTERVALS 40
#define ATTEMPTS 4

/* How far a time may be from the truth. */
static uint64_t tolerance(uint64_t truth_ns)
{
	return truth_ns / 50 > 5000 ? truth_ns / 50 : 5000;
}

/*
 * blocked <= truth <= blocked + run queue. The interval's own CPU time is no waiting. Where the
 * machine is itself a guest, some waiting can be in the truth alone: switches that the kernel does
 * not trace, and time stolen from the CPU. It never makes the report's times longer. Returns whether
 * it is of few intervals.
 */
static bool check_intervals(const json_t *report, const json_t *truth)
{
	uint64_t short_ones = 0;
	json_t *interval;
	size_t i;

	json_array_foreach (json_object_get(truth, "intervals"), i, interval) {
		uint64_t wall = report_number(interval, "wall_ns");
		uint64_t off = wall - report_number(interval, "cpu_ns");
		json_t *task = report_task(report, report_number(interval, "task"));
		uint64_t blocked = report_number(task, "blocked_ns");
		uint64_t waited = blocked + report_number(task, "runqueue_ns");

		assert_at_most(blocked, wall, tolerance(wall));
		assert_at_most(waited, report_number(task, "polling_ns"), 0);
		short_ones += off > waited + tolerance(wall);
	}
	assert_int_equal(i, INTERVALS);
	return short_ones <= INTERVALS / 3;
}

static uint64_t sum_of(const json_t *truth, const char *key)
{
	return report_sum_list(json_object_get(truth, "intervals"), key);
}

/*
 * The report of a target that blocks INTERVALS times; what holds for every cause is asserted. Neighbours
 * that take this machine's CPUs away come and go: what they hide is looked at again.
 */
static json_t *report_of(struct e2e *e, const char *cause, const char *path, json_t **truth)
{
	const char *target = e2e_text(e, "causes %s %d %s", cause, INTERVALS, path);

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		json_t *report = report_of_launch(e, OPTIONS, target, truth);

		assert_nothing_lost(report);
		assert_identities(report);
		if (check_intervals(report, *truth))
			return report;
	}
	fail_msg("waiting is missing in more than a third of the intervals, %d times", ATTEMPTS);
	return NULL;
}

/* The cause that nearly all of the type's blocked time has. */
static json_t *assert_main_cause(const json_t *report, const char *name, const char *kind)
{
	json_t *type = report_type(report, "blocker"), *cause = report_cause(type, name);

	assert_string_equal(report_string(cause, "kind"), kind);
	assert_true(report_number(cause, "total_ns") * 10 > report_number(type, "blocked_ns") * 9);
	return cause;
}

/*
 * Of the slowest polls nearly all of the blocker's were so for this cause; some may have hidden it, as above.
 * Those that waited for a CPU were so for that.
 */
static void assert_slowest_are(const json_t *report, const char *cause)
{
	json_t *polls = json_object_get(report, "slowest_polls"), *poll;
	size_t i, slow = 0, found = 0;

	json_array_foreach (polls, i, poll) {
		const char *longest = json_string_value(json_object_get(poll, "cause"));

		if (strcmp(report_string(poll, "type"), "blocker") ||
		    report_number(poll, "runqueue_ns") >= report_number(poll, "blocked_ns"))
			continue;
		slow++;
		found += longest && !strcmp(longest, cause);
	}
	assert_true(found > 0);
	assert_at_most(slow, found, INTERVALS / 10);
}

static void nanosleep_is_named_and_timed(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of(e, "nanosleep", "", &truth);
	json_t *cause = assert_main_cause(report, "clock_nanosleep", "syscall");

	assert_near(report_number(cause, "count"), sum_of(truth, "sleeps"), INTERVALS / 10);
	assert_true(json_is_null(json_object_get(cause, "target")));
	assert_slowest_are(report, "clock_nanosleep");
}

static void fdatasync_is_named_with_its_file(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "synced");
	json_t *truth, *report = report_of(e, "fdatasync", path, &truth);
	json_t *cause;

	if (sum_of(truth, "sleeps") < INTERVALS / 2) {
		print_message("skipped: fdatasync of a file in TMPDIR or /tmp hardly sleeps\n");
		skip();
	}
	cause = assert_main_cause(report, "fdatasync", "syscall");
	assert_string_equal(report_string(cause, "target"), path);
}

static void contended_lock_is_a_futex(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of(e, "lock", "", &truth);

	assert_main_cause(report, "futex", "futex");
	assert_slowest_are(report, "futex");
}

static void pipe_read_is_named_with_its_pipe(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of(e, "pipe", "", &truth);
	json_t *cause = assert_main_cause(report, "read", "syscall");

	assert_string_equal(
		report_string(cause, "target"),
		e2e_text(e, "pipe:[%llu]", (unsigned long long)report_number(truth, "pipe")));
	/* On a busy machine a read can come after the write. */
	assert_at_most(report_number(cause, "count"), INTERVALS, 0);
	assert_near(report_number(cause, "count"), sum_of(truth, "sleeps"), INTERVALS / 10);
}

static void faults_from_disk_are_page_faults(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "mapped");
	json_t *truth, *report = report_of(e, "fault", path, &truth);
	uint64_t majflt = sum_of(truth, "majflt"), sleeps = sum_of(truth, "sleeps");
	json_t *cause;

	if (sleeps < INTERVALS) {
		print_message("skipped: a file in TMPDIR or /tmp is in memory\n");
		skip();
	}
	cause = assert_main_cause(report, "page-fault", "memory");
	/* A fault sleeps once, unless its page came before it looked. */
	assert_at_most(report_number(cause, "count"), majflt, 0);
	assert_near(report_number(cause, "count"), sleeps, INTERVALS / 10 + sleeps / 10);
}

static void waiting_for_a_cpu_is_run_queue_not_blocked(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *report = report_of(e, "cpu", "", &truth);
	json_t *type = report_type(report, "blocker");
	uint64_t wall = sum_of(truth, "wall_ns"), cpu = sum_of(truth, "cpu_ns");

	/* Two wanted the CPU: it waited for a good part of the time. */
	assert_true(report_number(type, "runqueue_ns") * 4 > wall);
	assert_at_most(report_number(type, "runqueue_ns"), wall - cpu, wall / 50);
	assert_at_most(report_number(type, "blocked_ns"), 0, wall / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(nanosleep_is_named_and_timed),
		e2e_test(fdatasync_is_named_with_its_file),
		e2e_test(contended_lock_is_a_futex),
		e2e_test(pipe_read_is_named_with_its_pipe),
		e2e_test(faults_from_disk_are_page_faults),
		e2e_test(waiting_for_a_cpu_is_run_queue_not_blocked),
	};

	return cmocka_run_group_tests_name("causes", tests, NULL, NULL);
}
