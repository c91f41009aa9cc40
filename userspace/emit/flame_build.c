// SPDX-License-Identifier: MIT
/* From the model's weights to a flame. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit/await_point.h"
#include "emit/flame_builder.h"
#include "emit/frames.h"

static int parse(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(name, names[i]))
			return (int)i;
	}
	return -EINVAL;
}

int flame_kind_parse(const char *name, enum flame_kind *kind)
{
	static const char *const names[] = {"wall", "oncpu", "offcpu", "sched", "idle"};
	int value = parse(name, names, sizeof(names) / sizeof(names[0]));

	if (value < 0)
		return value;
	*kind = (enum flame_kind)value;
	return 0;
}

int flame_by_parse(const char *name, enum flame_by *by)
{
	static const char *const names[] = {"type", "task", "worker"};
	int value = parse(name, names, sizeof(names) / sizeof(names[0]));

	if (value < 0)
		return value;
	*by = (enum flame_by)value;
	return 0;
}

static int push_frame(void *context, const struct emit_frame *frame)
{
	return flame_push(context, frame->name,
			  frame->kernel  ? FLAME_KERNEL
			  : frame->known ? FLAME_USER
					 : FLAME_UNKNOWN);
}

struct await_pusher {
	struct flame_builder *builder;
	struct await_walk walk;
};

static int push_awaiting(void *context, const struct emit_frame *frame)
{
	static const enum flame_class classes[] = {
		[AWAIT_OWN] = FLAME_USER,
		[AWAIT_LIBRARY] = FLAME_LIBRARY,
		[AWAIT_UNNAMED] = FLAME_UNKNOWN,
	};
	struct await_pusher *pusher = context;

	return flame_push(pusher->builder, frame->name, classes[await_walk(&pusher->walk, frame)]);
}

static int push_stack(struct flame_builder *builder, const struct model_weight *weight)
{
	struct await_pusher pusher = {.builder = builder};

	if (weight->kind == MODEL_WEIGHT_IDLE)
		return emit_frames_visit(builder->model, weight->stack, push_awaiting, &pusher);
	return emit_frames_visit(builder->model, weight->stack, push_frame, builder);
}

/* Types that share a name are told apart by location and, if need be, pid. */
static int push_type(struct flame_builder *builder, uint32_t index, uint64_t task)
{
	const struct model *model = builder->model;
	const struct model_type *type = &model->types[index];
	bool same_name = false, same_location = false;
	char pid[32] = "", id[32] = "", *name;
	int err;

	for (size_t i = 0; i < model->ntypes; i++) {
		if (i == index || strcmp(model->types[i].name, type->name))
			continue;
		same_name = true;
		same_location |= !strcmp(model->types[i].location, type->location);
	}
	if (same_location)
		snprintf(pid, sizeof(pid), " (pid %u)",
			 model->processes[model->sources[type->source].process].pid);
	if (builder->by == FLAME_BY_TASK)
		snprintf(id, sizeof(id), " #%llu", (unsigned long long)task);
	if (asprintf(&name, "%s%s%s%s%s", type->name, same_name && *type->location ? " " : "",
		     same_name ? type->location : "", pid, id) < 0)
		return -ENOMEM;
	err = flame_push(builder, name, FLAME_ROOT);
	free(name);
	return err;
}

static bool has_namesake(const struct model *model, const struct model_worker *worker)
{
	for (size_t i = 0; i < model->nworkers; i++) {
		if (&model->workers[i] != worker && !strcmp(model->workers[i].name, worker->name))
			return true;
	}
	return false;
}

/* Workers that share a name, as Tokio's do, are told apart by their tid. */
static int push_worker(struct flame_builder *builder, uint32_t type, uint32_t tid)
{
	const struct model *model = builder->model;
	uint32_t process = model->sources[model->types[type].source].process;
	const struct model_worker *worker = NULL;
	int length, err;
	char *name;

	for (size_t i = 0; i < model->nworkers && !worker; i++) {
		if (model->workers[i].tid == tid &&
		    model->sources[model->workers[i].source].process == process)
			worker = &model->workers[i];
	}
	if (worker && !has_namesake(model, worker))
		return flame_push(builder, worker->name, FLAME_ROOT);
	length = worker ? asprintf(&name, "%s/%u", worker->name, tid)
			: asprintf(&name, "thread %u", tid);
	if (length < 0)
		return -ENOMEM;
	err = flame_push(builder, name, FLAME_ROOT);
	free(name);
	return err;
}

static int push_root(struct flame_builder *builder, uint32_t type, uint64_t task, uint32_t tid)
{
	builder->nframes = 0;
	if (builder->by == FLAME_BY_WORKER)
		return push_worker(builder, type, tid);
	return push_type(builder, type, task);
}

static int push_cause(struct flame_builder *builder, const char *cause)
{
	char *name;
	int err;

	if (!strcmp(cause, "page-fault"))
		return flame_push(builder, "[page fault]", FLAME_BLOCKED);
	if (asprintf(&name, "[blocked: %s]", cause) < 0)
		return -ENOMEM;
	err = flame_push(builder, name, FLAME_BLOCKED);
	free(name);
	return err;
}

