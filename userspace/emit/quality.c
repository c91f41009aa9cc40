// SPDX-License-Identifier: MIT
#include "emit/quality.h"

#include <stdio.h>
#include <stdlib.h>

#include "emit/names.h"
#include "util/text.h"

#define PATH_COLUMNS 200 /* that are shown of a path */
#define COST_WARNED 4    /* where tracing takes more than this part of the CPU time */

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* "1,234 events lost (poll 1,200, offcpu 34)" */
static struct quality_text lost_text(const struct model_capture *capture)
{
	struct quality_text text;
	size_t used;

	used = snprintf(text.s, sizeof(text.s), "%s event%s lost",
			text_grouped(capture->events_lost).s, plural(capture->events_lost));
	for (size_t i = 0; i < capture->nlost && used < sizeof(text.s) - 64; i++)
		used += snprintf(text.s + used, sizeof(text.s) - used, "%s%s %s", i ? ", " : " (",
				 emit_event_name(capture->lost[i].type),
				 text_grouped(capture->lost[i].count).s);
	if (capture->nlost)
		snprintf(text.s + used, sizeof(text.s) - used, ")");
	return text;
}

/* "The recording is damaged: 2 chunks were left out (4.66 KiB): ..." */
static struct quality_text damage_text(const struct model_capture *capture)
{
	struct quality_text text;
	char chunks[64] = "";

	if (capture->damaged_chunks)
		snprintf(chunks, sizeof(chunks), "%s chunk%s, ",
			 text_grouped(capture->damaged_chunks).s, plural(capture->damaged_chunks));
	snprintf(text.s, sizeof(text.s),
		 "The recording is damaged: %s%s could not be read: what was there is missing, and "
		 "times around it are uncertain",
		 chunks, text_bytes(capture->damaged_bytes).s);
	return text;
}

struct quality_uncertainty quality_uncertainty(const struct model *model)
{
	uint64_t uncertain = model->capture.uncertain_ns, whole = 0;
	struct quality_uncertainty found = {.text = ""};

	for (size_t i = 0; i < model->ntypes; i++)
		whole += model->types[i].times.polling_ns + model->types[i].times.scheduled_ns;
	found.slight = uncertain < whole / 1000;
	/* Where much was lost it may be time of idle tasks, too, and more than the whole. */
	if (uncertain && uncertain < whole)
		snprintf(found.text, sizeof(found.text),
			 "%s of the tasks' time is uncertain (%s of polling + sched)",
			 text_duration(uncertain).s, text_share(uncertain, whole).s);
	else if (uncertain)
		snprintf(found.text, sizeof(found.text),
			 "%s of the tasks' time is uncertain (more than polling + sched)",
			 text_duration(uncertain).s);
	return found;
}

/* Also of types that were not asked for. */
static bool has_polls(const struct model *model)
{
	for (size_t i = 0; i < model->ntypes; i++) {
		if (model->types[i].polls)
			return true;
	}
	for (size_t i = 0; i < model->nworkers; i++) {
		if (model->workers[i].polls)
			return true;
	}
	return false;
}

const char *quality_unseen_polls(const struct model *model)
{
	if (!model->nsources || has_polls(model))
		return NULL;
	for (size_t i = 0; i < model->nsources; i++) {
		if (!(model->sources[i].capabilities & EVENT_CAN_BLOCK_ON))
			return "No task was polled in this time: all wait, or hang in polls that "
			       "began before; and futures given to block_on, main's of "
			       "#[tokio::main] among them, are not tasks and show no probe";
	}
	return "No task was polled in this time: all wait, or hang in polls that began before";
}

/* "The kernel refused the probes where tasks wait, in /bin/app and 2 more: ..." */
static struct quality_text refused_text(const struct model *model)
{
	char *harmless = NULL, *path = NULL, more[64] = "";
	struct quality_text text = {.s = ""};
	size_t n = 0;

	for (size_t i = 0; i < model->nsources; i++) {
		if (!(model->sources[i].capabilities & EVENT_AWAITS_REFUSED))
			continue;
		if (!n++)
			harmless = text_escape(model->sources[i].path, "");
	}
	if (n > 1)
		snprintf(more, sizeof(more), " and %s more", text_grouped(n - 1).s);
	if (harmless)
		path = text_shorten(harmless, PATH_COLUMNS);
	if (path)
		snprintf(text.s, sizeof(text.s),
			 "The kernel refused the probes where tasks wait, in %s%s: what they "
			 "wait for while idle is not told",
			 path, more);
	free(path);
	free(harmless);
	return text;
}

/* 0: not known of all of them. */
static uint64_t workers_cpu_ns(const struct model *model)
{
	uint64_t ran = 0;

	for (size_t i = 0; i < model->nworkers; i++) {
		if (!model->workers[i].has_on_cpu)
			return 0;
		ran += model->workers[i].on_cpu_ns;
	}
	return ran;
}

