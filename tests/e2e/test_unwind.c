// SPDX-License-Identifier: MIT
/*
 * Stacks of programs without frame pointers: from the thread's start, or the poll function of a Tokio task,
 * to where it waits, frame by frame as the program is known to call.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"
#include "stacks.h"
#include "tokio.h"

#define POLLED ";tokio::runtime::" /* a poll function, or where it returns to right now */
#define LIBRARY "tests/e2e/targets/lib/chain_library.so"

static void chains_of_any_depth_are_whole(void **state)
{
	static const unsigned int depths[] = {6, 25, 60, 100};
	struct e2e *e = e2e_of(state);

	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		const struct chain_expected expected = {"walker;", depths[i], "leaf_nanosleep;",
							"[blocked: clock_nanosleep]"};

		assert_chains_waited(e, e2e_text(e, "chains nanosleep %u 100", depths[i]), 100,
				     &expected);
	}
}

static void whatever_the_leaf_waits_for(void **state)
{
	static const struct chain_expected read = {"walker;", 33, "leaf_read;", "[blocked: read]"};
	static const struct chain_expected futex = {"walker;", 47, "leaf_futex;",
						    "[blocked: futex]"};
	struct e2e *e = e2e_of(state);

	assert_chains_waited(e, "chains read 33 100", 100, &read);
	assert_chains_waited(e, "chains futex 47 100", 100, &futex);
}

static void through_functions_that_libc_calls(void **state)
{
	static const struct chain_expected expected = {"walker;", 12, "leaf_callback;",
						       "[blocked: clock_nanosleep]"};

	assert_chains_waited(e2e_of(state), "chains callback 12 100", 100, &expected);
}

static void through_a_signal_handler(void **state)
{
	static const struct chain_expected expected = {"walker;", 12, "leaf_handler;",
						       "[blocked: clock_nanosleep]"};
	struct e2e *e = e2e_of(state);
	const char *folded;

	assert_chains_waited(e, "chains handler 12 100", 100, &expected);
	folded = stacks_flame(e, "--kind offcpu --type walker", e2e_path(e, "data"));
	assert_non_null(strstr(folded, ";__restore_rt;sleep_in_handler;"));
	assert_chains_waited(e, "chains-static handler 12 100", 100, &expected);
}

static void in_a_static_executable(void **state)
{
	static const struct chain_expected expected = {"walker;", 60, "leaf_nanosleep;",
						       "[blocked: clock_nanosleep]"};

	assert_chains_waited(e2e_of(state), "chains-static nanosleep 60 100", 100, &expected);
}

/* The first polls may be over before its tables are there. */
static void through_a_library_loaded_meanwhile(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *target = e2e_text(e, "chains library 9 1500 %s", e2e_built(e, LIBRARY));
	const char *path = stacks_record(e, "-F 0", target);
	const char *folded = stacks_flame(e, "--kind offcpu --type walker", path);
	json_t *unwind = json_object_get(stacks_capture(e, path), "unwind");
	uint64_t stacks = report_number(unwind, "stacks");
	char chain[STACKS_CHAIN_MAX];
	bool found = false;

	stacks_chain(chain, 9);
	strcat(chain, "chain_library_sleep;library_sleep;");
	while (*folded) {
		size_t length = strcspn(folded, "\n");

		found |= !!strstr(stacks_without(e, folded, length, "chain_down"), chain);
		folded += length + 1;
	}
	assert_true(found);
	assert_true(report_number(unwind, "complete") * 10 > stacks * 9);
}

static void through_a_function_that_the_loader_binds(void **state)
{
	static const struct chain_expected expected = {
		"walker;", 15, "leaf_lazy;chain_library_lazy;", "[blocked: clock_nanosleep]"};
	struct e2e *e = e2e_of(state);
	const char *command = e2e_text(e, "chains lazy 15 1 %s", e2e_built(e, LIBRARY));
	struct process *target = target_start(e, command), *tracer;
	const char *path = e2e_path(e, "data"), *folded;

	tracer = tracer_attach(e, "record --sample 1 -o %s -p %d", path, process_pid(target));
	target_ask(target, "go");
	target_tell(target, "end");
	tracer_expect(tracer, 0);
	folded = stacks_flame(e, "--kind offcpu --type walker", path);
	assert_at_most(300, assert_chains(e, folded, &expected), 0);
	assert_non_null(strstr(folded, ";choose;library_sleep;"));
}

static void unknown_code_ends_a_stack_and_is_counted(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = stacks_record(e, "-F 0", "chains jit 6 100");
	const char *folded = stacks_flame(e, "--kind offcpu --type walker", path);
	json_t *unwind = json_object_get(stacks_capture(e, path), "unwind");
	json_t *early = json_object_get(unwind, "ended_early");

	assert_non_null(strstr(folded, "walker;[unwound no further: unknown code];sleep_for_jit;"));
	assert_true(report_number(early, "unknown_code") >= 90);
	assert_int_equal(report_number(unwind, "stacks"),
			 report_number(unwind, "complete") + report_number(early, "unknown_code"));
}

/* Which is one file that cannot be looked into, said once; it takes the place of no other. */
static void code_in_pieces_is_in_no_stacks_way(void **state)
{
	static const struct chain_expected expected = {"walker;", 12, "leaf_pieces;",
						       "[blocked: clock_nanosleep]"};
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "chains pieces 12 200"), *tracer;
	const char *path = e2e_path(e, "data"), *said;

	tracer = tracer_attach(e, "record --sample 1 -o %s -p %d", path, process_pid(target));
	target_ask(target, "go");
	target_tell(target, "end");
	tracer_expect(tracer, 0);
	assert_at_most(
		50000,
		assert_chains(e, stacks_flame(e, "--kind offcpu --type walker", path), &expected),
		0);
	said = strstr(process_err(tracer), "/memfd:pieces");
	assert_non_null(said);
	assert_null(strstr(said + 1, "/memfd:pieces"));
	assert_null(strstr(process_err(tracer), "unwind tables"));
}

