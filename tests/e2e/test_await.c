// SPDX-License-Identifier: MIT
/*
 * What tasks wait for while they are idle: stacks taken where they give their wakers away, against what the
 * programs add up themselves at each of these places.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "stacks.h"
#include "tokio.h"

#define NSEC_PER_SEC 1000000000ULL
#define SHARE_PERCENT 5
#define SAMPLED_PERCENT 7  /* of machines that are busy now and then, beyond what is told */
#define LAP_NS 12000000ULL /* what a waiter asks for in one round */
#define PLACES 4           /* at which a walker waits, or a waiter */

/* The idle time of a type's stacks, in microseconds, with `frame` somewhere in it; NULL: of all. */
static uint64_t idle_us(const char *folded, const char *type, const char *frame)
{
	uint64_t us = 0;

	while (*folded) {
		size_t length = strcspn(folded, "\n");
		const char *number = folded + length;

		while (number > folded && number[-1] != ' ')
			number--;
		if (!strncmp(folded, type, strlen(type)) &&
		    (!frame || memmem(folded, length, frame, strlen(frame))))
			us += strtoull(number, NULL, 10);
		folded += length + (folded[length] == '\n');
	}
	return us;
}

/*
 * Of what a type waited, the part at each place (a frame that begins as `before` and its name) is what the
 * program says, to some percent of all.
 */
static void assert_shares(struct e2e *e, const char *folded, const char *type, const char *before,
			  const json_t *places)
{
	uint64_t all = idle_us(folded, type, NULL), truth_all = 0;
	json_t *place;
	size_t i;

	assert_true(all > 0);
	json_array_foreach (places, i, place)
		truth_all += report_number(place, "ns");
	json_array_foreach (places, i, place) {
		const char *frame = e2e_text(e, "%s%s", before, report_string(place, "name"));

		assert_near(100 * idle_us(folded, type, frame) / all,
			    100 * report_number(place, "ns") / truth_all, SHARE_PERCENT);
	}
}

/* Likewise what the report says of a type; its await points are called as the places, after `before`. */
static void assert_awaits(struct e2e *e, const json_t *type, const char *before,
			  const json_t *places)
{
	uint64_t all = report_number(type, "idle_ns"), truth_all = 0, sum = 0;
	json_t *awaits = json_object_get(type, "awaits"), *place, *await;
	size_t i, k;

	json_array_foreach (awaits, i, await)
		sum += report_number(await, "idle_ns");
	assert_int_equal(sum, all);
	json_array_foreach (places, i, place)
		truth_all += report_number(place, "ns");
	json_array_foreach (places, i, place) {
		const char *name = e2e_text(e, "%s%s", before, report_string(place, "name"));
		uint64_t ns = 0;

		json_array_foreach (awaits, k, await) {
			if (!strcmp(report_string(await, "function"), name))
				ns += report_number(await, "idle_ns");
		}
		assert_near(100 * ns / all, 100 * report_number(place, "ns") / truth_all,
			    SHARE_PERCENT);
	}
}

/* What the report says a share may be off by is what it is off by, to some errors. Returns how many it says. */
static size_t assert_errors(const json_t *type, const json_t *places)
{
	json_t *awaits = json_object_get(type, "awaits"), *place, *await;
	double truth_all = 0;
	size_t i, k, n = 0;

	json_array_foreach (places, i, place)
		truth_all += (double)report_number(place, "ns");
	json_array_foreach (places, i, place) {
		double truth = (double)report_number(place, "ns") / truth_all;

		json_array_foreach (awaits, k, await) {
			json_t *error = json_object_get(await, "error");

			if (strcmp(report_string(await, "function"),
				   report_string(place, "name")) ||
			    json_is_null(error))
				continue;
			assert_true(json_real_value(error) > 0);
			assert_float_equal(json_real_value(json_object_get(await, "share")), truth,
					   5 * json_real_value(error) + SAMPLED_PERCENT / 100.0);
			n++;
		}
	}
	return n;
}

/* Every stack of a type has one of the places, reached by what calls it, and a leaf of the runtime's there. */
static void assert_unbroken(const char *folded, const char *type, const char *before,
			    const char *after)
{
	while (*folded) {
		size_t length = strcspn(folded, "\n");

		if (!strncmp(folded, type, strlen(type)) &&
		    (!memmem(folded, length, before, strlen(before)) ||
		     !memmem(folded, length, after, strlen(after))))
			fail_msg("broken: %.*s", (int)length, folded);
		folded += length + (folded[length] == '\n');
	}
}

/* A round of a target; its truth, and the recording's path. */
static const char *record(struct e2e *e, const char *options, const char *target, json_t **truth)
{
	const char *path = e2e_path(e, "data");
	struct process *tracer = tracer_launch(e, "record --sample 1 -F 0 %s -o %s -- %s", options,
					       path, e2e_target(e, target));

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	*truth = target_truth(tracer);
	tracer_expect(tracer, 0);
	return path;
}

