/* SPDX-License-Identifier: MIT */
/* Looking things up in `report --json`. What is not there fails the test. */
#ifndef POLLSCOPE_E2E_REPORT_H
#define POLLSCOPE_E2E_REPORT_H

#include "harness.h"

/** Number @key of an object; it must be one. null counts as 0 where @or_null. */
uint64_t report_number(const json_t *object, const char *key);
uint64_t report_number_or_null(const json_t *object, const char *key);
const char *report_string(const json_t *object, const char *key);

/** The task type called @name; the first of several. */
json_t *report_type(const json_t *report, const char *name);

/** The same; NULL if there is none. */
json_t *report_find_type(const json_t *report, const char *name);

/** Task @id of those that the report lists. */
json_t *report_task(const json_t *report, uint64_t id);

/** The entry of a type's `blocked` with this cause that blocked longest; NULL: none. */
json_t *report_find_cause(const json_t *type, const char *cause);
json_t *report_cause(const json_t *type, const char *cause);

/** The sum of a number over the task types: of tasks, or of block_on's pseudo-tasks. */
uint64_t report_sum(const json_t *report, const char *key);
uint64_t report_sum_block_on(const json_t *report, const char *key);

/** Over the objects of a list. */
uint64_t report_sum_list(const json_t *list, const char *key);

/** And over the workers. */
uint64_t report_sum_workers(const json_t *report, const char *key);

/**
 * Time of polls that the report says it is not sure of: where a switch was not traced by the kernel, or a record
 * was lost.
 */
uint64_t report_uncertain(const json_t *report);

/**
 * The identities of a report, exactly: for each task type, for each task, for a type against its
 * tasks where all are listed, for each worker; and that each percentile is in order.
 */
void assert_identities(const json_t *report);

/** No event was lost. */
void assert_nothing_lost(const json_t *report);

/** |a - b| <= tolerance, with all of them in the failure's message. */
#define assert_near(a, b, tolerance)                                                               \
	assert_near_at((a), (b), (tolerance), #a, #b, __FILE__, __LINE__)
void assert_near_at(uint64_t a, uint64_t b, uint64_t tolerance, const char *a_text,
		    const char *b_text, const char *file, int line);

/** a <= b + tolerance, likewise. */
#define assert_at_most(a, b, tolerance)                                                            \
	assert_at_most_at((a), (b), (tolerance), #a, #b, __FILE__, __LINE__)
void assert_at_most_at(uint64_t a, uint64_t b, uint64_t tolerance, const char *a_text,
		       const char *b_text, const char *file, int line);

#endif
