/* SPDX-License-Identifier: MIT */
/*
 * Programs of tests/tokio under the tracer. Each counts what its futures do (tests/tokio/src/lib.rs); a
 * report is compared with that, future by future.
 */
#ifndef POLLSCOPE_E2E_TOKIO_H
#define POLLSCOPE_E2E_TOKIO_H

#include "harness.h"

/** What a build tells of its futures' names. */
enum tokio_names {
	TOKIO_NAMED,   /**< all of them have a name, and most a place in the source */
	TOKIO_EITHER,  /**< a name, or only the place where an async body begins */
	TOKIO_LOCATED, /**< only that place */
};

/**
 * The command "PROGRAM [ARGUMENT...]" of build @variant, as targets are named. Skips the test where that
 * build cannot be had here; fails it there if CI=true.
 */
const char *tokio_command(struct e2e *e, const char *variant, const char *command);

/** Of the truth of a program, what it says of future @name. */
json_t *tokio_future(const json_t *truth, const char *name);

/** The sum of a number over all futures of a truth. */
uint64_t tokio_sum(const json_t *truth, const char *key);

/** The sum of a number over the report's task types that future @name is. */
uint64_t tokio_reported(const json_t *report, const json_t *truth, const char *name,
			enum tokio_names names, const char *key);

/** The time that these task types were blocked for @cause. */
uint64_t tokio_blocked_ns(const json_t *report, const json_t *truth, const char *name,
			  enum tokio_names names, const char *cause);

/** Of what calls took that block (a cause's object in the truth): the time in which they used no CPU. */
uint64_t tokio_off_ns(const json_t *spent);

/**
 * Polls, tasks and their ends are the truth's for each future by its name and place, and there is
 * nothing else. The report lists all tasks.
 */
void assert_tokio_counts(const json_t *report, const json_t *truth, enum tokio_names names);

/** So are the jobs of the blocking pool; a runtime's own loops are none. */
void assert_tokio_jobs(const json_t *report, const json_t *truth, enum tokio_names names);

/** No cause blocked a future for longer than it took. */
void assert_tokio_blocked(const json_t *report, const json_t *truth, enum tokio_names names);

/** Whether of what each future blocked not more than a quarter is missing (hidden, on a busy guest). */
bool tokio_blocked_is_seen(const json_t *report, const json_t *truth, enum tokio_names names);

#endif
