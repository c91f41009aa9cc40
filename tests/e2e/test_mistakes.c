// SPDX-License-Identifier: MIT
/*
 * The five mistakes of runtime/examples, each beside its fix: a report shows the time where the
 * example itself says that it went.
 */
#include <sched.h>
#include <string.h>

#include "report.h"

#define MANY_TASKS "--tasks 100000"
#define FEW_TASKS "--tasks 10"
#define HANDLER "handle_conn"
/* Of the examples: how long a supplier is asked, an event takes to store, a step of a search computes at most. */
#define SUPPLIER_NS 25000000
#define STORE_NS 5000000
#define STEP_NS 1000000
/* For as long a guest's CPU may stop, or run interrupts: its task is on it, and is not told. */
#define STALL_NS 100000000

/* One run of an example under the tracer. */
struct side {
	json_t *report, *truth;
};

static struct side side_of(struct e2e *e, const char *options, const char *command)
{
	const char *path = e2e_path(e, "report.json");
	struct process *tracer =
		tracer_run(e, "report --json --sample 1 --buffer 64M %s -o %s -- %s", options, path,
			   e2e_built(e, e2e_text(e, "examples/%s", command)));
	struct side side;

	tracer_expect(tracer, 0);
	side.truth = e2e_json(e, process_out(tracer));
	side.report = e2e_json(e, e2e_file(e, path, NULL));
	assert_nothing_lost(side.report);
	assert_identities(side.report);
	return side;
}

/* A mistake and its fix, for @duration each. */
struct pair {
	struct side wrong, fixed;
};

static struct pair pair_of(struct e2e *e, const char *options, const char *command,
			   const char *duration)
{
	return (struct pair){
		.wrong = side_of(e, options, e2e_text(e, "%s --duration %s", command, duration)),
		.fixed = side_of(e, options,
				 e2e_text(e, "%s --fixed --duration %s", command, duration)),
	};
}

static uint64_t truth(const struct side *side, const char *key)
{
	return report_number(side->truth, key);
}

static uint64_t number(const struct side *side, const char *type, const char *key)
{
	return report_number(report_type(side->report, type), key);
}

/* Sleeps of a task type for @cause, in sum; 0 if there are none. */
static uint64_t blocked_for(const struct side *side, const char *type, const char *cause)
{
	json_t *entry, *blocked = json_object_get(report_type(side->report, type), "blocked");
	uint64_t ns = 0;
	size_t i;

	json_array_foreach (blocked, i, entry) {
		if (!strcmp(report_string(entry, "cause"), cause))
			ns += report_number(entry, "total_ns");
	}
	return ns;
}

/* How long tasks of a type waited between polls with @frame on their stack, as the samples tell. */
static uint64_t idle_at(const struct side *side, const char *type, const char *frame)
{
	json_t *await, *name;
	uint64_t ns = 0;
	size_t i, k;

	json_array_foreach (json_object_get(report_type(side->report, type), "awaits"), i, await) {
		json_array_foreach (json_object_get(await, "stack"), k, name) {
			if (strcmp(json_string_value(name), frame))
				continue;
			ns += report_number(await, "idle_ns");
			break;
		}
	}
	return ns;
}

/*
 * The handlers slept for @cause as long as they say that their calls took, @took. Some of that they
 * may have waited for a CPU instead, after waking up; and a guest's own CPUs stop without a trace.
 */
static void assert_blocked(const struct side *side, const char *cause, uint64_t took)
{
	uint64_t blocked = blocked_for(side, HANDLER, cause);

	assert_true(blocked > 0);
	assert_at_most(blocked, took, took / 50);
	assert_at_most(took,
		       blocked + number(side, HANDLER, "runqueue_ns") +
			       report_uncertain(side->report),
		       took / 4);
}

static void assert_hardly_blocked(const struct pair *pair, const char *cause)
{
	assert_at_most(blocked_for(&pair->fixed, HANDLER, cause) * 10,
		       blocked_for(&pair->wrong, HANDLER, cause), 0);
}

/* Tasks that were ready waited much longer for a worker. */
static bool has_victims(const struct pair *pair)
{
	return number(&pair->fixed, HANDLER, "scheduled_ns") * 3 <=
	       number(&pair->wrong, HANDLER, "scheduled_ns");
}

