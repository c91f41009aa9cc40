// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "core/state.h"

struct task *task_new(struct correlator *c, struct source *source, uint64_t id, uint64_t birth,
		      uint64_t now)
{
	struct task *task = pool_take(&c->task_pool);

	if (!task)
		return NULL;
	task->id = id;
	task->serial = c->ntasks++;
	task->source = source;
	task->birth = birth;
	task->since = birth;
	task->last_start = birth;
	task->flags = TASK_FRESH;
	if (id_table_add(&source->tasks, id, task)) {
		pool_give(&c->task_pool, task);
		return NULL;
	}
	alive_born(&c->alive, birth, now);
	return task;
}

static struct grave *grave_at(const struct graveyard *graveyard, const struct source *source,
			      uint64_t id)
{
	uint64_t hash = (id ^ (uint64_t)source->number << 48) * UINT64_C(0x9e3779b97f4a7c15);

	return &graveyard->graves[hash >> 48 & (GRAVES - 1)];
}

struct grave *grave_find(struct correlator *c, const struct source *source, uint64_t id)
{
	struct grave *grave;

	if (!c->graveyard.graves)
		return NULL;
	grave = grave_at(&c->graveyard, source, id);
	if (!grave->kind || grave->id != id || grave->kind->source != source)
		return NULL;
	return grave;
}

static int grave_dig(struct correlator *c, const struct task *task, uint64_t death)
{
	if (!c->graveyard.graves) {
		c->graveyard.graves = calloc(GRAVES, sizeof(struct grave));
		if (!c->graveyard.graves)
			return -ENOMEM;
	}
	*grave_at(&c->graveyard, task->source, task->id) =
		(struct grave){.id = task->id, .death = death, .kind = task->kind};
	return 0;
}

/* A task spawned anew is not the one that died. */
static void grave_forget(struct correlator *c, const struct source *source, uint64_t id)
{
	struct grave *grave = grave_find(c, source, id);

	if (grave)
		*grave = (struct grave){0};
}

static void add_times(struct model_times *sum, const struct model_times *times)
{
	sum->lifetime_ns += times->lifetime_ns;
	sum->scheduled_ns += times->scheduled_ns;
	sum->polling_ns += times->polling_ns;
	sum->on_cpu_ns += times->on_cpu_ns;
	sum->runqueue_ns += times->runqueue_ns;
	sum->blocked_ns += times->blocked_ns;
	sum->idle_ns += times->idle_ns;
}

static struct model_times times_of(const struct task *task)
{
	uint64_t lifetime = task->since - task->birth;

	return (struct model_times){
		.lifetime_ns = lifetime,
		.scheduled_ns = task->scheduled_ns,
		.polling_ns = task->polling_ns,
		.on_cpu_ns = task->polling_ns - task->runqueue_ns - task->blocked_ns,
		.runqueue_ns = task->runqueue_ns,
		.blocked_ns = task->blocked_ns,
		.idle_ns = lifetime - task->scheduled_ns - task->polling_ns,
	};
}

/* What it does at the capture's end, and since when. */
static enum model_state state_of(const struct correlator *c, const struct task *task,
				 uint64_t *since)
{
	if (task->flags & TASK_OPEN) {
		*since = task->last_start;
		return MODEL_POLLING;
	}
	*since = task->since;
	if (!task->pending || !task_tells_wakes(c, task, c->now))
		return MODEL_IDLE;
	*since = max_u64(task->since, task->first_wake);
	return MODEL_SCHEDULED;
}

int task_end(struct correlator *c, struct task *task, uint64_t end, enum model_state state)
{
	struct task_summary summary = {.task.state = state};
	struct kind *kind;
	uint64_t since = 0;
	int err = 0;

	end = max_u64(end, task->since);
	if (!task->kind)
		err = task_set_kind(c, task, 0, false);
	if (err)
		return err;
	kind = task->kind;
	if (state == MODEL_IDLE) {
		summary.task.state = state_of(c, task, &since);
		summary.task.in_progress_ns = end > since ? end - since : 0;
		kind->alive++;
	}
	err = task_gap(c, task, end, 0);
	if (task->pending > 1)
		task->redundant_wakes += task->pending - 1;
	summary.kind = kind;
	summary.task.id = task->id;
	summary.task.serial = task->serial;
	summary.task.polls = task->polls;
	summary.task.max_poll_ns = task->max_poll_ns;
	summary.task.times = times_of(task);

	kind->used = true;
	kind->tasks += !(task->flags & TASK_AGAIN);
	kind->wakes += task->wakes;
	kind->redundant_wakes += task->redundant_wakes;
	c->capture.redundant_wakes += task->redundant_wakes;
	add_times(&kind->times, &summary.task.times);
	if (!err)
		err = awaits_settle(c, task, summary.task.times.idle_ns);
	if (!err)
		err = best_offer_task(c, &summary);

	if (task->flags & TASK_DYING)
		c->graveyard.dying[task->place] = NULL;
	if (!err && state != MODEL_IDLE)
		err = grave_dig(c, task, end);
	alive_died(&c->alive, end);
	id_table_remove(&task->source->tasks, task->id);
	pool_give(&c->task_pool, task);
	return err;
}

