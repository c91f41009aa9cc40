// SPDX-License-Identifier: MIT
#include "report.h"

#include <inttypes.h>
#include <string.h>

#define BLOCK_ON "[block_on "

static uint64_t number(const json_t *object, const char *key, bool or_null)
{
	json_t *value = json_object_get(object, key);

	if (json_is_integer(value))
		return (uint64_t)json_integer_value(value);
	if (!json_is_null(value) || !or_null)
		fail_msg("'%s' is not a number", key);
	return 0;
}

uint64_t report_number(const json_t *object, const char *key)
{
	return number(object, key, false);
}

uint64_t report_number_or_null(const json_t *object, const char *key)
{
	return number(object, key, true);
}

const char *report_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		fail_msg("'%s' is not a string", key);
	return text;
}

json_t *report_find_type(const json_t *report, const char *name)
{
	json_t *type;
	size_t i;

	json_array_foreach (json_object_get(report, "task_types"), i, type) {
		if (!strcmp(report_string(type, "name"), name))
			return type;
	}
	return NULL;
}

json_t *report_type(const json_t *report, const char *name)
{
	json_t *type = report_find_type(report, name);

	if (!type)
		fail_msg("no task type %s in: %.2000s", name,
			 json_dumps(json_object_get(report, "task_types"), 0));
	return type;
}

json_t *report_task(const json_t *report, uint64_t id)
{
	json_t *task;
	size_t i;

	json_array_foreach (json_object_get(report, "tasks"), i, task) {
		if (report_number(task, "id") == id)
			return task;
	}
	fail_msg("no task %" PRIu64, id);
	return NULL;
}

json_t *report_find_cause(const json_t *type, const char *cause)
{
	json_t *entry, *found = NULL;
	size_t i;

	json_array_foreach (json_object_get(type, "blocked"), i, entry) {
		if (!strcmp(report_string(entry, "cause"), cause) &&
		    (!found || report_number(entry, "total_ns") > report_number(found, "total_ns")))
			found = entry;
	}
	return found;
}

json_t *report_cause(const json_t *type, const char *cause)
{
	json_t *entry = report_find_cause(type, cause);

	if (!entry)
		fail_msg("no cause %s in: %.2000s", cause,
			 json_dumps(json_object_get(type, "blocked"), 0));
	return entry;
}

static uint64_t sum(const json_t *report, const char *key, bool block_on)
{
	uint64_t total = 0;
	json_t *type;
	size_t i;

	json_array_foreach (json_object_get(report, "task_types"), i, type) {
		if (block_on == !strncmp(report_string(type, "name"), BLOCK_ON, strlen(BLOCK_ON)))
			total += report_number(type, key);
	}
	return total;
}

uint64_t report_sum(const json_t *report, const char *key)
{
	return sum(report, key, false);
}

uint64_t report_sum_block_on(const json_t *report, const char *key)
{
	return sum(report, key, true);
}

uint64_t report_sum_list(const json_t *list, const char *key)
{
	uint64_t sum = 0;
	json_t *object;
	size_t i;

	json_array_foreach (list, i, object)
		sum += report_number(object, key);
	return sum;
}

uint64_t report_sum_workers(const json_t *report, const char *key)
{
	return report_sum_list(json_object_get(report, "workers"), key);
}

uint64_t report_uncertain(const json_t *report)
{
	return report_number(json_object_get(report, "capture"), "uncertain_ns");
}

static void assert_times(const json_t *times)
{
	uint64_t polling = report_number(times, "polling_ns");

	assert_int_equal(report_number(times, "lifetime_ns"),
			 report_number_or_null(times, "scheduled_ns") + polling +
				 report_number(times, "idle_ns"));
	assert_int_equal(polling, report_number(times, "on_cpu_ns") +
					  report_number(times, "runqueue_ns") +
					  report_number(times, "blocked_ns"));
}

static void assert_percentiles(const json_t *object, const char *key)
{
	json_t *percentiles = json_object_get(object, key);
	uint64_t last = 0;

	if (json_is_null(percentiles))
		return;
	for (const char *const *name = (const char *const[]){"p50", "p90", "p99", "max", NULL};
	     *name; name++) {
		assert_true(report_number(percentiles, *name) >= last);
		last = report_number(percentiles, *name);
	}
}

