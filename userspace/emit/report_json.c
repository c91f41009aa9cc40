// SPDX-License-Identifier: MIT
#include "emit/report_json.h"

#include <math.h>
#include <stdlib.h>

#include "emit/awaits.h"
#include "emit/frames.h"
#include "emit/json.h"
#include "emit/names.h"
#include "emit/sort.h"

/* Gives up a value that is not whole. */
static json_t *whole(json_t *value, int failed)
{
	if (!failed)
		return value;
	json_decref(value);
	return NULL;
}

/* A number that is not known is null. */
static int put_known(json_t *object, const char *key, uint64_t number, bool known)
{
	return known ? emit_json_put_number(object, key, number)
		     : emit_json_put(object, key, json_null());
}

static int put_source(json_t *object, const struct model *model, uint32_t index)
{
	const struct model_source *source = &model->sources[index];
	const struct model_process *process = &model->processes[source->process];
	int failed;

	failed = emit_json_put_number(object, "pid", process->pid);
	failed |= emit_json_put_number(object, "generation", process->generation);
	failed |= emit_json_put_text(object, "runtime", source->runtime);
	return failed;
}

static json_t *worker_json(const struct model *model, const struct model_worker *worker)
{
	json_t *object = json_object();
	int failed;

	failed = put_source(object, model, worker->source);
	failed |= emit_json_put_number(object, "tid", worker->tid);
	failed |= emit_json_put_text(object, "name", worker->name);
	failed |= emit_json_put_number(object, "polls", worker->polls);
	failed |= emit_json_put_number(object, "observed_ns", worker->observed_ns);
	failed |= put_known(object, "busy_ns", worker->busy_ns, worker->has_busy);
	failed |= put_known(object, "parked_ns", worker->parked_ns, worker->has_busy);
	failed |= put_known(object, "on_cpu_ns", worker->on_cpu_ns, worker->has_on_cpu);
	failed |= put_known(object, "runqueue_ns", worker->runqueue_ns, worker->has_on_cpu);
	failed |= put_known(object, "blocked_ns", worker->blocked_ns, worker->has_on_cpu);
	return whole(object, failed);
}

static json_t *percentiles_json(const struct model_percentiles *percentiles)
{
	json_t *object = json_object();
	int failed;

	failed = emit_json_put_number(object, "p50", percentiles->p50);
	failed |= emit_json_put_number(object, "p90", percentiles->p90);
	failed |= emit_json_put_number(object, "p99", percentiles->p99);
	failed |= emit_json_put_number(object, "max", percentiles->max);
	return whole(object, failed);
}

static int put_percentiles(json_t *object, const char *key,
			   const struct model_percentiles *percentiles, bool known)
{
	return emit_json_put(object, key, known ? percentiles_json(percentiles) : json_null());
}

/* Which times are known. A scheduled time that is not is part of idle. */
struct known_times {
	bool life, scheduled, polling;
};

static int put_times(json_t *object, const struct model_times *times, struct known_times known)
{
	int failed;

	failed = put_known(object, "lifetime_ns", times->lifetime_ns, known.life);
	failed |= put_known(object, "scheduled_ns", times->scheduled_ns, known.scheduled);
	failed |= put_known(object, "polling_ns", times->polling_ns, known.polling);
	failed |= put_known(object, "on_cpu_ns", times->on_cpu_ns, known.polling);
	failed |= put_known(object, "runqueue_ns", times->runqueue_ns, known.polling);
	failed |= put_known(object, "blocked_ns", times->blocked_ns, known.polling);
	failed |= put_known(object, "idle_ns", times->idle_ns, known.life);
	return failed;
}

static json_t *full_json(const struct model_full *full)
{
	json_t *types = json_array();
	int failed = !types;

	for (size_t i = 0; i < full->count; i++)
		failed |= json_array_append_new(types, emit_json_text(full->types[i]));
	return whole(types, failed);
}

static json_t *cause_json(const struct model_cause *cause)
{
	json_t *object = json_object();
	int failed;

	failed = emit_json_put_text(object, "cause", cause->cause);
	failed |= emit_json_put_text(object, "kind", cause->kind);
	failed |= emit_json_put_text(object, "target", cause->target);
	failed |= emit_json_put_number(object, "count", cause->count);
	failed |= emit_json_put_number(object, "total_ns", cause->total_ns);
	failed |= emit_json_put_number(object, "max_ns", cause->max_ns);
	return whole(object, failed);
}

