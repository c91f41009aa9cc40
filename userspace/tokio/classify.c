// SPDX-License-Identifier: MIT
/*
 * Jobs: nobody may schedule one again, so that their scheduler's schedule() is unreachable!(), whose
 * panic names its place: Tokio's runtime/blocking/schedule.rs (before 1.23 blocking/schedule.rs). That is
 * in all builds, as long as paths are not remapped. Where no vtable's schedule() has it, the scheduler's
 * size tells: a task's is one Arc, a job's was empty, and is more now.
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
#include "tokio/vtables.h"

#define BLOCKING_SOURCE "blocking/schedule.rs"
#define PARK_MESSAGE "park missing"
#define TASK_SCHEDULER_SIZE 8

/* schedule() panics at once, or one or two calls away where nothing was inlined. */
#define SCHEDULE_DEPTH 3
#define SCHEDULE_FUNCTIONS 64
/* From a job to where it parks it is 18 calls in a debug build; all that a job calls itself is some
 * hundred functions. */
#define WORKER_DEPTH 40
#define WORKER_FUNCTIONS 2048
#define SEARCH_FUNCTIONS (4 << 20) /* of all jobs: more are in no sound file */

/* Whether there is a core::panic::Location whose file's name ends so: pointer, length, line, column. */
static bool is_location_in(const struct image *image, uint64_t vaddr, const char *file)
{
	uint64_t name, length, wanted = strlen(file);
	const uint8_t *bytes;

	return image_pointer(image, vaddr, &name) &&
	       image_word(image, vaddr + sizeof(name), &length) && length >= wanted &&
	       image_bytes(image, name, &bytes) >= length &&
	       !memcmp(bytes + length - wanted, file, wanted);
}

struct search {
	const struct image *image;
	size_t budget; /* functions that may still be looked at */
};

/* Stops where schedule() is known to be a job's. */
static bool visit_schedule(void *context, const struct code_function *function, unsigned int depth)
{
	const struct search *search = context;

	(void)depth;
	for (size_t i = 0; i < function->nreferences; i++)
		if (is_location_in(search->image, function->references[i], BLOCKING_SOURCE))
			return false;
	return true;
}

/* Stops where the function parks a worker. */
static bool visit_job(void *context, const struct code_function *function, unsigned int depth)
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

int classify(const struct image *image, struct code *code, const struct vtables *vtables,
	     enum vtable_class *class)
{
	struct search search = {image, SEARCH_FUNCTIONS};
	bool any = false;
	int found;

	for (size_t i = 0; i < vtables->n; i++) {
		found = code_walk(code, vtables->list[i].schedule, SCHEDULE_DEPTH,
				  SCHEDULE_FUNCTIONS, visit_schedule, &search);
		if (found < 0)
			return found;
		class[i] = found ? VTABLE_JOB : VTABLE_TASK;
		any |= found;
	}
	for (size_t i = 0; i < vtables->n; i++) {
		const struct vtable *vtable = &vtables->list[i];

		if (!any && vtable->id - vtable->scheduler != TASK_SCHEDULER_SIZE)
			class[i] = VTABLE_JOB;
		if (class[i] != VTABLE_JOB || !search.budget)
			continue;
		found = code_walk(code, vtable->poll, WORKER_DEPTH, WORKER_FUNCTIONS, visit_job,
				  &search);
		if (found < 0)
			return found;
		if (found)
			class[i] = VTABLE_WORKER;
	}
	return 0;
}
