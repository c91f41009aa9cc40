// SPDX-License-Identifier: MIT
#include "core/lookahead.h"

#include "core/state.h"

#define LINE 64

bool lookahead_wants(const struct event *event)
{
	switch (event->type) {
	case EVENT_POLL:
	case EVENT_SPAWN:
	case EVENT_WAKE:
	case EVENT_TERMINATE:
		return true;
	default:
		return false;
	}
}

static uint64_t task_of(const struct event *event)
{
	switch (event->type) {
	case EVENT_POLL:
		return event->poll.task;
	case EVENT_SPAWN:
		return event->spawn.task;
	case EVENT_WAKE:
		return event->wake.task;
	default:
		return event->terminate.task;
	}
}

static void fetch(const void *memory, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += LINE)
		__builtin_prefetch((const char *)memory + at, 1);
}

static const struct event *ahead(const struct lookahead *lookahead, unsigned int pushed_before)
{
	if (pushed_before >= lookahead->count)
		return NULL;
	return &lookahead->events[(lookahead->first + lookahead->count - 1 - pushed_before) %
				  LOOKAHEAD_EVENTS];
}

static void fetch_task(const struct correlator *c, const struct event *event)
{
	const struct source *source = c->sources[event->source];

	if (!source)
		return;
	fetch(id_table_find(&source->tasks, task_of(event)), sizeof(struct task));
	if (event->type == EVENT_WAKE && event->wake.waker_task)
		fetch(id_table_find(&source->tasks, event->wake.waker_task), LINE);
}

static void fetch_slots(const struct correlator *c, const struct event *event)
{
	const struct source *source = c->sources[event->source];

	if (!source)
		return;
	id_table_prefetch(&source->tasks, task_of(event));
	if (event->type == EVENT_WAKE && event->wake.waker_task)
		id_table_prefetch(&source->tasks, event->wake.waker_task);
}

/* The kind of the task that a poll is of, if it is known. `wait`: how long it will have been
 * queued. */
static const struct kind *polled_kind(const struct correlator *c, const struct event *event,
				      uint64_t *wait)
{
	const struct source *source = c->sources[event->source];
	const struct task *task;

	if (!source || event->type != EVENT_POLL)
		return NULL;
	task = id_table_find(&source->tasks, event->poll.task);
	if (!task)
		return NULL;
	*wait = event->poll.start - c->origin - task->first_wake;
	return task->kind;
}

static void fetch_kind(const struct correlator *c, const struct event *event)
{
	uint64_t wait;
	const struct kind *kind = polled_kind(c, event, &wait);

	if (!kind)
		return;
	fetch(kind, KIND_HOT_BYTES);
	histogram_prefetch(&kind->poll, event->time - event->poll.start);
	histogram_prefetch(&kind->wait, wait);
}

static void fetch_counters(const struct correlator *c, const struct event *event)
{
	uint64_t wait;
	const struct kind *kind = polled_kind(c, event, &wait);

	if (!kind)
		return;
	histogram_prefetch_counter(&kind->poll, event->time - event->poll.start);
	histogram_prefetch_counter(&kind->wait, wait);
	for (unsigned int i = 0; i < KIND_WAITS; i++)
		__builtin_prefetch(kind->waits[i].weight, 1);
}

void lookahead_push(struct correlator *c, const struct event *pushed)
{
	static void (*const steps[])(const struct correlator *, const struct event *) = {
		fetch_slots,
		fetch_task,
		fetch_kind,
		fetch_counters,
	};
	struct lookahead *lookahead = &c->lookahead;

	lookahead->events[(lookahead->first + lookahead->count++) % LOOKAHEAD_EVENTS] = *pushed;
	for (unsigned int i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		const struct event *event = ahead(lookahead, i * LOOKAHEAD_STAGE);

		if (event)
			steps[i](c, event);
	}
}

const struct event *lookahead_pop(struct lookahead *lookahead)
{
	const struct event *event = &lookahead->events[lookahead->first];

	lookahead->first = (lookahead->first + 1) % LOOKAHEAD_EVENTS;
	lookahead->count--;
	return event;
}
