// SPDX-License-Identifier: MIT
#include "sched/runtime.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/cpus.h"

/* The version as a note (System V gABI, chapter 5): owner "pollrt", type 1. It survives strip. */
asm(".pushsection .note.pollrt, \"a\", @note\n"
    ".balign 4\n"
    ".long 2f - 1f, 4f - 3f, 1\n"
    "1: .asciz \"pollrt\"\n"
    "2: .balign 4\n"
    "3: .asciz \"" POLLRT_VERSION "\"\n"
    "4: .balign 4\n"
    ".popsection\n");

#define DEFAULT_BLOCKING_LIMIT 512u
#define DEFAULT_KEEPALIVE POLLRT_SEC(10)
#define DEFAULT_NAME "pollrt"

#define MAX_BLOCKING_LIMIT 65536u
#define MAX_KEEPALIVE POLLRT_SEC(365 * 86400)

/* Ids that are unique in the process: the one thing that its runtimes share. */
static _Atomic uint64_t last_task_id;
static _Atomic uint64_t last_runtime_id;

uint64_t runtime_new_task_id(void)
{
	return atomic_fetch_add_explicit(&last_task_id, 1, memory_order_relaxed) + 1;
}

void runtime_name_thread(const struct pollrt_runtime *rt, const char *role, uint32_t number)
{
	char name[64];

	/* A thread's name has 15 characters. */
	if (snprintf(name, sizeof(name), "%s-%s-%u", rt->name, role, number) > 15)
		snprintf(name, sizeof(name), "%s-%c%u", rt->name, role[0], number);
	pthread_setname_np(pthread_self(), name);
}

static bool valid(const struct pollrt_config *config)
{
	uint32_t most = config->flavour == POLLRT_CURRENT_THREAD ? 1 : RUNTIME_MAX_WORKERS;
	size_t length = config->thread_name ? strlen(config->thread_name) : 1;

	return config->flavour <= POLLRT_CURRENT_THREAD && config->workers <= most &&
	       config->blocking_limit <= MAX_BLOCKING_LIMIT &&
	       config->blocking_keepalive_ns <= MAX_KEEPALIVE && length &&
	       length <= RUNTIME_MAX_NAME;
}

static uint32_t workers_of(const struct pollrt_config *config)
{
	uint32_t cpus;

	if (config->flavour == POLLRT_CURRENT_THREAD)
		return 1;
	if (config->workers)
		return config->workers;
	cpus = cpus_available();
	return cpus < RUNTIME_MAX_WORKERS ? cpus : RUNTIME_MAX_WORKERS;
}

static void runtime_free(struct pollrt_runtime *rt)
{
	driver_fini(&rt->driver);
	owned_fini(&rt->owned);
	idle_fini(&rt->idle);
	free(rt->workers);
	free(rt);
}

void runtime_unref(struct pollrt_runtime *rt)
{
	if (atomic_fetch_sub_explicit(&rt->refs, 1, memory_order_acq_rel) == 1)
		runtime_free(rt);
}

static int runtime_init(struct pollrt_runtime *rt, const struct pollrt_config *config)
{
	size_t size;
	int err;

	memset(rt, 0, sizeof(*rt));
	rt->id = atomic_fetch_add_explicit(&last_runtime_id, 1, memory_order_relaxed) + 1;
	rt->flavour = config->flavour;
	rt->workers_count = workers_of(config);
	strcpy(rt->name, config->thread_name ? config->thread_name : DEFAULT_NAME);
	atomic_init(&rt->refs, 1);
	turns_init(&rt->turns);
	inject_init(&rt->inject);
	blocking_init(&rt->blocking,
		      config->blocking_limit ? config->blocking_limit : DEFAULT_BLOCKING_LIMIT,
		      config->blocking_keepalive_ns ? config->blocking_keepalive_ns
						    : DEFAULT_KEEPALIVE);
	size = rt->workers_count * sizeof(*rt->workers);
	rt->workers = aligned_alloc(_Alignof(struct worker), size);
	if (!rt->workers)
		return -ENOMEM;
	for (uint32_t i = 0; i < rt->workers_count; i++)
		worker_init(&rt->workers[i], rt, i);
	err = idle_init(&rt->idle, rt->workers_count);
	if (err)
		goto free_workers;
	err = owned_init(&rt->owned, rt->workers_count);
	if (err)
		goto fini_idle;
	err = driver_init(&rt->driver);
	if (err)
		goto fini_owned;
	return 0;

fini_owned:
	owned_fini(&rt->owned);
fini_idle:
	idle_fini(&rt->idle);
free_workers:
	free(rt->workers);
	return err;
}

int pollrt_runtime_create(struct pollrt_runtime **result, const struct pollrt_config *config)
{
	static const struct pollrt_config defaults;
	struct pollrt_runtime *rt;
	int err;

	if (!config)
		config = &defaults;
	if (!valid(config))
		return -EINVAL;
	rt = aligned_alloc(_Alignof(struct pollrt_runtime), sizeof(*rt));
	if (!rt)
		return -ENOMEM;
	err = runtime_init(rt, config);
	if (err)
		goto free_rt;
	if (rt->flavour == POLLRT_MULTI_THREAD) {
		err = handover_start(rt);
		if (err) {
			pollrt_runtime_destroy(rt);
			return err;
		}
	}
	*result = rt;
	return 0;

free_rt:
	free(rt);
	return err;
}

void pollrt_runtime_shutdown(struct pollrt_runtime *rt)
{
	if (atomic_load_explicit(&rt->shutdown, memory_order_acquire))
		return;
	atomic_store_explicit(&rt->shutdown, true, memory_order_release);
	for (uint32_t i = 0; i < rt->workers_count; i++)
		parker_unpark(&rt->workers[i].parker, &rt->driver);
	handover_stop(rt);
	owned_close(&rt->owned);
	inject_close(&rt->inject);
	for (uint32_t i = 0; i < rt->workers_count; i++)
		worker_drain(&rt->workers[i]);
	blocking_close(&rt->blocking);
	driver_close(&rt->driver);
}

void pollrt_runtime_destroy(struct pollrt_runtime *rt)
{
	if (!rt)
		return;
	pollrt_runtime_shutdown(rt);
	runtime_unref(rt);
}

uint64_t pollrt_runtime_id(const struct pollrt_runtime *rt)
{
	return rt->id;
}

unsigned int pollrt_runtime_workers(const struct pollrt_runtime *rt)
{
	return rt->workers_count;
}
