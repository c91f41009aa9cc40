// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/state.h"

struct process *correlator_process(struct correlator *c, uint16_t number)
{
	struct process *process = c->processes[number];

	if (process)
		return process;
	process = calloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->number = number;
	process->wait_status = -1;
	c->processes[number] = process;
	c->nprocesses = max_u64(c->nprocesses, number + 1);
	return process;
}

struct source *correlator_source(struct correlator *c, uint16_t number)
{
	struct source *source = c->sources[number];

	if (source)
		return source;
	source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	source->number = number;
	source->process = EVENT_NO_PROCESS;
	source->capabilities = ~(uint32_t)EVENT_NO_SIGNALS;
	c->sources[number] = source;
	c->nsources = max_u64(c->nsources, number + 1);
	return source;
}

/* Replaces a string. */
static int set_text(char **text, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

int source_end(struct correlator *c, struct source *source, uint64_t time, enum model_state state)
{
	/* Removal moves slots, backwards: look at one again until it is empty. */
	for (size_t i = 0; i < source->tasks.nslots;) {
		struct task *task = source->tasks.slots[i].value;
		int err;

		if (!task) {
			i++;
			continue;
		}
		if (task->flags & TASK_DYING)
			err = task_bury(c, task);
		else
			err = task_end(c, task, time, state);
		if (err)
			return err;
	}
	return 0;
}

/* Ends what lives in a process, once. */
static int end_process(struct correlator *c, struct process *process, uint64_t time)
{
	if (process->ended)
		return 0;
	process->ended = true;
	process->end = time;
	for (unsigned int i = 0; i < c->nsources; i++) {
		int err;

		if (!c->sources[i] || c->sources[i]->process != process->number)
			continue;
		err = source_end(c, c->sources[i], time, MODEL_CANCELLED);
		if (err)
			return err;
	}
	return threads_end(c, process->number, time);
}

static int take_process(struct correlator *c, const struct event *event)
{
	const struct event_process *told = &event->process;
	struct process *process;

	if (told->process == EVENT_NO_PROCESS)
		return 0;
	/* After an exec the process of before is no more. */
	for (unsigned int i = 0; i < c->nprocesses; i++) {
		struct process *other = c->processes[i];
		int err;

		if (!other || !other->described || other->number == told->process ||
		    other->pid != told->pid || other->generation >= told->generation)
			continue;
		err = end_process(c, other, correlator_time(c, event->time));
		if (err)
			return err;
	}
	process = correlator_process(c, told->process);
	if (!process)
		return -ENOMEM;
	process->described = true;
	process->pid = told->pid;
	process->generation = told->generation;
	process->launched = told->launched;
	if (set_text(&process->comm, told->comm) || set_text(&process->exe, told->exe) ||
	    set_text(&process->command_line, told->command_line))
		return -ENOMEM;
	return 0;
}

static int take_quota(struct correlator *c, const struct event_cpu_quota *told)
{
	struct process *process =
		told->process == EVENT_NO_PROCESS ? NULL : correlator_process(c, told->process);

	if (!process)
		return told->process == EVENT_NO_PROCESS ? 0 : -ENOMEM;
	process->quota = *told;
	process->quota.cgroup = NULL;
	return set_text(&process->cgroup, told->cgroup);
}

static int take_exit(struct correlator *c, const struct event *event)
{
	struct process *process;

	if (event->process_exit.process == EVENT_NO_PROCESS)
		return 0;
	process = correlator_process(c, event->process_exit.process);
	if (!process)
		return -ENOMEM;
	process->exited = true;
	process->wait_status = event->process_exit.wait_status;
	/* Ended with the capture, not in it: its tasks were alive to the last. */
	if (c->ended)
		return 0;
	return end_process(c, process, correlator_time(c, event->time));
}

static int take_source(struct correlator *c, const struct event *event)
{
	const struct event_source *told = &event->source_info;
	struct source *source;

	if (told->source == EVENT_NO_SOURCE)
		return 0;
	source = correlator_source(c, told->source);
	if (!source)
		return -ENOMEM;
	/* What it can do and whose it is stays: tasks were accounted by it. */
	if (!source->described) {
		source->process = told->process;
		source->capabilities = told->capabilities;
	}
	source->described = true;
	if (set_text(&source->runtime, told->runtime) ||
	    set_text(&source->version, told->version) || set_text(&source->path, told->path))
		return -ENOMEM;
	return 0;
}

static int take_module(struct correlator *c, const struct event_module *told)
{
	struct model_module *module, *modules;

	modules = array_grow(c->modules, c->nmodules, &c->module_room, sizeof(*modules));
	if (!modules)
		return -ENOMEM;
	c->modules = modules;
	module = &modules[c->nmodules++];
	*module = (struct model_module){
		.process = told->process,
		.start = told->start,
		.end = told->end,
		.file_offset = told->file_offset,
		.path = strdup(told->path),
		.build_id = strdup(told->build_id),
	};
	return module->path && module->build_id ? 0 : -ENOMEM;
}

static int take_symbol(struct correlator *c, const struct event_symbol *told)
{
	struct model_symbol *symbol, *symbols;

	if (!told->nframes)
		return 0;
	symbols = array_grow(c->symbols, c->nsymbols, &c->symbol_room, sizeof(*symbols));
	if (!symbols)
		return -ENOMEM;
	c->symbols = symbols;
	symbol = &symbols[c->nsymbols++];
	*symbol = (struct model_symbol){
		.process = told->process,
		.address = told->address,
		.is_return = told->is_return,
		.frames = calloc(told->nframes, sizeof(*symbol->frames)),
	};
	if (!symbol->frames)
		return -ENOMEM;
	symbol->nframes = told->nframes;
	for (uint32_t i = 0; i < told->nframes; i++) {
		struct model_frame *frame = &symbol->frames[i];

		frame->function = strdup(told->frames[i].function);
		frame->file = strdup(told->frames[i].file);
		frame->line = told->frames[i].line;
		if (!frame->function || !frame->file)
			return -ENOMEM;
	}
	return 0;
}

static int take_start(struct correlator *c, const struct event_capture_start *told)
{
	struct model_capture *capture = &c->capture;

	capture->start_unix_ns = told->unix_ns;
	capture->sample_period_ns = told->sample_period_ns;
	capture->ncpus = told->ncpus;
	if (set_text(&capture->kernel, told->kernel) || set_text(&capture->arch, told->arch) ||
	    set_text(&c->causes.arch, told->arch) ||
	    set_text(&capture->tool_version, told->tool_version) ||
	    set_text(&capture->command_line, told->command_line))
		return -ENOMEM;
	return 0;
}

static int take_overhead(struct correlator *c, const struct event *event)
{
	struct source *source;

	if (event->source == EVENT_NO_SOURCE) {
		c->overhead = event->overhead;
		return 0;
	}
	source = correlator_source(c, event->source);
	if (!source)
		return -ENOMEM;
	source->has_overhead = true;
	source->overhead = event->overhead;
	return 0;
}

int describe_take(struct correlator *c, const struct event *event)
{
	struct source *source;

	switch (event->type) {
	case EVENT_CAPTURE_START:
		return take_start(c, &event->capture_start);
	case EVENT_CAPTURE_END:
		c->end = max_u64(correlator_time(c, event->time), c->now);
		c->ended = true;
		c->capture.end_reason = event->capture_end.reason;
		return 0;
	case EVENT_PROCESS:
		return take_process(c, event);
	case EVENT_PROCESS_EXIT:
		return take_exit(c, event);
	case EVENT_SOURCE:
		return take_source(c, event);
	case EVENT_MODULE:
		return take_module(c, &event->module);
	case EVENT_KIND:
		source = correlator_source(c, event->source);
		return source ? kinds_describe(&c->kinds, source, &event->kind) : -ENOMEM;
	case EVENT_PATH:
		return causes_path(&c->causes, &event->path);
	case EVENT_SYMBOL:
		return take_symbol(c, &event->symbol);
	case EVENT_CPU_QUOTA:
		return take_quota(c, &event->cpu_quota);
	case EVENT_OVERHEAD:
		return take_overhead(c, event);
	default:
		return 0;
	}
}
