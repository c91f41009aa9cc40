// SPDX-License-Identifier: MIT
/*
 * Tokio as it is: no USDT probes, no symbols needed. Every type of task has a vtable in the file;
 * its functions are what is probed, and it is the task's kind.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/adapter.h"
#include "core/event.h"
#include "symbolize/elf_file.h"
#include "symbolize/symtab.h"
#include "tokio/classify.h"
#include "tokio/code.h"
#include "tokio/entry.h"
#include "tokio/image.h"
#include "tokio/layout.h"
#include "tokio/names.h"
#include "tokio/vtables.h"
#include "tokio/wakers.h"

#define RUNTIME "tokio"
#define REGISTER_RDI 5 /* DWARF's number of the first argument's */

/* What is known of a file; a plan keeps it to name kinds. */
struct tokio {
	struct kind_names names;
	const struct elf_file *file;
	const struct layout *layout;
	struct image *image;
	struct symtab *symtab; /* NULL: its layout needs none */
	struct code *code;
	struct vtables vtables;
	enum vtable_class *class; /* of each vtable */
	struct wakers wakers;
	struct tokio_names *types;
};

/* A function to probe. */
struct target {
	uint64_t vaddr;
	enum probe_program program;
	/* Where the tasks that it is for have their id; HEADER_NONE: not all at one place. */
	uint16_t id;
};

static void tokio_free(struct tokio *tokio)
{
	if (!tokio)
		return;
	tokio_names_free(tokio->types);
	wakers_release(&tokio->wakers);
	free(tokio->class);
	symtab_free(tokio->symtab);
	vtables_release(&tokio->vtables);
	code_free(tokio->code);
	image_free(tokio->image);
	free(tokio);
}

static void names_free(struct kind_names *names)
{
	tokio_free((struct tokio *)names);
}

/* The class of the vtable at an address; NULL: there is none. */
static const enum vtable_class *class_of(const struct tokio *tokio, uint64_t vaddr)
{
	for (size_t i = 0; i < tokio->vtables.n; i++)
		if (tokio->vtables.list[i].vaddr == vaddr)
			return &tokio->class[i];
	return NULL;
}

/* What no name is known of is told apart by its vtable: by its address in the file, for that is the
 * same in each run. */
static int name_unknown(uint64_t vaddr, struct kind_name *name)
{
	*name = (struct kind_name){.file = strdup("")};
	if (asprintf(&name->type, "[unknown 0x%" PRIx64 "]", vaddr) < 0)
		name->type = NULL;
	if (name->type && name->file)
		return 0;
	kind_name_release(name);
	return -ENOMEM;
}

static int names_name(struct kind_names *names, uint64_t vaddr, struct kind_name *name)
{
	struct tokio *tokio = (struct tokio *)names;
	const enum vtable_class *class = class_of(tokio, vaddr);
	struct tokio_name found;
	int err;

	if (!class)
		return -ENOENT;
	err = tokio_names_find(tokio->types, vaddr, *class != VTABLE_TASK, &found);
	if (err == -ENOENT)
		return name_unknown(vaddr, name);
	if (!err)
		*name = (struct kind_name){found.type, found.full, found.file, found.line};
	return err;
}

static int names_survey(struct kind_names *names, char *line, size_t size)
{
	static const char *const by[TOKIO_NAME_SOURCES] = {
		[TOKIO_NAME_DWARF] = "DWARF",
		[TOKIO_NAME_V0] = "v0 symbols",
		[TOKIO_NAME_LEGACY] = "legacy symbols",
		[TOKIO_NAME_LOCATION] = "their place in the source alone",
	};
	struct tokio *tokio = (struct tokio *)names;
	size_t count[TOKIO_NAME_SOURCES] = {0}, unknown = 0, at = 0;
	struct tokio_name name;

	for (size_t i = 0; i < tokio->vtables.n; i++) {
		int err;

		if (tokio->class[i] == VTABLE_WORKER)
			continue;
		err = tokio_names_find(tokio->types, tokio->vtables.list[i].vaddr,
				       tokio->class[i] == VTABLE_JOB, &name);
		if (err == -ENOMEM)
			return err;
		if (err) {
			unknown++;
			continue;
		}
		count[name.source]++;
		tokio_name_release(&name);
	}
	for (size_t i = 0; i < TOKIO_NAME_SOURCES; i++)
		if (count[i] && at < size)
			at += snprintf(line + at, size - at, "%s%zu by %s", at ? ", " : "",
				       count[i], by[i]);
	if (unknown && at < size)
		snprintf(line + at, size - at, "%s%zu unknown", at ? ", " : "", unknown);
	return 0;
}