int task_bury(struct correlator *c, struct task *task)
{
	return task_end(c, task, task->death,
			task->flags & TASK_CANCELLED ? MODEL_CANCELLED : MODEL_DONE);
}

int tasks_bury_all(struct correlator *c)
{
	for (unsigned int i = 0; i < DYING_TASKS; i++) {
		int err = c->graveyard.dying[i] ? task_bury(c, c->graveyard.dying[i]) : 0;

		if (err)
			return err;
	}
	return 0;
}

int task_terminate(struct correlator *c, struct source *source, const struct event_terminate *end,
		   uint64_t time)
{
	struct task *task = id_table_find(&source->tasks, end->task);
	struct task **place;

	if (!task) {
		if (grave_find(c, source, end->task))
			return 0;
		task = task_new(c, source, end->task, time, time);
		if (!task)
			return -ENOMEM;
	}
	if (end->kind && task_set_kind(c, task, end->kind, false))
		return -ENOMEM;
	if (task->flags & TASK_DYING)
		return 0;
	task->death = time;
	if (end->cancelled)
		task->flags |= TASK_CANCELLED;
	/* The poll that completed it was told: nothing can follow. */
	if (task->flags & TASK_READY && !(source->capabilities & EVENT_POLLS_OVERLAP))
		return task_bury(c, task);

	place = &c->graveyard.dying[c->graveyard.next];
	if (*place) {
		int err = task_bury(c, *place);

		if (err)
			return err;
	}
	*place = task;
	task->place = c->graveyard.next;
	task->flags |= TASK_DYING;
	c->graveyard.next = (c->graveyard.next + 1) % DYING_TASKS;
	return 0;
}

static struct task *begin(struct correlator *c, struct source *source, uint64_t id, uint64_t time)
{
	struct task *task;

	grave_forget(c, source, id);
	task = task_new(c, source, id, time, time);
	if (task)
		task->flags |= TASK_SPAWNED;
	return task;
}

static int observe_late_spawn(struct correlator *c, const struct task *task, uint64_t queued)
{
	const struct observed_gap gap = {
		.task = task_observed(task),
		.since = task->birth,
		.queued = task->birth,
		.until = task->birth + queued,
		.await = MODEL_NO_STACK,
	};

	return c->options.observer ? c->options.observer->gap(c->options.observer, &gap) : 0;
}

/* Told late, after a wake or poll: it has lived longer, and was queued until what is known of it.
 */
static int spawned_late(struct correlator *c, struct task *task, uint64_t time)
{
	uint64_t queued = task->birth - time;

	alive_older(&c->alive, time, task->birth);
	task->birth = time;
	task->flags |= TASK_SPAWNED;
	if (!task_tells_wakes(c, task, task->since))
		return 0;
	task->scheduled_ns += queued;
	return histogram_add(&task->kind->wait, queued)
		       ?: correlator_weigh_wait(c, task, 0, NAME_SPAWNED << 1 | 1, queued)
		       ?: observe_late_spawn(c, task, queued);
}

int task_spawn(struct correlator *c, const struct event *event, uint64_t time)
{
	struct source *source = correlator_source(c, event->source);
	struct task *task;
	int err;

	if (!source)
		return -ENOMEM;
	task = id_table_find(&source->tasks, event->spawn.task);
	if (task && (task->flags & TASK_DYING)) {
		err = task_bury(c, task);
		if (err)
			return err;
		task = NULL;
	}
	if (task) {
		err = task_set_kind(c, task, event->spawn.kind, false);
		if (err || task->flags & TASK_SPAWNED || time > task->birth)
			return err;
		return spawned_late(c, task, time);
	}
	task = begin(c, source, event->spawn.task, time);
	if (!task)
		return -ENOMEM;
	task->flags &= ~TASK_FRESH;
	if (source->capabilities & EVENT_CAN_WAKE) {
		task->pending = 1;
		task->first_wake = time;
		task->last_wake = time;
		task->woken = time;
		task->first_waker = WAKER_NAME | NAME_SPAWNED;
		task->last_waker = task->first_waker;
		task->first_tid = event->tid;
		task->last_tid = event->tid;
	}
	return task_set_kind(c, task, event->spawn.kind, false);
}

int task_enter(struct correlator *c, const struct event *event, uint64_t time)
{
	struct source *source = correlator_source(c, event->source);
	struct task *task;

	if (!source)
		return -ENOMEM;
	task = id_table_find(&source->tasks, event->block_on.task);
	if (task && (task->flags & TASK_DYING)) {
		int err = task_bury(c, task);

		if (err)
			return err;
		task = NULL;
	}
	if (!task)
		task = begin(c, source, event->block_on.task, time);
	if (!task)
		return -ENOMEM;
	return task_set_kind(c, task, event->block_on.kind, true);
}
