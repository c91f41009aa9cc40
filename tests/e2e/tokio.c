// SPDX-License-Identifier: MIT
#include "tokio.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

/* Threads that lose their CPU between a probe and what the runtime does there. */
#define MISTAKES 2

/* Futures whose types are not called as the truth calls them, or have no place of their own. */
static const struct shape {
	const char *future;
	const char *names[2];
	bool placeless;
	/* It calls its own waker, which a compiler that knows all code puts into the place of the call:
	 * nothing is left then to put a probe on. */
	bool wakes_itself;
} shapes[] = {
	{
		.future = "mix::shapes::generic",
		.names = {"mix::shapes::generic<u8>", "mix::shapes::generic<String>"},
	},
	{
		.future = "mix::shapes::boxed",
		.names = {"dyn Future<Output = ()>"},
		.placeless = true,
	},
	{
		.future = "mix::shapes::Countdown",
		.names = {"mix::shapes::Countdown"},
		.placeless = true,
		.wakes_itself = true,
	},
	{
		.future = "mix::shapes::Mailer::deliver",
		.names = {"mix::shapes::Mailer::deliver", "mix::shapes::deliver"},
	},
	{
		.future = "mix::shapes::run::block",
		.names = {"mix::shapes::run::{async block#0}", "mix::shapes::run::{async block}"},
	},
};

static const struct shape *shape_of(const char *future)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		if (!strcmp(shapes[i].future, future))
			return &shapes[i];
	}
	return NULL;
}

const char *tokio_command(struct e2e *e, const char *variant, const char *command)
{
	const char *folder = e2e_built(e, e2e_text(e, "tokio/%s", variant)), *ci = getenv("CI");
	const char *skipped = e2e_text(e, "%s/skipped", folder);
	char *path = e2e_text(e, "%s/%s", folder, command);

	path[strcspn(path, " ")] = '\0';
	if (!access(path, X_OK))
		return e2e_text(e, "%s/%s", folder, command);
	if ((ci && !strcmp(ci, "true")) || access(skipped, R_OK))
		fail_msg("%s is not there", path);
	print_message("skipped: %s", e2e_file(e, skipped, NULL));
	skip();
	return NULL;
}

json_t *tokio_future(const json_t *truth, const char *name)
{
	json_t *future;
	size_t i;

	json_array_foreach (json_object_get(truth, "types"), i, future) {
		if (!strcmp(report_string(future, "name"), name))
			return future;
	}
	fail_msg("the target knows no %s", name);
	return NULL;
}

uint64_t tokio_sum(const json_t *truth, const char *key)
{
	return report_sum_list(json_object_get(truth, "types"), key);
}

static bool is_placeless(const json_t *future)
{
	const struct shape *shape = shape_of(report_string(future, "name"));

	return shape && shape->placeless;
}

static bool has_name(const json_t *type, const json_t *future)
{
	const char *name = report_string(type, "name"), *wanted = report_string(future, "name");
	const struct shape *shape = shape_of(wanted);

	if (!shape)
		return !strcmp(name, wanted);
	for (size_t i = 0; i < 2 && shape->names[i]; i++) {
		if (!strcmp(name, shape->names[i]))
			return true;
	}
	return false;
}

/* Is called by the base name and line of src/bin/mix/ends.rs:42. */
static bool has_place(const json_t *type, const json_t *future)
{
	return !strcmp(report_string(type, "name"),
		       strrchr(report_string(future, "location"), '/') + 1);
}

/* Whether a task type of the report is this future. */
static bool is_future(const json_t *type, const json_t *future, enum tokio_names names)
{
	bool named = names != TOKIO_LOCATED && has_name(type, future);

	if (is_placeless(future))
		return named;
	if (!named && (names == TOKIO_NAMED || !has_place(type, future)))
		return false;
	return !strcmp(report_string(type, "location"), report_string(future, "location"));
}

static uint64_t reported(const json_t *report, const json_t *future, enum tokio_names names,
			 const char *key)
{
	uint64_t sum = 0;
	json_t *type;
	size_t i;

	json_array_foreach (json_object_get(report, "task_types"), i, type)
		sum += is_future(type, future, names) ? report_number(type, key) : 0;
	return sum;
}