/* Order of functions, of those of one function the one to take first. */
static int target_compare(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	if (x->vaddr != y->vaddr)
		return x->vaddr < y->vaddr ? -1 : 1;
	return x->program < y->program ? -1 : x->program > y->program;
}

/*
 * Compilers and linkers make one function of several that are the same. Returns how many are left.
 */
static size_t targets_unite(struct target *targets, size_t n)
{
	size_t kept = 0;

	qsort(targets, n, sizeof(*targets), target_compare);
	for (size_t i = 0; i < n; i++) {
		struct target *last = kept ? &targets[kept - 1] : NULL;

		if (!last || last->vaddr != targets[i].vaddr)
			targets[kept++] = targets[i];
		else if (last->id != targets[i].id)
			last->id = HEADER_NONE;
	}
	return kept;
}

/* All functions to probe; targets has room for them. */
static size_t targets_collect(const struct tokio *tokio, struct target *targets)
{
	size_t n = 0;

	for (size_t i = 0; i < tokio->vtables.n; i++) {
		const struct vtable *v = &tokio->vtables.list[i];

		if (tokio->class[i] == VTABLE_TASK) {
			targets[n++] = (struct target){v->poll, PROBE_TOKIO_POLL, v->id};
			targets[n++] = (struct target){v->shutdown, PROBE_TOKIO_SHUTDOWN, v->id};
		} else if (tokio->class[i] == VTABLE_JOB) {
			targets[n++] = (struct target){v->poll, PROBE_TOKIO_JOB, v->id};
		}
	}
	for (size_t i = 0; i < tokio->wakers.n; i++)
		targets[n++] =
			(struct target){tokio->wakers.list[i], PROBE_TOKIO_WAKE, HEADER_NONE};
	for (size_t i = 0; i < tokio->wakers.nclones; i++)
		targets[n++] = (struct target){tokio->wakers.clones[i], PROBE_AWAIT, HEADER_NONE};
	return targets_unite(targets, n);
}

/* Whether it is probed at its return too. */
static bool is_polled(enum probe_program program)
{
	return program == PROBE_TOKIO_POLL || program == PROBE_TOKIO_JOB;
}

/* What a clone changes in the task is of no interest. */
static enum entry_need need_of(enum probe_program program)
{
	if (program == PROBE_AWAIT)
		return ENTRY_REGISTER;
	return is_polled(program) ? ENTRY_RETURN : ENTRY_ARGUMENT;
}

/* False: no probe can be put there. */
static bool point_init(const struct tokio *tokio, const struct target *target,
		       struct probe_point *point)
{
	static const uint8_t type[PROBE_PROGRAMS] = {
		[PROBE_TOKIO_POLL] = WIRE_POLL, [PROBE_TOKIO_JOB] = WIRE_BLOCKING_START,
		[PROBE_TOKIO_WAKE] = WIRE_WAKE, [PROBE_TOKIO_SHUTDOWN] = WIRE_TERMINATE,
		[PROBE_AWAIT] = WIRE_AWAIT,
	};
	const struct layout *layout = tokio->layout;
	struct entry_point entry;