static void assert_victims(const struct pair *pair)
{
	assert_at_most(number(&pair->fixed, HANDLER, "scheduled_ns") * 3,
		       number(&pair->wrong, HANDLER, "scheduled_ns"), 0);
}

/* One of three tries has to show them: workers may themselves wait for what other programs do. */
static struct pair victims_of(struct e2e *e, const char *command, const char *duration)
{
	struct pair pair = pair_of(e, MANY_TASKS, command, duration);

	for (unsigned int tries = 1; tries < 3 && !has_victims(&pair); tries++)
		pair = pair_of(e, MANY_TASKS, command, duration);
	return pair;
}

/* All that the example counts of its runtime, the report does. */
static void assert_counts(const struct side *side)
{
	assert_int_equal(report_sum(side->report, "polls"), truth(side, "polls"));
	assert_int_equal(report_sum(side->report, "tasks"), truth(side, "spawned"));
}

/* Of the slowest polls, one has @frame where the largest part of its time went. */
static void assert_stack(const struct side *side, const char *frame)
{
	json_t *polls = json_object_get(side->report, "slowest_polls"), *poll, *name;
	size_t i, k;

	json_array_foreach (polls, i, poll) {
		json_array_foreach (json_object_get(poll, "stack"), k, name) {
			if (!strcmp(json_string_value(name), frame))
				return;
		}
	}
	fail_msg("%s is not in: %.4000s", frame, json_dumps(polls, 0));
}

/* The jobs called @name; what they ran and waited is the report's. */
static json_t *find_jobs(const struct side *side, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(side->report, "blocking_jobs"), i, entry) {
		if (!strcmp(report_string(entry, "name"), name))
			return entry;
	}
	return NULL;
}

static uint64_t jobs_number(const struct side *side, const char *name, const char *key)
{
	json_t *jobs = find_jobs(side, name);

	if (!jobs)
		fail_msg("no job %s", name);
	return report_number(jobs, key);
}

static uint64_t jobs_waited_p99(const struct side *side, const char *name)
{
	return report_number(json_object_get(find_jobs(side, name), "wait_ns"), "p99");
}

/*
 * What jobs measure of themselves is a part of the time from probe to probe. The rest is little, but a
 * thread may wait there for a CPU too.
 */
static void assert_running(const struct side *side, const char *name)
{
	uint64_t jobs_ns = truth(side, "jobs_ns");

	assert_at_most(jobs_ns, jobs_number(side, name, "running_ns"), 0);
	assert_at_most(jobs_number(side, name, "running_ns"), jobs_ns, jobs_ns / 2);
}

/* ---- blocking calls ---- */

static void fsync_in_handlers_is_theirs_and_then_a_job(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = victims_of(e, "blocking-calls --variant fsync", "1s");

	/* Going by the example: a disk takes longer, memory by far not as long. */
	if (!blocked_for(&pair.wrong, HANDLER, "fsync") &&
	    truth(&pair.wrong, "blocked_ns") < truth(&pair.wrong, "fsyncs") * 100000) {
		print_message("skipped: fsync of a file in TMPDIR or /var/tmp never sleeps\n");
		skip();
	}
	assert_counts(&pair.wrong);
	assert_counts(&pair.fixed);
	assert_blocked(&pair.wrong, "fsync", truth(&pair.wrong, "blocked_ns"));
	assert_stack(&pair.wrong, "append_records");
	assert_hardly_blocked(&pair, "fsync");
	assert_victims(&pair);
	assert_null(find_jobs(&pair.wrong, "append_records"));
	assert_int_equal(jobs_number(&pair.fixed, "append_records", "jobs"),
			 truth(&pair.fixed, "uploads"));
	assert_at_most(truth(&pair.fixed, "fsync_ns"),
		       jobs_number(&pair.fixed, "append_records", "running_ns"), 0);
}

static void hash_in_handlers_is_cpu_time_of_theirs_and_then_a_job(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = victims_of(e, "blocking-calls --variant hash", "1s");
	uint64_t hash_ns = truth(&pair.wrong, "hash_ns");

	assert_counts(&pair.wrong);
	assert_counts(&pair.fixed);
	/* What else they do is little. */
	assert_near(number(&pair.wrong, HANDLER, "on_cpu_ns"), hash_ns, hash_ns / 4);
	assert_stack(&pair.wrong, "hash_password");
	assert_at_most(number(&pair.fixed, HANDLER, "on_cpu_ns"), truth(&pair.fixed, "hash_ns") / 4,
		       0);
	assert_victims(&pair);
	assert_int_equal(jobs_number(&pair.fixed, "hash_password", "jobs"),
			 truth(&pair.fixed, "hashes"));
	assert_at_most(truth(&pair.fixed, "hash_ns"),
		       jobs_number(&pair.fixed, "hash_password", "running_ns"), 0);
}