uint64_t tokio_reported(const json_t *report, const json_t *truth, const char *name,
			enum tokio_names names, const char *key)
{
	return reported(report, tokio_future(truth, name), names, key);
}

static uint64_t blocked_ns(const json_t *report, const json_t *future, enum tokio_names names,
			   const char *cause)
{
	uint64_t sum = 0;
	json_t *type, *entry;
	size_t i, k;

	json_array_foreach (json_object_get(report, "task_types"), i, type) {
		if (!is_future(type, future, names))
			continue;
		json_array_foreach (json_object_get(type, "blocked"), k, entry) {
			if (!strcmp(report_string(entry, "cause"), cause))
				sum += report_number(entry, "total_ns");
		}
	}
	return sum;
}

uint64_t tokio_blocked_ns(const json_t *report, const json_t *truth, const char *name,
			  enum tokio_names names, const char *cause)
{
	return blocked_ns(report, tokio_future(truth, name), names, cause);
}

/* Those of its tasks that the report lists; the caller's. */
static json_t *tasks_of(const json_t *report, const json_t *future, enum tokio_names names)
{
	json_t *type, *task, *tasks = json_array();
	size_t i, k;

	json_array_foreach (json_object_get(report, "task_types"), i, type) {
		if (!is_future(type, future, names))
			continue;
		json_array_foreach (json_object_get(report, "tasks"), k, task)
			if (!strcmp(report_string(task, "type"), report_string(type, "name")))
				json_array_append(tasks, task);
	}
	return tasks;
}

