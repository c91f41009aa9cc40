// SPDX-License-Identifier: MIT
#include "core/task.h"

#include <errno.h>
#include <string.h>

#include "core/state.h"

static bool is_address(uint64_t kind)
{
	return kind && kind != EVENT_UNKNOWN;
}

int task_set_kind(struct correlator *c, struct task *task, uint64_t address, bool block_on)
{
	struct kind *kind = task->kind;

	if (kind && kind->key.form == KIND_OF_TASK) {
		if (!kind->address && is_address(address))
			kind->address = address;
		return 0;
	}
	if (kind && (kind->key.kind || task->flags & TASK_POLLED))
		return 0;
	/* Nothing better than what it has */
	if (kind && !is_address(address))
		return 0;
	if (kind && kind->key.form == KIND_BLOCK_ON)
		block_on = true;
	task->kind =
		kinds_get(&c->kinds, task->source, address, block_on ? KIND_BLOCK_ON : KIND_PLAIN);
	return task->kind ? 0 : -ENOMEM;
}

/* The end of a poll that began before the capture does not tell the kind; the task's next poll
 * will. */
static int set_kind_later(struct correlator *c, struct task *task, const struct event_poll *poll)
{
	if (is_address(poll->kind) || task->flags & TASK_POLLED ||
	    (task->kind && task->kind->key.kind))
		return 0;
	task->kind = kinds_get(&c->kinds, task->source, poll->task, KIND_OF_TASK);
	return task->kind ? 0 : -ENOMEM;
}

/* Who did it, as far as it is known now. */
static int waker_of(struct correlator *c, const struct source *source, const struct event *event,
		    uint64_t *waker)
{
	const struct thread *thread;
	const struct task *task;

	if (event->wake.waker_task && event->wake.waker_task != EVENT_UNKNOWN) {
		task = id_table_find(&source->tasks, event->wake.waker_task);
		if (task && task->kind && task->kind->key.kind)
			*waker = WAKER_KIND | task->kind->index;
		else if (event->wake.waker_task >> WAKER_SHIFT)
			*waker = WAKER_NAME | NAME_UNKNOWN;
		else
			*waker = WAKER_TASK | event->wake.waker_task;
		return 0;
	}
	thread = event->tid ? thread_find(&c->threads, event->tid) : NULL;
	*waker = WAKER_NAME | (thread ? thread->name : NAME_UNKNOWN);
	return 0;
}

/* For a weight's cause: twice a kind's index, or twice a name's and one. */
static uint32_t waker_code(const struct task *woken, uint64_t waker)
{
	uint64_t number = waker & ~WAKER_TASK;
	const struct task *task;

	switch (waker & WAKER_TASK) {
	case WAKER_KIND:
		return number << 1;
	case WAKER_TASK:
		task = id_table_find(&woken->source->tasks, number);
		if (task && task->kind)
			return task->kind->index << 1;
		return NAME_UNKNOWN << 1 | 1;
	default:
		return number << 1 | 1;
	}
}

/* A wake that lies in what is accounted: inside the last poll, or before it and of no use any more.
 */
static void wake_accounted(struct correlator *c, struct task *task, uint64_t waker, uint32_t tid,
			   uint64_t time)
{
	if (time < task->last_start) {
		c->capture.uncertain_ns += task->last_start - time;
		return;
	}
	if (task->pending && task->first_wake <= task->since) {
		task->redundant_wakes++;
		return;
	}
	/* Those that wait came after the poll: this one makes the first of them redundant. */
	task->first_wake = task->since;
	task->woken = time;
	task->first_waker = waker;
	task->first_tid = tid;
	if (!task->pending++) {
		task->last_wake = task->since;
		task->last_waker = waker;
		task->last_tid = tid;
	}
}

static void wake_pending(struct task *task, uint64_t waker, uint32_t tid, uint64_t time)
{
	if (!task->pending || time < task->first_wake) {
		task->first_wake = time;
		task->woken = time;
		task->first_waker = waker;
		task->first_tid = tid;
	}
	if (!task->pending || time >= task->last_wake) {
		task->last_wake = time;
		task->last_waker = waker;
		task->last_tid = tid;
	}
	task->pending++;
}

