// SPDX-License-Identifier: MIT
/*
 * Tokio that has USDT probes built in. Three contracts are found in the wild; they share the provider, and
 * most names once these are folded.
 *
 * Tokio's pull request 7717. A task's name and place come in a probe of their own, right behind the one
 * that starts it: both are spawns, the second of a task that is known by then. What starts with kind 0 is
 * block_on's future. A wake is told each time, also of a task that is queued: the core tells redundant ones.
 *
 * tokio-dtrace: a library on Tokio's hooks, where each probe of a task has its place. Threads of the
 * blocking pool run the hooks of workers' start and stop too, which therefore say nothing; those of parking
 * are the workers' own. Whether a task was cancelled is not told.
 *
 * tokio2chrome: a fork of Tokio. Nothing says what a task is. The first scheduling follows the start at
 * once and is told as any other: taken for a spawn, the start would make of it a wake too many. That a
 * thread may block (task_blocking_begin, task_blocking_end) says neither whose doing it is nor whether it
 * does, which is measured anyway.
 */
#include <stdio.h>

#include "attach/usdt_contract.h"
#include "core/event.h"
#include "tokio/code.h"
#include "tokio/image.h"
#include "tokio/timers.h"
#include "tokio/version.h"

#define PROVIDER "tokio"
#define RUNTIME "tokio"

static const struct usdt_probe tokio[] = {
	{"task-start", 4, 4, PROBE_SIGNAL, WIRE_SPAWN, {1, 0, 0, 2}, KIND_NONE},
	{"task-details", 5, 5, PROBE_SIGNAL, WIRE_SPAWN, {1, 3, 4, 2}, KIND_TEXT_ONCE},
	{"task-poll-start", 1, 1, PROBE_POLL_START, WIRE_POLL, {1}, KIND_OF_TASK},
	{"task-poll-end", 1, 1, PROBE_POLL_END, WIRE_POLL, {1}, KIND_NONE},
	{"task-terminate", 2, 2, PROBE_SIGNAL, WIRE_TERMINATE, {1, 2}, KIND_OF_TASK},
	{"waker-wake", 1, 1, PROBE_WAKE, WIRE_WAKE, {1}, KIND_NONE},
	{"waker-clone", 1, 1, PROBE_AWAIT, WIRE_AWAIT, {1}, KIND_NONE},
};

static const struct usdt_probe tokio_dtrace[] = {
	{"task-spawn", 4, 4, PROBE_SIGNAL, WIRE_SPAWN, {1, 2, 3}, KIND_TEXT},
	{"task-poll-start", 4, 4, PROBE_POLL_START, WIRE_POLL, {1, 2, 3}, KIND_TEXT},
	{"task-poll-end", 4, 4, PROBE_POLL_END, WIRE_POLL, {1}, KIND_NONE},
	{"task-terminate", 4, 4, PROBE_SIGNAL, WIRE_TERMINATE, {1}, KIND_NONE},
	{"worker-thread-park", 0, 0, PROBE_SIGNAL, WIRE_PARK, {0}, KIND_NONE},
	{"worker-thread-unpark", 0, 0, PROBE_SIGNAL, WIRE_UNPARK, {0}, KIND_NONE},
};

static const struct usdt_probe tokio2chrome[] = {
	{"task_poll_begin", 1, 1, PROBE_POLL_START, WIRE_POLL, {1}, KIND_NONE},
	{"task_poll_end", 3, 3, PROBE_POLL_END, WIRE_POLL, {1, 2}, KIND_NONE},
	{"task_schedule_start", 1, 1, PROBE_WAKE, WIRE_WAKE, {1}, KIND_NONE},
	{"task_finish", 1, 1, PROBE_SIGNAL, WIRE_TERMINATE, {1}, KIND_NONE},
};

#define CONTRACT(table, text)                                                                      \
	{                                                                                          \
		.runtime = RUNTIME, .provider = PROVIDER, .found = (text), .probes = (table),      \
		.nprobes = sizeof(table) / sizeof((table)[0])                                      \
	}

const struct usdt_contract usdt_tokio =
	CONTRACT(tokio, "USDT probes of Tokio itself (pull request 7717)");
const struct usdt_contract usdt_tokio_dtrace =
	CONTRACT(tokio_dtrace, "USDT probes of tokio-dtrace: a task is called by its place, and "
			       "whether one was cancelled is not told");
const struct usdt_contract usdt_tokio2chrome =
	CONTRACT(tokio2chrome, "USDT probes of tokio2chrome: what tasks are called is not told");

/* Tokio's version, where its source files' names tell it. */
static void version_read(const struct image *image, char *text, size_t size)
{
	struct tokio_version version = version_find(image);

	if (version.major || version.minor || version.patch)
		snprintf(text, size, "%u.%u.%u", version.major, version.minor, version.patch);
}

static int timers_read(const struct elf_file *file, const struct image *image,
		       struct timers *timers)
{
	struct code *code;
	int err = code_new(image, &code);

	if (err)
		return err;
	err = timers_find(file, image, code, timers);
	code_free(code);
	return err;
}

/* What the notes do not tell. A file that is nothing but notes will do. */
static int image_read(const struct elf_file *file, struct probe_plan *plan)
{
	struct image *image;
	int err = 0;

	if (image_new(file, &image))
		return 0;
	version_read(image, plan->version, sizeof(plan->version));
	if (plan->capabilities & EVENT_CAN_AWAIT)
		err = timers_read(file, image, &plan->timers);
	image_free(image);
	return err;
}

static int tokio_usdt_scan(const struct elf_file *file, const char *provider,
			   struct probe_plan *plan)
{
	int err = usdt_contract_scan(file, provider, RUNTIME, plan);

	return !err && plan->npoints ? image_read(file, plan) : err;
}

const struct adapter adapter_tokio_usdt = {.name = RUNTIME, .usdt = true, .scan = tokio_usdt_scan};
