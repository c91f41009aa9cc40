/* SPDX-License-Identifier: MIT */
/*
 * Threads: which are workers, what they did in all, and the sleeps that wait for the end of their
 * poll.
 */
#ifndef POLLSCOPE_CORE_THREAD_H
#define POLLSCOPE_CORE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/awaits.h"
#include "core/event.h"
#include "core/hash.h"
#include "core/model.h"
#include "core/source.h"
#include "core/task.h"
#include "core/timeline.h"

#define THREAD_DEPTH 16 /* nested polls told apart */
#define THREAD_CACHE 256
#define NO_SOURCE UINT32_MAX

/* Sleeps of one cause in one poll. Those of polls that ended inside another keep only their depth.
 */
struct sleeps {
	uint64_t task; /* of the poll that was innermost; 0: it has ended */
	uint32_t source;
	uint32_t depth; /* 0: not ended; else the depth at which it was */
	uint32_t cause, file;
	uint32_t stack; /* of the longest */
	uint64_t out;   /* earliest */
	uint64_t count, total_ns, max_ns;
	/* Weights to be charged once it is known for what; used by unsettled ones. */
	uint64_t weight_count, weight_ns, runqueue_count, runqueue_ns;
};

struct sleep_list {
	struct sleeps *list;
	size_t count, capacity;
};

/* Where it was for the longest, or when it was looked at last; stack MODEL_NO_STACK: in no poll yet. */
struct thread_place {
	uint64_t at, ns;
	uint32_t stack;
};

/*
 * Times when a thread runs no worker, from worker_stop to worker_start, or is parked inside of a poll. They
 * count as parked, but for what lies in a poll: one that hands its worker over in order to block, or drives a
 * runtime of its own. Which it is tells the poll, at its end.
 */
struct absence {
	uint64_t began; /* worker_start, where that is the first that is known of the thread */
	bool away;      /* now */
	bool outside;   /* away, and the poll in which it began has ended */
	uint64_t since; /* if away */
	uint64_t ns;    /* of earlier ones that no poll has told of */
	uint64_t first, until;
};

struct thread {
	uint32_t tid;
	uint16_t process;
	bool announced; /* by EVENT_THREAD: process is known */
	bool worker;
	bool polled; /* its unsettled sleeps are settled */
	bool parked;
	bool parked_inside; /* as far as is known, in a poll */
	bool parks;         /* shows it by probes */
	bool has_totals;
	bool sampled;         /* a poll of its has ended since sampling began */
	bool polls_outermost; /* polled a task, not inside of another, since it was told of a job */
	bool in_job;
	uint16_t job_source;
	uint64_t job;    /* the one it is in */
	uint32_t source; /* of its first worker probe or poll */
	uint32_t name;   /* in names */
	uint32_t
		most_workers; /* that a runtime has which it said it works for; 0: it said nothing */
	uint64_t first_seen;
	uint64_t last_active; /* last probe or poll's end */
	uint64_t park_since, parked_ns;
	struct absence absence;
	struct event_thread_totals totals;
	uint64_t polls, sampled_polls;
	uint64_t sampled_blocked_ns;         /* of outermost polls that were sampled */
	uint64_t poll_blocked_ns;            /* of outermost polls */
	uint64_t self_ns;                    /* on CPU in polls, each charged once */
	uint64_t inner_ns[THREAD_DEPTH];     /* on CPU, of polls ended inside of one that is open */
	struct thread_place waited;          /* for a CPU, in the outermost poll that is open */
	struct thread_place ran;             /* sampled last */
	struct awaited awaited[AWAITS_OPEN]; /* in polls that have not ended */
	unsigned int nawaited;
	struct sleep_list pending;
	struct sleep_list unsettled; /* in a poll that began before the capture, or in none */
	struct timeline timeline;
	struct timeline held; /* of the unsettled */
	UT_hash_handle hh;
};

/* A worker that is complete. */
struct worker_record {
	uint16_t process;
	uint32_t source, name;
	uint64_t start;
	bool parks;
	uint32_t most_workers;
	uint64_t sampled_polls, sampled_blocked_ns;
	struct model_worker worker;
	struct timeline timeline;
};

/* All zero is an empty one. */
struct threads {
	struct thread *by_tid;
	struct thread *cache[THREAD_CACHE];
	struct worker_record *workers;
	size_t nworkers, worker_room;
};

/* Finds, or makes one that is first seen at `time`. NULL without memory. */
struct thread *thread_get(struct correlator *correlator, uint32_t tid, uint64_t time);
struct thread *thread_find(struct threads *threads, uint32_t tid);

/* A probe of `source` was hit on it. */
void thread_active(struct thread *thread, const struct source *source, uint64_t time);

/* EVENT_THREAD, EVENT_THREAD_TOTALS, EVENT_WORKER_*, EVENT_PARK, EVENT_UNPARK. */
int thread_take(struct correlator *correlator, const struct event *event);

/* An outermost poll ended. */
int thread_polled(struct thread *thread, uint64_t start, uint64_t end);

/* The thread is gone at `end`, or the capture ends: keeps what is told of a worker. */
int thread_end(struct correlator *correlator, struct thread *thread, uint64_t end);

/* Ends all of a process, or every one with EVENT_NO_PROCESS. */
int threads_end(struct correlator *correlator, uint16_t process, uint64_t end);

/* Order of struct worker_record. */
int worker_compare(const void *a, const void *b);

void threads_clear(struct threads *threads);

/* Sleeps (sleeps.c). Each returns 0 or -ENOMEM. */

/* Keeps one until its poll is told. */
int sleeps_add(struct correlator *correlator, struct thread *thread, const struct sleeps *sleep);

/* Keeps one of which it is not known whether it was in a poll. */
int sleeps_hold(struct correlator *correlator, struct thread *thread, const struct sleeps *sleep);

/* The thread's first poll is told: decides about those held. */
int sleeps_settle(struct correlator *correlator, struct thread *thread, const struct event *event,
		  struct poll_span *span);

/* Notes where a thread waited for a CPU in a poll, which is not told yet. */
void sleeps_note_wait(struct thread *thread, const struct sleeps *sleep);

/* What blocked a poll longest, and where. CAUSE_NONE: nothing did. */
void sleeps_longest(const struct thread *thread, const struct poll_span *span, uint32_t *cause,
		    uint32_t *stack);

/* Accounts a poll's blocked time by cause, and drops or keeps the sleeps for the polls around it.
 */
int sleeps_charge(struct correlator *correlator, struct thread *thread, unsigned int depth,
		  struct poll_span *span);

#endif
