// SPDX-License-Identifier: MIT
/*
 * The model's tasks, slowest polls, weights and symbols.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/model_parts.h"
#include "core/state.h"

#define WHOLE_MOST 0x1p62 /* ns: a broken recording can claim more than 64 bits hold */

static int copy_tasks(struct correlator *c, struct model *model)
{
	const struct top *best = &c->best.tasks;

	model->tasks = calloc(best->count + 1, sizeof(*model->tasks));
	if (!model->tasks)
		return -ENOMEM;
	for (size_t i = 0; i < best->count; i++) {
		const struct task_summary *summary = (struct task_summary *)best->items + i;

		/* Its kind may have turned out later not to be asked for. */
		if (summary->kind->choice == KIND_LEFT_OUT)
			continue;
		model->tasks[model->ntasks] = summary->task;
		model->tasks[model->ntasks++].type = summary->kind->type;
	}
	return 0;
}

static int copy_slowest(struct correlator *c, struct model *model)
{
	const struct top *best = &c->best.slowest;

	model->slowest = calloc(best->count + 1, sizeof(*model->slowest));
	if (!model->slowest)
		return -ENOMEM;
	for (size_t i = 0; i < best->count; i++) {
		const struct slow_poll *slow = (struct slow_poll *)best->items + i;
		struct model_slow_poll *made = &model->slowest[model->nslowest];

		if (slow->kind->choice == KIND_LEFT_OUT)
			continue;
		*made = slow->poll;
		made->type = slow->kind->type;
		made->cause = NULL;
		model->nslowest++;
		if (slow->cause == CAUSE_NONE)
			continue;
		made->cause = strdup(causes_name(&c->causes, slow->cause));
		if (!made->cause)
			return -ENOMEM;
	}
	return 0;
}

int build_tasks(struct correlator *c, struct model *model)
{
	int err = best_settle(c);

	if (!err)
		err = copy_tasks(c, model);
	return err ? err : copy_slowest(c, model);
}

static int compare_causes(const char *x, const char *y)
{
	if (!x || !y)
		return !!x - !!y;
	return strcmp(x, y);
}

static int compare_weights(const void *a, const void *b)
{
	const struct model_weight *x = a, *y = b;

#define ORDER(field)                                                                               \
	do {                                                                                       \
		if (x->field != y->field)                                                          \
			return x->field < y->field ? -1 : 1;                                       \
	} while (0)
	ORDER(kind);
	ORDER(type);
	ORDER(task);
	ORDER(tid);
	ORDER(stack);
#undef ORDER
	return compare_causes(x->cause, y->cause);
}

