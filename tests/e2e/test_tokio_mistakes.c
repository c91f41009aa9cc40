// SPDX-License-Identifier: MIT
/*
 * Five mistakes in several forms, each beside its fix (tests/tokio/src/bin/mistakes): what tells them
 * apart in a report, and that its times are those of the programs themselves.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "tokio.h"

#define CPUS 8 /* at most: where each of 64 threads has its own, none is in another's way */

#define EXACT "--sample 1 -F 0 --buffer 64M --tasks 100000"

struct side {
	json_t *report, *truth;
};

static struct side run(struct e2e *e, const char *mistake, const char *name)
{
	const char *command = tokio_command(e, "release", "mistakes");
	struct side side;

	side.report = report_of_launch(e, EXACT, e2e_text(e, "%s %s %s", command, mistake, name),
				       &side.truth);
	return side;
}

/* One that comes to an end. */
static struct side side_of(struct e2e *e, const char *mistake, const char *name)
{
	struct side side = run(e, mistake, name);

	assert_tokio_counts(side.report, side.truth, TOKIO_NAMED);
	return side;
}

/* A number of one of the mistake's futures. */
static uint64_t number_of(const struct side *side, const char *future, const char *key)
{
	return report_number(report_type(side->report, future), key);
}

/* How long its tasks waited for a worker, at worst. */
static uint64_t longest_wait(const struct side *side, const char *future)
{
	json_t *waits = json_object_get(report_type(side->report, future), "scheduled_wait_ns");

	return report_number(waits, "max");
}

/* How long a poll of its tasks mostly takes. */
static uint64_t median_poll(const struct side *side, const char *future)
{
	json_t *polls = json_object_get(report_type(side->report, future), "poll_ns");

	return report_number(polls, "p50");
}

/* The sum of a number over the jobs of the blocking pool. */
static uint64_t jobs_number(const struct side *side, const char *key)
{
	json_t *job;
	uint64_t n = 0;
	size_t i;

	json_array_foreach (json_object_get(side->report, "blocking_jobs"), i, job)
		n += report_number(job, key);
	return n;
}

/* Of what the program calls @name, the time in sum. */
static uint64_t waited_ns(const struct side *side, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(side->truth, "waits"), i, entry) {
		if (!strcmp(report_string(entry, "name"), name))
			return report_number(entry, "ns");
	}
	fail_msg("the program says nothing of '%s'", name);
	return 0;
}

/* What calls for @cause took a future, as it says itself. */
static const json_t *spent(const struct side *side, const char *future, const char *cause)
{
	return json_object_get(json_object_get(tokio_future(side->truth, future), "causes"), cause);
}

/* What a future's tasks had or needed no CPU and no worker for: another's load is not in it. */
static uint64_t unhindered_ns(const struct side *side, const char *future)
{
	return number_of(side, future, "lifetime_ns") - number_of(side, future, "scheduled_ns") -
	       number_of(side, future, "runqueue_ns");
}

/* The program's own times are in the report, at their future and cause. */
static void assert_blocked(const struct side *side)
{
	assert_tokio_blocked(side->report, side->truth, TOKIO_NAMED);
	assert_true(tokio_blocked_is_seen(side->report, side->truth, TOKIO_NAMED));
}

static const char *const handles_blocking = "mistakes::blocking_call::handles";