static void lock_in_handlers_is_a_futex_and_then_idle_time(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = victims_of(e, "blocking-calls --variant lock", "1s");
	const char *job = "ask_supplier";
	json_t *run_ns = json_object_get(find_jobs(&pair.fixed, job), "run_ns");

	assert_counts(&pair.wrong);
	assert_counts(&pair.fixed);
	assert_blocked(&pair.wrong, "futex", truth(&pair.wrong, "lock_wait_ns"));
	assert_blocked(&pair.wrong, "clock_nanosleep", truth(&pair.wrong, "lock_held_ns"));
	assert_stack(&pair.wrong, "lock_table");
	assert_hardly_blocked(&pair, "futex");
	assert_hardly_blocked(&pair, "clock_nanosleep");
	assert_victims(&pair);
	assert_at_most(jobs_number(&pair.fixed, job, "jobs") * SUPPLIER_NS,
		       jobs_number(&pair.fixed, job, "running_ns"), 0);
	/* Each runs while its handler has the lock, but the last, if that ends with the runtime. */
	assert_at_most(jobs_number(&pair.fixed, job, "running_ns"),
		       truth(&pair.fixed, "lock_held_ns"), report_number(run_ns, "max"));
}

/* ---- threads ---- */

static void too_many_workers_wait_for_cpus_inside_of_polls(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair =
		pair_of(e, MANY_TASKS, "thread-config --variant oversubscribed", "1500ms");
	uint64_t preempted_ns = truth(&pair.wrong, "preempted_ns");
	uint64_t runqueue_ns = number(&pair.wrong, HANDLER, "runqueue_ns");

	assert_counts(&pair.wrong);
	assert_counts(&pair.fixed);
	/* Some of its threads may not have been given a CPU at all before it was over. */
	assert_at_most(json_array_size(json_object_get(pair.wrong.report, "workers")),
		       truth(&pair.wrong, "workers"), 0);
	assert_true(json_array_size(json_object_get(pair.wrong.report, "workers")) > 8);
	/* What it measures is a part of each poll. Who is preempted may hold what others need. */
	assert_at_most(preempted_ns,
		       runqueue_ns + number(&pair.wrong, HANDLER, "blocked_ns") +
			       report_uncertain(pair.wrong.report),
		       preempted_ns / 20);
	/* The rest of the poll waits for a CPU too, or behind locks whose holders do. */
	assert_at_most(preempted_ns, runqueue_ns * 2, 0);
	assert_true(number(&pair.wrong, HANDLER, "on_cpu_ns") * 4 <
		    number(&pair.wrong, HANDLER, "polling_ns"));
	assert_at_most(number(&pair.fixed, HANDLER, "runqueue_ns") * 3, runqueue_ns, 0);
}

/* The quota of one CPU that the example runs under, and what it did, as the report says. */
static void assert_throttled(const struct side *side)
{
	const json_t *capture = json_object_get(side->report, "capture");
	const json_t *target = json_array_get(json_object_get(capture, "targets"), 0);
	const json_t *quota = json_object_get(target, "cpu_quota");
	uint64_t took_ns = truth(side, "throttled_ns");
	uint64_t told_ns = report_number(quota, "throttled_ns");

	assert_non_null(strstr(report_string(quota, "cgroup"), "/pollscope-example-"));
	assert_int_equal(report_number(quota, "quota_ns"), report_number(quota, "period_ns"));
	assert_at_most(report_number(quota, "throttled_periods"), report_number(quota, "periods"),
		       0);
	assert_true(report_number(quota, "throttled_periods") > 0);
	/* The start of it, and the end, may lie between two looks at it. */
	assert_at_most(told_ns, took_ns, 0);
	assert_at_most(took_ns, told_ns, took_ns / 2);
}