static int append_frame(void *context, const struct emit_frame *frame)
{
	return json_array_append_new(context, emit_json_text(frame->name));
}

static const char *const largest_parts[] = {
	[MODEL_LARGEST_ON_CPU] = "on-cpu",
	[MODEL_LARGEST_RUNQUEUE] = "run-queue",
	[MODEL_LARGEST_BLOCKED] = "blocked",
};

static int put_stack(json_t *object, const struct model *model, uint32_t index)
{
	json_t *stack = json_array();
	int failed = emit_frames_visit(model, index, append_frame, stack);

	return failed | emit_json_put(object, "stack", stack);
}

static json_t *await_json(const struct model *model, const struct emit_await *await)
{
	json_t *object = json_object();
	int failed;

	failed = emit_json_put_text(object, "function", await->function);
	failed |= emit_json_put_text(object, "location", await->location);
	failed |= emit_json_put_text(object, "leaf", await->leaf);
	failed |= emit_json_put_number(object, "count", await->count);
	failed |= emit_json_put_number(object, "sampled_ns", await->sampled_ns);
	failed |= emit_json_put_number(object, "idle_ns", await->idle_ns);
	failed |= emit_json_put(object, "share", json_real(await->share));
	failed |= emit_json_put(object, "error",
				isnan(await->error) ? json_null() : json_real(await->error));
	failed |= put_stack(object, model, await->stack);
	return whole(object, failed);
}

static json_t *awaits_json(const struct model *model, const struct model_type *type)
{
	struct emit_awaits awaits;
	json_t *list = json_array();
	int failed = emit_awaits(model, type - model->types, &awaits);

	for (size_t i = 0; !failed && i < awaits.count; i++)
		failed = json_array_append_new(list, await_json(model, &awaits.list[i]));
	emit_awaits_clear(&awaits);
	return whole(list, failed);
}

static json_t *type_json(const struct model *model, const struct model_type *type)
{
	const struct known_times known = {.life = !model->capture.estimated,
					  .scheduled = type->has_scheduled,
					  .polling = !type->untimed};
	json_t *object = json_object(), *blocked = json_array();
	int failed;

	failed = put_source(object, model, type->source);
	failed |= emit_json_put_text(object, "name", type->name);
	failed |= emit_json_put_text(object, "location", type->location);
	failed |= emit_json_put(object, "full_types", full_json(&type->full));
	failed |= put_known(object, "tasks", type->tasks, known.life);
	failed |= put_known(object, "alive", type->alive, known.life);
	failed |= emit_json_put_number(object, "polls", type->polls);
	if (type->has_scheduled) {
		failed |= emit_json_put_number(object, "wakes", type->wakes);
		failed |= emit_json_put_number(object, "redundant_wakes", type->redundant_wakes);
	}
	failed |= put_times(object, &type->times, known);
	failed |= put_percentiles(object, "poll_ns", &type->poll_ns, known.polling);
	failed |= put_percentiles(object, "scheduled_wait_ns", &type->scheduled_wait_ns,
				  known.scheduled);
	for (size_t i = 0; i < type->ncauses; i++)
		failed |= json_array_append_new(blocked, cause_json(&type->causes[i]));
	failed |= emit_json_put(object, "blocked", blocked);
	failed |= emit_json_put(object, "awaits", awaits_json(model, type));
	return whole(object, failed);
}

/* Names a task's type the way task_types does. */
static int put_type(json_t *object, const struct model *model, uint32_t index)
{
	const struct model_type *type = &model->types[index];
	int failed;

	failed = put_source(object, model, type->source);
	failed |= emit_json_put_text(object, "type", type->name);
	failed |= emit_json_put_text(object, "location", type->location);
	return failed;
}

