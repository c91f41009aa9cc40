// SPDX-License-Identifier: MIT
/* Runtimes in targets: attached to by the plans of the files that hold them, and what their kinds are called. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/adapter.h"
#include "attach/calibrate.h"
#include "attach/plans.h"
#include "attach/targets_state.h"
#include "attach/tracer.h"
#include "symbolize/elf_file.h"

/* From where a timer gives its waker away to where it is polled; in debug builds. */
#define TIMER_FRAMES 24
#define ENOTSUPP 524 /* the kernel's own, of uprobes; not in <errno.h> */

/* Whether this process's probes in file are attached already (it may be mapped in several pieces). */
static bool source_known(const struct targets *t, uint16_t process, const struct elf_file *file)
{
	for (size_t i = 0; i < t->nsources; i++)
		if (t->sources[i].process == process && t->sources[i].file == file)
			return true;
	return false;
}

static const char *attach_strerror(int error)
{
	switch (-error) {
	case ENOSPC:
		return "too many probe points in all targets together";
	case ENOTSUPP:
		return "the kernel refuses probes on the instructions there";
	default:
		return strerror(-error);
	}
}

void targets_costs_take(struct targets *t, const struct calibration *cost)
{
	t->usdt_cost = (struct event_overhead){
		.poll_ns = cost->poll_ns,
		.signal_ns = cost->signal_ns,
		.skip_ns = cost->skip_ns,
	};
	t->tokio_cost = (struct event_overhead){
		.poll_ns = cost->tokio_poll_ns,
		.signal_ns = cost->tokio_wake_ns,
		.skip_ns = cost->tokio_skip_ns,
	};
}

/* A plan is of one kind of probes: that of its polls. */
static const struct event_overhead *plan_cost(const struct targets *t,
					      const struct probe_plan *plan)
{
	for (size_t i = 0; i < plan->npoints; i++)
		if (plan->points[i].program == PROBE_TOKIO_POLL)
			return &t->tokio_cost;
	return &t->usdt_cost;
}

static int source_attach(struct targets *t, uint16_t process, const struct elf_file *file,
			 const struct probe_plan *plan)
{
	struct source *s = &t->sources[t->nsources];
	struct process *p = &t->processes[process];
	int err = -ENOSPC, refused = 0;

	if (t->nsources < SOURCES_MAX)
		err = tracer_attach(t->options.tracer, p->pid, file, plan, t->nsources, &refused);
	if (err) {
		targets_say(t, "%s: cannot attach to the %s probes of pid %d: %s", file->path,
			    plan->runtime, p->pid, attach_strerror(err));
		return err;
	}
	if (refused)
		targets_say(t,
			    "%s: cannot probe where the %s tasks of pid %d wait: %s: what they "
			    "wait for while idle is not told (--await-stacks 0 does without)",
			    file->path, plan->runtime, p->pid, attach_strerror(refused));
	*s = (struct source){
		.process = process,
		.awaits_refused = refused,
		.plan = plan,
		.file = file,
		.cost = plan_cost(t, plan),
	};
	t->nsources++;
	p->nsources++;
	return 0;
}

/* Keeps the refusal for who can tell whether it is the end; one before it was not. */
static void refusal_keep(struct targets *t, const struct elf_file *file,
			 const struct probe_plan *plan)
{
	if (t->refusal[0])
		targets_notice(t, t->refusal);
	snprintf(t->refusal, sizeof(t->refusal), "%s: %s", file->path, plan->refusal);
}

/* What a file has that cannot be traced, said once. */
static void plans_say(struct targets *t, const struct elf_file *file,
		      const struct file_plans *found)
{
	if (found->error)
		targets_say(t, "%s: cannot be searched for %s: %s", file->path, found->failed,
			    found->error == -ENOEXEC ? "it is damaged" : strerror(-found->error));
	for (size_t i = 0; i < found->n; i++) {
		const struct probe_plan *plan = &found->list[i];

		if (plan->refusal[0])
			refusal_keep(t, file, plan);
		else if (!probe_plan_complete(plan))
			targets_say(t, "%s: has %s probes, but not both ends of a poll: not traced",
				    file->path, plan->runtime);
		else if (plan->unprobed)
			targets_say(t,
				    "%s: %zu functions of %s take no probe: their polls are not "
				    "seen",
				    file->path, plan->unprobed, plan->runtime);
		else if (plan->unreadable)
			targets_say(t,
				    "%s: %zu probe points of %s left out: where their arguments "
				    "are cannot be decoded",
				    file->path, plan->unreadable, plan->runtime);
	}
}