/* A form of it that blocks for @cause; NULL: that computes. */
static void assert_blocking_call(struct e2e *e, const char *form, const char *cause)
{
	const char *mistake = e2e_text(e, "blocking_call:%s", form);
	struct side wrong = side_of(e, mistake, "wrong");
	struct side fixed = side_of(e, mistake, "fixed");
	const char *handles = handles_blocking;

	assert_blocked(&wrong);
	if (cause) {
		report_cause(report_type(wrong.report, handles), cause);
		/* The runtime has locks of its own, which others may hold for a moment. */
		if (strcmp(cause, "futex"))
			assert_null(report_find_cause(report_type(fixed.report, handles), cause));
		assert_at_most(number_of(&fixed, handles, "blocked_ns") * 2,
			       number_of(&wrong, handles, "blocked_ns"), 0);
	} else {
		assert_at_most(number_of(&fixed, handles, "on_cpu_ns") * 5,
			       number_of(&wrong, handles, "on_cpu_ns"), 0);
	}
	assert_int_equal(jobs_number(&wrong, "jobs"), 0);
	assert_int_equal(jobs_number(&fixed, "jobs"), number_of(&fixed, handles, "tasks") * 10);
	/* Whenever both workers are in such a poll. */
	assert_at_most(median_poll(&wrong, handles) / 2,
		       longest_wait(&wrong, "mistakes::blocking_call::beats"), 0);
}

static void blocking_call_makes_others_wait(void **state)
{
	assert_blocking_call(e2e_of(state), "query", "clock_nanosleep");
}

/* More than 10 µs a call, as no memory does: by the report, or by the program beyond waits for a CPU. */
static bool fsync_sleeps(const struct side *side)
{
	const json_t *calls = spent(side, handles_blocking, "fsync");
	uint64_t least = report_number(calls, "calls") * 10000;

	return tokio_blocked_ns(side->report, side->truth, handles_blocking, TOKIO_NAMED, "fsync") >
		       least ||
	       tokio_off_ns(calls) > least + number_of(side, handles_blocking, "runqueue_ns");
}

static void synced_file_makes_others_wait(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "blocking_call:fsync", "wrong");

	if (!fsync_sleeps(&wrong)) {
		print_message("skipped: fsync of a file in TMPDIR or /tmp never sleeps\n");
		skip();
	}
	assert_blocking_call(e, "fsync", "fsync");
}

static void computing_makes_others_wait(void **state)
{
	assert_blocking_call(e2e_of(state), "hash", NULL);
}

static void lock_makes_others_wait(void **state)
{
	assert_blocking_call(e2e_of(state), "lock", "futex");
}

/* A time of a future's tasks, in per cent of another. */
static uint64_t share(const struct side *side, const char *future, const char *key, const char *of)
{
	return number_of(side, future, key) * 100 / number_of(side, future, of);
}

static void too_many_threads_wait_for_cpus_inside_of_polls(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "thread_count", "wrong");
	struct side fixed = side_of(e, "thread_count", "fixed");
	const char *renders = "mistakes::thread_count::renders";
	uint64_t preempted = tokio_off_ns(spent(&wrong, renders, "on-cpu"));

	assert_blocked(&wrong);
	assert_at_most(number_of(&wrong, renders, "runqueue_ns"), preempted, preempted / 4);
	assert_at_most(preempted,
		       number_of(&wrong, renders, "runqueue_ns") + report_uncertain(wrong.report),
		       preempted / 4);
	assert_at_most(50, share(&wrong, renders, "runqueue_ns", "polling_ns"), 0);
	/* With as many threads as CPUs they wait for a worker instead. */
	assert_at_most(share(&fixed, renders, "runqueue_ns", "lifetime_ns") * 2,
		       share(&wrong, renders, "runqueue_ns", "lifetime_ns"), 0);
	assert_at_most(share(&wrong, renders, "scheduled_ns", "lifetime_ns"),
		       share(&fixed, renders, "scheduled_ns", "lifetime_ns"), 0);
}

/* A job's own clock runs inside of it, and hardly anything is outside of that. */
static void assert_ran(const struct side *side)
{
	uint64_t ran = waited_ns(side, "jobs ran");

	assert_at_most(ran, jobs_number(side, "running_ns"), 0);
	assert_at_most(jobs_number(side, "running_ns"), ran, ran / 2);
}

