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

/* Whether it leaves its task waiting, for all that is known. */
static bool leaves_waiting(const struct correlator *c, const struct event *event,
			   const struct poll_span *span)
{
	return !(event->flags & (EVENT_READY | EVENT_IN_PROGRESS)) &&
	       span->start >= c->awaits.lost_until && span->start < c->sampled_since;
}

uint32_t awaits_of_poll(const struct correlator *c, struct thread *thread,
			const struct event *event, const struct poll_span *span)
{
	bool waits = leaves_waiting(c, event, span);
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

int awaits_begin(struct correlator *c, struct task *task, const struct event *event,
		 const struct poll_span *span, uint32_t stack)
{
	bool woken = task->pending && task->first_wake <= task->since;

	if (woken || !leaves_waiting(c, event, span) || !kinds_chosen(&c->kinds, task->kind))
		return 0;
	return strata_begin(&c->awaits.strata, &task->kind->awaits, task->since, stack,
			    &task->await);
}

uint32_t awaits_of_gap(const struct correlator *c, const struct task *task, uint64_t queued,
		       uint64_t until)
{
	if (!task->await || queued == task->since || task->since < c->awaits.lost_until ||
	    until >= c->sampled_since)
		return MODEL_NO_STACK;
	return c->awaits.strata.gaps[task->await].stack;
}

int awaits_end(struct correlator *c, struct task *task, uint64_t queued, uint64_t until)
{
	uint32_t stack = awaits_of_gap(c, task, queued, until), gap = task->await;
	struct weight *weight = NULL;

	if (!gap)
		return 0;
	task->await = 0;
	if (stack != MODEL_NO_STACK && kinds_chosen(&c->kinds, task->kind)) {
		weight = correlator_weight(c, MODEL_WEIGHT_IDLE, task->kind, task->id, 0, stack, 0);
		if (!weight)
			return -ENOMEM;
	}
	strata_end(&c->awaits.strata, gap, weight, queued - task->since, until);
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
	c->awaits.lost_until = max_u64(c->awaits.lost_until, until);
	/* Losses are told in order: what is older than this one is not taken back by a later one. */
	strata_take_back(&c->awaits.strata, since);
}

void awaits_finish(struct correlator *c)
{
	for (size_t i = 0; i < c->kinds.count; i++)
		stratum_close(&c->awaits.strata, &c->kinds.list[i]->awaits);
}