/* The next line of the recording's events that is of a type; NULL: there is none. *at moves on. */
static json_t *next_event(struct e2e *e, const char **at, const char *type)
{
	const char *start = e2e_text(e, "{\"type\":\"%s\"", type);

	while (**at) {
		const char *line = *at;
		size_t length = strcspn(line, "\n");

		*at += length + (line[length] == '\n');
		if (!strncmp(line, start, strlen(start)))
			return e2e_json(e, e2e_text(e, "%.*s", (int)length, line));
	}
	return NULL;
}

static const char *events(struct e2e *e, const char *path)
{
	struct process *tracer = tracer_run(e, "export -f jsonl %s", path);

	tracer_expect(tracer, 0);
	return process_out(tracer);
}

static uint64_t kind_called(struct e2e *e, const char *path, const char *name)
{
	const char *at = events(e, path);
	json_t *event;

	while ((event = next_event(e, &at, "kind")))
		if (!strcmp(report_string(event, "name"), name))
			return report_number(event, "kind");
	fail_msg("no kind is called %s", name);
	return 0;
}

static size_t count_awaits(struct e2e *e, const char *path)
{
	const char *at = events(e, path);
	size_t n = 0;

	while (next_event(e, &at, "await"))
		n++;
	return n;
}

/* What the probes where tasks wait have cost in the end, of all sources. */
static uint64_t awaits_ns(struct e2e *e, const char *path, uint64_t *hit_ns)
{
	const char *at = events(e, path);
	uint64_t ns = 0;
	json_t *event;

	while ((event = next_event(e, &at, "overhead"))) {
		ns = report_number(event, "await_ns");
		*hit_ns = report_number(event, "signal_ns");
	}
	return ns;
}

static uint64_t waited_ns(const json_t *truth)
{
	uint64_t ns = 0;
	json_t *step;
	size_t i;

	json_array_foreach (json_object_get(truth, "steps"), i, step)
		ns += report_number(step, "ns");
	return ns;
}

/*
 * Of one task all waits are seen. Of many, those of some moments: they are like the others only where the machine
 * is not so busy that waits take longer than they should.
 */
static void idle_time_is_where_the_program_waited(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path, *folded;
	json_t *truth, *type;

	path = record(e, "--await-stacks 1000", "awaits 1 100 6000 2000", &truth);
	folded = stacks_flame(e, "--kind idle", path);
	assert_shares(e, folded, "waiter;", ";", json_object_get(truth, "steps"));
	assert_unbroken(folded, "waiter;", ";task_run;waiter;", "_step;pollrt_");
	type = report_type(tracer_json(tracer_run(e, "report --json %s", path)), "waiter");
	assert_near(idle_us(folded, "waiter;", NULL), report_number(type, "idle_ns") / 1000, 10);
	assert_awaits(e, type, "", json_object_get(truth, "steps"));

	path = record(e, "--await-stacks 1000", "awaits 8 100 6000 2000", &truth);
	folded = stacks_flame(e, "--kind idle", path);
	assert_unbroken(folded, "waiter;", ";task_run;waiter;", "_step;pollrt_");
	type = report_type(tracer_json(tracer_run(e, "report --json %s", path)), "waiter");
	assert_near(idle_us(folded, "waiter;", NULL), report_number(type, "idle_ns") / 1000, 10);
	if (waited_ns(truth) < 8 * 100 * LAP_NS / 10 * 12)
		assert_int_equal(assert_errors(type, json_object_get(truth, "steps")), PLACES);
}

/* Three waits in four are short: the one that follows after some time is mostly one of these. */
static void each_wait_has_the_same_chance(void **state)
{
	struct e2e *e = e2e_of(state);
	uint64_t all, of_long, truth_of_long;
	const char *path, *folded;
	json_t *truth, *step;

	path = record(e, "--await-stacks 10", "awaits 1 30 80000 1000", &truth);
	folded = stacks_flame(e, "--kind idle", path);
	all = idle_us(folded, "waiter;", NULL);
	assert_true(all > 0);
	of_long = idle_us(folded, "waiter;", ";long_step;") * 100 / all;
	step = json_array_get(json_object_get(truth, "steps"), 0);
	assert_string_equal(report_string(step, "name"), "long_step");
	/* Nearly all; on a busy machine the short ones are longer too. */
	truth_of_long = report_number(step, "ns") * 100 / waited_ns(truth);
	assert_at_most(truth_of_long / 2, of_long, 0);
}

/*
 * As many stacks are taken in a second of few long waits as in one of many short ones: these are worth as much.
 * By the stacks alone four fifths of the time would be that of the long ones.
 */
