// SPDX-License-Identifier: MIT
/* The object that heads every document: what was captured, and how well. */
#include "emit/json.h"
#include "emit/names.h"
#include "emit/report_json.h"

static json_t *runtime_json(const struct model_source *source)
{
	json_t *runtime = json_object(), *capabilities = json_array();
	const char *name;
	int failed;

	if (!source) {
		json_decref(runtime);
		json_decref(capabilities);
		return json_null();
	}
	failed = emit_json_put_text(runtime, "name", source->runtime);
	failed |=
		emit_json_put_text(runtime, "version", source->version[0] ? source->version : NULL);
	failed |= emit_json_put_text(runtime, "path", source->path);
	failed |= emit_json_put_number(runtime, "workers", source->workers);
	for (size_t i = 0; (name = emit_capability_name(i)); i++) {
		if ((source->capabilities & EMIT_SIGNALS) >> i & 1)
			failed |= json_array_append_new(capabilities, emit_json_text(name));
	}
	failed |= emit_json_put(runtime, "capabilities", capabilities);
	if (failed) {
		json_decref(runtime);
		return NULL;
	}
	return runtime;
}

static json_t *quota_json(const struct model_quota *quota)
{
	json_t *object = quota->cgroup ? json_object() : json_null();
	int failed = 0;

	if (!quota->cgroup)
		return object;
	failed |= emit_json_put_text(object, "cgroup", quota->cgroup);
	failed |= emit_json_put_number(object, "quota_ns", quota->quota_ns);
	failed |= emit_json_put_number(object, "period_ns", quota->period_ns);
	failed |= emit_json_put_number(object, "periods", quota->periods);
	failed |= emit_json_put_number(object, "throttled_periods", quota->throttled);
	failed |= emit_json_put_number(object, "throttled_ns", quota->throttled_ns);
	if (failed) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *process_json(const struct model *model, size_t index)
{
	const struct model_process *process = &model->processes[index];
	json_t *target = json_object(), *runtimes = json_array();
	int failed;

	failed = emit_json_put_number(target, "pid", process->pid);
	failed |= emit_json_put_number(target, "generation", process->generation);
	failed |= emit_json_put_text(target, "comm", process->comm);
	failed |= emit_json_put_text(target, "exe", process->exe);
	failed |= emit_json_put_text(target, "command_line", process->command_line);
	failed |= emit_json_put_bool(target, "launched", process->launched);
	failed |= emit_json_put_bool(target, "exited", process->exited);
	failed |= emit_json_put(target, "cpu_quota", quota_json(&process->quota));
	failed |= emit_json_put(target, "wait_status",
				process->wait_status < 0 ? json_null()
							 : json_integer(process->wait_status));
	for (size_t i = 0; i < model->nsources; i++) {
		if (model->sources[i].process == index)
			failed |= json_array_append_new(runtimes, runtime_json(&model->sources[i]));
	}
	failed |= emit_json_put(target, "runtimes", runtimes);
	if (failed) {
		json_decref(target);
		return NULL;
	}
	return target;
}

static int put_targets(json_t *capture, const struct model *model)
{
	const struct model_process *target = emit_target(model);
	json_t *targets = json_array();
	uint64_t workers = 0;
	int failed;

	failed = emit_json_put(capture, "pid", target ? json_integer(target->pid) : json_null());
	failed |= emit_json_put_text(capture, "comm", target ? target->comm : NULL);
	failed |= emit_json_put(capture, "runtime", runtime_json(emit_runtime(model)));
	for (size_t i = 0; i < model->nprocesses; i++)
		failed |= json_array_append_new(targets, process_json(model, i));
	failed |= emit_json_put(capture, "targets", targets);
	for (size_t i = 0; i < model->nsources; i++)
		workers += model->sources[i].workers;
	failed |= emit_json_put_number(capture, "workers", workers);
	return failed;
}

static int put_losses(json_t *object, const struct model_capture *capture)
{
	json_t *lost = json_object();
	int failed = 0;

	for (size_t i = 0; i < capture->nlost; i++)
		failed |= emit_json_put_number(lost, emit_event_name(capture->lost[i].type),
					       capture->lost[i].count);
	failed |= emit_json_put_number(object, "events", capture->events);
	failed |= emit_json_put_number(object, "events_lost", capture->events_lost);
	failed |= emit_json_put(object, "lost", lost);
	failed |= emit_json_put_number(object, "damaged_chunks", capture->damaged_chunks);
	failed |= emit_json_put_number(object, "damaged_bytes", capture->damaged_bytes);
	failed |= emit_json_put_number(object, "unread_events", capture->unread_events);
	failed |= emit_json_put_number(object, "late", capture->late);
	failed |= emit_json_put_number(object, "unmatched_wakes", capture->unmatched_wakes);
	failed |= emit_json_put_number(object, "redundant_wakes", capture->redundant_wakes);
	failed |= emit_json_put_number(object, "nested_polls", capture->nested_polls);
	failed |= emit_json_put_number(object, "truncated_stacks", capture->truncated_stacks);
	failed |= emit_json_put_number(object, "uncertain_ns", capture->uncertain_ns);
	return failed;
}

/* null where no stack was unwound by tables. */
static json_t *unwind_json(const struct model_capture *capture)
{
	json_t *unwind, *ended_early;
	int failed;

	if (!capture->unwound_stacks)
		return json_null();
	unwind = json_object();
	ended_early = json_object();
	failed = emit_json_put_number(unwind, "stacks", capture->unwound_stacks);
	failed |= emit_json_put_number(unwind, "complete", capture->unwound_ends[STACK_WHOLE]);
	for (int end = STACK_WHOLE + 1; end < STACK_ENDS; end++)
		failed |= emit_json_put_number(ended_early, stack_end_key(end),
					       capture->unwound_ends[end]);
	failed |= emit_json_put(unwind, "ended_early", ended_early);
	if (failed) {
		json_decref(unwind);
		return NULL;
	}
	return unwind;
}

/* null where every poll was timed. */
static json_t *sampling_json(const struct model_capture *capture)
{
	json_t *sampling;
	int failed;

	if (!capture->estimated)
		return json_null();
	sampling = json_object();
	failed = emit_json_put_number(sampling, "one_in", capture->sampled_one_in);
	failed |= emit_json_put_number(sampling, "since_ns", capture->sampled_since_ns);
	if (failed) {
		json_decref(sampling);
		return NULL;
	}
	return sampling;
}

json_t *emit_capture_json(const struct model *model)
{
	const struct model_capture *capture = &model->capture;
	json_t *object = json_object();
	int failed;

	failed = put_targets(object, model);
	failed |= emit_json_put_number(object, "start_unix_ns", capture->start_unix_ns);
	failed |= emit_json_put_number(object, "duration_ns", capture->duration_ns);
	failed |= emit_json_put_text(object, "end", emit_end_name(capture->end_reason));
	failed |= put_losses(object, capture);
	failed |= emit_json_put_number(object, "probe_overhead_ns", capture->probe_overhead_ns);
	failed |= emit_json_put_number(object, "sample_period_ns", capture->sample_period_ns);
	failed |= emit_json_put_bool(object, "estimated", capture->estimated);
	failed |= emit_json_put(object, "sampling", sampling_json(capture));
	failed |= emit_json_put(object, "unwind", unwind_json(capture));
	failed |= emit_json_put_text(object, "kernel", capture->kernel);
	failed |= emit_json_put_text(object, "arch", capture->arch);
	failed |= emit_json_put_number(object, "ncpus", capture->ncpus);
	failed |= emit_json_put_text(object, "command_line", capture->command_line);
	failed |= emit_json_put_text(object, "tool_version", capture->tool_version);
	if (failed) {
		json_decref(object);
		return NULL;
	}
	return object;
}
