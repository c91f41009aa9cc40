// SPDX-License-Identifier: MIT
/*
 * Sleeps between their end and their poll's.
 *
 * A sleep is told before the poll that it lies in, with the task of the innermost poll; how deep
 * that is, and which polls are around it, shows only as those end, innermost first. A poll holds
 * the sleeps that began after it did. Of one innermost task they can be added up at once, as a task
 * is never polled inside of itself; of polls that ended at one depth too, as long as none around
 * them has ended.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/state.h"

#define MAX_PENDING 1024  /* before sleeps of one cause are brought together */
#define MAX_UNSETTLED 256 /* distinct ones; further ones are not kept */
#define NEAR 8            /* how far back one of the same cause is looked for at once */

static int append(struct sleep_list *sleeps, const struct sleeps *sleep)
{
	struct sleeps *list;

	list = array_grow(sleeps->list, sleeps->count, &sleeps->capacity, sizeof(*list));
	if (!list)
		return -ENOMEM;
	sleeps->list = list;
	list[sleeps->count++] = *sleep;
	return 0;
}

static void merge(struct sleeps *into, const struct sleeps *from)
{
	into->out = min_u64(into->out, from->out);
	if (from->max_ns > into->max_ns) {
		into->max_ns = from->max_ns;
		into->stack = from->stack;
	}
	into->count += from->count;
	into->total_ns += from->total_ns;
	into->weight_count += from->weight_count;
	into->weight_ns += from->weight_ns;
	into->runqueue_count += from->runqueue_count;
	into->runqueue_ns += from->runqueue_ns;
}

static int compare(const void *a, const void *b)
{
	const struct sleeps *x = a, *y = b;

#define ORDER(field)                                                                               \
	do {                                                                                       \
		if (x->field != y->field)                                                          \
			return x->field < y->field ? -1 : 1;                                       \
	} while (0)
	ORDER(depth);
	ORDER(source);
	ORDER(task);
	ORDER(cause);
	ORDER(file);
#undef ORDER
	return 0;
}

static void compact(struct sleep_list *sleeps)
{
	size_t kept = 0;

	qsort(sleeps->list, sleeps->count, sizeof(*sleeps->list), compare);
	for (size_t i = 0; i < sleeps->count; i++) {
		if (kept && !compare(&sleeps->list[kept - 1], &sleeps->list[i]))
			merge(&sleeps->list[kept - 1], &sleeps->list[i]);
		else
			sleeps->list[kept++] = sleeps->list[i];
	}
	sleeps->count = kept;
}

/* Keeps a thread's list short, whatever a long poll sleeps on. */
static void make_room(struct correlator *c, struct sleep_list *sleeps)
{
	if (sleeps->count < MAX_PENDING)
		return;
	compact(sleeps);
	if (sleeps->count < MAX_PENDING / 2)
		return;
	for (size_t i = 0; i < sleeps->count; i++) {
		if (sleeps->list[i].file != FILE_NONE)
			sleeps->list[i].file = FILE_OTHERS;
	}
	compact(sleeps);
	if (sleeps->count < MAX_PENDING / 2)
		return;
	/* Of hundreds of tasks that are never told to have been polled */
	for (size_t i = 0; i < sleeps->count; i++)
		c->capture.uncertain_ns += sleeps->list[i].total_ns;
	sleeps->count = 0;
}

int sleeps_add(struct correlator *c, struct thread *thread, const struct sleeps *sleep)
{
	struct sleep_list *pending = &thread->pending;
	size_t first = pending->count > NEAR ? pending->count - NEAR : 0;

	for (size_t i = pending->count; i > first; i--) {
		if (!compare(&pending->list[i - 1], sleep)) {
			merge(&pending->list[i - 1], sleep);
			return 0;
		}
	}
	make_room(c, pending);
	return append(pending, sleep);
}

int sleeps_hold(struct correlator *c, struct thread *thread, const struct sleeps *sleep)
{
	struct sleep_list *unsettled = &thread->unsettled;

	if (thread->polled)
		return 0;
	for (size_t i = 0; i < unsettled->count; i++) {
		struct sleeps *held = &unsettled->list[i];

		if (held->cause == sleep->cause && held->file == sleep->file &&
		    held->stack == sleep->stack) {
			merge(held, sleep);
			return 0;
		}
	}
	if (unsettled->count >= MAX_UNSETTLED) {
		c->capture.uncertain_ns += sleep->total_ns + sleep->runqueue_ns;
		return 0;
	}
	return append(unsettled, sleep);
}

void sleeps_note_wait(struct thread *thread, const struct sleeps *sleep)
{
	if (sleep->runqueue_ns > thread->waited.ns)
		thread->waited =
			(struct thread_place){sleep->out, sleep->runqueue_ns, sleep->stack};
}

