/* SPDX-License-Identifier: MIT */
/*
 * A task's state: one atomic word of flags and a reference count, after Tokio's task state.
 *
 * A task is idle (no flag), NOTIFIED (in exactly one queue, or about to enter it), RUNNING (on one
 * thread, which may do as it likes with the future), RUNNING and NOTIFIED (woken during its poll,
 * to be queued again by the thread that polls it), or COMPLETE.
 *
 * WAKING closes a window that Tokio leaves open. A thread that wakes a running task must announce
 * the wake (probe, counter) after it has become effective and before the task can be polled again.
 * So it sets NOTIFIED and WAKING together, announces, and clears WAKING. If the poll ends in
 * between, the polling thread leaves queueing the task to the waking thread.
 *
 * References: one for the list of owned tasks until completion, one for being queued or running,
 * one for the join handle, one for each waker.
 */
#ifndef POLLRT_STATE_H
#define POLLRT_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define STATE_RUNNING ((uint64_t)1 << 0)
#define STATE_COMPLETE ((uint64_t)1 << 1)
#define STATE_NOTIFIED ((uint64_t)1 << 2)
#define STATE_CANCELLED ((uint64_t)1 << 3)
#define STATE_JOIN_WAKER ((uint64_t)1 << 4)
#define STATE_WAKING ((uint64_t)1 << 5)
#define STATE_REF ((uint64_t)1 << 6)

struct state {
	_Atomic uint64_t word;
};

enum state_wake {
	STATE_WAKE_REDUNDANT, /**< already queued, notified or complete */
	STATE_WAKE_IDLE,      /**< now notified: announce, then queue it, with a new reference */
	STATE_WAKE_RUNNING,   /**< now notified: announce, then state_wake_done() */
	STATE_WAKE_OWN,       /**< the same, woken by its own poll: announce, nothing more */
};

enum state_idle {
	STATE_IDLE_DONE,      /**< the reference of the run is gone */
	STATE_IDLE_QUEUE,     /**< woken meanwhile: queue it, with that reference */
	STATE_IDLE_CANCELLED, /**< still running: the caller must cancel and complete it */
};

/** A new task: notified, with @refs references. */
static inline void state_init(struct state *state, uint64_t refs)
{
	atomic_init(&state->word, STATE_NOTIFIED | refs * STATE_REF);
}

static inline uint64_t state_load(const struct state *state)
{
	return atomic_load_explicit(&state->word, memory_order_acquire);
}

/** Wakes it; @own: by the thread that polls it. */
enum state_wake state_wake(struct state *state, bool own);

/** Ends STATE_WAKE_RUNNING. True: the poll ended meanwhile; queue it, with a new reference. */
bool state_wake_done(struct state *state);

/** NOTIFIED to RUNNING, by who took it from a queue. Returns the word before. */
uint64_t state_start(struct state *state);

/**
 * Takes a task from a queue to cancel it unpolled: RUNNING, but NOTIFIED too until it is complete,
 * since a wake of a task that waits to be polled has no effect.
 */
void state_cancel(struct state *state);

/** Ends a run that returned pending. */
enum state_idle state_idle(struct state *state);

/** RUNNING to COMPLETE; waits for a waker's announcement under way. Returns the word before. */
uint64_t state_complete(struct state *state);

/** Marks it cancelled. True: it was idle and is notified now, as after STATE_WAKE_IDLE. */
bool state_abort(struct state *state);

/**
 * The same at shutdown, for a task in a queue or not, with a new reference. False if it is running,
 * and then ends as cancelled after its poll, or complete.
 */
bool state_claim(struct state *state);

/** Hands the joiner field to the completing thread, or takes it back. False if already COMPLETE. */
bool state_join_set(struct state *state);
bool state_join_unset(struct state *state);

static inline void state_ref(struct state *state)
{
	atomic_fetch_add_explicit(&state->word, STATE_REF, memory_order_relaxed);
}

/** Drops @n references. True if none is left. */
static inline bool state_unref(struct state *state, uint64_t n)
{
	uint64_t old = atomic_fetch_sub_explicit(&state->word, n * STATE_REF, memory_order_acq_rel);

	return old / STATE_REF == n;
}

#endif