static int add_weight(struct flame_builder *builder, const struct model_weight *weight, uint64_t ns)
{
	const char *cause = weight->cause ? weight->cause : "unknown";
	int err;

	err = push_root(builder, weight->type, weight->task, weight->tid);
	if (err)
		return err;
	err = push_stack(builder, weight);
	if (err)
		return err;
	switch (weight->kind) {
	case MODEL_WEIGHT_ON_CPU:
	case MODEL_WEIGHT_IDLE:
		break;
	case MODEL_WEIGHT_BLOCKED:
		err = push_cause(builder, cause);
		break;
	case MODEL_WEIGHT_RUNQUEUE:
		err = flame_push(builder, "[run queue]", FLAME_RUNQUEUE);
		break;
	case MODEL_WEIGHT_SCHEDULED:
		err = flame_push(builder, cause, FLAME_WAKER);
		if (!err)
			err = flame_push(builder, "[queued]", FLAME_RUNQUEUE);
		break;
	}
	return err ? err : flame_finish_stack(builder, ns);
}

/* By type, task, tid: the order that both the model's samples and its exact times have. */
static int compare_roots(const struct model_weight *sample, const struct model_root *root)
{
	if (sample->type != root->type)
		return sample->type < root->type ? -1 : 1;
	if (sample->task != root->task)
		return sample->task < root->task ? -1 : 1;
	return (sample->tid > root->tid) - (sample->tid < root->tid);
}

/* What is sampled: a kind of weights, each worth its share of its root's exact time. */
struct sampled {
	enum model_weight_kind kind;
	const struct model_root *roots;
	size_t nroots;
	const char *unsampled; /* frame of a root without samples */
};

/* By the number of samples on CPU; of gaps by the time that each stands for. */
static uint64_t share(const struct model_weight *sample)
{
	return sample->kind == MODEL_WEIGHT_ON_CPU ? sample->count : sample->whole_ns;
}

static int spread(struct flame_builder *builder, uint64_t ns, const struct model_weight *samples,
		  size_t n)
{
	uint64_t *weights = calloc(n, sizeof(*weights)), *shares = calloc(n, sizeof(*shares));
	int err = weights && shares ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < n; i++)
		weights[i] = share(&samples[i]);
	if (!err)
		err = flame_apportion(ns, weights, n, shares);
	for (size_t i = 0; !err && i < n; i++)
		err = add_weight(builder, &samples[i], shares[i]);
	free(weights);
	free(shares);
	return err;
}

static int add_unsampled(struct flame_builder *builder, const struct model_root *root,
			 const char *frame)
{
	int err = push_root(builder, root->type, root->task, root->tid);

	if (!err)
		err = flame_push(builder, frame, FLAME_UNKNOWN);
	return err ? err : flame_finish_stack(builder, root->ns);
}

/* Exact time of each root, over its samples. */
static int add_sampled(struct flame_builder *builder, const struct sampled *sampled)
{
	const struct model *model = builder->model;
	const struct model_weight *sample = model->weights, *end = sample + model->nweights;
	int err = 0;

	/* Weights are ordered by kind first. */
	while (sample < end && sample->kind < sampled->kind)
		sample++;
	while (end > sample && end[-1].kind > sampled->kind)
		end--;
	for (size_t i = 0; !err && i < sampled->nroots; i++) {
		const struct model_root *root = &sampled->roots[i];
		const struct model_weight *first;

		while (sample < end && compare_roots(sample, root) < 0)
			sample++;
		first = sample;
		while (sample < end && compare_roots(sample, root) == 0)
			sample++;
		err = sample > first ? spread(builder, root->ns, first, sample - first)
				     : add_unsampled(builder, root, sampled->unsampled);
	}
	return err;
}

static bool wanted(enum flame_kind kind, enum model_weight_kind weight)
{
	switch (weight) {
	case MODEL_WEIGHT_ON_CPU:
		return kind == FLAME_ONCPU;
	case MODEL_WEIGHT_BLOCKED:
	case MODEL_WEIGHT_RUNQUEUE:
		return kind == FLAME_WALL || kind == FLAME_OFFCPU;
	case MODEL_WEIGHT_SCHEDULED:
		return kind == FLAME_SCHED;
	case MODEL_WEIGHT_IDLE:
		break;
	}
	return false;
}

static int build(struct flame_builder *builder, enum flame_kind kind)
{
	const struct model *model = builder->model;
	const struct sampled on_cpu = {MODEL_WEIGHT_ON_CPU, model->on_cpu, model->non_cpu,
				       "[on cpu, not sampled]"};
	const struct sampled idle = {MODEL_WEIGHT_IDLE, model->idle, model->nidle, "[not sampled]"};
	int err = 0;

	for (size_t i = 0; !err && i < model->nweights; i++) {
		if (wanted(kind, model->weights[i].kind))
			err = add_weight(builder, &model->weights[i], model->weights[i].ns);
	}
	if (!err && kind == FLAME_WALL)
		err = add_sampled(builder, &on_cpu);
	if (!err && kind == FLAME_IDLE)
		err = add_sampled(builder, &idle);
	return err;
}

struct flame *flame_new(const struct model *model, enum flame_kind kind, enum flame_by by)
{
	struct flame_builder builder = {.model = model, .by = by};
	int err = flame_start(&builder);

	if (!err) {
		builder.flame->kind = kind;
		builder.flame->by = by;
		builder.flame->duration_ns = model->capture.duration_ns;
		err = build(&builder, kind);
	}
	return flame_finish(&builder, err);
}
