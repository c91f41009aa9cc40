/* SPDX-License-Identifier: MIT */
/*
 * What the calling thread is doing: for which runtime, as which worker, polling which task. A
 * nested block_on pushes a context of its own.
 */
#ifndef POLLRT_CONTEXT_H
#define POLLRT_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "pollrt.h"
#include "probes.h"
#include "sched/task.h"

/** Leaf operations in one poll before a task has to yield, as in Tokio's coop module. */
#define CONTEXT_BUDGET 128u

struct worker;

struct context {
	struct context *outer;
	struct pollrt_runtime *rt;
	struct worker *worker;    /**< run by this thread, or NULL */
	struct pollrt_task *task; /**< being polled, or NULL */
	unsigned int budget;      /**< leaf operations left */
	unsigned int given_up;    /**< timeouts around what is polled that are over */
};

/** The innermost context; NULL outside of any runtime. */
extern _Thread_local struct context *context_top;

static inline void context_enter(struct context *context)
{
	context->outer = context_top;
	context_top = context;
}

static inline void context_leave(struct context *context)
{
	context_top = context->outer;
}

/** @rt, or for NULL the current runtime, if any. */
static inline struct pollrt_runtime *context_runtime(struct pollrt_runtime *rt)
{
	if (rt)
		return rt;
	return context_top ? context_top->rt : NULL;
}

/** The worker of @rt that this thread runs, perhaps in an outer context, or NULL. */
static inline struct worker *context_worker(const struct pollrt_runtime *rt)
{
	for (struct context *context = context_top; context; context = context->outer) {
		if (context->rt == rt && context->worker)
			return context->worker;
	}
	return NULL;
}

/**
 * Makes what waits on this thread's workers alone available to others: the thread is about to
 * block in a nested block_on, perhaps for one of those very tasks.
 */
void context_share_tasks(void);

/** Whether the innermost poll on this thread is of @task. */
static inline bool context_polls(const struct pollrt_task *task)
{
	return context_top && context_top->task == task;
}

/** Whether a leaf may proceed; if not, the task has been woken. */
bool context_budget_left(struct pollrt_cx *cx);

/**
 * A leaf will have its task woken, and returns pending; inline, so that it is on the stack that is taken
 * then. What a timeout drops right after this poll of it, the task does not wait for.
 */
static inline void context_waits(const struct pollrt_cx *cx)
{
	if (!context_top->given_up)
		probe_waker_clone(cx->task->id);
}

/** A leaf made progress. */
static inline void context_budget_spend(void)
{
	context_top->budget--;
}

#endif