static void throttled_polls_wait_for_cpus(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *command = "thread-config --variant cgroup-quota";
	struct process_options none = {0};
	struct process *alone = process_start(
		e, &none, e2e_built(e, e2e_text(e, "examples/%s --fixed --duration 1ms", command)));
	struct pair pair;
	uint64_t throttled_ns;
	cpu_set_t cpus;

	if (process_wait(alone)) {
		print_message("skipped: %s", process_err(alone));
		skip();
	}
	if (!sched_getaffinity(0, sizeof(cpus), &cpus) && CPU_COUNT(&cpus) == 1) {
		print_message("skipped: one CPU is no more than the quota\n");
		skip();
	}
	pair = pair_of(e, MANY_TASKS, command, "2s");
	throttled_ns = truth(&pair.wrong, "throttled_ns");
	if (throttled_ns < truth(&pair.wrong, "duration_ns") / 4) {
		print_message("skipped: there is less than its quota left for a program\n");
		skip();
	}
	assert_counts(&pair.wrong);
	assert_counts(&pair.fixed);
	assert_int_equal(json_array_size(json_object_get(pair.fixed.report, "workers")), 1);
	assert_throttled(&pair.wrong);
	/* Of a CPU that is stopped, nearly each time the one task that it was busy with. */
	assert_at_most(throttled_ns, report_sum(pair.wrong.report, "runqueue_ns"),
		       throttled_ns / 4);
	assert_at_most(report_sum(pair.fixed.report, "runqueue_ns") * 3,
		       report_sum(pair.wrong.report, "runqueue_ns"), 0);
}

static void jobs_wait_for_a_pool_that_is_too_small(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = pair_of(e, MANY_TASKS, "thread-config --variant pool-small", "1s");
	uint64_t waited_ns = truth(&pair.wrong, "jobs_wait_p99_ns");

	assert_int_equal(jobs_number(&pair.wrong, "fetch_file", "jobs"),
			 truth(&pair.wrong, "jobs"));
	assert_int_equal(jobs_number(&pair.fixed, "fetch_file", "jobs"),
			 truth(&pair.fixed, "jobs"));
	assert_running(&pair.wrong, "fetch_file");
	/* The report knows of jobs too that waited in vain until the end. */
	assert_at_most(waited_ns, jobs_waited_p99(&pair.wrong, "fetch_file"), waited_ns / 10);
	assert_at_most(jobs_waited_p99(&pair.fixed, "fetch_file") * 5,
		       jobs_waited_p99(&pair.wrong, "fetch_file"), 0);
	/* Nothing is wrong with the handlers: they wait for the job. */
	assert_true(number(&pair.wrong, HANDLER, "idle_ns") * 10 >
		    number(&pair.wrong, HANDLER, "lifetime_ns") * 8);
}

static void jobs_without_limit_slow_each_other_down(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = pair_of(e, MANY_TASKS, "thread-config --variant pool-explosion", "1s");
	const char *name = "decode_image";

	assert_int_equal(jobs_number(&pair.wrong, name, "jobs"), truth(&pair.wrong, "jobs"));
	assert_int_equal(jobs_number(&pair.fixed, name, "jobs"), truth(&pair.fixed, "jobs"));
	assert_running(&pair.wrong, name);
	/* The same jobs, as many of them or fewer. */
	assert_at_most(jobs_number(&pair.fixed, name, "running_ns") * 5,
		       jobs_number(&pair.wrong, name, "running_ns"), 0);
}

/* ---- tiny tasks ---- */

static void tiny_tasks_wait_more_than_they_run(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = pair_of(e, FEW_TASKS, "tiny-tasks", "200ms");
	const char *tiny = "price_lines";

	assert_counts(&pair.wrong);
	assert_counts(&pair.fixed);
	assert_int_equal(number(&pair.wrong, tiny, "tasks"), truth(&pair.wrong, "tasks"));
	assert_int_equal(number(&pair.fixed, tiny, "tasks"), truth(&pair.fixed, "tasks"));
	/* One line each; of those that are not cancelled in the end. */
	assert_int_equal(number(&pair.wrong, tiny, "polls"), truth(&pair.wrong, "lines"));
	assert_true(number(&pair.wrong, tiny, "scheduled_ns") >
		    number(&pair.wrong, tiny, "polling_ns"));
	assert_at_most(number(&pair.fixed, tiny, "scheduled_ns") * 5,
		       number(&pair.wrong, tiny, "scheduled_ns"), 0);
}