static void samples_of_running_code(void **state)
{
	static const struct chain_expected expected = {"walker;", 40, "leaf_spin", "leaf_spin"};
	struct e2e *e = e2e_of(state);
	const char *path = stacks_record(e, "-F 999", "chains spin 40 20");

	assert_true(assert_chains(e, stacks_flame(e, "--kind oncpu --type walker", path),
				  &expected) > 100000);
}

static void of_two_processes_at_once(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *targets[] = {target_start(e, "chains nanosleep 7 300"),
				     target_start(e, "chains-static futex 31 300")};
	const char *path = e2e_path(e, "data"), *folded;
	struct process *tracer = tracer_attach(e, "record --sample 1 -o %s -p %d,%d", path,
					       process_pid(targets[0]), process_pid(targets[1]));
	struct chain_expected expected[] = {
		{NULL, 7, "leaf_nanosleep;", "[blocked: clock_nanosleep]"},
		{NULL, 31, "leaf_futex;", "[blocked: futex]"}};

	for (size_t i = 0; i < 2; i++)
		target_tell(targets[i], "go");
	for (size_t i = 0; i < 2; i++) {
		target_truth(targets[i]);
		target_tell(targets[i], "end");
	}
	tracer_expect(tracer, 0);
	folded = stacks_flame(e, "--kind offcpu --type walker", path);
	for (size_t i = 0; i < 2; i++) {
		const char *pid = e2e_text(e, "(pid %d);", process_pid(targets[i]));
		const char *at = strstr(folded, pid);

		assert_non_null(at);
		while (at > folded && at[-1] != '\n')
			at--;
		expected[i].root = e2e_text(e, "%.*s", (int)strcspn(at, ";"), at);
		assert_at_most(300 * 300, assert_chains(e, folded, &expected[i]), 0);
	}
}

/* Nobody has seen it fall asleep, nor which task it polls. */
static void of_a_thread_that_was_asleep_before(void **state)
{
	static const struct chain_expected expected = {"[unknown];", 73, "leaf_long;",
						       "[blocked: clock_nanosleep]"};
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "chains long 73 1"), *tracer;
	pid_t pid = process_pid(target), sleeper;
	const char *path = e2e_path(e, "data");

	target_tell(target, "go");
	e2e_await((sleeper = process_thread_in(pid, SYS_clock_nanosleep)));
	tracer = tracer_attach(e, "record --sample 1 -o %s -p %d", path, pid);
	e2e_sleep_ms(300);
	assert_int_equal(syscall(SYS_tgkill, pid, sleeper, SIGUSR1), 0);
	target_truth(target);
	target_tell(target, "end");
	tracer_expect(tracer, 0);
	assert_at_most(200000, assert_chains(e, stacks_flame(e, "--kind offcpu", path), &expected),
		       0);
}

static void frame_pointers_are_an_option(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = stacks_record(e, "-F 0 --unwind fp", "chains nanosleep 30 50");
	const char *folded = stacks_flame(e, "--kind offcpu --type walker", path);

	assert_null(strstr(folded, "unwound no further"));
	assert_null(strstr(folded, "level_12"));
	assert_true(json_is_null(json_object_get(stacks_capture(e, path), "unwind")));
}

/* What is below them, of the runtime and of threads, is the same for all tasks. */
static void tokio_stacks_begin_at_poll_functions(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = stacks_record(e, "-F 999", tokio_command(e, "release", "mix 10"));
	const char *folded = stacks_flame(e, "--kind wall", path);
	json_t *unwind = json_object_get(stacks_capture(e, path), "unwind");
	uint64_t lines = 0, broken = 0, astray = 0;

	while (*folded) {
		size_t length = strcspn(folded, "\n");
		char *line = e2e_text(e, "%.*s", (int)length, folded);

		folded += length + 1;
		if (strstr(line, "[on cpu, not sampled]"))
			continue;
		lines++;
		if (strstr(line, "unwound no further"))
			broken++;
		else if (strncmp(strchrnul(line, ';'), POLLED, strlen(POLLED)))
			astray++;
		else
			assert_null(strstr(line, "start_thread"));
		if (strstr(line, "blocking::sleeps") && strstr(line, "[blocked: clock_nanosleep]"))
			assert_non_null(strstr(strstr(line, ";tokio::runtime::task::harness::"),
					       ";mix::blocking::sleeps::{{closure}};"));
	}
	assert_true(lines > 20);
	assert_true(broken * 20 <= lines);
	/* A sample may fall into what the kernel does in place of the instruction under a probe. */
	assert_true(astray * 20 <= lines);
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
		e2e_test(through_a_function_that_the_loader_binds),
		e2e_test(unknown_code_ends_a_stack_and_is_counted),
		e2e_test(code_in_pieces_is_in_no_stacks_way),
		e2e_test(samples_of_running_code),
		e2e_test(of_two_processes_at_once),
		e2e_test(of_a_thread_that_was_asleep_before),
		e2e_test(frame_pointers_are_an_option),
		e2e_test(tokio_stacks_begin_at_poll_functions),
	};

	return cmocka_run_group_tests_name("unwind", tests, NULL, NULL);
}
