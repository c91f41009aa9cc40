// SPDX-License-Identifier: MIT
/* What an adapter found in a file, and what a report of it will lack. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "attach/adapter.h"
#include "attach/checks.h"
#include "core/event.h"
#include "symbolize/elf_file.h"

struct loss {
	uint32_t capability;
	const char *what;
	const char *effect;
};

/* What a report lacks without a signal. */
static const struct loss losses[] = {
	{EVENT_CAN_WAKE, "wakes", "waiting in the queue cannot be told from idling"},
	{EVENT_CAN_SPAWN, "spawns",
	 "a task's life begins at its first poll, and how long it waited for that is not known"},
	{EVENT_CAN_TERMINATE, "ends of tasks", "finished tasks count as alive"},
	{EVENT_CAN_AWAIT, "where tasks wait", "what they wait for while idle is not told"},
	{EVENT_CAN_PARK, "parking of workers", "what they sleep outside of polls counts as parked"},
};

static size_t points_stepped(const struct probe_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->npoints; i++)
		n += plan->points[i].cost == PROBE_STEPPED;
	return n;
}

static void names_report(struct checks *checks, const struct probe_plan *plan)
{
	char line[160] = "";

	if (plan->names && plan->names->survey &&
	    !plan->names->survey(plan->names, line, sizeof(line)))
		checks_add(checks, CHECK_OK, "names", "", "%s", line);
}

static void points_report(struct checks *checks, const struct elf_file *file,
			  const struct probe_plan *plan)
{
	size_t stepped = points_stepped(plan);

	checks_add(checks, CHECK_OK, "probes", "", "%s: %s%s%s, %zu points%s", file->path,
		   plan->runtime, plan->version[0] ? " " : "", plan->version, plan->npoints,
		   stepped ? "" : ", all cheap: the kernel emulates what they replace");
	if (plan->found[0])
		checks_add(checks, CHECK_OK, "probes", "", "%s", plan->found);
	if (stepped)
		checks_add(checks, CHECK_NOTE, "probes", "",
			   "%zu of %zu points are on instructions that the kernel single-steps: "
			   "a hit costs ten times as much as elsewhere",
			   stepped, plan->npoints);
	if (plan->unprobed)
		checks_add(checks, CHECK_NOTE, "probes", "",
			   "%zu functions take no probe: their polls are not seen", plan->unprobed);
	if (plan->unreadable)
		checks_add(checks, CHECK_NOTE, "probes",
			   "compile them with operands in registers "
			   "(STAP_SDT_ARG_CONSTRAINT)",
			   "%zu points cannot be used: where their "
			   "arguments are cannot be decoded",
			   plan->unreadable);
}

void checks_plan(struct checks *checks, const struct elf_file *file, const struct probe_plan *plan)
{
	if (plan->refusal[0]) {
		checks_add(checks, CHECK_FAIL, "runtime", "", "%s: %s", file->path, plan->refusal);
		return;
	}
	if (!probe_plan_complete(plan)) {
		checks_add(checks, CHECK_FAIL, "probes",
			   "build it with probes at both ends (task_poll_start and task_poll_end)",
			   "%s: has %zu %s probes, but not both ends of a poll", file->path,
			   plan->npoints, plan->runtime);
		return;
	}
	points_report(checks, file, plan);
	names_report(checks, plan);
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		if (!(plan->capabilities & losses[i].capability))
			checks_add(checks, CHECK_NOTE, "probes", "", "%s cannot be seen: %s",
				   losses[i].what, losses[i].effect);
	if (plan->unseen)
		checks_add(checks, CHECK_NOTE, "probes", "", "%s", plan->unseen);
}
