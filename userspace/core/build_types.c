// SPDX-License-Identifier: MIT
/*
 * The model's types and jobs: kinds that are called the same, brought together.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/build_causes.h"
#include "core/state.h"

/* One type or job to be: kinds[first] to kinds[end - 1]. */
struct group {
	struct kind **kinds;
	size_t count;
	struct model_type type;
};

static const char *runtime_of(const struct kind *kind)
{
	return kind->source->runtime ? kind->source->runtime : "";
}

/* Kinds know their process by its number; equal pids mean one type. */
struct ordered_kind {
	struct kind *kind;
	uint32_t pid;
	uint32_t process; /* of one that was never described: nothing else to tell it by */
};

static int compare_names(const struct ordered_kind *x, const struct ordered_kind *y)
{
	int order;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	order = strcmp(runtime_of(x->kind), runtime_of(y->kind));
	if (!order)
		order = strcmp(x->kind->label, y->kind->label);
	if (!order)
		order = strcmp(x->kind->location, y->kind->location);
	return order;
}

static int compare_kinds(const void *a, const void *b)
{
	const struct ordered_kind *x = a, *y = b;
	int order = compare_names(x, y);

	if (order)
		return order;
	return x->kind->index < y->kind->index ? -1 : x->kind->index > y->kind->index;
}

static int order_kinds(struct correlator *c, struct ordered_kind *ordered)
{
	for (size_t i = 0; i < c->kinds.count; i++) {
		struct kind *kind = c->kinds.list[i];
		const struct process *process = c->processes[kind->source->process];
		int err = kinds_label(&c->kinds, kind);

		if (err)
			return err;
		kind->type = MODEL_NO_TYPE;
		ordered[i] = (struct ordered_kind){
			.kind = kind,
			.pid = process->pid,
			.process = process->described ? 0 : process->number + 1U,
		};
	}
	if (c->kinds.count)
		qsort(ordered, c->kinds.count, sizeof(*ordered), compare_kinds);
	return 0;
}

