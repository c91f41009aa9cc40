/* SPDX-License-Identifier: MIT */
/*
 * The USDT probes of provider `pollrt`, each declared once. An argument is always a register or a
 * constant, and a probe is one nop when nobody traces: no semaphores. Times are not passed; the
 * tracer stamps.
 *
 * A task id is a u64 that is unique in the process; the id and kind of a block_on future and of a
 * blocking job come from the same space; channels have one of their own. A kind is the address of a
 * struct pollrt_kind.
 */
#ifndef POLLRT_PROBES_H
#define POLLRT_PROBES_H

#include <stdint.h>

#define STAP_SDT_ARG_CONSTRAINT nr
#include <sys/sdt.h>

struct pollrt_kind;

/** A task is about to be queued for the first time. @parent: the spawning task, or 0. */
static inline void probe_task_spawn(uint64_t task, const struct pollrt_kind *kind, uint64_t parent)
{
	STAP_PROBE3(pollrt, task_spawn, task, kind, parent);
}

/** An effective wake, idle to queued or polling to notified, on the waking thread. */
static inline void probe_task_wake(uint64_t task)
{
	STAP_PROBE1(pollrt, task_wake, task);
}

/** The future is about to be polled on this thread. Depths: tasks in the queues behind it. */
static inline void probe_task_poll_start(uint64_t task, const struct pollrt_kind *kind,
					 uint32_t local_depth, uint32_t injection_depth)
{
	STAP_PROBE4(pollrt, task_poll_start, task, kind, local_depth, injection_depth);
}

/** It was polled. @ready: 1 if the future is done. */
static inline void probe_task_poll_end(uint64_t task, uint8_t ready)
{
	STAP_PROBE2(pollrt, task_poll_end, task, ready);
}

/**
 * A leaf future of the task being polled will have it woken: it took a waker, or has one that it
 * took before. Where that poll returns pending, it is where the task waits.
 */
static inline void probe_waker_clone(uint64_t task)
{
	STAP_PROBE1(pollrt, waker_clone, task);
}

/** Cancellation is asked for. */
static inline void probe_task_abort(uint64_t task)
{
	STAP_PROBE1(pollrt, task_abort, task);
}

/** The task will never be polled again. @reason: 0 completed, 1 cancelled. */
static inline void probe_task_terminate(uint64_t task, uint8_t reason)
{
	STAP_PROBE2(pollrt, task_terminate, task, reason);
}

/**
 * This thread enters, or leaves, the loop of worker @index of @count. It may leave it inside of a
 * poll, in order to block, and then enters it again if no other thread has meanwhile.
 */
static inline void probe_worker_start(uint32_t index, uint64_t runtime, uint32_t count)
{
	STAP_PROBE3(pollrt, worker_start, index, runtime, count);
}

static inline void probe_worker_stop(uint32_t index, uint64_t runtime, uint32_t count)
{
	STAP_PROBE3(pollrt, worker_stop, index, runtime, count);
}

/** The worker goes to sleep for want of work, or is back from it. */
static inline void probe_worker_park(uint32_t index, uint64_t runtime, uint32_t count)
{
	STAP_PROBE3(pollrt, worker_park, index, runtime, count);
}

static inline void probe_worker_unpark(uint32_t index, uint64_t runtime, uint32_t count)
{
	STAP_PROBE3(pollrt, worker_unpark, index, runtime, count);
}

/** A job is handed to the blocking pool. @depth: jobs that wait, this one included. */
static inline void probe_blocking_queue(uint64_t job, const struct pollrt_kind *kind,
					uint32_t depth, uint32_t threads, uint32_t limit)
{
	STAP_PROBE5(pollrt, blocking_queue, job, kind, depth, threads, limit);
}

/** Around running it. */
static inline void probe_blocking_start(uint64_t job, const struct pollrt_kind *kind)
{
	STAP_PROBE2(pollrt, blocking_start, job, kind);
}

static inline void probe_blocking_end(uint64_t job, const struct pollrt_kind *kind)
{
	STAP_PROBE2(pollrt, blocking_end, job, kind);
}

/** Around blocking this thread on a future. */
static inline void probe_block_on_enter(uint64_t id, const struct pollrt_kind *kind)
{
	STAP_PROBE2(pollrt, block_on_enter, id, kind);
}

static inline void probe_block_on_exit(uint64_t id, const struct pollrt_kind *kind)
{
	STAP_PROBE2(pollrt, block_on_exit, id, kind);
}

/** An item went in, or out. @depth: items in the queue then. @capacity: 0 if it is unbounded. */
static inline void probe_channel_send(uint64_t channel, uint32_t depth, uint32_t capacity)
{
	STAP_PROBE3(pollrt, channel_send, channel, depth, capacity);
}

static inline void probe_channel_recv(uint64_t channel, uint32_t depth, uint32_t capacity)
{
	STAP_PROBE3(pollrt, channel_recv, channel, depth, capacity);
}

#endif