/* ---- block_on ---- */

static void assert_awaits(const struct pair *pair)
{
	assert_true(number(&pair->fixed, HANDLER, "idle_ns") * 10 >
		    number(&pair->fixed, HANDLER, "lifetime_ns") * 8);
	assert_at_most(number(&pair->fixed, HANDLER, "blocked_ns") * 10,
		       number(&pair->wrong, HANDLER, "blocked_ns"), 0);
}

static void nested_block_on_sleeps_inside_of_polls(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = victims_of(e, "block-on --variant slow", "1s");
	const char *nested = "[block_on look_up]";

	assert_counts(&pair.wrong);
	assert_counts(&pair.fixed);
	assert_blocked(&pair.wrong, "epoll_wait", truth(&pair.wrong, "blocked_ns"));
	assert_stack(&pair.wrong, "look_up_blocking");
	assert_int_equal(number(&pair.wrong, nested, "tasks"), truth(&pair.wrong, "block_ons"));
	assert_null(report_find_type(pair.fixed.report, nested));
	/* The runtimes that it makes for a call each run on the same workers. */
	assert_int_equal(report_number(json_object_get(pair.wrong.report, "capture"), "workers"),
			 2);
	/* Nor is it the workers that park there. */
	assert_at_most(truth(&pair.wrong, "blocked_ns"),
		       report_sum_workers(pair.wrong.report, "busy_ns"), 0);
	assert_awaits(&pair);
	assert_victims(&pair);
}

static void blocking_receive_is_a_futex_inside_of_polls(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = victims_of(e, "block-on --variant channel", "1s");

	assert_blocked(&pair.wrong, "futex", truth(&pair.wrong, "blocked_ns"));
	assert_stack(&pair.wrong, "wait_for_answer");
	assert_awaits(&pair);
	assert_victims(&pair);
}

static void deadlock_is_a_poll_on_each_worker_that_never_ends(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = pair_of(e, MANY_TASKS, "block-on --variant deadlock", "1s");
	json_t *poll;
	uint64_t stuck = 0;
	size_t i;

	assert_counts(&pair.wrong);
	assert_counts(&pair.fixed);
	assert_true(json_is_true(json_object_get(pair.wrong.truth, "deadlocked")));
	assert_true(json_is_false(json_object_get(pair.fixed.truth, "deadlocked")));
	assert_blocked(&pair.wrong, "futex", truth(&pair.wrong, "blocked_ns"));
	json_array_foreach (json_object_get(pair.wrong.report, "slowest_polls"), i, poll)
		stuck += json_is_true(json_object_get(poll, "in_progress")) &&
			 !strcmp(report_string(poll, "cause"), "futex");
	assert_int_equal(stuck, 2);
	/* Who would answer has a wake, and no worker. */
	assert_at_most(truth(&pair.wrong, "duration_ns") / 2,
		       number(&pair.wrong, "run_engine", "scheduled_ns"), 0);
	assert_awaits(&pair);
}

/* ---- no backpressure ---- */

static void bounded_queue_makes_who_fills_it_wait(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = pair_of(e, MANY_TASKS, "no-backpressure --variant unbounded", "2s");
	uint64_t stored = truth(&pair.wrong, "stored");

	assert_counts(&pair.wrong);
	assert_counts(&pair.fixed);
	/* Who empties it finds an event each time, and waits for that; from inside of a poll on. */
	assert_at_most(stored * STORE_NS, number(&pair.wrong, "store_events", "idle_ns"),
		       stored * STORE_NS / 20);
	assert_near(number(&pair.wrong, "store_events", "polls"), stored, stored / 4);
	/* Who fills it never waits for room; with a bound, all of its patience for each that is rejected. */
	assert_int_equal(idle_at(&pair.wrong, HANDLER, "pollrt_send"), 0);
	assert_true(truth(&pair.fixed, "rejected") > 0);
	assert_at_most(truth(&pair.fixed, "rejected") * 20000000 / 3,
		       idle_at(&pair.fixed, HANDLER, "pollrt_send"), 0);
}

