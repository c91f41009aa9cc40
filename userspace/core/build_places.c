// SPDX-License-Identifier: MIT
/*
 * The model's processes, sources, workers and stacks, and its capture.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/state.h"

/* An empty array is no error. */
static void *allocate(size_t count, size_t size)
{
	return calloc(count ? count : 1, size);
}

static char *copy(const char *text)
{
	return strdup(text ? text : "");
}

static int copy_stacks(struct correlator *c, struct model *model)
{
	model->stacks = allocate(c->stacks.count, sizeof(*model->stacks));
	if (!model->stacks)
		return -ENOMEM;
	for (; model->nstacks < c->stacks.count; model->nstacks++) {
		if (stacks_copy(&c->stacks, model->nstacks, &model->stacks[model->nstacks]))
			return -ENOMEM;
	}
	return 0;
}

/* Makes up every process that something refers to, for indexes to hold. */
static int complete_processes(struct correlator *c, const struct model *model)
{
	for (unsigned int i = 0; i < c->nsources; i++) {
		if (c->sources[i] && !correlator_process(c, c->sources[i]->process))
			return -ENOMEM;
	}
	for (size_t i = 0; i < model->nstacks; i++) {
		if (!correlator_process(c, model->stacks[i].process))
			return -ENOMEM;
	}
	for (size_t i = 0; i < c->nmodules; i++) {
		uint32_t process = c->modules[i].process;

		if (process != EVENT_NO_PROCESS && !correlator_process(c, process))
			return -ENOMEM;
	}
	for (size_t i = 0; i < c->nsymbols; i++) {
		uint32_t process = c->symbols[i].process;

		if (process != EVENT_NO_PROCESS && !correlator_process(c, process))
			return -ENOMEM;
	}
	return 0;
}

static int copy_quota(const struct process *process, struct model_quota *quota)
{
	const struct event_cpu_quota *told = &process->quota;

	if (!process->cgroup)
		return 0;
	*quota = (struct model_quota){
		.cgroup = copy(process->cgroup),
		.quota_ns = told->quota_ns,
		.period_ns = told->period_ns,
		.periods = told->periods,
		.throttled = min_u64(told->throttled, told->periods),
		.throttled_ns = told->throttled_ns,
	};
	return quota->cgroup ? 0 : -ENOMEM;
}

static int copy_process(struct model *model, struct process *process)
{
	struct model_process *made = &model->processes[model->nprocesses];

	process->index = model->nprocesses++;
	*made = (struct model_process){
		.number = process->number,
		.pid = process->pid,
		.generation = process->generation,
		.launched = process->launched,
		.exited = process->exited,
		.wait_status = process->launched && process->exited ? process->wait_status : -1,
		.comm = copy(process->comm),
		.exe = copy(process->exe),
		.command_line = copy(process->command_line),
	};
	if (!made->comm || !made->exe || !made->command_line)
		return -ENOMEM;
	return copy_quota(process, &made->quota);
}

static int copy_processes(struct correlator *c, struct model *model)
{
	int err = complete_processes(c, model);

	if (err)
		return err;
	model->processes = allocate(c->nprocesses, sizeof(*model->processes));
	if (!model->processes)
		return -ENOMEM;
	for (unsigned int i = 0; i < c->nprocesses && !err; i++) {
		if (c->processes[i])
			err = copy_process(model, c->processes[i]);
	}
	for (size_t i = 0; i < model->nstacks; i++)
		model->stacks[i].process = c->processes[model->stacks[i].process]->index;
	return err;
}

/*
 * What runtimes say that they have; where none says anything, the threads that were seen. Runtimes of one
 * worker may follow each other on one thread, inside of another's polls too: they count by threads.
 */
static uint32_t count_workers(const struct correlator *c, const struct source *source)
{
	uint32_t several = 0, singles = 0, alone = 0, seen = 0;

	for (unsigned int i = 0; i < source->nruntimes; i++) {
		if (source->runtimes[i].workers > 1)
			several += source->runtimes[i].workers;
		else
			singles++;
	}
	for (size_t i = 0; i < c->threads.nworkers; i++) {
		const struct worker_record *record = &c->threads.workers[i];

		seen += record->source == source->number;
		alone += record->source == source->number && record->most_workers == 1;
	}
	return source->nruntimes ? several + (uint32_t)min_u64(singles, alone) : seen;
}

