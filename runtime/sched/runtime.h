/* SPDX-License-Identifier: MIT */
/* The runtime object. Tasks and descriptors refer to it, so its memory may outlive its shutdown. */
#ifndef POLLRT_RUNTIME_H
#define POLLRT_RUNTIME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sched/block_on.h"
#include "sched/blocking.h"
#include "sched/context.h"
#include "sched/counters.h"
#include "io/driver.h"
#include "sched/idle.h"
#include "sched/inject.h"
#include "sched/owned.h"
#include "sched/worker.h"

/** How often, in ticks, a worker looks at the injection queue first, and at the driver. */
#define RUNTIME_INJECT_INTERVAL 61u
#define RUNTIME_EVENT_INTERVAL 61u
#define RUNTIME_MAX_WORKERS 1024u
/** References to the runtime that a worker takes, or gives back, at a time. */
#define RUNTIME_REFS 64u

/** Of threads' names; so that with "-w" and the number of any worker they have 15 characters. */
#define RUNTIME_MAX_NAME 9u

struct pollrt_runtime {
	uint64_t id;
	enum pollrt_flavour flavour;
	uint32_t workers_count;
	char name[RUNTIME_MAX_NAME + 1];
	struct worker *workers;
	struct blocking blocking;
	struct turns turns; /**< current_thread: which thread runs the worker */
	_Atomic bool shutdown;
	_Alignas(64) _Atomic uint64_t refs;
	_Alignas(64) struct counters shared; /**< of threads that are no workers */
	_Alignas(64) struct inject inject;
	_Alignas(64) struct idle idle;
	_Alignas(64) struct driver driver;
	_Alignas(64) struct owned owned;
};

static inline void runtime_ref(struct pollrt_runtime *rt)
{
	atomic_fetch_add_explicit(&rt->refs, 1, memory_order_relaxed);
}

void runtime_unref(struct pollrt_runtime *rt);

/** Names the calling thread, one of the runtime's, after its @role: "worker" or "block". */
void runtime_name_thread(const struct pollrt_runtime *rt, const char *role, uint32_t number);

/** A new id of a task, job or block_on future. */
uint64_t runtime_new_task_id(void);

/** The worker of @rt that the innermost context of this thread runs, or NULL. */
static inline struct worker *runtime_worker(const struct pollrt_runtime *rt)
{
	const struct context *context = context_top;

	return context && context->rt == rt ? context->worker : NULL;
}

/** Counts for @rt, on whichever thread. */
static inline void runtime_count(struct pollrt_runtime *rt, enum counter which)
{
	struct worker *worker = runtime_worker(rt);

	if (worker)
		counters_add(&worker->counters, which, 1);
	else
		counters_add_shared(&rt->shared, which, 1);
}

/** A task's reference, from and to the worker's store where there is one: there are many of them. */
static inline void runtime_ref_for_task(struct pollrt_runtime *rt)
{
	struct worker *worker = runtime_worker(rt);

	if (!worker) {
		runtime_ref(rt);
		return;
	}
	if (!worker->refs) {
		atomic_fetch_add_explicit(&rt->refs, RUNTIME_REFS, memory_order_relaxed);
		worker->refs = RUNTIME_REFS;
	}
	worker->refs--;
}

static inline void runtime_unref_for_task(struct pollrt_runtime *rt)
{
	struct worker *worker = runtime_worker(rt);

	if (!worker)
		runtime_unref(rt);
	else if (++worker->refs == 2 * RUNTIME_REFS)
		worker_return_refs(worker, RUNTIME_REFS);
}

#endif