static void calls_without_answer_are_idle_handlers(void **state)
{
	struct e2e *e = e2e_of(state);
	/* Of a wait for good there is one chance to take the stack. */
	struct pair pair = pair_of(e, MANY_TASKS " --await-stacks 1000",
				   "no-backpressure --variant no-timeout", "2s");
	struct side *sides[] = {&pair.wrong, &pair.fixed};
	uint64_t calling_ns = truth(&pair.wrong, "calling_ns");

	for (int i = 0; i < 2; i++) {
		assert_counts(sides[i]);
		/* Nobody is busy, nor blocked, in either form. */
		assert_true(number(sides[i], HANDLER, "idle_ns") * 100 >
			    number(sides[i], HANDLER, "lifetime_ns") * 90);
	}
	/* Nearly all of them wait for a connection to the service, which those without an answer hold. */
	assert_near(idle_at(&pair.wrong, HANDLER, "pollrt_acquire"), calling_ns, calling_ns / 3);
	assert_at_most(idle_at(&pair.fixed, HANDLER, "pollrt_acquire") * 5,
		       idle_at(&pair.wrong, HANDLER, "pollrt_acquire"), 0);
	/* But of one, not for long: its handlers go on. */
	assert_int_equal(truth(&pair.wrong, "timeouts"), 0);
	assert_true(truth(&pair.fixed, "timeouts") > 0);
	assert_at_most(number(&pair.wrong, HANDLER, "polls") * 3,
		       number(&pair.fixed, HANDLER, "polls") * 2, 0);
}

/* Tasks of a type that the report says were cancelled. */
static uint64_t cancelled_of(const struct side *side, const char *type)
{
	json_t *task;
	uint64_t n = 0;
	size_t i;

	json_array_foreach (json_object_get(side->report, "tasks"), i, task)
		n += !strcmp(report_string(task, "type"), type) &&
		     !strcmp(report_string(task, "state"), "cancelled");
	return n;
}

static void search_without_awaits_is_one_long_poll(void **state)
{
	struct e2e *e = e2e_of(state);
	struct pair pair = victims_of(e, "no-backpressure --variant no-cancel", "1s");
	struct side *sides[] = {&pair.wrong, &pair.fixed};

	for (int i = 0; i < 2; i++) {
		uint64_t cpu_ns = truth(sides[i], "search_cpu_ns");

		assert_counts(sides[i]);
		assert_at_most(cpu_ns, number(sides[i], "search", "on_cpu_ns"), cpu_ns / 5);
		assert_at_most(number(sides[i], "search", "on_cpu_ns"), cpu_ns,
			       cpu_ns / 5 + STALL_NS);
	}
	/* It is over before the abort can do anything. */
	assert_int_equal(number(&pair.wrong, "search", "polls"),
			 number(&pair.wrong, "search", "tasks"));
	assert_stack(&pair.wrong, "search_page");
	/* A poll is a step of it, of which there are as many as there was CPU time for. */
	assert_at_most(truth(&pair.fixed, "search_cpu_ns") / STEP_NS,
		       number(&pair.fixed, "search", "polls"), 0);
	/* Those that nobody has answered were given up, or ended with the runtime. */
	assert_at_most(cancelled_of(&pair.fixed, "search"), truth(&pair.fixed, "aborted"),
		       truth(&pair.fixed, "searches_requests") -
			       truth(&pair.fixed, "searches_answered"));
	assert_true(truth(&pair.fixed, "aborted") > 0);
	assert_victims(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(fsync_in_handlers_is_theirs_and_then_a_job),
		e2e_test(hash_in_handlers_is_cpu_time_of_theirs_and_then_a_job),
		e2e_test(lock_in_handlers_is_a_futex_and_then_idle_time),
		e2e_test(too_many_workers_wait_for_cpus_inside_of_polls),
		e2e_test(throttled_polls_wait_for_cpus),
		e2e_test(jobs_wait_for_a_pool_that_is_too_small),
		e2e_test(jobs_without_limit_slow_each_other_down),
		e2e_test(tiny_tasks_wait_more_than_they_run),
		e2e_test(nested_block_on_sleeps_inside_of_polls),
		e2e_test(blocking_receive_is_a_futex_inside_of_polls),
		e2e_test(deadlock_is_a_poll_on_each_worker_that_never_ends),
		e2e_test(bounded_queue_makes_who_fills_it_wait),
		e2e_test(calls_without_answer_are_idle_handlers),
		e2e_test(search_without_awaits_is_one_long_poll),
	};

	return cmocka_run_group_tests_name("mistakes", tests, NULL, NULL);
}
