// SPDX-License-Identifier: MIT
#include "emit/awaits.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "emit/await_point.h"
#include "emit/flame.h"
#include "emit/frames.h"

/* With fewer gaps their squares say no more than they do. */
#define POINT_GAPS 2
#define TYPE_GAPS 5

/* A stack's functions, copied, root first. */
struct frame_list {
	struct emit_frame *frames;
	size_t count, capacity;
};

static void frames_clear(struct frame_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free((char *)list->frames[i].name);
		free((char *)list->frames[i].file);
	}
	free(list->frames);
	*list = (struct frame_list){0};
}

static int frames_add(void *context, const struct emit_frame *frame)
{
	struct frame_list *list = context;
	struct emit_frame *frames, *copy;

	frames = array_grow(list->frames, list->count, &list->capacity, sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	list->frames = frames;
	copy = &frames[list->count++];
	*copy = *frame;
	copy->name = strdup(frame->name);
	copy->file = strdup(frame->file);
	return copy->name && copy->file ? 0 : -ENOMEM;
}

static int frames_of(const struct model *model, uint32_t stack, struct frame_list *list)
{
	*list = (struct frame_list){0};
	return emit_frames_visit(model, stack, frames_add, list);
}

/* Weights are ordered by kind, then type. */
static size_t first_weight(const struct model *model, uint32_t type)
{
	size_t low = 0, high = model->nweights;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct model_weight *weight = &model->weights[middle];

		if (weight->kind < MODEL_WEIGHT_IDLE ||
		    (weight->kind == MODEL_WEIGHT_IDLE && weight->type < type))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_of(const struct model *model, size_t weight, uint32_t type)
{
	return weight < model->nweights && model->weights[weight].kind == MODEL_WEIGHT_IDLE &&
	       model->weights[weight].type == type;
}

/* Frames that all stacks without names begin with. */
static int count_shared(const struct model *model, size_t first, uint32_t type, size_t *shared)
{
	struct frame_list reference = {0}, list;
	int err = 0;

	*shared = SIZE_MAX;
	for (size_t i = first; !err && is_of(model, i, type); i++) {
		size_t same = 0;

		err = frames_of(model, model->weights[i].stack, &list);
		if (err || !await_point_find(list.frames, list.count, 0).unnamed) {
			frames_clear(&list);
			continue;
		}
		if (!reference.count) {
			reference = list;
			continue;
		}
		while (same < list.count && same < reference.count &&
		       !strcmp(list.frames[same].name, reference.frames[same].name))
			same++;
		/* The same one again, of another task, parts from nothing. */
		if (same < list.count || same < reference.count)
			*shared = same < *shared ? same : *shared;
		frames_clear(&list);
	}
	frames_clear(&reference);
	*shared = *shared == SIZE_MAX ? 0 : *shared;
	return err;
}

static int describe(const struct frame_list *list, size_t shared, struct emit_await *await)
{
	struct await_point point = await_point_find(list->frames, list->count, shared);
	const struct emit_frame *at;

	if (point.at == AWAIT_NO_FRAME)
		return -ENOENT;
	at = &list->frames[point.at];
	await->function = await_point_name(at->name);
	if (at->line && *at->file) {
		if (asprintf(&await->location, "%s:%u", at->file, at->line) < 0)
			await->location = NULL;
	} else {
		await->location = strdup(at->file);
	}
	if (point.leaf != AWAIT_NO_FRAME)
		await->leaf = await_point_name(list->frames[point.leaf].name);
	if (!await->function || !await->location || (!await->leaf && point.leaf != AWAIT_NO_FRAME))
		return -ENOMEM;
	return 0;
}

static void await_clear(struct emit_await *await)
{
	free(await->function);
	free(await->location);
	free(await->leaf);
}

static int add(const struct model *model, const struct model_weight *weight, size_t shared,
	       struct emit_awaits *awaits)
{
	struct emit_await *await = &awaits->list[awaits->count];
	struct frame_list list;
	int err;

	*await = (struct emit_await){.count = weight->count,
				     .sampled_ns = weight->ns,
				     .whole_ns = weight->whole_ns,
				     .squares = weight->squares,
				     .sampled_squares = weight->sampled_squares,
				     .stack = weight->stack,
				     .stack_ns = weight->whole_ns};
	err = frames_of(model, weight->stack, &list);
	if (!err)
		err = describe(&list, shared, await);
	frames_clear(&list);
	if (err == -ENOENT)
		return 0;
	awaits->count++;
	return err;
}

/* Without a line, what is awaited tells the places in a function apart. */
static int compare_places(const void *left, const void *right)
{
	const struct emit_await *a = left, *b = right;
	int order = strcmp(a->function, b->function);

	if (!order)
		order = strcmp(a->location, b->location);
	if (order || *a->location)
		return order;
	return strcmp(a->leaf ? a->leaf : "", b->leaf ? b->leaf : "");
}

static int compare_times(const void *left, const void *right)
{
	const struct emit_await *a = left, *b = right;

	if (a->whole_ns != b->whole_ns)
		return a->whole_ns > b->whole_ns ? -1 : 1;
	return compare_places(a, b);
}

static void sums_add(struct emit_await *into, const struct emit_await *from)
{
	into->count += from->count;
	into->sampled_ns += from->sampled_ns;
	into->whole_ns += from->whole_ns;
	into->squares += from->squares;
	into->sampled_squares += from->sampled_squares;
	into->idle_ns += from->idle_ns;
}

/* Stacks of one place are one: the one that most time is of stands for it. */
static void merge(struct emit_awaits *awaits)
{
	size_t kept = 0;

	qsort(awaits->list, awaits->count, sizeof(*awaits->list), compare_places);
	for (size_t i = 0; i < awaits->count; i++) {
		struct emit_await *from = &awaits->list[i], *into, lesser;

		into = kept ? &awaits->list[kept - 1] : NULL;
		if (!into || compare_places(into, from)) {
			awaits->list[kept++] = *from;
			continue;
		}
		lesser = *from;
		if (from->stack_ns > into->stack_ns ||
		    (from->stack_ns == into->stack_ns && from->stack < into->stack)) {
			lesser = *into;
			*into = *from;
		}
		sums_add(into, &lesser);
		await_clear(&lesser);
	}
	awaits->count = kept;
}

static int estimate(uint64_t idle_ns, struct emit_awaits *awaits)
{
	uint64_t *wholes = calloc(awaits->count + 1, sizeof(*wholes));
	uint64_t *shares = calloc(awaits->count + 1, sizeof(*shares));
	int err = wholes && shares ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < awaits->count; i++)
		wholes[i] = awaits->list[i].whole_ns;
	if (!err)
		err = flame_apportion(idle_ns, wholes, awaits->count, shares);
	for (size_t i = 0; !err && i < awaits->count; i++)
		awaits->list[i].idle_ns = shares[i];
	free(wholes);
	free(shares);
	return err;
}

/*
 * A share is the ratio of two sums over the same gaps, each by what it stands for: its variance is that of a ratio,
 * linearized (Cochran, Sampling Techniques, 6.4), of gaps that are drawn one by one (Poisson sampling: Saerndal,
 * Swensson and Wretman, Model Assisted Survey Sampling, 3.5): of w gaps, one of them drawn, w (w - 1) squares of
 * its deviation. That some seconds differ from others adds to it, too, so it is rather too large than too small.
 * Where gaps were drawn that losses then took away, of the time that is known less is certain.
 */
static double variance(const struct emit_await *all, const struct emit_await *part, double p)
{
	double drawn = fmin(1, (double)all->whole_ns / (double)all->idle_ns);
	double of_part = part->squares - drawn * part->sampled_squares;
	double of_all = all->squares - drawn * all->sampled_squares;

	/* Only one place was seen: the next gap may be at another one. */
	if (part->whole_ns == all->whole_ns)
		return of_all / (double)all->count;
	return of_part * (1 - p) * (1 - p) + (of_all - of_part) * p * p;
}

/* Where all of the type's gaps were drawn nothing is left to chance. */
static double standard_error(const struct emit_await *all, const struct emit_await *part)
{
	if (all->sampled_ns >= all->idle_ns)
		return 0;
	if (part->count < POINT_GAPS || all->count < TYPE_GAPS)
		return NAN;
	return sqrt(fmax(0, variance(all, part, part->share))) / (double)all->whole_ns;
}

static void weigh(const struct emit_await *all, struct emit_await *part)
{
	part->share = all->whole_ns ? (double)part->whole_ns / (double)all->whole_ns : 0;
	part->error = all->whole_ns ? standard_error(all, part) : NAN;
}

struct emit_await emit_awaits_sum(const struct emit_awaits *awaits, size_t first)
{
	struct emit_await sum = {.location = ""};

	for (size_t i = first; i < awaits->count; i++)
		sums_add(&sum, &awaits->list[i]);
	weigh(&awaits->all, &sum);
	return sum;
}

struct text_short emit_await_share(const struct emit_awaits *awaits, const struct emit_await *await)
{
	struct text_short text = text_share(await->whole_ns, awaits->all.whole_ns);
	double percent = 100 * await->share, error = 100 * await->error;
	bool coarse = !(error < 0.95);
	size_t length;

	if (coarse)
		snprintf(text.s, sizeof(text.s), percent < 0.5 ? "<1%%" : "%.0f%%", percent);
	length = strlen(text.s);
	if (isnan(error))
		snprintf(text.s + length, sizeof(text.s) - length, " ±?");
	else if (error > 0)
		snprintf(text.s + length, sizeof(text.s) - length, " ±%.*f", coarse ? 0 : 1,
			 fmax(error, 0.1));
	return text;
}

int emit_awaits(const struct model *model, uint32_t type, struct emit_awaits *awaits)
{
	size_t first = first_weight(model, type), end = first, shared;
	int err;

	*awaits = (struct emit_awaits){0};
	while (is_of(model, end, type))
		end++;
	if (end == first)
		return 0;
	awaits->list = calloc(end - first, sizeof(*awaits->list));
	if (!awaits->list)
		return -ENOMEM;
	err = count_shared(model, first, type, &shared);
	for (size_t i = first; !err && i < end; i++)
		err = add(model, &model->weights[i], shared, awaits);
	if (err)
		return err;
	merge(awaits);
	qsort(awaits->list, awaits->count, sizeof(*awaits->list), compare_times);
	err = estimate(model->types[type].times.idle_ns, awaits);
	awaits->all = emit_awaits_sum(awaits, 0);
	for (size_t i = 0; i < awaits->count; i++)
		weigh(&awaits->all, &awaits->list[i]);
	return err;
}

void emit_awaits_clear(struct emit_awaits *awaits)
{
	for (size_t i = 0; i < awaits->count; i++)
		await_clear(&awaits->list[i]);
	free(awaits->list);
	*awaits = (struct emit_awaits){0};
}

static int add_functions(const struct model *model, uint32_t type, char **functions)
{
	size_t first = first_weight(model, type), shared;
	int err = count_shared(model, first, type, &shared);

	for (size_t i = first; !err && is_of(model, i, type); i++) {
		struct emit_await await = {0};
		struct emit_awaits one = {.list = &await};

		err = add(model, &model->weights[i], shared, &one);
		if (!functions[await.stack] && await.function) {
			functions[await.stack] = await.function;
			await.function = NULL;
		}
		await_clear(&await);
	}
	return err;
}

int emit_await_functions(const struct model *model, char ***functions)
{
	int err = 0;

	*functions = calloc(model->nstacks + 1, sizeof(**functions));
	if (!*functions)
		return -ENOMEM;
	for (uint32_t type = 0; !err && type < model->ntypes; type++)
		err = add_functions(model, type, *functions);
	return err;
}