/* The listed tasks are all of this type's: their times add up to its own. */
static void assert_tasks_of_type(const json_t *report, const json_t *type)
{
	static const char *const keys[] = {"polls",     "lifetime_ns", "scheduled_ns", "polling_ns",
					   "on_cpu_ns", "runqueue_ns", "blocked_ns",   "idle_ns"};
	uint64_t n = 0, sums[sizeof(keys) / sizeof(*keys)] = {0};
	json_t *task;
	size_t i;

	json_array_foreach (json_object_get(report, "tasks"), i, task) {
		if (strcmp(report_string(task, "type"), report_string(type, "name")) ||
		    strcmp(report_string(task, "location"), report_string(type, "location")) ||
		    report_number(task, "pid") != report_number(type, "pid") ||
		    report_number(task, "generation") != report_number(type, "generation"))
			continue;
		n++;
		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
			sums[k] += report_number_or_null(task, keys[k]);
	}
	if (n != report_number(type, "tasks"))
		return;
	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
		assert_int_equal(sums[k], report_number_or_null(type, keys[k]));
}

static void assert_type(const json_t *report, const json_t *type)
{
	uint64_t blocked = 0;
	json_t *cause;
	size_t i;

	assert_times(type);
	assert_percentiles(type, "poll_ns");
	assert_percentiles(type, "scheduled_wait_ns");
	assert_true(report_number(type, "alive") <= report_number(type, "tasks"));
	json_array_foreach (json_object_get(type, "blocked"), i, cause) {
		blocked += report_number(cause, "total_ns");
		assert_true(report_number(cause, "max_ns") <= report_number(cause, "total_ns"));
	}
	assert_int_equal(blocked, report_number(type, "blocked_ns"));
	assert_tasks_of_type(report, type);
}

/* Where a worker's time went is not known if a recording is cut or the thread's totals were lost. */
static void assert_worker(const json_t *report, const json_t *worker)
{
	const json_t *capture = json_object_get(report, "capture");
	bool whole = strcmp(report_string(capture, "end"), "cut") &&
		     !report_number(capture, "events_lost");
	uint64_t observed = report_number(worker, "observed_ns");

	if (whole || !json_is_null(json_object_get(worker, "busy_ns")))
		assert_int_equal(observed, report_number(worker, "busy_ns") +
						   report_number(worker, "parked_ns"));
	if (whole || !json_is_null(json_object_get(worker, "on_cpu_ns")))
		assert_int_equal(observed, report_number(worker, "on_cpu_ns") +
						   report_number(worker, "runqueue_ns") +
						   report_number(worker, "blocked_ns"));
}

void assert_identities(const json_t *report)
{
	json_t *entry;
	size_t i;

	assert_string_equal(report_string(report, "schema"), "pollscope.report/1");
	assert_true(json_array_size(json_object_get(report, "task_types")) > 0);
	json_array_foreach (json_object_get(report, "task_types"), i, entry)
		assert_type(report, entry);
	json_array_foreach (json_object_get(report, "tasks"), i, entry)
		assert_times(entry);
	json_array_foreach (json_object_get(report, "workers"), i, entry)
		assert_worker(report, entry);
}

void assert_nothing_lost(const json_t *report)
{
	json_t *capture = json_object_get(report, "capture");

	if (report_number(capture, "events_lost") ||
	    json_object_size(json_object_get(capture, "lost")))
		fail_msg("lost: %s", json_dumps(json_object_get(capture, "lost"), 0));
}

void assert_near_at(uint64_t a, uint64_t b, uint64_t tolerance, const char *a_text,
		    const char *b_text, const char *file, int line)
{
	if ((a > b ? a - b : b - a) <= tolerance)
		return;
	print_error("%s = %" PRIu64 ", %s = %" PRIu64 ": more than %" PRIu64 " apart\n", a_text, a,
		    b_text, b, tolerance);
	_fail(file, line);
}

void assert_at_most_at(uint64_t a, uint64_t b, uint64_t tolerance, const char *a_text,
		       const char *b_text, const char *file, int line)
{
	if (a <= b + tolerance)
		return;
	print_error("%s = %" PRIu64 " is more than %s = %" PRIu64 " (and %" PRIu64 ")\n", a_text, a,
		    b_text, b, tolerance);
	_fail(file, line);
}