	if (!entry_find(tokio->image, tokio->code, target->vaddr, need_of(target->program),
			&entry) ||
	    !elf_file_offset(tokio->file, entry.vaddr, PF_X, &point->offset))
		return false;
	point->program = target->program;
	point->cost = entry.stepped ? PROBE_STEPPED : PROBE_EMULATED;
	point->site.type = type[target->program];
	if (target->program == PROBE_AWAIT)
		point->site.arg[0] =
			(struct operand){.class = OPERAND_REG, .base = REGISTER_RDI, .size = 8};
	point->site.header = (struct task_header){
		.vtable = layout->header_vtable,
		.vtable_id = (layout->npointers + layout->id_word) * sizeof(uint64_t),
		.id = target->id,
	};
	if (layout->id_word == LAYOUT_NONE)
		point->site.header.vtable_id = point->site.header.id = HEADER_NONE;
	return true;
}

static void points_init(const struct tokio *tokio, const struct target *targets, size_t n,
			struct probe_plan *plan)
{
	bool sees_wakes = tokio->wakers.n, sees_awaits = tokio->wakers.nclones;

	for (size_t i = 0; i < n; i++) {
		struct probe_point *point = &plan->points[plan->npoints];

		if (!point_init(tokio, &targets[i], point)) {
			memset(point, 0, sizeof(*point));
			plan->unprobed += is_polled(targets[i].program);
			sees_wakes &= targets[i].program != PROBE_TOKIO_WAKE;
			sees_awaits &= targets[i].program != PROBE_AWAIT;
			continue;
		}
		plan->npoints++;
		if (point->program == PROBE_TOKIO_POLL)
			plan->capabilities |= EVENT_CAN_POLL | EVENT_CAN_TERMINATE;
	}
	plan->capabilities |= EVENT_CAN_BLOCKING | EVENT_POLLS_OVERLAP;
	if (tokio->layout->id_word == LAYOUT_NONE)
		plan->capabilities |= EVENT_IDS_REUSED;
	if (sees_wakes)
		plan->capabilities |= EVENT_CAN_WAKE;
	if (sees_awaits)
		plan->capabilities |= EVENT_CAN_AWAIT;
}

static const char *wakers_describe(const struct tokio *tokio)
{
	if (!tokio->wakers.n)
		return "no wakers";
	return tokio->layout->named ? "wakers by symbols" : "wakers by what makes them";
}

/* What there is; plan->refusal: what block_on() runs is no task. */
static void plan_describe(const struct tokio *tokio, struct probe_plan *plan)
{
	size_t count[VTABLE_WORKER + 1] = {0};

	for (size_t i = 0; i < tokio->vtables.n; i++)
		count[tokio->class[i]]++;
	snprintf(plan->found, sizeof(plan->found),
		 "%zu vtables: %zu of tasks, %zu of blocking jobs, %zu of worker loops; %s",
		 tokio->vtables.n, count[VTABLE_TASK], count[VTABLE_JOB], count[VTABLE_WORKER],
		 wakers_describe(tokio));
	plan->unseen = "futures given to block_on (main's, with #[tokio::main]) are no tasks: "
		       "their polls are not seen, nor what they wait for";
	if (!count[VTABLE_TASK])
		snprintf(plan->refusal, sizeof(plan->refusal),
			 "tokio%s%s: nothing is spawned on it: there are no tasks to trace",
			 plan->version[0] ? " " : "", plan->version);
}

static int plan_fill(struct tokio *tokio, struct probe_plan *plan)
{
	size_t room = 2 * tokio->vtables.n + tokio->wakers.n + tokio->wakers.nclones, n;
	struct target *targets = calloc(room, sizeof(*targets));

	if (!targets)
		return -ENOMEM;
	n = targets_collect(tokio, targets);
	plan->points = calloc(n ? n : 1, sizeof(*plan->points));
	if (plan->points)
		points_init(tokio, targets, n, plan);
	free(targets);
	if (!plan->points)
		return -ENOMEM;
	plan_describe(tokio, plan);
	plan->names = &tokio->names;
	return 0;
}

