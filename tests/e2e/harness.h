/* SPDX-License-Identifier: MIT */
/*
 * End-to-end tests: a target program, which counts for itself what it does (targets/truth.h), under
 * a real pollscope, whose output is compared with that.
 *
 * Paths: POLLSCOPE (the tracer), E2E_TARGETS (the folder of the targets); by default those of the
 * build that the test is in. A function that cannot do what it should fails the test. What a test
 * started or holds is ended and freed by e2e_teardown(), however it ends.
 */
#ifndef POLLSCOPE_E2E_HARNESS_H
#define POLLSCOPE_E2E_HARNESS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <sys/types.h>

#include <cmocka.h>
#include <jansson.h>

struct e2e;

int e2e_setup(void **state);
int e2e_teardown(void **state);

/** A test that needs e2e_of(). */
#define e2e_test(name) cmocka_unit_test_setup_teardown(name, e2e_setup, e2e_teardown)

/** What the test's state is. Skips the test where it is not root; fails it there if CI=true. */
struct e2e *e2e_of(void **state);

/** A new text; lives as long as the test. */
char *e2e_text(struct e2e *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Memory that lives as long as the test. */
char *e2e_bytes(struct e2e *e, size_t size);

/** A path in a folder that goes with the test. It does not end in "/". */
const char *e2e_path(struct e2e *e, const char *name);

/** The path of target @name. */
const char *e2e_target(struct e2e *e, const char *name);

/** The path of a file of the build that the test is in. */
const char *e2e_built(struct e2e *e, const char *name);

/** The path of pollscope. */
const char *e2e_pollscope(struct e2e *e);

/**
 * Parses; the test keeps the reference. Fails the test, showing @text, if it is not one JSON
 * document.
 */
json_t *e2e_json(struct e2e *e, const char *text);

/** The whole of a file, with a NUL behind. @size may be NULL. */
char *e2e_file(struct e2e *e, const char *path, size_t *size);

/** Writes a file, which may be executed. Returns its path: e2e_path(@name). */
const char *e2e_write(struct e2e *e, const char *name, const void *bytes, size_t size);

/** A copy of target @name in the test's folder, called @copy. */
const char *e2e_copy_target(struct e2e *e, const char *name, const char *copy);

/** A folder in the test's on a disk of its own, of @size (as "64k"). */
const char *e2e_disk(struct e2e *e, const char *size);

uint64_t e2e_now_ns(void);
void e2e_sleep_ms(unsigned int ms);

/** Nothing takes longer, not even on a machine that is busy with other things. */
#define E2E_PATIENCE_MS 180000u

/** Waits until the condition holds; fails the test if that takes too long. */
#define e2e_await(condition)                                                                       \
	do {                                                                                       \
		uint64_t since_ns_ = e2e_now_ns();                                                 \
                                                                                                   \
		while (!(condition)) {                                                             \
			if (e2e_now_ns() - since_ns_ > E2E_PATIENCE_MS * 1000000ull)               \
				fail_msg("waited in vain for %s", #condition);                     \
			e2e_sleep_ms(10);                                                          \
		}                                                                                  \
	} while (0)

/* ---- processes ------------------------------------------------------------------------------ */

/** A started program: the target, or the tracer, or anything. */
struct process;

struct process_options {
	bool channel;                       /**< has one of its own: E2E_FD */
	bool terminal;                      /**< its stderr is a terminal */
	bool no_output;                     /**< its stdout is /dev/full */
	void (*before_exec)(void *context); /**< in the child; NULL: nothing */
	void *context;
};

/** Starts argv[0] (looked up in PATH); what @command says, split at its spaces. */
struct process *process_start(struct e2e *e, const struct process_options *options,
			      const char *command);

/** Waits for its end, E2E_PATIENCE_MS at most, then it fails the test. Returns waitpid's status. */
int process_wait(struct process *process);
bool process_running(struct process *process);
void process_kill(struct process *process, int signal);
pid_t process_pid(const struct process *process);

/** A thread of process @pid, not the first, that sleeps in system call @number; 0: none. */
pid_t process_thread_in(pid_t pid, long number);

/** What it has written so far. Of a terminal: without progress, only whole lines. */
const char *process_out(struct process *process);
const char *process_err(struct process *process);

/* ---- targets -------------------------------------------------------------------------------- */

/** Starts a target (@command begins with its name, or path) and waits until it is ready. */
struct process *target_start(struct e2e *e, const char *command);

/** The same; what @before_exec says is done in the child. */
struct process *target_start_in(struct e2e *e, const char *command, void (*before_exec)(void *),
				void *context);

/**
 * Waits for the "ready" of the target at the other end of the channel. Returns its pid as it sees
 * it.
 */
pid_t target_ready(struct process *process);

/** Sends a line: "go", "end". */
void target_tell(struct process *process, const char *line);

/** The next line from the target, as JSON: its truth. */
json_t *target_truth(struct process *process);

/** Sends a command and returns the answer. */
json_t *target_ask(struct process *process, const char *line);

/* ---- tracers -------------------------------------------------------------------------------- */

/** Runs pollscope to its end. */
struct process *tracer_run(struct e2e *e, const char *arguments, ...)
	__attribute__((format(printf, 2, 3)));

/** Starts pollscope, which launches a target: has a channel to it, for target_*(). */
struct process *tracer_launch(struct e2e *e, const char *arguments, ...)
	__attribute__((format(printf, 2, 3)));

/** Starts pollscope on running targets and waits until it captures. */
struct process *tracer_attach(struct e2e *e, const char *arguments, ...)
	__attribute__((format(printf, 2, 3)));

/** How many events of a kind a recording holds, also one that is still being written. */
uint64_t tracer_recorded(struct e2e *e, const char *path, const char *kind);

/** Waits for its end; fails the test, showing stderr, unless its exit status is @status. */
void tracer_expect(struct process *tracer, int status);

/** tracer_expect(0), and its stdout as JSON. */
json_t *tracer_json(struct process *tracer);

/**
 * `report --json --sample 1 OPTIONS -- TARGET`: one round of a target from its first instruction to
 * its exit, each poll of it.
 * @truth receives what it says of it.
 */
json_t *report_of_launch(struct e2e *e, const char *options, const char *target, json_t **truth);

/** The same round as a recording, the file @name of the test's own folder; its path. */
const char *recording_of_launch(struct e2e *e, const char *name, const char *options,
				const char *target);

#endif