static void jobs_wait_for_a_pool_that_is_too_small(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "thread_count:pool_small", "wrong");
	struct side fixed = side_of(e, "thread_count:pool_small", "fixed");
	const char *uploads = "mistakes::thread_count::uploads";
	uint64_t ran = waited_ns(&wrong, "jobs ran"), waited = waited_ns(&wrong, "jobs waited");

	assert_int_equal(jobs_number(&wrong, "jobs"), jobs_number(&fixed, "jobs"));
	assert_ran(&wrong);
	/* When they were queued, no probe of Tokio shows: it is in the idle time of who awaits. */
	assert_near(number_of(&wrong, uploads, "idle_ns"), waited + ran, (waited + ran) / 10);
	assert_at_most(number_of(&fixed, uploads, "idle_ns") * 5,
		       number_of(&wrong, uploads, "idle_ns"), 0);
}

static void jobs_without_limit_slow_each_other_down(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "thread_count:pool_explosion", "wrong");
	struct side fixed = side_of(e, "thread_count:pool_explosion", "fixed");

	assert_int_equal(jobs_number(&wrong, "jobs"), jobs_number(&fixed, "jobs"));
	assert_ran(&wrong);
	assert_ran(&fixed);
	/* By how much depends on how many others want the CPUs. */
	assert_at_most(jobs_number(&fixed, "running_ns"), jobs_number(&wrong, "running_ns"), 0);
}

static void tiny_tasks_are_very_many_that_run_once(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "tiny_tasks", "wrong");
	struct side fixed = side_of(e, "tiny_tasks", "fixed");
	const char *sums = "mistakes::tiny_tasks::sums";

	assert_int_equal(number_of(&wrong, sums, "tasks"), 20000);
	assert_int_equal(number_of(&wrong, sums, "polls"), 20000);
	assert_int_equal(number_of(&fixed, sums, "tasks"), 8);
	/* All the work is done in less time; waits for a CPU are of neither. */
	assert_at_most(number_of(&fixed, sums, "on_cpu_ns") * 2,
		       number_of(&wrong, sums, "on_cpu_ns"), 0);
}

static void assert_nested(struct e2e *e, const char *form)
{
	const char *mistake = e2e_text(e, "nested_block_on:%s", form);
	struct side wrong = side_of(e, mistake, "wrong");
	struct side fixed = side_of(e, mistake, "fixed");
	const char *handles = "mistakes::nested_block_on::handles";

	assert_blocked(&wrong);
	assert_int_equal(number_of(&wrong, handles, "polls"), number_of(&wrong, handles, "tasks"));
	assert_at_most(unhindered_ns(&wrong, handles) / 2, number_of(&wrong, handles, "blocked_ns"),
		       0);
	report_cause(report_type(wrong.report, handles), "futex");
	assert_at_most(unhindered_ns(&fixed, handles) / 2, number_of(&fixed, handles, "idle_ns"),
		       0);
	assert_at_most(number_of(&fixed, handles, "blocked_ns") * 2,
		       number_of(&wrong, handles, "blocked_ns"), 0);
}

static void nested_block_on_sleeps_inside_of_polls(void **state)
{
	assert_nested(e2e_of(state), "block_on");
}

static void blocking_receive_sleeps_inside_of_polls(void **state)
{
	assert_nested(e2e_of(state), "receive");
}

static void deadlock_is_a_poll_on_each_worker_that_never_ends(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *handles = "mistakes::nested_block_on::handles";
	struct side wrong = run(e, "nested_block_on:deadlock", "wrong");
	uint64_t stuck = waited_ns(&wrong, "stuck"), polls = 0;
	json_t *poll;
	size_t i;

	assert_nothing_lost(wrong.report);
	assert_identities(wrong.report);
	assert_int_equal(number_of(&wrong, handles, "polls"), 2);
	/* They slept on until the program ended. */
	assert_at_most(stuck,
		       report_number(report_cause(report_type(wrong.report, handles), "futex"),
				     "total_ns"),
		       stuck / 10);
	json_array_foreach (json_object_get(wrong.report, "slowest_polls"), i, poll)
		polls += json_is_true(json_object_get(poll, "in_progress"));
	assert_int_equal(polls, 2);
	/* The same without blocking comes to an end. */
	side_of(e, "nested_block_on:deadlock", "fixed");
}