int task_wake(struct correlator *c, const struct event *event, uint64_t time)
{
	struct source *source = correlator_source(c, event->source);
	struct grave *grave;
	struct task *task;
	uint64_t waker;

	if (!source)
		return -ENOMEM;
	task = id_table_find(&source->tasks, event->wake.task);
	if (!task) {
		grave = grave_find(c, source, event->wake.task);
		if (grave) {
			grave->kind->wakes++;
			grave->kind->redundant_wakes++;
			c->capture.redundant_wakes++;
			return 0;
		}
		task = task_new(c, source, event->wake.task, time, time);
	}
	if (!task || waker_of(c, source, event, &waker))
		return -ENOMEM;
	task->wakes++;
	if (task->flags & TASK_DYING && time >= task->death)
		task->redundant_wakes++;
	else if (time < task->since)
		wake_accounted(c, task, waker, event->tid, time);
	else
		wake_pending(task, waker, event->tid, time);
	return 0;
}

/* Whether the poll is not of this task, but of what came after it under its id. */
static bool is_gone(const struct task *task, const struct event *event, uint64_t start)
{
	if (task->flags & TASK_DYING)
		return start > task->death;
	return task->source->capabilities & EVENT_IDS_REUSED && task->kind &&
	       task->kind->key.kind && is_address(event->poll.kind) &&
	       task->kind->key.form == KIND_PLAIN && task->kind->key.kind != event->poll.kind;
}

/* Ends a task that is gone. */
static int task_leave(struct correlator *c, struct task *task)
{
	if (task->flags & TASK_DYING)
		return task_bury(c, task);
	return task_end(c, task, task->since, MODEL_DONE);
}

int task_polled(struct correlator *c, const struct event *event, uint64_t start, uint64_t end,
		struct task **found)
{
	struct source *source = correlator_source(c, event->source);
	struct grave *grave = NULL;
	struct task *task;
	int err;

	*found = NULL;
	if (!source)
		return -ENOMEM;
	task = id_table_find(&source->tasks, event->poll.task);
	if (task && is_gone(task, event, start)) {
		err = task_leave(c, task);
		if (err)
			return err;
		task = NULL;
		grave = grave_find(c, source, event->poll.task);
	} else if (!task) {
		grave = grave_find(c, source, event->poll.task);
		if (grave && start < grave->death) {
			grave->kind->polls++;
			c->capture.uncertain_ns += end - start;
			return histogram_add(&grave->kind->poll, 0);
		}
	}
	if (!task) {
		task = task_new(c, source, event->poll.task, start, end);
		if (!task)
			return -ENOMEM;
		if (grave && !(source->capabilities & EVENT_IDS_REUSED)) {
			/* Its end was none, or misread: it is still the same task. */
			task->flags |= TASK_AGAIN;
			task->kind = grave->kind;
		}
	}
	*found = task;
	if (event->flags & EVENT_CLIPPED) {
		err = set_kind_later(c, task, &event->poll);
		if (err)
			return err;
	}
	return task_set_kind(c, task, event->poll.kind, false);
}

/* Not any more once polls are sampled. */
bool task_tells_wakes(const struct correlator *c, const struct task *task, uint64_t time)
{
	return task->source->capabilities & EVENT_CAN_WAKE && time < c->sampled_since;
}

struct observed_task task_observed(const struct task *task)
{
	return (struct observed_task){
		.serial = task->serial,
		.id = task->id,
		.kind = task->kind->index,
		.source = task->source->number,
	};
}

/* Scheduled from `queued` on. */
static int observe_gap(struct correlator *c, const struct task *task, uint64_t queued,
		       uint64_t until, uint32_t tid, uint32_t await)
{
	const struct observed_gap gap = {
		.task = task_observed(task),
		.since = task->since,
		.queued = queued,
		.until = until,
		.tid = tid,
		.unknown = until >= c->sampled_since,
		.woken = task->woken,
		.waker_tid = task->first_tid,
		.spawned = task->first_waker == (WAKER_NAME | NAME_SPAWNED),
		.await = await,
	};

	return c->options.observer->gap(c->options.observer, &gap);
}