static void busy_seconds_count_in_full(void **state)
{
	struct e2e *e = e2e_of(state);
	json_t *truth, *places, *type, *await, *awaits;
	double of_long = 0, told = 0, error = 0;
	const char *path;
	size_t i;

	path = record(e, "--await-stacks 50", "awaits turns 10 6 200000 10000", &truth);
	places = json_object_get(truth, "steps");
	of_long = (double)report_number(json_array_get(places, 0), "ns");
	of_long /= of_long + (double)report_number(json_array_get(places, 1), "ns");
	type = report_type(tracer_json(tracer_run(e, "report --json %s", path)), "turner");
	awaits = json_object_get(type, "awaits");
	json_array_foreach (awaits, i, await) {
		if (strcmp(report_string(await, "function"), "long_step"))
			continue;
		told = json_real_value(json_object_get(await, "share"));
		error = json_real_value(json_object_get(await, "error"));
	}
	assert_float_equal(told, of_long, error > 0.06 ? 4 * error : 0.25);
}

/* A second is one of the tracer's clock; several threads may each take one more than the last. */
static void a_kind_has_so_many_stacks_a_second(void **state)
{
	struct e2e *e = e2e_of(state);
	size_t n = 0, of_second = 0, seconds = 0;
	const char *path, *at;
	uint64_t kind, second = 0;
	json_t *truth, *event, *of;

	path = record(e, "--await-stacks 10", "awaits 8 150 6000 2000", &truth);
	kind = kind_called(e, path, "waiter");
	at = events(e, path);
	while ((event = next_event(e, &at, "await"))) {
		uint64_t now = report_number(event, "time_ns") / NSEC_PER_SEC;

		of = json_object_get(event, "kind");
		if (json_array_size(json_object_get(event, "user_stack")) < 3)
			fail_msg("a stack of no use");
		assert_int_equal(json_array_size(json_object_get(event, "kernel_stack")), 0);
		if ((uint64_t)json_integer_value(of) != kind)
			continue;
		seconds += now != second;
		of_second = now == second ? of_second + 1 : 1;
		second = now;
		assert_at_most(of_second, 10, 2);
		n++;
	}
	assert_at_most(2, seconds, 0);
	assert_at_most(3 * seconds, n, 0);
	of = report_type(tracer_json(tracer_run(e, "report --json %s", path)), "waiter");
	assert_true(assert_errors(of, json_object_get(truth, "steps")) > 0);
}

static void none_are_taken_where_none_are_wanted(void **state)
{
	struct e2e *e = e2e_of(state);
	uint64_t hit_ns = 0;
	const char *path;
	json_t *truth;

	path = record(e, "--await-stacks 0", "awaits 2 20 6000 2000", &truth);
	assert_int_equal(count_awaits(e, path), 0);
	assert_int_equal(awaits_ns(e, path, &hit_ns), 0);
	assert_true(hit_ns > 0);
}

/* Nobody sees when a wait ends. */
static void none_are_taken_while_polls_are_sampled(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path;
	json_t *truth;

	path = record(e, "--await-stacks 1000 --sample 4", "awaits 2 20 6000 2000", &truth);
	assert_int_equal(count_awaits(e, path), 0);
}

/* Counted, not timed: of what the program does, hardly any hits a probe. */
static void a_flood_of_wakers_does_not_pay_for_it(void **state)
{
	struct e2e *e = e2e_of(state);
	uint64_t ns, hit_ns = 0, clones;
	const char *path;
	json_t *truth;

	path = record(e, "--await-stacks 10", "awaits flood 3000000000", &truth);
	clones = report_number(truth, "clones");
	ns = awaits_ns(e, path, &hit_ns);
	assert_at_most(3 * 200000, clones, 0);
	assert_true(ns > 0);
	assert_at_most(ns / hit_ns, clones / 20, 0);
	assert_true(count_awaits(e, path) > 0);
}