static int settle(struct correlator *c, struct thread *thread, struct sleeps *sleep,
		  const struct poll_span *span)
{
	int err = 0;

	sleep->task = span->task->id;
	sleep->source = span->task->source->number;
	sleeps_note_wait(thread, sleep);
	if (sleep->weight_count)
		err = correlator_weigh(c, MODEL_WEIGHT_BLOCKED, span->kind, sleep->task,
				       thread->tid, sleep->stack, sleep->cause, sleep->weight_count,
				       sleep->weight_ns);
	if (!err && sleep->runqueue_count)
		err = correlator_weigh(c, MODEL_WEIGHT_RUNQUEUE, span->kind, sleep->task,
				       thread->tid, sleep->stack, 0, sleep->runqueue_count,
				       sleep->runqueue_ns);
	if (!err && sleep->cause != CAUSE_NONE)
		err = sleeps_add(c, thread, sleep);
	return err;
}

int sleeps_settle(struct correlator *c, struct thread *thread, const struct event *event,
		  struct poll_span *span)
{
	struct sleep_list *unsettled = &thread->unsettled;
	int err = 0;

	if (thread->polled)
		return 0;
	thread->polled = true;
	if (event->flags & EVENT_CLIPPED) {
		for (size_t i = 0; i < unsettled->count && !err; i++)
			err = settle(c, thread, &unsettled->list[i], span);
		timeline_merge(&thread->timeline, &thread->held);
	}
	timeline_clear(&thread->held);
	free(unsettled->list);
	*unsettled = (struct sleep_list){0};
	return err;
}

/* Sum of a cause in the poll, over all its files; 0 if an entry before `first` has told it. */
static uint64_t cause_total(const struct sleep_list *sleeps, size_t first, uint64_t start,
			    const struct sleeps **longest)
{
	uint64_t total = 0;

	*longest = &sleeps->list[first];
	for (size_t i = 0; i < sleeps->count; i++) {
		const struct sleeps *sleep = &sleeps->list[i];

		if (sleep->out < start || sleep->cause != sleeps->list[first].cause)
			continue;
		if (i < first)
			return 0;
		total += sleep->total_ns;
		if (sleep->max_ns > (*longest)->max_ns)
			*longest = sleep;
	}
	return total;
}

void sleeps_longest(const struct thread *thread, const struct poll_span *span, uint32_t *cause,
		    uint32_t *stack)
{
	const struct sleep_list *sleeps = &thread->pending;
	uint64_t known = 0, most = 0;

	*cause = CAUSE_NONE;
	*stack = MODEL_NO_STACK;
	for (size_t i = 0; i < sleeps->count; i++) {
		const struct sleeps *longest;
		uint64_t total;

		if (sleeps->list[i].out < span->start)
			continue;
		total = cause_total(sleeps, i, span->start, &longest);
		known += total;
		if (total <= most)
			continue;
		most = total;
		*cause = longest->cause;
		*stack = longest->stack;
	}
	if (span->blocked_ns > known && span->blocked_ns - known > most) {
		*cause = CAUSE_UNKNOWN;
		*stack = MODEL_NO_STACK;
	}
	if (!span->blocked_ns) {
		*cause = CAUSE_NONE;
		*stack = MODEL_NO_STACK;
	}
}

int sleeps_charge(struct correlator *c, struct thread *thread, unsigned int depth,
		  struct poll_span *span)
{
	struct sleep_list *pending = &thread->pending;
	const struct kind_cause_key unknown = {CAUSE_UNKNOWN, FILE_NONE, span->sampled};
	uint64_t left = span->blocked_ns;
	int err = 0;

	for (size_t i = 0; i < pending->count && !err; i++) {
		struct sleeps *sleep = &pending->list[i];
		struct kind_cause_key key = {sleep->cause, sleep->file, span->sampled};
		uint64_t part;

		if (sleep->out < span->start) {
			/* In the polls around it; if there are none, its own was lost. */
			if (!depth)
				c->capture.uncertain_ns += sleep->total_ns;
			continue;
		}
		part = min_u64(sleep->total_ns, left);
		left -= part;
		c->capture.uncertain_ns += sleep->total_ns - part;
		err = kind_add_cause(span->kind, key, sleep->count, part,
				     min_u64(sleep->max_ns, part));
		sleep->task = 0;
		sleep->source = NO_SOURCE;
		sleep->depth = depth;
	}
	if (!depth)
		pending->count = 0;
	if (left && !err) {
		c->capture.uncertain_ns += left;
		err = kind_add_cause(span->kind, unknown, 1, left, left);
	}
	return err;
}
