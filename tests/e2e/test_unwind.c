// SPDX-License-Identifier: MIT
/*
 * Stacks of programs without frame pointers: from the thread's start to where it waits, frame by frame as
 * the program is known to call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "tokio.h"

#define LIBRARY "tests/e2e/targets/lib/chain_library.so"
#define CHAIN_MAX 4096

/* ---- captures ---- */

/* One round of a target under the tracer; the recording's path. */
static const char *record_launched(struct e2e *e, const char *options, const char *target)
{
	const char *path = e2e_path(e, "data");
	struct process *tracer = tracer_launch(e, "record --sample 1 %s -o %s -- %s", options, path,
					       e2e_target(e, target));

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	target_truth(tracer);
	tracer_expect(tracer, 0);
	return path;
}

static const char *flame(struct e2e *e, const char *options, const char *path)
{
	struct process *tracer = tracer_run(e, "flame %s %s", options, path);

	tracer_expect(tracer, 0);
	return process_out(tracer);
}

static json_t *capture_of(struct e2e *e, const char *path)
{
	return json_object_get(tracer_json(tracer_run(e, "report --json %s", path)), "capture");
}

/* ---- folded lines ---- */

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* A copy of the line without frames called `name`. */
static char *without(struct e2e *e, const char *line, size_t length, const char *name)
{
	char *copy = e2e_bytes(e, length + 2), *to = copy;
	size_t n = strlen(name);

	for (const char *at = line; at < line + length;) {
		size_t frame = strcspn(at, ";\n");

		if (frame != n || strncmp(at, name, n)) {
			memcpy(to, at, frame);
			to += frame;
			*to++ = ';';
		}
		at += frame + 1;
	}
	to[-1] = '\0';
	return copy;
}

/* ";walker;level_00;...;", depth levels. */
static void chain_print(char chain[CHAIN_MAX], unsigned int depth)
{
	int at = sprintf(chain, ";walker;");

	for (unsigned int i = 0; i < depth; i++)
		at += sprintf(chain + at, "level_%02u;", i);
}

/* How many of the chain's functions follow one another behind the poll function. */
static unsigned int levels_of(const char *line)
{
	const char *at = strstr(line, ";walker;");
	unsigned int n = 0, level;

	for (at = at ? at + strlen(";walker;") : ""; sscanf(at, "level_%2u;", &level) == 1; n++) {
		assert_int_equal(level, n);
		at += strlen("level_00;");
	}
	assert_null(strstr(at, "level_"));
	return n;
}

struct expected {
	const char *root; /* that lines begin with */
	unsigned int depth;
	const char *leaf;  /* what stands behind the last level where the chain waits */
	const char *cause; /* that it waits for */
};

/*
 * Every stack of the root leads from the thread's start through the poll function down the chain, as far as the
 * thread had come. Returns the microseconds that it waited at the chain's end.
 */
static uint64_t assert_chains(struct e2e *e, const char *folded, const struct expected *expected)
{
	char chain[CHAIN_MAX];
	uint64_t waited = 0;

	chain_print(chain, expected->depth);
	strcat(chain, expected->leaf);
	while (*folded) {
		size_t length = strcspn(folded, "\n");
		char *line = without(e, folded, length, "chain_down");

		folded += length + 1;
		if (!starts_with(line, expected->root) || strstr(line, "[on cpu, not sampled]"))
			continue;
		if (!strstr(line, "clone3;start_thread;"))
			fail_msg("not from the thread's start: %s", line);
		assert_true(levels_of(line) <= expected->depth);
		if (strstr(line, chain) && strstr(line, expected->cause))
			waited += strtoull(strrchr(line, ' ') + 1, NULL, 10);
		else if (strstr(line, expected->cause))
			fail_msg("not down the whole chain: %s", line);
	}
	return waited;
}

/* ---- tests ---- */

/* `times` polls, each of which waits 1 ms at the end of a chain. */
static void assert_waits(struct e2e *e, const char *target, unsigned int times,
			 const struct expected *expected)
{
	const char *path = record_launched(e, "-F 0", target);
	json_t *unwind = json_object_get(capture_of(e, path), "unwind");
	uint64_t stacks = report_number(unwind, "stacks"), waited;

	waited = assert_chains(e, flame(e, "--kind offcpu --type walker", path), expected);
	assert_at_most(times * 900, waited, 0);
	assert_true(stacks >= times);
	assert_true(report_number(unwind, "complete") * 100 >= stacks * 99);
}

