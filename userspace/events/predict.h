/* SPDX-License-Identifier: MIT */
/*
 * What the events so far make likely. Writer and reader of a chunk keep the same state and update
 * it alike after each event, so that what was predicted costs almost nothing. Everything here is
 * part of the format: a change of it makes a new major version.
 *
 * The idea is a runtime's run queue: tasks are mostly polled on the thread that woke them, in the
 * order in which they were woken, or the last one first. A wake inside of a poll tells which task
 * its thread polls, long before the poll itself is reported; which task it wakes is mostly the one
 * that this task woke before.
 *
 * Tasks and kinds are known by their index in the chunk's dictionaries, where index 0 is the value
 * 0.
 */
#ifndef POLLSCOPE_EVENTS_PREDICT_H
#define POLLSCOPE_EVENTS_PREDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/event.h"
#include "events/schema.h"

#define PREDICT_THREADS 256 /* threads with the same index modulo this share their state */
#define PREDICT_STACKS 256  /* and stacks */
#define PREDICT_QUEUE 256   /* tasks woken and not yet polled that are remembered of a thread */

struct predict_thread {
	uint64_t boundary;          /* time of its last event between polls */
	uint32_t current;           /* task it is known to poll; 0: not known */
	uint32_t woken;             /* task that it woke last outside of polls */
	uint32_t head, tail;        /* of its queue, modulo PREDICT_QUEUE */
	uint64_t depth;             /* last FIELD_DEPTH */
	uint64_t worker;            /* last FIELD_WORKER */
	uint64_t blocked, runqueue; /* of off-CPU events since its last poll that was not nested */
};

struct predict_task {
	uint32_t kind;    /* 1 + index; 0: not seen */
	uint32_t partner; /* task that it woke last */
	uint32_t next;    /* task that was woken after it, outside of polls */
	uint32_t place;   /* 1 + where it is in a queue; 0: not woken, or seen polling since */
};

struct predict {
	uint64_t time;                 /* of the last event */
	uint32_t kind;                 /* of the last kind field */
	uint32_t current, task;        /* of this event: FIELD_CURRENT, FIELD_TASK */
	struct predict_thread *thread; /* of this event */
	uint64_t *like;                /* fields of the last event like this one */
	uint64_t last[EVENT_TYPES][SCHEMA_MAX_FIELDS];
	uint64_t with_stack[PREDICT_STACKS][SCHEMA_MAX_FIELDS];
	uint32_t greatest; /* index of a task so far */
	struct predict_thread threads[PREDICT_THREADS];
	/* What a reset leaves as it is: */
	struct predict_task *tasks; /* by index; owned by the user, who keeps room for all */
	uint32_t queues[PREDICT_THREADS][PREDICT_QUEUE];
};

static inline void predict_reset(struct predict *predict)
{
	memset(predict, 0, offsetof(struct predict, tasks));
}

/* An event begins: its type, at `time`, on the thread of this index. */
static inline void predict_begin(struct predict *predict, uint8_t type, uint64_t time,
				 uint32_t thread)
{
	predict->like = predict->last[type];
	predict->time = time;
	predict->thread = &predict->threads[thread % PREDICT_THREADS];
	predict->current = 0;
	predict->task = 0;
}

/* A place in the thread's queue. */
static inline uint32_t *predict_queued(struct predict *predict, uint32_t place)
{
	return &predict->queues[predict->thread - predict->threads][place % PREDICT_QUEUE];
}

/* The task that the thread polls: the one known, else the one woken first. */
static inline uint32_t predict_oldest(struct predict *predict)
{
	struct predict_thread *thread = predict->thread;

	if (thread->current)
		return thread->current;
	for (; thread->head != thread->tail; thread->head++) {
		uint32_t task = *predict_queued(predict, thread->head);

		if (predict->tasks[task].place == thread->head + 1)
			return task;
	}
	return 0;
}

/* ... or else the one woken last. */
static inline uint32_t predict_newest(struct predict *predict)
{
	struct predict_thread *thread = predict->thread;

	for (; thread->head != thread->tail; thread->tail--) {
		uint32_t task = *predict_queued(predict, thread->tail - 1);

		if (predict->tasks[task].place == thread->tail)
			return task;
	}
	return 0;
}

/* The thread's current task is known now. */
static inline void predict_current(struct predict *predict, uint32_t task)
{
	predict->current = task;
	if (task > predict->greatest)
		predict->greatest = task;
	if (task && task != predict->thread->current) {
		predict->thread->current = task;
		predict->tasks[task].place = 0;
	}
}

/* Where the successor of what was woken before is kept. */
static inline uint32_t *predict_wake_slot(struct predict *predict)
{
	if (predict->current)
		return &predict->tasks[predict->current].partner;
	return &predict->tasks[predict->thread->woken].next;
}

static inline uint32_t predict_task(struct predict *predict, uint8_t type)
{
	if (type == EVENT_WAKE)
		return *predict_wake_slot(predict);
	/* One spawned is new. */
	return type == EVENT_SPAWN ? predict->greatest + 1 : 0;
}

static inline void predict_task_seen(struct predict *predict, uint32_t task)
{
	predict->task = task;
	if (task > predict->greatest)
		predict->greatest = task;
}

static inline void predict_queue(struct predict *predict, uint32_t task)
{
	struct predict_thread *thread = predict->thread;

	if (thread->tail - thread->head == PREDICT_QUEUE)
		thread->head++;
	*predict_queued(predict, thread->tail++) = task;
	predict->tasks[task].place = thread->tail;
}

static inline uint32_t predict_kind(const struct predict *predict)
{
	uint32_t kind = predict->tasks[predict->task ? predict->task : predict->current].kind;

	return kind ? kind - 1 : predict->kind;
}

static inline void predict_kind_seen(struct predict *predict, uint32_t kind)
{
	predict->tasks[predict->task ? predict->task : predict->current].kind = kind + 1;
	predict->kind = kind;
}

/* The index of the event's stack is known. */
static inline void predict_stack_seen(struct predict *predict, uint32_t stack)
{
	predict->like = predict->with_stack[stack % PREDICT_STACKS];
}

/* An event is complete. */
static inline void predict_end(struct predict *predict, const struct event *event)
{
	struct predict_thread *thread = predict->thread;

	switch (event->type) {
	case EVENT_WAKE:
		*predict_wake_slot(predict) = predict->task;
		if (!predict->current) {
			thread->woken = predict->task;
			thread->boundary = event->time;
		}
		predict_queue(predict, predict->task);
		break;
	case EVENT_SPAWN:
		predict_queue(predict, predict->task);
		break;
	case EVENT_POLL:
		/* One that completed has a terminate event to come. */
		if (!(event->flags & EVENT_READY))
			thread->current = 0;
		thread->boundary = event->time;
		if (!event->poll.depth)
			thread->blocked = thread->runqueue = 0;
		break;
	case EVENT_OFFCPU:
		thread->blocked += event->offcpu.wake - event->offcpu.out;
		thread->runqueue += event->time - event->offcpu.wake;
		break;
	case EVENT_TERMINATE:
		thread->current = 0;
		break;
	case EVENT_PARK:
	case EVENT_UNPARK:
		thread->current = 0;
		thread->boundary = event->time;
		break;
	default:
		break;
	}
}

#endif