static int copy_sources(struct correlator *c, struct model *model)
{
	model->sources = allocate(c->nsources, sizeof(*model->sources));
	if (!model->sources)
		return -ENOMEM;
	for (unsigned int i = 0; i < c->nsources; i++) {
		struct source *source = c->sources[i];
		struct model_source *made = &model->sources[model->nsources];

		if (!source)
			continue;
		source->index = model->nsources++;
		*made = (struct model_source){
			.number = source->number,
			.process = c->processes[source->process]->index,
			.capabilities = source->described ? source->capabilities : 0,
			.runtime = copy(source->runtime),
			.version = copy(source->version),
			.path = copy(source->path),
			.workers = count_workers(c, source),
		};
		if (!made->runtime || !made->version || !made->path)
			return -ENOMEM;
	}
	return 0;
}

/* All timelines in slices of one length, the model's. */
static void align_timelines(struct correlator *c, struct model *model)
{
	struct threads *threads = &c->threads;
	unsigned int shift = timeline_shift(0, c->end);

	/* Events that came before the end was known may have claimed more. */
	for (size_t i = 0; i < threads->nworkers; i++) {
		if (threads->workers[i].timeline.slices)
			shift = max_u64(shift, threads->workers[i].timeline.shift);
	}
	for (size_t i = 0; i < threads->nworkers; i++)
		timeline_coarsen(&threads->workers[i].timeline, shift);
	model->slice_ns = UINT64_C(1) << shift;
	model->nslices = c->end ? ((c->end - 1) >> shift) + 1 : 0;
}

static int copy_workers(struct correlator *c, struct model *model)
{
	struct threads *threads = &c->threads;

	if (threads->nworkers)
		qsort(threads->workers, threads->nworkers, sizeof(*threads->workers),
		      worker_compare);
	align_timelines(c, model);
	model->workers = allocate(threads->nworkers, sizeof(*model->workers));
	if (!model->workers)
		return -ENOMEM;
	for (size_t i = 0; i < threads->nworkers; i++) {
		struct model_worker *made = &model->workers[model->nworkers++];

		*made = threads->workers[i].worker;
		made->source = c->sources[threads->workers[i].source]->index;
		made->slices = threads->workers[i].timeline.slices;
		threads->workers[i].timeline = (struct timeline){0};
		made->name = copy(names_text(&c->names, threads->workers[i].name));
		if (!made->name)
			return -ENOMEM;
	}
	return 0;
}

int build_places(struct correlator *c, struct model *model)
{
	int err = copy_stacks(c, model);

	if (!err)
		err = copy_processes(c, model);
	if (!err)
		err = copy_sources(c, model);
	if (!err)
		err = copy_workers(c, model);
	return err;
}

static uint64_t probe_overhead(const struct correlator *c)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < c->nsources; i++) {
		const struct source *source = c->sources[i];
		const struct event_overhead *cost;

		if (!source)
			continue;
		cost = source->has_overhead ? &source->overhead : &c->overhead;
		sum += source->polls * cost->poll_ns + source->signals * cost->signal_ns +
		       source->scale.skipped * cost->skip_ns + cost->await_ns;
	}
	return sum;
}

/* Strings and counts move from the correlator; what was never told is empty. */
int build_capture(struct correlator *c, struct model *model)
{
	struct model_capture *capture = &model->capture;

	*capture = c->capture;
	c->capture = (struct model_capture){0};
	capture->duration_ns = c->end;
	capture->probe_overhead_ns = probe_overhead(c);
	if (!capture->kernel)
		capture->kernel = copy(NULL);
	if (!capture->arch)
		capture->arch = copy(NULL);
	if (!capture->tool_version)
		capture->tool_version = copy(NULL);
	if (!capture->command_line)
		capture->command_line = copy(NULL);
	if (!capture->kernel || !capture->arch || !capture->tool_version || !capture->command_line)
		return -ENOMEM;
	capture->lost = allocate(EVENT_TYPES, sizeof(*capture->lost));
	if (!capture->lost)
		return -ENOMEM;
	for (uint32_t i = 0; i < EVENT_TYPES; i++) {
		if (c->lost[i])
			capture->lost[capture->nlost++] = (struct model_lost){i, c->lost[i]};
	}
	return 0;
}