static void add_kind(struct model_type *type, const struct kind *kind)
{
	type->has_scheduled |= !!(kind->source->capabilities & EVENT_CAN_WAKE);
	type->tasks += kind->tasks;
	type->alive += kind->alive;
	type->polls += kind->polls;
	type->wakes += kind->wakes;
	type->redundant_wakes += kind->redundant_wakes;
	type->times.lifetime_ns += kind->times.lifetime_ns;
	type->times.scheduled_ns += kind->times.scheduled_ns;
	type->times.polling_ns += kind->times.polling_ns;
	type->times.on_cpu_ns += kind->times.on_cpu_ns;
	type->times.runqueue_ns += kind->times.runqueue_ns;
	type->times.blocked_ns += kind->times.blocked_ns;
	type->times.idle_ns += kind->times.idle_ns;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each once. */
static int fill_full(struct correlator *c, const struct group *group, struct model_full *full)
{
	size_t kept = 0;

	full->types = calloc(group->count, sizeof(*full->types));
	if (!full->types)
		return -ENOMEM;
	for (size_t i = 0; i < group->count; i++) {
		const struct kind *kind = group->kinds[i];
		const char *type = kinds_full(&c->kinds, kind);

		if (!(kind->used || kind->jobs) || !*type || !strcmp(type, kind->label))
			continue;
		full->types[full->count] = strdup(type);
		if (!full->types[full->count++])
			return -ENOMEM;
	}
	qsort(full->types, full->count, sizeof(*full->types), compare_texts);
	for (size_t i = 0; i < full->count; i++) {
		if (kept && !strcmp(full->types[kept - 1], full->types[i]))
			free(full->types[i]);
		else
			full->types[kept++] = full->types[i];
	}
	full->count = kept;
	return 0;
}

/* Sampled polls stand for those that were skipped. What becomes of the tasks in these is not known. */
static void scale_times(const struct group *group, struct model_type *type)
{
	const struct scale *scale = &group->kinds[0]->scale;
	struct model_times *times = &type->times;
	struct kind_sampled sampled = {0};

	for (size_t i = 0; i < group->count; i++) {
		sampled.on_cpu_ns += group->kinds[i]->sampled.on_cpu_ns;
		sampled.runqueue_ns += group->kinds[i]->sampled.runqueue_ns;
	}
	times->on_cpu_ns += scale_part(scale, sampled.on_cpu_ns);
	times->runqueue_ns += scale_part(scale, sampled.runqueue_ns);
	times->blocked_ns = 0;
	for (size_t i = 0; i < type->ncauses; i++)
		times->blocked_ns += type->causes[i].total_ns;
	times->polling_ns = times->on_cpu_ns + times->runqueue_ns + times->blocked_ns;
	times->lifetime_ns = times->scheduled_ns = times->idle_ns = 0;
	type->has_scheduled = false;
}

static int fill_type(struct correlator *c, struct group *group)
{
	struct histogram poll = {0}, wait = {0};
	struct model_type *type = &group->type;
	uint64_t skipped;
	int err = 0;

	type->source = group->kinds[0]->source->index;
	for (size_t i = 0; i < group->count && !err; i++) {
		add_kind(type, group->kinds[i]);
		err = histogram_merge(&poll, &group->kinds[i]->poll);
		if (!err)
			err = histogram_merge(&wait, &group->kinds[i]->wait);
	}
	type->poll_ns = histogram_summary(&poll);
	type->scheduled_wait_ns = histogram_summary(&wait);
	histogram_clear(&poll);
	histogram_clear(&wait);
	type->name = strdup(group->kinds[0]->label);
	type->location = strdup(group->kinds[0]->location);
	if (err || !type->name || !type->location || fill_full(c, group, &type->full))
		return -ENOMEM;
	skipped = sampling_scale(group->kinds, group->count);
	err = build_causes(&c->causes, group->kinds, group->count, type);
	if (err)
		return err;
	type->untimed = skipped && !type->polls;
	type->polls += skipped;
	if (c->capture.estimated)
		scale_times(group, type);
	return 0;
}

static int fill_job(struct correlator *c, struct group *group, struct model_job *job)
{
	struct histogram wait = {0}, run = {0};
	int err = 0;

	*job = (struct model_job){.source = group->kinds[0]->source->index};
	for (size_t i = 0; i < group->count && !err; i++) {
		const struct kind_jobs *jobs = group->kinds[i]->jobs;

		if (!jobs)
			continue;
		job->jobs += jobs->jobs;
		job->running += jobs->running;
		job->has_wait |= group->kinds[i]->source->queues_jobs;
		job->queued_ns += jobs->queued_ns;
		job->run_ns += jobs->run_ns;
		err = histogram_merge(&wait, &jobs->wait);
		if (!err)
			err = histogram_merge(&run, &jobs->run);
	}
	job->wait_ns = histogram_summary(&wait);
	job->run = histogram_summary(&run);
	histogram_clear(&wait);
	histogram_clear(&run);
	job->name = strdup(group->kinds[0]->label);
	job->location = strdup(group->kinds[0]->location);
	if (err || !job->name || !job->location)
		return -ENOMEM;
	return fill_full(c, group, &job->full);
}

/* Where polls are sampled, what was only woken or spawned is no type: its polls went elsewhere. */
static void leave_out_unpolled(const struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (group->kinds[i]->polls || group->kinds[i]->skipped)
			return;
	}
	for (size_t i = 0; i < group->count; i++)
		group->kinds[i]->choice = KIND_LEFT_OUT;
}

static bool is_type(const struct group *group)
{
	bool used = false;

	for (size_t i = 0; i < group->count; i++)
		used |= group->kinds[i]->used;
	return used && group->kinds[0]->choice != KIND_LEFT_OUT;
}

static bool has_jobs(const struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (group->kinds[i]->jobs)
			return true;
	}
	return false;
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	uint64_t xns = x->type.times.polling_ns, yns = y->type.times.polling_ns;
	int order;

	if (xns != yns)
		return xns > yns ? -1 : 1;
	order = strcmp(x->type.name, y->type.name);
	if (!order)
		order = strcmp(x->type.location, y->type.location);
	if (order)
		return order;
	return x->type.source < y->type.source ? -1 : x->type.source > y->type.source;
}

