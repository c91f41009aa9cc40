// SPDX-License-Identifier: MIT
#include "attach/usdt_contract.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/usdt.h"
#include "core/event.h"

static const struct usdt_contract *const contracts[] = {
	&usdt_pollrt,
	&usdt_tokio,
	&usdt_tokio_dtrace,
	&usdt_tokio2chrome,
};

#define CONTRACTS (sizeof(contracts) / sizeof(contracts[0]))

/* A note of a provider that is asked for. */
struct candidate {
	const struct usdt_note *note;
	size_t nargs;
	struct operand args[OPERAND_ARGS_MAX];
};

struct candidates {
	const char *provider; /* that the user has named, or NULL */
	struct candidate *list;
	size_t n;
};

static bool is_provided(const struct candidates *all, const struct usdt_contract *contract,
			const struct usdt_note *note)
{
	return !strcmp(note->provider, all->provider ? all->provider : contract->provider);
}

static int candidates_collect(struct candidates *all, struct usdt_notes *notes)
{
	all->list = calloc(notes->n, sizeof(*all->list));
	if (!all->list)
		return -ENOMEM;
	for (size_t i = 0; i < notes->n; i++) {
		struct candidate *candidate = &all->list[all->n];
		size_t c = 0;

		while (c < CONTRACTS && !is_provided(all, contracts[c], &notes->notes[i]))
			c++;
		if (c == CONTRACTS)
			continue;
		candidate->note = &notes->notes[i];
		candidate->nargs =
			usdt_operands(notes, candidate->note, candidate->args, OPERAND_ARGS_MAX);
		all->n++;
	}
	return 0;
}

/* The probe of a contract that it is; NULL: none. */
static const struct usdt_probe *probe_of(const struct usdt_contract *contract,
					 const struct candidates *all,
					 const struct candidate *candidate)
{
	if (!is_provided(all, contract, candidate->note))
		return NULL;
	for (size_t i = 0; i < contract->nprobes; i++) {
		const struct usdt_probe *probe = &contract->probes[i];

		if (candidate->nargs >= probe->fewest && candidate->nargs <= probe->most &&
		    usdt_name_is(probe->name, candidate->note->name))
			return probe;
	}
	return NULL;
}

/* How well a contract explains the notes. */
struct match {
	size_t probes;
	bool starts, ends;
};

static struct match match_of(const struct usdt_contract *contract, const struct candidates *all)
{
	struct match match = {0};

	for (size_t i = 0; i < all->n; i++) {
		const struct usdt_probe *probe = probe_of(contract, all, &all->list[i]);

		if (!probe)
			continue;
		match.probes++;
		match.starts |= probe->program == PROBE_POLL_START;
		match.ends |= probe->program == PROBE_POLL_END;
	}
	return match;
}

static bool match_is_better(const struct match *a, const struct match *b)
{
	bool complete = a->starts && a->ends;

	if (complete != (b->starts && b->ends))
		return complete;
	return a->probes > b->probes;
}

/* The contract that explains the notes best; NULL: none explains any. */
static const struct usdt_contract *choose(const struct candidates *all)
{
	const struct usdt_contract *chosen = NULL;
	struct match best = {0};

	for (size_t c = 0; c < CONTRACTS; c++) {
		struct match match = match_of(contracts[c], all);

		if (!match_is_better(&match, &best))
			continue;
		best = match;
		chosen = contracts[c];
	}
	return chosen;
}

/* Whether it says nothing without its first argument, the task or job. Of workers the thread is known. */
static bool needs_first(const struct usdt_probe *probe)
{
	return probe->type < WIRE_WORKER_START || probe->type > WIRE_UNPARK;
}

/* What is known of a runtime that has the probe. Polls need both ends. */
static uint32_t capability_of(const struct usdt_probe *probe)
{
	static const uint32_t capabilities[WIRE_TYPES] = {
		[WIRE_SPAWN] = EVENT_CAN_SPAWN,
		[WIRE_WAKE] = EVENT_CAN_WAKE,
		[WIRE_ABORT] = EVENT_CAN_ABORT,
		[WIRE_TERMINATE] = EVENT_CAN_TERMINATE,
		[WIRE_WORKER_START] = EVENT_CAN_WORKER,
		[WIRE_WORKER_STOP] = EVENT_CAN_WORKER,
		[WIRE_PARK] = EVENT_CAN_PARK,
		[WIRE_UNPARK] = EVENT_CAN_PARK,
		[WIRE_BLOCKING_QUEUE] = EVENT_CAN_BLOCKING,
		[WIRE_BLOCKING_START] = EVENT_CAN_BLOCKING,
		[WIRE_BLOCKING_END] = EVENT_CAN_BLOCKING,
		[WIRE_BLOCK_ON_ENTER] = EVENT_CAN_BLOCK_ON,
		[WIRE_BLOCK_ON_EXIT] = EVENT_CAN_BLOCK_ON,
		[WIRE_AWAIT] = EVENT_CAN_AWAIT,
	};

	return capabilities[probe->type];
}

/* Fills *point; false if an argument that it needs cannot be read. */
static bool point_init(struct probe_point *point, const struct usdt_probe *probe,
		       const struct candidate *candidate)
{
	*point = (struct probe_point){
		.program = probe->program,
		.offset = candidate->note->offset,
		.semaphore_offset = candidate->note->semaphore_offset,
		.site = {.type = probe->type, .kind = probe->kind},
	};
	for (size_t i = 0; i < WIRE_SIGNAL_ARGS; i++)
		if (probe->arg[i] && probe->arg[i] <= candidate->nargs)
			point->site.arg[i] = candidate->args[probe->arg[i] - 1];
	return point->site.arg[0].class != OPERAND_NONE || !needs_first(probe);
}

static int plan_fill(struct probe_plan *plan, const struct usdt_contract *contract,
		     const struct candidates *all)
{
	bool programs[PROBE_PROGRAMS] = {false};

	plan->points = calloc(all->n, sizeof(*plan->points));
	if (!plan->points)
		return -ENOMEM;
	snprintf(plan->found, sizeof(plan->found), "%s", contract->found);
	for (size_t i = 0; i < all->n; i++) {
		const struct usdt_probe *probe = probe_of(contract, all, &all->list[i]);

		if (!probe)
			continue;
		if (!point_init(&plan->points[plan->npoints], probe, &all->list[i])) {
			plan->unreadable++;
			continue;
		}
		plan->npoints++;
		programs[probe->program] = true;
		plan->capabilities |= capability_of(probe);
	}
	if (programs[PROBE_POLL_START] && programs[PROBE_POLL_END])
		plan->capabilities |= EVENT_CAN_POLL;
	return 0;
}

int usdt_contract_scan(const struct elf_file *file, const char *provider, const char *runtime,
		       struct probe_plan *plan)
{
	struct candidates all = {.provider = provider};
	const struct usdt_contract *contract;
	struct usdt_notes notes;
	int err = usdt_read(file, &notes);

	memset(plan, 0, sizeof(*plan));
	plan->runtime = runtime;
	if (err || !notes.n)
		return err;
	err = candidates_collect(&all, &notes);
	contract = err ? NULL : choose(&all);
	if (contract && !strcmp(contract->runtime, runtime))
		err = plan_fill(plan, contract, &all);
	free(all.list);
	usdt_release(&notes);
	return err;
}
