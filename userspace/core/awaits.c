// SPDX-License-Identifier: MIT
#include "core/awaits.h"

#include <errno.h>

#include "core/state.h"

int await_take(struct correlator *c, const struct event *event)
{
	uint64_t time = correlator_time(c, event->time);
	struct thread *thread = thread_get(c, event->tid, time);
	struct awaited *awaited;

	if (!thread)
		return -ENOMEM;
	if (thread->nawaited == AWAITS_OPEN)
		return 0;
	awaited = &thread->awaited[thread->nawaited];
	*awaited = (struct awaited){
		.task = event->sample.task,
		.time = time,
		.source = event->source,
		.at_timer = event->flags & EVENT_AT_TIMER,
	};
	if (correlator_intern(c, event, thread, &event->sample.stack, &awaited->stack))
		return -ENOMEM;
	thread->nawaited += awaited->stack != MODEL_NO_STACK;
	return 0;
}

uint32_t awaits_of_poll(const struct correlator *c, struct thread *thread,
			const struct event *event, const struct poll_span *span)
{
	bool waits = !(event->flags & (EVENT_READY | EVENT_IN_PROGRESS)) &&
		     span->start >= c->awaits.lost_until && span->start < c->sampled_since;
	uint32_t stack = MODEL_NO_STACK;
	unsigned int kept = 0;
	bool found = false;

	for (unsigned int i = 0; i < thread->nawaited; i++) {
		const struct awaited *awaited = &thread->awaited[i];

		/* In a poll around this one; if there is none, its own was lost. */
		if (awaited->time < span->start) {
			if (event->poll.depth)
				thread->awaited[kept++] = *awaited;
			continue;
		}
		if (!waits || found || awaited->source != event->source ||
		    awaited->task != event->poll.task)
			continue;
		stack = awaited->stack;
		found = !awaited->at_timer;
	}
	thread->nawaited = kept;
	return stack;
}

uint32_t awaits_of_gap(struct correlator *c, struct task *task, uint64_t queued, uint64_t until)
{
	uint32_t stack = task->await;

	task->await = MODEL_NO_STACK;
	if (queued == task->since || task->since < c->awaits.lost_until ||
	    until >= c->sampled_since)
		return MODEL_NO_STACK;
	return stack;
}

static double square(uint64_t ns)
{
	return (double)ns * (double)ns;
}

int awaits_charge(struct correlator *c, const struct task *task, uint32_t stack, uint64_t queued,
		  uint64_t until)
{
	struct awaits *awaits = &c->awaits;
	uint64_t idle_ns = queued - task->since;
	struct weight *weight;

	if (stack == MODEL_NO_STACK || !kinds_chosen(&c->kinds, task->kind))
		return 0;
	weight = correlator_weight(c, MODEL_WEIGHT_IDLE, task->kind, task->id, 0, stack, 0);
	if (!weight)
		return -ENOMEM;
	weight_add(weight, 1, idle_ns);
	weight->squares += square(idle_ns);
	awaits->recent[awaits->next] =
		(struct awaits_gap){.until = until, .idle_ns = idle_ns, .weight = weight};
	awaits->next = (awaits->next + 1) % AWAITS_RECENT;
	awaits->count += awaits->count < AWAITS_RECENT;
	return 0;
}

int awaits_settle(struct correlator *c, const struct task *task, uint64_t idle_ns)
{
	if (c->options.by != CORRELATE_BY_TASK || !idle_ns)
		return 0;
	return correlator_weigh(c, WEIGHT_IDLE, task->kind, task->id, 0, MODEL_NO_STACK, 0, 1,
				idle_ns);
}

void awaits_lost(struct correlator *c, uint64_t since, uint64_t until)
{
	struct awaits *awaits = &c->awaits;

	awaits->lost_until = max_u64(awaits->lost_until, until);
	/* Losses are told in order: what is older than this one is not taken back by a later one. */
	for (; awaits->count; awaits->count--) {
		struct awaits_gap *gap;

		awaits->next = (awaits->next + AWAITS_RECENT - 1) % AWAITS_RECENT;
		gap = &awaits->recent[awaits->next];
		if (gap->until <= since)
			continue;
		gap->weight->count--;
		gap->weight->ns -= gap->idle_ns;
		gap->weight->squares -= square(gap->idle_ns);
	}
}