static void chains_of_any_depth_are_whole(void **state)
{
	static const unsigned int depths[] = {6, 25, 60, 100};
	struct e2e *e = e2e_of(state);

	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		const struct expected expected = {"walker;", depths[i], "leaf_nanosleep;",
						  "[blocked: clock_nanosleep]"};

		assert_waits(e, e2e_text(e, "chains nanosleep %u 100", depths[i]), 100, &expected);
	}
}

static void whatever_the_leaf_waits_for(void **state)
{
	static const struct expected read = {"walker;", 33, "leaf_read;", "[blocked: read]"};
	static const struct expected futex = {"walker;", 47, "leaf_futex;", "[blocked: futex]"};
	struct e2e *e = e2e_of(state);

	assert_waits(e, "chains read 33 100", 100, &read);
	assert_waits(e, "chains futex 47 100", 100, &futex);
}

static void through_functions_that_libc_calls(void **state)
{
	static const struct expected expected = {"walker;", 12, "leaf_callback;",
						 "[blocked: clock_nanosleep]"};

	assert_waits(e2e_of(state), "chains callback 12 100", 100, &expected);
}

static void through_a_signal_handler(void **state)
{
	static const struct expected expected = {"walker;", 12, "leaf_handler;",
						 "[blocked: clock_nanosleep]"};
	struct e2e *e = e2e_of(state);
	const char *folded;

	assert_waits(e, "chains handler 12 100", 100, &expected);
	folded = flame(e, "--kind offcpu --type walker", e2e_path(e, "data"));
	assert_non_null(strstr(folded, ";__restore_rt;sleep_in_handler;"));
	assert_waits(e, "chains-static handler 12 100", 100, &expected);
}

static void in_a_static_executable(void **state)
{
	static const struct expected expected = {"walker;", 60, "leaf_nanosleep;",
						 "[blocked: clock_nanosleep]"};

	assert_waits(e2e_of(state), "chains-static nanosleep 60 100", 100, &expected);
}

/* The first polls may be over before its tables are there. */
static void through_a_library_loaded_meanwhile(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *target = e2e_text(e, "chains library 9 500 %s", e2e_built(e, LIBRARY));
	const char *path = record_launched(e, "-F 0", target);
	const char *folded = flame(e, "--kind offcpu --type walker", path);
	json_t *unwind = json_object_get(capture_of(e, path), "unwind");
	uint64_t stacks = report_number(unwind, "stacks");
	char chain[CHAIN_MAX];
	bool found = false;

	chain_print(chain, 9);
	strcat(chain, "chain_library_sleep;library_sleep;");
	while (*folded) {
		size_t length = strcspn(folded, "\n");

		found |= !!strstr(without(e, folded, length, "chain_down"), chain);
		folded += length + 1;
	}
	assert_true(found);
	assert_true(report_number(unwind, "complete") * 10 > stacks * 9);
}

static void unknown_code_ends_a_stack_and_is_counted(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record_launched(e, "-F 0", "chains jit 6 100");
	const char *folded = flame(e, "--kind offcpu --type walker", path);
	json_t *unwind = json_object_get(capture_of(e, path), "unwind");
	json_t *early = json_object_get(unwind, "ended_early");

	assert_non_null(strstr(folded, "walker;[unwound no further: unknown code];sleep_for_jit;"));
	assert_true(report_number(early, "unknown_code") >= 90);
	assert_int_equal(report_number(unwind, "stacks"),
			 report_number(unwind, "complete") + report_number(early, "unknown_code"));
}

static void samples_of_running_code(void **state)
{
	static const struct expected expected = {"walker;", 40, "leaf_spin", "leaf_spin"};
	struct e2e *e = e2e_of(state);
	const char *path = record_launched(e, "-F 999", "chains spin 40 20");

	assert_true(assert_chains(e, flame(e, "--kind oncpu --type walker", path), &expected) >
		    200000);
}