void quality_warnings(const struct model *model, void (*visit)(void *context, const char *text),
		      void *context)
{
	const struct model_capture *capture = &model->capture;
	const struct quality_uncertainty uncertainty = quality_uncertainty(model);
	const struct quality_text refused = refused_text(model);
	const char *unseen_polls = quality_unseen_polls(model);
	const uint64_t ran = workers_cpu_ns(model);
	char text[160];

	if (!capture->end_reason)
		visit(context, "The recording is cut: it shows the time up to its last event");
	if (capture->damaged_chunks || capture->damaged_bytes)
		visit(context, damage_text(capture).s);
	if (capture->unread_events) {
		snprintf(text, sizeof(text),
			 "%s event%s of the recording make no sense or are of unknown types: left "
			 "out",
			 text_grouped(capture->unread_events).s, plural(capture->unread_events));
		visit(context, text);
	}
	if (unseen_polls)
		visit(context, unseen_polls);
	if (*refused.s)
		visit(context, refused.s);
	if (capture->events_lost)
		visit(context, lost_text(capture).s);
	if (*uncertainty.text && !uncertainty.slight)
		visit(context, uncertainty.text);
	if (ran && capture->probe_overhead_ns > ran / COST_WARNED) {
		snprintf(text, sizeof(text),
			 "Tracing took %s of the workers' CPU time: without it they do more, and "
			 "tasks wait less",
			 text_share(capture->probe_overhead_ns, ran).s);
		visit(context, text);
	}
	if (capture->nested_polls) {
		snprintf(text, sizeof(text),
			 "%s poll%s inside another: types may sum to more than worker time",
			 text_grouped(capture->nested_polls).s,
			 capture->nested_polls == 1 ? " ran" : "s ran");
		visit(context, text);
	}
}

/* Where wakes are told and spawns are not. */
const char *quality_unseen_waits(const struct model *model)
{
	for (size_t i = 0; i < model->nsources && !model->capture.estimated; i++) {
		uint32_t capabilities = model->sources[i].capabilities;

		if (capabilities & EVENT_CAN_WAKE && !(capabilities & EVENT_CAN_SPAWN))
			return "sched leaves out what tasks wait for their first poll: no probe "
			       "shows when they are spawned";
	}
	return NULL;
}

struct quality_text quality_unwound(const struct model *model)
{
	const struct model_capture *capture = &model->capture;
	uint64_t early = capture->unwound_stacks - capture->unwound_ends[STACK_WHOLE];
	struct quality_text text = {.s = ""};
	const char *before = ": ";
	size_t used;

	if (!early)
		return text;
	used = snprintf(text.s, sizeof(text.s),
			"%s of %s stack%s end%s before their thread's start", text_grouped(early).s,
			text_grouped(capture->unwound_stacks).s, plural(capture->unwound_stacks),
			early == 1 ? "s" : "");
	for (int end = STACK_WHOLE + 1; end < STACK_ENDS && used < sizeof(text.s) - 64; end++) {
		if (!capture->unwound_ends[end])
			continue;
		used += snprintf(text.s + used, sizeof(text.s) - used, "%s%s %s", before,
				 stack_end_text(end), text_grouped(capture->unwound_ends[end]).s);
		before = ", ";
	}
	return text;
}

struct quality_text quality_sampling(const struct model *model)
{
	const struct model_capture *capture = &model->capture;
	struct quality_text text;
	char since[64] = "";

	if (capture->sampled_since_ns)
		snprintf(since, sizeof(since), " (since +%s)",
			 text_duration(capture->sampled_since_ns).s);
	snprintf(text.s, sizeof(text.s),
		 "estimated: one poll in %u was timed; times are scaled, polls counted%s",
		 capture->sampled_one_in, since);
	return text;
}

struct quality_text quality_cost(const struct model *model)
{
	const struct model_capture *capture = &model->capture;
	uint64_t observed = 0, ran = workers_cpu_ns(model);
	struct quality_text text;
	size_t used;

	for (size_t i = 0; i < model->nworkers; i++)
		observed += model->workers[i].observed_ns;
	used = snprintf(text.s, sizeof(text.s), "%s event%s", text_grouped(capture->events).s,
			plural(capture->events));
	if (capture->probe_overhead_ns)
		used += snprintf(text.s + used, sizeof(text.s) - used, " · probes took about %s",
				 text_duration(capture->probe_overhead_ns).s);
	if (capture->probe_overhead_ns && observed)
		used += snprintf(text.s + used, sizeof(text.s) - used, ", %s of the workers' time",
				 text_share(capture->probe_overhead_ns, observed).s);
	if (capture->probe_overhead_ns && observed && ran)
		snprintf(text.s + used, sizeof(text.s) - used, ", %s of the workers' CPU time",
			 text_share(capture->probe_overhead_ns, ran).s);
	return text;
}