/* Timers that are over, timeouts and what comes behind them are told apart. */
static void idle_time_of_unmodified_tokio_programs(void **state)
{
	static const char *const variants[] = {"release", "fat", "size", "new"};
	struct e2e *e = e2e_of(state);
	const char *path, *folded;
	json_t *truth;

	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		path = record(e, "--await-stacks 1000",
			      tokio_command(e, variants[i], "awaits 1 100"), &truth);
		folded = stacks_flame(e, "--kind idle", path);
		assert_shares(e, folded, "awaits::walker;",
			      ";awaits::", json_object_get(truth, "waits"));
		assert_unbroken(folded, "awaits::walker;",
				";tokio::runtime::task::", ";awaits::walker::");
		assert_awaits(e,
			      report_type(tracer_json(tracer_run(e, "report --json %s", path)),
					  "awaits::walker"),
			      "awaits::", json_object_get(truth, "waits"));
		remove(path);
	}
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Without names each place is a stack of its own. */
static void idle_time_of_stripped_ones(void **state)
{
	struct e2e *e = e2e_of(state);
	uint64_t places[PLACES] = {0}, truths[PLACES] = {0}, all = 0, truth_all = 0;
	json_t *truth, *walker, *place;
	const char *folded, *type;
	size_t i, n = 0;

	folded = stacks_flame(e, "--kind idle",
			      record(e, "--await-stacks 1000",
				     tokio_command(e, "fat-stripped", "awaits 1 100"), &truth));
	walker = tokio_future(truth, "awaits::walker");
	type = strrchr(report_string(walker, "location"), '/') + 1;
	for (const char *at = folded; *at; at += strcspn(at, "\n") + 1) {
		if (strncmp(at, type, strlen(type)))
			continue;
		assert_true(n < PLACES);
		places[n] = idle_us(e2e_text(e, "%.*s", (int)strcspn(at, "\n"), at), type, NULL);
		all += places[n++];
	}
	json_array_foreach (json_object_get(truth, "waits"), i, place) {
		truths[i] = report_number(place, "ns");
		truth_all += truths[i];
	}
	assert_int_equal(n, PLACES);
	qsort(places, n, sizeof(*places), compare);
	qsort(truths, n, sizeof(*truths), compare);
	for (i = 0; i < n; i++)
		assert_near(100 * places[i] / all, 100 * truths[i] / truth_all, SHARE_PERCENT);
}

/* Tokio's own probe tells the task; its polls are over too soon to be waits. */
static void at_tokios_own_probe(void **state)
{
	struct e2e *e = e2e_of(state);
	size_t n = 0;
	const char *at;
	json_t *truth, *event;

	at = events(e, record(e, "--await-stacks 1000", "tokio_probes", &truth));
	while ((event = next_event(e, &at, "await"))) {
		uint64_t task = report_number(event, "task");

		assert_true(task >= 1 && task <= report_number(truth, "tasks") && task % 5);
		assert_true(json_array_size(json_object_get(event, "user_stack")) >= 2);
		n++;
	}
	assert_true(n > 0);
	assert_at_most(n, report_number(truth, "wakes"), 0);
}

/* What a probe is put in the place of: the code of a running target, as it was. */
static uint64_t code_hash(struct e2e *e, pid_t pid, const char *name)
{
	const char *maps = e2e_file(e, e2e_text(e, "/proc/%d/maps", pid), NULL);
	FILE *memory = fopen(e2e_text(e, "/proc/%d/mem", pid), "r");
	uint64_t hash = 14695981039346656037u;

	assert_non_null(memory);
	for (const char *line = maps; *line; line += strcspn(line, "\n") + 1) {
		const char *end = line + strcspn(line, "\n");
		unsigned long from, to;
		char access[5];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, access) != 3 || access[2] != 'x' ||
		    !memmem(line, (size_t)(end - line), name, strlen(name)))
			continue;
		fseek(memory, (long)from, SEEK_SET);
		for (; from < to; from++)
			hash = (hash ^ (uint64_t)fgetc(memory)) * 1099511628211u;
	}
	fclose(memory);
	return hash;
}

static void nothing_is_left_of_it(void **state)
{
	static const int signals[] = {SIGINT, SIGKILL};
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "awaits 4 1000 6000 2000");
	uint64_t before = code_hash(e, process_pid(target), "/awaits");

	target_tell(target, "go");
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct process *tracer = tracer_attach(e, "record --await-stacks 1000 -p %d -o %s",
						       process_pid(target), e2e_path(e, "data"));

		assert_true(code_hash(e, process_pid(target), "/awaits") != before);
		process_kill(tracer, signals[i]);
		process_wait(tracer);
		/* Killed, its links go as the kernel gets to it. */
		e2e_await(code_hash(e, process_pid(target), "/awaits") == before);
	}
	process_kill(target, SIGKILL);
	process_wait(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(idle_time_is_where_the_program_waited),
		e2e_test(each_wait_has_the_same_chance),
		e2e_test(busy_seconds_count_in_full),
		e2e_test(a_kind_has_so_many_stacks_a_second),
		e2e_test(none_are_taken_where_none_are_wanted),
		e2e_test(none_are_taken_while_polls_are_sampled),
		e2e_test(a_flood_of_wakers_does_not_pay_for_it),
		e2e_test(idle_time_of_unmodified_tokio_programs),
		e2e_test(idle_time_of_stripped_ones),
		e2e_test(at_tokios_own_probe),
		e2e_test(nothing_is_left_of_it),
	};

	return cmocka_run_group_tests_name("await", tests, NULL, NULL);
}