int targets_source_scan(struct targets *t, uint16_t process, struct elf_file *file)
{
	const struct file_plans *found;
	int err;

	if (source_known(t, process, file))
		return 0;
	err = plans_find(t->plans, file, &found);
	if (err < 0)
		return err;
	if (err)
		plans_say(t, file, found);
	if (err && !found->n)
		elf_file_forget(file);
	err = 0;
	for (size_t i = 0; !err && i < found->n; i++)
		if (probe_plan_complete(&found->list[i]))
			err = source_attach(t, process, file, &found->list[i]);
	return err;
}

void targets_sources_detach(struct targets *t, uint16_t process)
{
	for (size_t i = 0; i < t->nsources; i++)
		if (t->sources[i].process == process)
			tracer_detach(t->options.tracer, i);
	tracer_unwind_forget(t->options.tracer, process);
}

bool targets_found(const struct targets *t)
{
	return t->nsources;
}

const char *targets_refusal(const struct targets *t)
{
	return t->refusal;
}

uint16_t targets_process_of(const struct targets *t, uint16_t source)
{
	return source < t->nsources ? t->sources[source].process : EVENT_NO_PROCESS;
}

uint64_t targets_source_end(const struct targets *t, uint16_t source)
{
	return source < t->nsources ? t->processes[t->sources[source].process].end : UINT64_MAX;
}

const struct event_overhead *targets_source_cost(const struct targets *t, uint16_t source)
{
	return source < t->nsources ? t->sources[source].cost : &t->usdt_cost;
}

bool targets_names_kinds(const struct targets *t, uint16_t source)
{
	return source < t->nsources && t->sources[source].plan->names;
}

/*
 * By how much the run-time addresses of a file exceed the link-time ones, from its mapping of code: that
 * begins at a page, so it may begin before the segment's first byte.
 */
static bool module_bias(const struct module *m, uint64_t *bias)
{
	for (size_t i = 0; i < m->file->nsegments; i++) {
		const struct elf_segment *s = &m->file->segments[i];

		if (!(s->flags & PF_X) || s->offset >= m->offset + (m->end - m->start) ||
		    s->offset + s->filesz <= m->offset)
			continue;
		*bias = m->start - m->offset + s->offset - s->vaddr;
		return true;
	}
	return false;
}

/* The pieces that a file is mapped in are all of one place. */
static void place_add(struct kind_place *place, uint64_t vaddr)
{
	for (size_t i = 0; i < place->n; i++)
		if (place->vaddrs[i] == vaddr)
			return;
	if (place->n < KIND_PLACES)
		place->vaddrs[place->n++] = vaddr;
}

void targets_kind_place(const struct targets *t, uint16_t source, uint64_t kind,
			struct kind_place *place)
{
	const struct source *s = &t->sources[source];

	*place = (struct kind_place){.names = s->plan->names};
	for (size_t i = 0; i < t->nmodules; i++) {
		const struct module *m = &t->modules[i];
		uint64_t bias;

		if (m->process == s->process && m->file == s->file && module_bias(m, &bias))
			place_add(place, kind - bias);
	}
}

int kind_place_name(const struct kind_place *place, struct kind_name *name)
{
	int err = -ENOENT;

	for (size_t i = 0; err == -ENOENT && i < place->n; i++)
		err = place->names->name(place->names, place->vaddrs[i], name);
	return err;
}

static bool timers_have(const struct timers *timers, uint64_t vaddr)
{
	for (size_t i = 0; i < timers->n; i++)
		if (vaddr >= timers->list[i].start && vaddr < timers->list[i].end)
			return true;
	return false;
}

bool targets_at_timer(const struct targets *t, uint16_t source, const struct event_stack *stack)
{
	const uint64_t *frames = stack->frames + stack->nkernel;
	const struct source *s;
	uint64_t bias;

	if (source >= t->nsources)
		return false;
	s = &t->sources[source];
	if (!s->plan->timers.n)
		return false;
	for (size_t i = 0; i < t->nmodules; i++) {
		const struct module *m = &t->modules[i];

		if (m->process != s->process || m->file != s->file || !module_bias(m, &bias))
			continue;
		/* Of a call, what is before the return. */
		for (uint16_t at = 1; at < stack->nuser && at < TIMER_FRAMES; at++)
			if (timers_have(&s->plan->timers, frames[at] - 1 - bias))
				return true;
	}
	return false;
}
