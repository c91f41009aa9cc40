// SPDX-License-Identifier: MIT
#include "core/model.h"

#include <stdlib.h>

#include "core/model_parts.h"

void model_clear_capture(struct model_capture *capture)
{
	free(capture->kernel);
	free(capture->arch);
	free(capture->tool_version);
	free(capture->command_line);
	free(capture->lost);
	*capture = (struct model_capture){0};
}

void model_clear_symbol(struct model_symbol *symbol)
{
	for (uint32_t i = 0; i < symbol->nframes; i++) {
		free(symbol->frames[i].function);
		free(symbol->frames[i].file);
	}
	free(symbol->frames);
	*symbol = (struct model_symbol){0};
}

void model_free_symbols(struct model_symbol *symbols, size_t count)
{
	for (size_t i = 0; i < count; i++)
		model_clear_symbol(&symbols[i]);
	free(symbols);
}

void model_free_modules(struct model_module *modules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(modules[i].path);
		free(modules[i].build_id);
	}
	free(modules);
}

static void free_places(struct model *model)
{
	for (size_t i = 0; i < model->nprocesses; i++) {
		free(model->processes[i].comm);
		free(model->processes[i].exe);
		free(model->processes[i].command_line);
		free(model->processes[i].quota.cgroup);
	}
	free(model->processes);
	for (size_t i = 0; i < model->nsources; i++) {
		free(model->sources[i].runtime);
		free(model->sources[i].version);
		free(model->sources[i].path);
	}
	free(model->sources);
	for (size_t i = 0; i < model->nworkers; i++) {
		free(model->workers[i].name);
		free(model->workers[i].slices);
	}
	free(model->workers);
}

static void free_full(struct model_full *full)
{
	for (size_t i = 0; i < full->count; i++)
		free(full->types[i]);
	free(full->types);
}

static void free_types(struct model *model)
{
	for (size_t i = 0; i < model->ntypes; i++) {
		struct model_type *type = &model->types[i];

		for (size_t j = 0; j < type->ncauses; j++) {
			free(type->causes[j].cause);
			free(type->causes[j].target);
		}
		free(type->causes);
		free_full(&type->full);
		free(type->name);
		free(type->location);
	}
	free(model->types);
	for (size_t i = 0; i < model->njobs; i++) {
		free(model->jobs[i].name);
		free(model->jobs[i].location);
		free_full(&model->jobs[i].full);
	}
	free(model->jobs);
}

void model_free(struct model *model)
{
	if (!model)
		return;
	model_clear_capture(&model->capture);
	free_places(model);
	free_types(model);
	for (size_t i = 0; i < model->nkinds; i++)
		free(model->kinds[i].name);
	free(model->kinds);
	free(model->tasks);
	for (size_t i = 0; i < model->nslowest; i++)
		free(model->slowest[i].cause);
	free(model->slowest);
	for (size_t i = 0; i < model->nstacks; i++)
		free(model->stacks[i].frames);
	free(model->stacks);
	for (size_t i = 0; i < model->nweights; i++)
		free(model->weights[i].cause);
	free(model->weights);
	free(model->on_cpu);
	free(model->idle);
	model_free_symbols(model->symbols, model->nsymbols);
	model_free_modules(model->modules, model->nmodules);
	free(model);
}

int model_compare_symbols(const void *a, const void *b)
{
	const struct model_symbol *x = a, *y = b;

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->is_return - y->is_return;
}

enum model_largest model_poll_largest(const struct model_slow_poll *poll)
{
	if (poll->blocked_ns > poll->on_cpu_ns && poll->blocked_ns > poll->runqueue_ns)
		return MODEL_LARGEST_BLOCKED;
	return poll->runqueue_ns > poll->on_cpu_ns ? MODEL_LARGEST_RUNQUEUE : MODEL_LARGEST_ON_CPU;
}

const struct model_symbol *model_symbol(const struct model *model, uint32_t process,
					uint64_t address, bool is_return)
{
	const struct model_symbol wanted = {
		.process = process,
		.address = address,
		.is_return = is_return,
	};

	if (!model->nsymbols)
		return NULL;
	return bsearch(&wanted, model->symbols, model->nsymbols, sizeof(wanted),
		       model_compare_symbols);
}