static json_t *task_json(const struct model *model, const struct model_task *task)
{
	const struct known_times known = {
		.life = true,
		.scheduled = model->types[task->type].has_scheduled,
		.polling = true,
	};
	json_t *object = json_object();
	int failed;

	failed = emit_json_put_id(object, "id", task->id);
	failed |= put_type(object, model, task->type);
	failed |= emit_json_put_text(object, "state", emit_state_name(task->state));
	failed |= emit_json_put_number(object, "in_progress_ns", task->in_progress_ns);
	failed |= emit_json_put_number(object, "polls", task->polls);
	failed |= emit_json_put_number(object, "max_poll_ns", task->max_poll_ns);
	failed |= put_times(object, &task->times, known);
	return whole(object, failed);
}

static json_t *poll_json(const struct model *model, const struct model_slow_poll *poll)
{
	json_t *object = json_object();
	int failed;

	failed = emit_json_put_id(object, "task", poll->task);
	failed |= put_type(object, model, poll->type);
	failed |= emit_json_put_number(object, "tid", poll->tid);
	failed |= emit_json_put_number(object, "start_ns", poll->start_ns);
	failed |= emit_json_put_number(object, "poll_ns", poll->poll_ns);
	failed |= emit_json_put_number(object, "on_cpu_ns", poll->on_cpu_ns);
	failed |= emit_json_put_number(object, "runqueue_ns", poll->runqueue_ns);
	failed |= emit_json_put_number(object, "blocked_ns", poll->blocked_ns);
	failed |= emit_json_put_bool(object, "in_progress", poll->in_progress);
	failed |= emit_json_put_text(object, "cause", poll->cause);
	failed |=
		emit_json_put_text(object, "largest_part", largest_parts[model_poll_largest(poll)]);
	failed |= put_stack(object, model, poll->stack);
	return whole(object, failed);
}

static json_t *job_json(const struct model *model, const struct model_job *job)
{
	json_t *object = json_object();
	int failed;

	failed = put_source(object, model, job->source);
	failed |= emit_json_put_text(object, "name", job->name);
	failed |= emit_json_put_text(object, "location", job->location);
	failed |= emit_json_put(object, "full_types", full_json(&job->full));
	failed |= emit_json_put_number(object, "jobs", job->jobs);
	failed |= emit_json_put_number(object, "running", job->running);
	failed |= put_known(object, "queued_ns", job->queued_ns, job->has_wait);
	failed |= emit_json_put_number(object, "running_ns", job->run_ns);
	failed |= put_percentiles(object, "wait_ns", &job->wait_ns, job->has_wait);
	failed |= put_percentiles(object, "run_ns", &job->run, true);
	return whole(object, failed);
}

static json_t *types_json(const struct model *model, const char *sort)
{
	json_t *types = json_array();
	size_t *order = emit_sort_types(model, sort);
	int failed = !order;

	for (size_t i = 0; !failed && i < model->ntypes; i++)
		failed |= json_array_append_new(types, type_json(model, &model->types[order[i]]));
	free(order);
	return whole(types, failed);
}

int emit_report_json(const struct model *model, const char *sort, FILE *out)
{
	json_t *root = json_object(), *workers = json_array(), *tasks = json_array();
	json_t *polls = json_array(), *jobs = json_array();
	int failed;

	failed = emit_json_put_text(root, "schema", "pollscope.report/1");
	failed |= emit_json_put(root, "capture", emit_capture_json(model));
	for (size_t i = 0; i < model->nworkers; i++)
		failed |= json_array_append_new(workers, worker_json(model, &model->workers[i]));
	failed |= emit_json_put(root, "workers", workers);
	failed |= emit_json_put(root, "task_types", types_json(model, sort));
	for (size_t i = 0; i < model->ntasks; i++)
		failed |= json_array_append_new(tasks, task_json(model, &model->tasks[i]));
	failed |= emit_json_put(root, "tasks", tasks);
	for (size_t i = 0; i < model->nslowest; i++)
		failed |= json_array_append_new(polls, poll_json(model, &model->slowest[i]));
	failed |= emit_json_put(root, "slowest_polls", polls);
	for (size_t i = 0; i < model->njobs; i++)
		failed |= json_array_append_new(jobs, job_json(model, &model->jobs[i]));
	failed |= emit_json_put(root, "blocking_jobs", jobs);
	return emit_json_print(root, failed, out);
}