static int compare_jobs(const void *a, const void *b)
{
	const struct model_job *x = a, *y = b;
	int order;

	if (x->run_ns != y->run_ns)
		return x->run_ns > y->run_ns ? -1 : 1;
	order = strcmp(x->name, y->name);
	if (!order)
		order = strcmp(x->location, y->location);
	if (order)
		return order;
	return x->source < y->source ? -1 : x->source > y->source;
}

static int fill_jobs(struct correlator *c, struct group *groups, size_t count, struct model *model)
{
	size_t njobs = 0;

	for (size_t i = 0; i < count; i++)
		njobs += has_jobs(&groups[i]);
	model->jobs = calloc(njobs + 1, sizeof(*model->jobs));
	if (!model->jobs)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int err;

		if (!has_jobs(&groups[i]))
			continue;
		err = fill_job(c, &groups[i], &model->jobs[model->njobs++]);
		if (err)
			return err;
	}
	qsort(model->jobs, model->njobs, sizeof(*model->jobs), compare_jobs);
	return 0;
}

/* Moves the types of those groups that are one to the model. */
static int fill_types(struct correlator *c, struct group *groups, size_t count, struct model *model)
{
	size_t ntypes = 0;
	int err = 0;

	for (size_t i = 0; i < count; i++) {
		if (c->capture.estimated)
			leave_out_unpolled(&groups[i]);
		if (is_type(&groups[i]))
			groups[ntypes++] = groups[i];
	}
	model->types = calloc(ntypes + 1, sizeof(*model->types));
	if (!model->types)
		return -ENOMEM;
	for (size_t i = 0; i < ntypes && !err; i++)
		err = fill_type(c, &groups[i]);
	if (!err)
		qsort(groups, ntypes, sizeof(*groups), compare_groups);
	/* After an error too, so that the model frees them. */
	for (size_t i = 0; i < ntypes; i++) {
		model->types[i] = groups[i].type;
		for (size_t j = 0; j < groups[i].count; j++)
			groups[i].kinds[j]->type = i;
	}
	model->ntypes = ntypes;
	return err;
}

static int fill_kinds(struct correlator *c, struct model *model)
{
	model->kinds = calloc(c->kinds.count + 1, sizeof(*model->kinds));
	if (!model->kinds)
		return -ENOMEM;
	for (; model->nkinds < c->kinds.count; model->nkinds++) {
		const struct kind *kind = c->kinds.list[model->nkinds];
		struct model_kind *made = &model->kinds[model->nkinds];

		*made = (struct model_kind){
			.name = strdup(kind->label),
			.type = kind->type,
			.left_out = kind->choice == KIND_LEFT_OUT && (kind->polls || kind->skipped),
		};
		if (!made->name)
			return -ENOMEM;
	}
	return 0;
}

/* Splits ordered kinds into groups of one name; returns how many. */
static size_t make_groups(const struct ordered_kind *ordered, struct kind **kinds, size_t nkinds,
			  struct group *groups)
{
	size_t count = 0;

	for (size_t i = 0; i < nkinds; i++) {
		kinds[i] = ordered[i].kind;
		if (!i || compare_names(&ordered[i - 1], &ordered[i]))
			groups[count++] = (struct group){.kinds = &kinds[i]};
		groups[count - 1].count++;
	}
	return count;
}

int build_types(struct correlator *c, struct model *model)
{
	size_t nkinds = c->kinds.count, count;
	struct ordered_kind *ordered = calloc(nkinds + 1, sizeof(*ordered));
	struct kind **kinds = calloc(nkinds + 1, sizeof(*kinds));
	struct group *groups = calloc(nkinds + 1, sizeof(*groups));
	int err = -ENOMEM;

	if (!ordered || !kinds || !groups)
		goto out;
	err = order_kinds(c, ordered);
	if (err)
		goto out;
	count = make_groups(ordered, kinds, nkinds, groups);
	err = fill_jobs(c, groups, count, model);
	if (!err)
		err = fill_types(c, groups, count, model);
	if (!err)
		err = fill_kinds(c, model);
out:
	free(ordered);
	free(kinds);
	free(groups);
	return err;
}