/* Finds out all about a file with Tokio's vtables in it. */
static int tokio_look(struct tokio *tokio)
{
	int err = code_new(tokio->image, &tokio->code);

	tokio->class = calloc(tokio->vtables.n, sizeof(*tokio->class));
	if (!err && !tokio->class)
		err = -ENOMEM;
	if (!err)
		err = classify(tokio->image, tokio->code, &tokio->vtables, tokio->class);
	if (!err && tokio->layout->named)
		err = wakers_find_each(tokio->image, tokio->code, tokio->symtab, &tokio->vtables,
				       &tokio->wakers);
	else if (!err)
		err = wakers_find(tokio->image, tokio->code, &tokio->vtables, &tokio->wakers);
	if (!err)
		err = tokio_names_new(tokio->file, tokio->image, tokio->code, &tokio->vtables,
				      &tokio->types);
	return err;
}

static bool is_known(const struct tokio_version *version)
{
	return version->major || version->minor || version->patch;
}

/* The file's vtables, and why those of the version in it are not to be had. */
static int vtables_look(struct tokio *tokio, struct probe_plan *plan)
{
	struct tokio_version version = version_find(tokio->image);
	int err = 0;

	if (is_known(&version))
		snprintf(plan->version, sizeof(plan->version), "%u.%u.%u", version.major,
			 version.minor, version.patch);
	if (tokio->file->machine != EM_X86_64) {
		if (is_known(&version))
			snprintf(plan->refusal, sizeof(plan->refusal),
				 "tokio %s: its tasks are found in code for x86-64 only, and this "
				 "is for "
				 "arm64 (one with USDT probes of its own can be traced)",
				 plan->version);
		return 0;
	}
	tokio->layout = layout_of(&version);
	if (tokio->layout && tokio->layout->named)
		err = symtab_new(tokio->file, &tokio->symtab);
	if (!err && tokio->layout)
		err = vtables_find(tokio->image, tokio->layout, tokio->symtab, &tokio->vtables);
	if (!tokio->layout)
		snprintf(plan->refusal, sizeof(plan->refusal),
			 "tokio %s: the layout of its tasks is not known; " LAYOUT_KNOWN,
			 plan->version);
	else if (!err && tokio->layout->named && !tokio->vtables.n)
		snprintf(plan->refusal, sizeof(plan->refusal),
			 "tokio %s: its tasks are found by symbols, and the file has none "
			 "(since 1.23 none are needed)",
			 plan->version);
	return err;
}

static int tokio_scan(const struct elf_file *file, const char *provider, struct probe_plan *plan)
{
	struct tokio *tokio;
	int err;

	(void)provider;
	memset(plan, 0, sizeof(*plan));
	plan->runtime = RUNTIME;
	if ((file->machine != EM_X86_64 && file->machine != EM_AARCH64) ||
	    (file->type != ET_EXEC && file->type != ET_DYN))
		return 0;
	tokio = calloc(1, sizeof(*tokio));
	if (!tokio)
		return -ENOMEM;
	tokio->names = (struct kind_names){names_name, names_survey, names_free};
	tokio->file = file;
	err = image_new(file, &tokio->image);
	if (err == -EFBIG) { /* libraries of data may be; programs in Rust are not */
		tokio_free(tokio);
		return 0;
	}
	if (!err)
		err = vtables_look(tokio, plan);
	if (!err && tokio->vtables.n)
		err = tokio_look(tokio);
	if (!err && tokio->vtables.n)
		err = plan_fill(tokio, plan);
	if (!err && tokio->wakers.nclones)
		err = timers_find(file, tokio->image, tokio->code, &plan->timers);
	symtab_free(tokio->symtab);
	tokio->symtab = NULL;
	if (!err)
		image_trim(tokio->image);
	if (!plan->names)
		tokio_free(tokio);
	return err;
}

const struct adapter adapter_tokio = {.name = RUNTIME, .scan = tokio_scan};
