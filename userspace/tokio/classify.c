// SPDX-License-Identifier: MIT
/*
 * Jobs: nobody may schedule one again, so that their scheduler's schedule() is unreachable!(),
 * whose panic names its place: Tokio's runtime/blocking/schedule.rs (before 1.23
 * blocking/schedule.rs). That is in all builds, as long as paths are not remapped. Where no
 * vtable's schedule() has it, the scheduler's size tells: a task's is one Arc, a job's was empty,
 * and is more now. Vtables without schedule(): a job's poll panics if it is polled again, in
 * runtime/blocking/task.rs (before 1.23 blocking/task.rs).
 *
 * Worker loops: only those take the worker's driver to park, and panic if it is not there.
 */
#include "tokio/classify.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tokio/code.h"
#include "tokio/image.h"
#include "tokio/location.h"
#include "tokio/vtables.h"

#define SCHEDULE_SOURCE "blocking/schedule.rs"
#define JOB_SOURCE "blocking/task.rs"
#define PARK_MESSAGE "park missing"
#define TASK_SCHEDULER_SIZE 8

/* schedule() panics at once, or one or two calls away where nothing was inlined. */
#define SCHEDULE_DEPTH 3
#define SCHEDULE_FUNCTIONS 64
/* From a job to where it parks it is 18 calls in a debug build; all that a job calls itself is some
 * hundred functions. */
#define JOB_DEPTH 40
#define JOB_FUNCTIONS 2048
#define SEARCH_FUNCTIONS (4 << 20) /* of all jobs: more are in no sound file */

struct search {
	const struct image *image;
	size_t budget; /* functions that may still be looked at */
};

static bool ends_with(const struct location *location, const char *end)
{
	size_t length = strlen(end);

	return location->file_length >= length &&
	       !memcmp(location->file + location->file_length - length, end, length);
}

/* Stops where the code is known to be a job's. */
static bool visit_blocking(void *context, const struct code_function *function, unsigned int depth)
{
	struct search *search = context;
	struct location location;

	(void)depth;
	if (search->budget)
		search->budget--;
	for (size_t i = 0; i < function->nreferences; i++)
		if (location_read(search->image, function->references[i], &location) &&
		    (ends_with(&location, SCHEDULE_SOURCE) || ends_with(&location, JOB_SOURCE)))
			return false;
	return true;
}

/* Stops where the function parks a worker. */
static bool visit_park(void *context, const struct code_function *function, unsigned int depth)
{
	struct search *search = context;
	const uint8_t *bytes;

	(void)depth;
	if (search->budget)
		search->budget--;
	for (size_t i = 0; i < function->nreferences; i++)
		if (image_bytes(search->image, function->references[i], &bytes) >=
			    strlen(PARK_MESSAGE) &&
		    !memcmp(bytes, PARK_MESSAGE, strlen(PARK_MESSAGE)))
			return false;
	return true;
}

/* 1: a job's, by its code; 0; -ENOMEM. */
static int is_job(struct search *search, struct code *code, const struct vtable *vtable)
{
	if (!search->budget)
		return 0;
	if (vtable->schedule)
		return code_walk(code, vtable->schedule, SCHEDULE_DEPTH, SCHEDULE_FUNCTIONS,
				 visit_blocking, search);
	return code_walk(code, vtable->poll, JOB_DEPTH, JOB_FUNCTIONS, visit_blocking, search);
}

/* 1: a job that is a worker's loop; 0; -ENOMEM. */
static int is_worker(struct search *search, struct code *code, const struct vtable *vtable)
{
	if (!search->budget)
		return 0;
	return code_walk_taken(code, vtable->poll, JOB_DEPTH, JOB_FUNCTIONS, visit_park, search);
}

int classify(const struct image *image, struct code *code, const struct vtables *vtables,
	     enum vtable_class *class)
{
	struct search search = {.image = image, .budget = SEARCH_FUNCTIONS};
	bool any = false;
	int found;

	for (size_t i = 0; i < vtables->n; i++) {
		found = is_job(&search, code, &vtables->list[i]);
		if (found < 0)
			return found;
		class[i] = found ? VTABLE_JOB : VTABLE_TASK;
		any |= found;
	}
	for (size_t i = 0; i < vtables->n; i++) {
		const struct vtable *vtable = &vtables->list[i];

		if (!any && vtable->schedule &&
		    vtable->id - vtable->scheduler != TASK_SCHEDULER_SIZE)
			class[i] = VTABLE_JOB;
		if (class[i] != VTABLE_JOB)
			continue;
		found = is_worker(&search, code, vtable);
		if (found < 0)
			return found;
		if (found)
			class[i] = VTABLE_WORKER;
	}
	return 0;
}