static void of_two_processes_at_once(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *targets[] = {target_start(e, "chains nanosleep 7 300"),
				     target_start(e, "chains-static futex 31 300")};
	const char *path = e2e_path(e, "data"), *folded;
	struct process *tracer = tracer_attach(e, "record --sample 1 -d 1s -o %s -p %d,%d", path,
					       process_pid(targets[0]), process_pid(targets[1]));
	struct expected expected[] = {{NULL, 7, "leaf_nanosleep;", "[blocked: clock_nanosleep]"},
				      {NULL, 31, "leaf_futex;", "[blocked: futex]"}};

	for (size_t i = 0; i < 2; i++)
		target_tell(targets[i], "go");
	tracer_expect(tracer, 0);
	folded = flame(e, "--kind offcpu --type walker", path);
	for (size_t i = 0; i < 2; i++) {
		const char *pid = e2e_text(e, "(pid %d);", process_pid(targets[i]));
		const char *at = strstr(folded, pid);

		assert_non_null(at);
		while (at > folded && at[-1] != '\n')
			at--;
		expected[i].root = e2e_text(e, "%.*s", (int)strcspn(at, ";"), at);
		assert_true(assert_chains(e, folded, &expected[i]) > 100000);
	}
}

/* Nobody has seen it fall asleep, nor which task it polls. */
static void of_a_thread_that_was_asleep_before(void **state)
{
	static const struct expected expected = {"[unknown];", 73, "leaf_long;",
						 "[blocked: clock_nanosleep]"};
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "chains long 73 2"), *tracer;
	const char *path = e2e_path(e, "data");

	target_tell(target, "go");
	e2e_sleep_ms(100);
	tracer = tracer_attach(e, "record --sample 1 -d 1s -o %s -p %d", path, process_pid(target));
	tracer_expect(tracer, 0);
	assert_at_most(200000, assert_chains(e, flame(e, "--kind offcpu", path), &expected), 0);
}

static void frame_pointers_are_an_option(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record_launched(e, "-F 0 --unwind fp", "chains nanosleep 30 50");
	const char *folded = flame(e, "--kind offcpu --type walker", path);

	assert_null(strstr(folded, "unwound no further"));
	assert_null(strstr(folded, "level_12"));
	assert_true(json_is_null(json_object_get(capture_of(e, path), "unwind")));
}

/* Return probes are on the functions that poll: their return addresses are not on the stack. */
static void tokio_stacks_lead_through_poll_functions(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record_launched(e, "-F 999", tokio_command(e, "release", "mix 10"));
	const char *folded = flame(e, "--kind wall", path);
	json_t *unwind = json_object_get(capture_of(e, path), "unwind");
	uint64_t lines = 0, broken = 0;

	while (*folded) {
		size_t length = strcspn(folded, "\n");
		char *line = e2e_text(e, "%.*s", (int)length, folded);

		folded += length + 1;
		if (strstr(line, "[on cpu, not sampled]"))
			continue;
		lines++;
		if (strstr(line, "unwound no further"))
			broken++;
		else if (!strstr(line, "clone3;start_thread;") && !strstr(line, ";_start;"))
			fail_msg("not from the thread's start: %s", line);
		if (strstr(line, "blocking::sleeps") && strstr(line, "[blocked: clock_nanosleep]"))
			assert_non_null(strstr(strstr(line, ";tokio::runtime::task::harness::"),
					       ";mix::blocking::sleeps::{{closure}};"));
	}
	assert_true(lines > 20);
	assert_true(broken * 50 <= lines);
	assert_true(report_number(unwind, "stacks") > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(chains_of_any_depth_are_whole),
		e2e_test(whatever_the_leaf_waits_for),
		e2e_test(through_functions_that_libc_calls),
		e2e_test(through_a_signal_handler),
		e2e_test(in_a_static_executable),
		e2e_test(through_a_library_loaded_meanwhile),
		e2e_test(unknown_code_ends_a_stack_and_is_counted),
		e2e_test(samples_of_running_code),
		e2e_test(of_two_processes_at_once),
		e2e_test(of_a_thread_that_was_asleep_before),
		e2e_test(frame_pointers_are_an_option),
		e2e_test(tokio_stacks_lead_through_poll_functions),
	};

	return cmocka_run_group_tests_name("unwind", tests, NULL, NULL);
}