static int compare_roots(const void *a, const void *b)
{
	const struct model_root *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* Lent by what it names. */
static const char *weight_cause(const struct correlator *c, const struct weight_key *key)
{
	switch (key->what & ~WEIGHT_SAMPLED) {
	case MODEL_WEIGHT_BLOCKED:
		return causes_name(&c->causes, key->cause);
	case MODEL_WEIGHT_SCHEDULED:
		if (key->cause & 1)
			return names_text(&c->names, key->cause >> 1);
		return c->kinds.list[key->cause >> 1]->label;
	default:
		return NULL;
	}
}

static struct model_root *add_root(struct model *model, uint32_t what)
{
	return what == WEIGHT_IDLE ? &model->idle[model->nidle++]
				   : &model->on_cpu[model->non_cpu++];
}

static void add_weight(const struct correlator *c, const struct weight *weight, struct model *model)
{
	static const struct scale whole;
	const struct kind *kind = c->kinds.list[weight->key.kind];
	const struct scale *scale = weight->key.what & WEIGHT_SAMPLED ? &kind->scale : &whole;
	uint32_t what = weight->key.what & ~WEIGHT_SAMPLED;

	if (kind->choice == KIND_LEFT_OUT || !weight->count)
		return;
	/* How long tasks were idle between polls that were skipped is not known. */
	if (c->capture.estimated && (what == MODEL_WEIGHT_IDLE || what == WEIGHT_IDLE))
		return;
	if (what == WEIGHT_SELF || what == WEIGHT_IDLE) {
		*add_root(model, what) = (struct model_root){
			.type = kind->type,
			.task = weight->key.task,
			.tid = weight->key.tid,
			.ns = scale_up(scale, weight->ns),
		};
		return;
	}
	model->weights[model->nweights++] = (struct model_weight){
		.kind = what,
		.type = kind->type,
		.task = weight->key.task,
		.tid = weight->key.tid,
		.stack = weight->key.stack,
		.cause = (char *)weight_cause(c, &weight->key),
		.count = scale_up(scale, weight->count),
		.ns = scale_up(scale, weight->ns),
		.whole_ns = (uint64_t)fmin(round(fmax(weight->whole_ns, 0)), WHOLE_MOST),
		.squares = weight->squares,
		.sampled_squares = weight->sampled_squares,
	};
}

/* Kinds of one type, and wakers of one name, are one entry. */
static void merge_weights(struct model *model)
{
	size_t kept = 0;

	qsort(model->weights, model->nweights, sizeof(*model->weights), compare_weights);
	for (size_t i = 0; i < model->nweights; i++) {
		const struct model_weight *from = &model->weights[i];

		if (!kept || compare_weights(&model->weights[kept - 1], from)) {
			model->weights[kept++] = *from;
			continue;
		}
		model->weights[kept - 1].count += from->count;
		model->weights[kept - 1].ns += from->ns;
		model->weights[kept - 1].whole_ns += from->whole_ns;
		model->weights[kept - 1].squares += from->squares;
		model->weights[kept - 1].sampled_squares += from->sampled_squares;
	}
	model->nweights = kept;
}

static void merge_roots(struct model_root *roots, size_t *count)
{
	size_t kept = 0;

	qsort(roots, *count, sizeof(*roots), compare_roots);
	for (size_t i = 0; i < *count; i++) {
		if (!kept || compare_roots(&roots[kept - 1], &roots[i]))
			roots[kept++] = roots[i];
		else
			roots[kept - 1].ns += roots[i].ns;
	}
	*count = kept;
}

/* From here on the model owns its strings. */
static int own_causes(struct model *model)
{
	int err = 0;

	for (size_t i = 0; i < model->nweights; i++) {
		struct model_weight *weight = &model->weights[i];

		if (!weight->cause)
			continue;
		weight->cause = err ? NULL : strdup(weight->cause);
		if (!weight->cause)
			err = -ENOMEM;
	}
	return err;
}

int build_weights(struct correlator *c, struct model *model)
{
	size_t most = HASH_COUNT(c->weights.by_key);
	struct weight *weight, *next;

	model->weights = calloc(most + 1, sizeof(*model->weights));
	model->on_cpu = calloc(most + c->kinds.count + 1, sizeof(*model->on_cpu));
	model->idle = calloc(most + model->ntypes + 1, sizeof(*model->idle));
	if (!model->weights || !model->on_cpu || !model->idle)
		return -ENOMEM;
	HASH_ITER (hh, c->weights.by_key, weight, next)
		add_weight(c, weight, model);
	for (size_t i = 0; i < c->kinds.count; i++) {
		const struct kind *kind = c->kinds.list[i];
		uint64_t self_ns = kind->self_ns + scale_up(&kind->scale, kind->sampled_self_ns);

		if (self_ns && kind->choice != KIND_LEFT_OUT)
			model->on_cpu[model->non_cpu++] = (struct model_root){
				.type = kind->type,
				.ns = self_ns,
			};
	}
	for (size_t i = 0; i < model->ntypes && c->options.by == CORRELATE_BY_TYPE; i++) {
		if (model->types[i].times.idle_ns)
			model->idle[model->nidle++] = (struct model_root){
				.type = i,
				.ns = model->types[i].times.idle_ns,
			};
	}
	merge_weights(model);
	merge_roots(model->on_cpu, &model->non_cpu);
	merge_roots(model->idle, &model->nidle);
	return own_causes(model);
}

/* Symbols and modules move from the correlator. */
int build_symbols(struct correlator *c, struct model *model)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->nsymbols; i++) {
		if (c->symbols[i].process != EVENT_NO_PROCESS)
			c->symbols[i].process = c->processes[c->symbols[i].process]->index;
	}
	if (c->nsymbols)
		qsort(c->symbols, c->nsymbols, sizeof(*c->symbols), model_compare_symbols);
	for (size_t i = 0; i < c->nsymbols; i++) {
		if (kept && !model_compare_symbols(&c->symbols[kept - 1], &c->symbols[i]))
			model_clear_symbol(&c->symbols[i]);
		else
			c->symbols[kept++] = c->symbols[i];
	}
	model->symbols = c->symbols;
	model->nsymbols = kept;
	c->symbols = NULL;
	c->nsymbols = 0;

	for (size_t i = 0; i < c->nmodules; i++) {
		if (c->modules[i].process != EVENT_NO_PROCESS)
			c->modules[i].process = c->processes[c->modules[i].process]->index;
	}
	model->modules = c->modules;
	model->nmodules = c->nmodules;
	c->modules = NULL;
	c->nmodules = 0;
	return 0;
}
