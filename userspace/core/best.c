// SPDX-License-Identifier: MIT
#include "core/best.h"

#include <errno.h>
#include <stdlib.h>

#include "core/state.h"

static int compare_polls(const void *a, const void *b)
{
	const struct model_slow_poll *x = &((const struct slow_poll *)a)->poll;
	const struct model_slow_poll *y = &((const struct slow_poll *)b)->poll;

	if (x->poll_ns != y->poll_ns)
		return x->poll_ns > y->poll_ns ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

void best_init(struct best *best, const struct correlate_options *options)
{
	best->tasks = (struct top){.limit = options->tasks,
				   .size = sizeof(struct task_summary),
				   .compare = task_compare};
	best->slowest = (struct top){.limit = options->slowest,
				     .size = sizeof(struct slow_poll),
				     .compare = compare_polls};
}

void best_clear(struct best *best)
{
	free(best->tasks.items);
	free(best->slowest.items);
}

/* Whom those of a kind compete with; NULL: nobody yet. */
static struct best *best_of(struct correlator *c, const struct kind *kind)
{
	return kinds_undecided(&c->kinds, kind) ? kind->best : &c->best;
}

static struct best *best_made(struct correlator *c, struct kind *kind)
{
	struct best *best = best_of(c, kind);

	if (best)
		return best;
	kind->best = calloc(1, sizeof(*kind->best));
	if (kind->best)
		best_init(kind->best, &c->options);
	return kind->best;
}

bool best_takes_poll(struct correlator *c, const struct slow_poll *poll)
{
	const struct best *best = &c->best;

	if (c->kinds.glob) {
		if (!kinds_chosen(&c->kinds, poll->kind))
			return false;
		best = best_of(c, poll->kind);
	}
	return !best || top_takes(&best->slowest, poll);
}

int best_offer_poll(struct correlator *c, const struct slow_poll *poll)
{
	struct best *best = best_made(c, poll->kind);

	return best ? top_offer(&best->slowest, poll) : -ENOMEM;
}

int best_offer_task(struct correlator *c, const struct task_summary *task)
{
	struct best *best;

	if (!kinds_chosen(&c->kinds, task->kind))
		return 0;
	best = best_made(c, task->kind);
	return best ? top_offer(&best->tasks, task) : -ENOMEM;
}

static int offer_all(struct top *to, const struct top *from)
{
	int err = 0;

	for (size_t i = 0; i < from->count && !err; i++)
		err = top_offer(to, from->items + i * from->size);
	return err;
}

int best_settle(struct correlator *c)
{
	int err = 0;

	for (size_t i = 0; i < c->kinds.count && !err; i++) {
		const struct kind *kind = c->kinds.list[i];

		if (!kind->best || kind->choice == KIND_LEFT_OUT)
			continue;
		err = offer_all(&c->best.tasks, &kind->best->tasks);
		if (!err)
			err = offer_all(&c->best.slowest, &kind->best->slowest);
	}
	top_sort(&c->best.tasks);
	top_sort(&c->best.slowest);
	return err;
}
