// SPDX-License-Identifier: MIT
#include "events/check.h"

static bool poll_is_sound(const struct event *event)
{
	const struct event_poll *poll = &event->poll;
	uint64_t length = event->time - poll->start;

	return poll->start <= event->time && poll->blocked_ns <= length &&
	       poll->runqueue_ns <= length - poll->blocked_ns;
}

static bool stack_is_sound(const struct event_stack *stack)
{
	return (uint32_t)stack->nkernel + stack->nuser <= EVENT_STACK_FRAMES;
}

static bool offcpu_is_sound(const struct event *event)
{
	const struct event_offcpu *off = &event->offcpu;

	return off->out <= off->wake && off->wake <= event->time &&
	       off->cause >= EVENT_CAUSE_RUNQUEUE && off->cause <= EVENT_CAUSE_OTHER &&
	       off->waker <= EVENT_WAKER_KERNEL && stack_is_sound(&off->stack);
}

bool event_is_sound(const struct event *event)
{
	switch (event->type) {
	case EVENT_CAPTURE_END:
		return event->capture_end.reason >= EVENT_END_DURATION &&
		       event->capture_end.reason <= EVENT_END_TARGET_EXITED;
	case EVENT_MODULE:
		return event->module.start <= event->module.end;
	case EVENT_THREAD_TOTALS:
		return event->thread_totals.since <= event->time;
	case EVENT_SYMBOL:
		return event->symbol.nframes >= 1 && event->symbol.nframes <= EVENT_SYMBOL_FRAMES;
	case EVENT_LOST:
		return event->lost.type < EVENT_TYPES && event->lost.since <= event->time;
	case EVENT_POLL:
		return poll_is_sound(event);
	case EVENT_OFFCPU:
		return offcpu_is_sound(event);
	case EVENT_SAMPLE:
	case EVENT_AWAIT:
		return stack_is_sound(&event->sample.stack);
	default:
		return event->type >= EVENT_CAPTURE_START && event->type < EVENT_TYPES;
	}
}