static void unbounded_queue_never_holds_up_who_fills_it(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = side_of(e, "unbounded_queue", "wrong");
	struct side fixed = side_of(e, "unbounded_queue", "fixed");
	const char *accepts = "mistakes::unbounded_queue::accepts";
	const char *forwards = "mistakes::unbounded_queue::forwards";

	/* Who fills it is over at once; who empties it waits, for its first answer. */
	assert_int_equal(number_of(&wrong, accepts, "polls"), 1);
	assert_at_most(number_of(&wrong, forwards, "polls"), 5, 0);
	assert_at_most(unhindered_ns(&wrong, forwards) / 10 * 9,
		       number_of(&wrong, forwards, "idle_ns"), 0);
	/* Of 100 messages the queue takes 4 at once. */
	assert_at_most(10, number_of(&fixed, accepts, "polls"), 0);
	assert_at_most(50, number_of(&fixed, forwards, "polls"), 0);
}

static void search_without_awaits_is_one_long_poll(void **state)
{
	struct e2e *e = e2e_of(state);
	struct side wrong = run(e, "unbounded_queue:no_cancel", "wrong");
	struct side fixed = side_of(e, "unbounded_queue:no_cancel", "fixed");
	const char *searches = "mistakes::unbounded_queue::searches";
	json_t *truth = tokio_future(wrong.truth, searches);

	/* Aborted in their one poll they completed: that they are not called cancelled, nobody can say. */
	assert_nothing_lost(wrong.report);
	assert_identities(wrong.report);
	assert_int_equal(number_of(&wrong, searches, "tasks"), report_number(truth, "completed"));
	assert_int_equal(number_of(&wrong, searches, "polls"), report_number(truth, "completed"));
	assert_blocked(&wrong);
	assert_blocked(&fixed);
	assert_int_equal(report_number(tokio_future(fixed.truth, searches), "completed"), 0);
	/* Its polls are of 100 µs, not of 100 ms. */
	assert_at_most(number_of(&fixed, searches, "on_cpu_ns"),
		       number_of(&fixed, searches, "polls") * 2000000, 0);
	assert_at_most(waited_ns(&fixed, "cancelled"), waited_ns(&wrong, "cancelled"), 0);
	assert_at_most(number_of(&fixed, searches, "on_cpu_ns"),
		       number_of(&wrong, searches, "on_cpu_ns"), 0);
}

/* For all that is started from here. */
static int take_few_cpus(void **state)
{
	cpu_set_t cpus;
	int n = 0;

	(void)state;
	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		return 0;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &cpus) && ++n > CPUS)
			CPU_CLR(cpu, &cpus);
	}
	return n > CPUS ? sched_setaffinity(0, sizeof(cpus), &cpus) : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(blocking_call_makes_others_wait),
		e2e_test(synced_file_makes_others_wait),
		e2e_test(computing_makes_others_wait),
		e2e_test(lock_makes_others_wait),
		e2e_test(too_many_threads_wait_for_cpus_inside_of_polls),
		e2e_test(jobs_wait_for_a_pool_that_is_too_small),
		e2e_test(jobs_without_limit_slow_each_other_down),
		e2e_test(tiny_tasks_are_very_many_that_run_once),
		e2e_test(nested_block_on_sleeps_inside_of_polls),
		e2e_test(blocking_receive_sleeps_inside_of_polls),
		e2e_test(deadlock_is_a_poll_on_each_worker_that_never_ends),
		e2e_test(unbounded_queue_never_holds_up_who_fills_it),
		e2e_test(search_without_awaits_is_one_long_poll),
	};

	return cmocka_run_group_tests_name("tokio mistakes", tests, take_few_cpus, NULL);
}
