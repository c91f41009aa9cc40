/* SPDX-License-Identifier: MIT */
/* A task: a future with its state word, in one allocation. Also jobs and block_on futures. */
#ifndef POLLRT_TASK_H
#define POLLRT_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pollrt.h"
#include "sched/state.h"

struct context;

enum task_type {
	TASK_SPAWNED,
	TASK_BLOCK_ON, /**< a future that a thread drives itself; never in a queue */
	TASK_JOB,      /**< for the blocking pool; never woken */
};

struct pollrt_task {
	struct state state;
	uint64_t id;
	const struct pollrt_kind *kind;
	struct pollrt_runtime *rt; /**< with a reference */
	struct pollrt_task *next;  /**< in the injection queue, or in that of the blocking pool */
	LIST_ENTRY(pollrt_task) owned;
	struct pollrt_scope scope;
	union {
		pollrt_poll_fn poll;
		pollrt_job_fn job;
	};
	pollrt_drop_fn drop;
	struct join_member *member; /**< of the join set that it was spawned into, or NULL */
	/** With a reference. The handle's if STATE_JOIN_WAKER is unset, else the ending thread's.
	 */
	struct pollrt_task *joiner;
	uint8_t type;   /**< enum task_type */
	bool cancelled; /**< how it ended; written before COMPLETE */
	_Alignas(max_align_t) unsigned char future[];
};

/** A notified task with @refs references and room for @size bytes of state. NULL without memory. */
struct pollrt_task *task_new(struct pollrt_runtime *rt, enum task_type type,
			     const struct pollrt_kind *kind, size_t size, uint64_t refs);

/** Polls a task that was taken from a queue, on @context's worker. */
void task_run(struct context *context, struct pollrt_task *task);

/** Polls a TASK_BLOCK_ON's future at @state. If it is pending, @idle is what state_idle() said. */
enum pollrt_poll task_poll_block_on(struct context *context, struct pollrt_task *task, void *state,
				    enum state_idle *idle);

/** Ends a running task: drops the future, tells the joiner. Drops the run's reference. */
void task_end(struct pollrt_task *task, bool cancelled);

/** Cancels a task that is nowhere polled, at shutdown. */
void task_shutdown(struct pollrt_task *task);

/** Wakes it if that has an effect. The caller has a reference, and keeps it. */
void task_wake(struct pollrt_task *task);

/** Puts a notified task where it will be polled. Takes a reference. */
void task_schedule(struct pollrt_task *task);

/** Frees the task's memory; for task_unref(). */
void task_free(struct pollrt_task *task);

static inline void task_ref(struct pollrt_task *task)
{
	state_ref(&task->state);
}

static inline void task_unref_n(struct pollrt_task *task, uint64_t n)
{
	if (state_unref(&task->state, n))
		task_free(task);
}

static inline void task_unref(struct pollrt_task *task)
{
	task_unref_n(task, 1);
}

#endif