static uint64_t in_state(const json_t *tasks, const char *state)
{
	uint64_t n = 0;
	json_t *task;
	size_t i;

	json_array_foreach (tasks, i, task)
		n += !strcmp(report_string(task, "state"), state);
	return n;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static uint64_t beyond(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * Returns how many ends are mistaken, or wakes, whichever is more. A runtime that ends marks as cancelled all that it
 * still lists, also who has completed and waits for a CPU to leave its last poll; who is aborted in that poll may by
 * then be freed by whoever awaits it, and has no state to tell; and who is aborted when it has just entered the poll
 * function is dropped there instead of polled. A wake looks without effect if its task is queued, and has one if the
 * task's poll begins before the runtime looks, too.
 */
static uint64_t assert_future(const json_t *report, const json_t *future, enum tokio_names names)
{
	uint64_t polls = report_number(future, "polls"), tasks = report_number(future, "tasks");
	uint64_t completed = report_number(future, "completed") + report_number(future, "panicked");
	uint64_t aborted = report_number(future, "cancelled");
	uint64_t told_polls = reported(report, future, names, "polls");
	uint64_t told_tasks = reported(report, future, names, "tasks");
	uint64_t wakes = reported(report, future, names, "wakes");
	json_t *listed = tasks_of(report, future, names);
	uint64_t done = in_state(listed, "done"), cancelled = in_state(listed, "cancelled");
	const struct shape *shape = shape_of(report_string(future, "name"));
	/* All polls but a task's first follow a wake. */
	uint64_t unseen = shape && shape->wakes_itself ? 0 : beyond(polls, tasks + wakes);

	if (told_tasks != tasks || told_polls < polls || told_polls - polls > aborted ||
	    wakes > told_polls || done + cancelled != completed + aborted)
		fail_msg("%s, but the report tells of %llu tasks (%llu done, %llu cancelled), "
			 "%llu polls and %llu wakes: %.6000s",
			 json_dumps(future, 0), (unsigned long long)told_tasks,
			 (unsigned long long)done, (unsigned long long)cancelled,
			 (unsigned long long)told_polls, (unsigned long long)wakes,
			 json_dumps(listed, 0));
	json_decref(listed);
	return larger(larger(apart(cancelled, aborted), told_polls - polls), unseen);
}

static bool is_known(const json_t *type, const json_t *truth, enum tokio_names names)
{
	json_t *future;
	size_t i;

	json_array_foreach (json_object_get(truth, "types"), i, future) {
		if (is_future(type, future, names))
			return true;
	}
	return false;
}

/* What jobs of the blocking pool are called: a function, where that is known, and a closure. */
static const struct {
	const char *job;
	const char *names[2];
} job_names[] = {
	{"mix::blocking::compresses", {"mix::blocking::compresses", "fn()"}},
	{"mix::blocking::hands_over",
	 {"mix::blocking::hands_over::{closure#0}", "mix::blocking::hands_over::{closure}"}},
};

static bool is_job(const json_t *entry, const char *job, enum tokio_names names)
{
	const char *name = report_string(entry, "name");

	for (size_t i = 0; names == TOKIO_NAMED && i < sizeof(job_names) / sizeof(*job_names);
	     i++) {
		if (!strcmp(job_names[i].job, job) && strcmp(job_names[i].names[0], name) &&
		    strcmp(job_names[i].names[1], name))
			return false;
	}
	return true;
}

void assert_tokio_jobs(const json_t *report, const json_t *truth, enum tokio_names names)
{
	json_t *entry, *count;
	const char *job;
	uint64_t jobs = 0, all = 0;
	size_t i;

	json_object_foreach (json_object_get(truth, "jobs"), job, count) {
		uint64_t wanted = (uint64_t)json_integer_value(count), found = 0;

		json_array_foreach (json_object_get(report, "blocking_jobs"), i, entry)
			found += is_job(entry, job, names) ? report_number(entry, "jobs") : 0;
		assert_true(names == TOKIO_NAMED ? found == wanted : found >= wanted);
		all += wanted;
	}
	json_array_foreach (json_object_get(report, "blocking_jobs"), i, entry)
		jobs += report_number(entry, "jobs");
	assert_int_equal(jobs, all);
}

void assert_tokio_counts(const json_t *report, const json_t *truth, enum tokio_names names)
{
	uint64_t others = 0, mistaken = 0;
	json_t *future, *type;
	size_t i;

	assert_nothing_lost(report);
	assert_identities(report);
	json_array_foreach (json_object_get(truth, "types"), i, future) {
		if (names != TOKIO_NAMED && is_placeless(future))
			others += report_number(future, "polls") -
				  reported(report, future, names, "polls");
		else
			mistaken += assert_future(report, future, names);
	}
	assert_at_most(mistaken, MISTAKES, 0);
	/* No poll is of anything else: a blocking job, an abort. */
	json_array_foreach (json_object_get(report, "task_types"), i, type)
		others -= is_known(type, truth, names) ? 0 : report_number(type, "polls");
	assert_int_equal(others, 0);
	assert_int_equal(report_sum(report, "alive"), 0);
}

uint64_t tokio_off_ns(const json_t *spent)
{
	return beyond(report_number(spent, "wall_ns"), report_number(spent, "cpu_ns"));
}

/* What a future may be blocked for beyond the calls that it counts. */
static uint64_t uncounted_ns(const json_t *report, const char *cause)
{
	/* The runtime's own locks: as long as who holds one waits for a CPU. */
	return strcmp(cause, "futex") ? 0 : report_sum_workers(report, "runqueue_ns");
}

void assert_tokio_blocked(const json_t *report, const json_t *truth, enum tokio_names names)
{
	json_t *future, *spent;
	const char *cause;
	size_t i;

	json_array_foreach (json_object_get(truth, "types"), i, future) {
		json_object_foreach (json_object_get(future, "causes"), cause, spent) {
			uint64_t wall = report_number(spent, "wall_ns");

			if (strcmp(cause, "on-cpu"))
				assert_at_most(blocked_ns(report, future, names, cause), wall,
					       wall / 50 + uncounted_ns(report, cause));
			else
				assert_at_most(report_number(spent, "cpu_ns"),
					       reported(report, future, names, "on_cpu_ns"),
					       wall / 50);
		}
	}
}

bool tokio_blocked_is_seen(const json_t *report, const json_t *truth, enum tokio_names names)
{
	json_t *future, *spent;
	const char *cause;
	size_t i;

	json_array_foreach (json_object_get(truth, "types"), i, future) {
		json_object_foreach (json_object_get(future, "causes"), cause, spent) {
			uint64_t off = tokio_off_ns(spent);
			uint64_t seen = reported(report, future, names, "runqueue_ns") +
					blocked_ns(report, future, names, cause) +
					report_uncertain(report);

			if (strcmp(cause, "on-cpu") && off - off / 4 > seen + 1000000)
				return false;
		}
	}
	return true;
}