int task_gap(struct correlator *c, struct task *task, uint64_t until, uint32_t tid)
{
	bool waited =
		task->pending && task->first_wake <= until && task_tells_wakes(c, task, until);
	uint64_t since = waited ? max_u64(task->first_wake, task->since) : until;
	uint64_t queued = until - since;
	uint32_t await = awaits_of_gap(c, task, since, until);
	int err = 0;

	if (c->options.observer)
		err = observe_gap(c, task, since, until, tid, await);
	if (!err)
		err = awaits_end(c, task, since, until);
	task->since = until;
	if (err || !waited)
		return err;
	task->scheduled_ns += queued;
	err = histogram_add(&task->kind->wait, queued);
	if (err)
		return err;
	return correlator_weigh_wait(c, task, tid, waker_code(task, task->first_waker), queued);
}

/* Sorts what waits into: the wake before the poll, the one in it, any later, and the rest. */
static void resolve_wakes(struct task *task, uint64_t start, uint64_t end)
{
	bool before = task->pending && task->first_wake <= start;
	bool first_in = task->pending && !before && task->first_wake <= end;
	bool last_in =
		before && task->pending > 1 && task->last_wake > start && task->last_wake <= end;
	bool later = task->pending > before && task->last_wake > end;
	uint64_t waker = first_in ? task->first_waker : task->last_waker;
	uint64_t woken = first_in ? task->first_wake : task->last_wake;
	uint32_t tid = first_in ? task->first_tid : task->last_tid;

	if (later && !before && !first_in)
		return; /* none of them came before the poll's end */
	if (!task->pending)
		return;
	task->redundant_wakes += task->pending - before - (first_in || last_in);
	task->pending = 0;
	if (first_in || last_in) {
		task->pending = 1;
		task->first_wake = end;
		task->last_wake = end;
		task->woken = woken;
		task->first_waker = waker;
		task->last_waker = waker;
		task->first_tid = tid;
		task->last_tid = tid;
	} else if (later) {
		task->redundant_wakes--;
		task->pending = 1;
		task->first_wake = task->last_wake;
		task->woken = woken;
		task->first_waker = task->last_waker;
		task->first_tid = tid;
	}
}

static int observe_poll(struct correlator *c, const struct task *task, const struct event *event,
			uint64_t start)
{
	const struct observed_poll poll = {
		.task = task_observed(task),
		.start = start,
		.end = task->since,
		.event = event,
	};

	return c->options.observer->poll(c->options.observer, &poll);
}

int task_poll(struct correlator *c, struct task *task, const struct event *event,
	      struct poll_span *span)
{
	uint64_t begin, end;
	int err;

	if (span->start < task->since && task->since == task->birth &&
	    !(task->flags & (TASK_SPAWNED | TASK_POLLED))) {
		/* Known by a wake inside of this poll: it is as old as the poll. */
		alive_older(&c->alive, span->start, task->birth);
		task->birth = span->start;
		task->since = span->start;
	}
	begin = max_u64(span->start, task->since);
	end = max_u64(span->end, begin);
	if (begin > span->start)
		c->capture.uncertain_ns += min_u64(begin, span->end) - span->start;
	else if (!(task->flags & TASK_FRESH) && (!task->pending || task->first_wake > begin) &&
		 task_tells_wakes(c, task, begin))
		c->capture.unmatched_wakes++;

	err = task_gap(c, task, begin, event->tid);
	resolve_wakes(task, begin, end);
	task->since = end;
	task->last_start = begin;
	span->ran_ns = end - begin;
	task->polls++;
	task->polling_ns += span->ran_ns;
	task->max_poll_ns = max_u64(task->max_poll_ns, span->ran_ns);
	task->flags &= ~(TASK_FRESH | TASK_READY | TASK_OPEN);
	task->flags |= TASK_POLLED;
	if (event->flags & EVENT_READY)
		task->flags |= TASK_READY;
	if (event->flags & EVENT_IN_PROGRESS)
		task->flags |= TASK_OPEN;
	if (!err && c->options.observer)
		err = observe_poll(c, task, event, begin);
	return err;
}

int task_compare(const void *a, const void *b)
{
	const struct model_task *x = &((const struct task_summary *)a)->task;
	const struct model_task *y = &((const struct task_summary *)b)->task;

	if (x->max_poll_ns != y->max_poll_ns)
		return x->max_poll_ns > y->max_poll_ns ? -1 : 1;
	if (x->times.lifetime_ns != y->times.lifetime_ns)
		return x->times.lifetime_ns > y->times.lifetime_ns ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}
