// SPDX-License-Identifier: MIT
#include "core/sampling.h"

#include <errno.h>

#include "core/state.h"

static int take_skipped(struct correlator *c, const struct event *event)
{
	struct source *source = correlator_source(c, event->source);
	struct kind *kind;

	kind = source ? kinds_get(&c->kinds, source, event->skipped.kind, KIND_PLAIN) : NULL;
	if (!kind)
		return -ENOMEM;
	kind->skipped = min_u64(event->skipped.polls, SCALE_MOST);
	return 0;
}

int sampling_take(struct correlator *c, const struct event *event)
{
	if (event->type == EVENT_SKIPPED)
		return take_skipped(c, event);
	if (event->sampling.one_in < 2)
		return 0;
	if (!c->capture.estimated)
		c->sampled_since = correlator_time(c, event->time);
	c->capture.estimated = true;
	c->capture.sampled_one_in = event->sampling.one_in;
	c->capture.sampled_since_ns = c->sampled_since;
	return 0;
}

int sampling_relieve(struct correlator *c, struct source *source)
{
	struct id_table *tasks = &source->tasks;
	uint64_t quiet = source->relieved + (c->now - source->relieved) / 2;
	int err = 0;

	if (c->now < c->sampled_since || tasks->used < SAMPLING_TASKS ||
	    tasks->used < source->crowd)
		return 0;
	/* Removal moves slots, backwards: look at one again until what is there stays. */
	for (size_t i = 0; i < tasks->nslots && !err;) {
		struct task *task = tasks->slots[i].value;

		if (task && task->since < quiet && !(task->flags & TASK_DYING))
			err = task_end(c, task, task->since, MODEL_DONE);
		else
			i++;
	}
	source->relieved = c->now;
	source->crowd = 2 * tasks->used;
	return err;
}

/*
 * A poll that was open when sampling began is not sampled, however long it goes on: what precedes the first
 * that ended since is taken for part of it.
 */
bool sampling_covers(const struct correlator *c, const struct thread *thread)
{
	return thread->sampled || thread->first_seen >= c->sampled_since;
}

/* Skipped polls are counted by address only: those of futures that threads block on are told apart by
 * what was timed. */
static void split_skipped(struct correlator *c, struct kind *block_on)
{
	struct kind *plain = kinds_find(&c->kinds, block_on->source, block_on->key.kind);
	struct scale scale;
	uint64_t whole;

	if (!plain || !plain->skipped)
		return;
	whole = plain->skipped;
	scale = (struct scale){plain->sampled.polls + block_on->sampled.polls, whole};
	if (scale.timed)
		block_on->skipped = scale_part(&scale, block_on->sampled.polls);
	else if (!plain->tasks)
		block_on->skipped = whole;
	plain->skipped = whole - block_on->skipped;
}

/* Cumulative shares of what was skipped: they add up to it. */
static void share_out(struct correlator *c, struct worker_record *record)
{
	struct source *source = c->sources[record->source];
	uint64_t before = scale_part(&source->scale, source->shared);
	struct model_worker *worker = &record->worker;
	uint64_t slept;

	source->shared += record->sampled_polls;
	worker->polls += scale_part(&source->scale, source->shared) - before;
	if (record->parks || !worker->has_busy)
		return;
	/* What was slept in polls that were skipped is not parking. */
	slept = min_u64(scale_part(&source->scale, record->sampled_blocked_ns), worker->parked_ns);
	worker->parked_ns -= slept;
	worker->busy_ns += slept;
}

void sampling_settle(struct correlator *c)
{
	struct threads *threads = &c->threads;

	for (size_t i = 0; i < c->kinds.count; i++) {
		if (c->kinds.list[i]->key.form == KIND_BLOCK_ON)
			split_skipped(c, c->kinds.list[i]);
	}
	for (size_t i = 0; i < c->kinds.count; i++) {
		struct kind *kind = c->kinds.list[i];

		kind->used |= kind->skipped != 0;
		kind->source->scale.skipped += kind->skipped;
	}
	for (size_t i = 0; i < threads->nworkers; i++)
		c->sources[threads->workers[i].source]->scale.timed +=
			threads->workers[i].sampled_polls;
	for (size_t i = 0; i < threads->nworkers; i++)
		share_out(c, &threads->workers[i]);
}

uint64_t sampling_scale(struct kind *const *kinds, size_t count)
{
	struct scale scale = {0};

	for (size_t i = 0; i < count; i++) {
		scale.timed += kinds[i]->sampled.polls;
		scale.skipped += kinds[i]->skipped;
	}
	for (size_t i = 0; i < count; i++)
		kinds[i]->scale = scale;
	return scale.skipped;
}
