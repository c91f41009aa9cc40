// SPDX-License-Identifier: MIT
#include "emit/tracks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "perfetto.pb-c.h"

static void describe_process(struct packets *packets, const struct model *model, size_t index)
{
	const struct model_process *process = &model->processes[index];
	Perfetto__TrackDescriptor track;
	Perfetto__ProcessDescriptor about;

	perfetto__track_descriptor__init(&track);
	perfetto__process_descriptor__init(&about);
	about.pid = process->pid;
	about.process_name = process->comm;
	about.cmdline = process->command_line;
	track.uuid = track_id(TRACK_PROCESS, index);
	track.process = &about;
	packets_track(packets, &track);
}

/* What a source's tasks are listed under says how many of them there are. */
static void describe_tasks(struct packets *packets, const struct model *model, size_t index)
{
	uint64_t tasks = 0, shown = 0;
	Perfetto__TrackDescriptor track;
	char name[128];

	for (size_t i = 0; i < model->ntypes; i++)
		tasks += model->types[i].source == index ? model->types[i].tasks : 0;
	for (size_t i = 0; i < model->ntasks; i++)
		shown += model->types[model->tasks[i].type].source == index;
	if (!shown)
		return;
	if (shown < tasks)
		snprintf(name, sizeof(name),
			 "tasks (%" PRIu64 " of %" PRIu64 ", longest polls first)", shown, tasks);
	else
		snprintf(name, sizeof(name), "tasks (%" PRIu64 ", longest polls first)", shown);
	perfetto__track_descriptor__init(&track);
	track.uuid = track_id(TRACK_TASKS, index);
	track.parent_uuid = track_id(TRACK_PROCESS, model->sources[index].process);
	track.name = name;
	track.child_ordering = PERFETTO__CHILD_TRACKS_ORDERING__ORDERING_EXPLICIT;
	packets_track(packets, &track);
}

static void describe_task(struct packets *packets, const struct model *model, size_t index)
{
	const struct model_task *task = &model->tasks[index];
	const struct model_type *type = &model->types[task->type];
	Perfetto__TrackDescriptor track;
	char *name;

	if (asprintf(&name, "%s #%" PRIu64, type->name, task->id) < 0) {
		packets->error = packets->error ?: -ENOMEM;
		return;
	}
	perfetto__track_descriptor__init(&track);
	track.uuid = track_id(TRACK_TASK, index);
	track.parent_uuid = track_id(TRACK_TASKS, type->source);
	track.name = name;
	track.sibling_order_rank = index + 1;
	packets_track(packets, &track);
	free(name);
}

void tracks_describe_model(struct packets *packets, const struct model *model)
{
	for (size_t i = 0; i < model->nprocesses; i++)
		describe_process(packets, model, i);
	for (size_t i = 0; i < model->nsources; i++)
		describe_tasks(packets, model, i);
	for (size_t i = 0; i < model->ntasks; i++)
		describe_task(packets, model, i);
}

void track_describe_thread(struct packets *packets, uint64_t id,
			   const struct model_process *process, uint32_t tid, const char *name)
{
	Perfetto__TrackDescriptor track;
	Perfetto__ThreadDescriptor about;

	perfetto__track_descriptor__init(&track);
	perfetto__thread_descriptor__init(&about);
	/* Without its process, a thread by that id alone. */
	about.pid = process && process->pid ? process->pid : tid;
	about.tid = tid;
	about.thread_name = (char *)name;
	track.uuid = id;
	track.thread = &about;
	packets_track(packets, &track);
}

void track_describe_counter(struct packets *packets, uint64_t id, uint64_t parent, const char *name)
{
	Perfetto__TrackDescriptor track;
	Perfetto__CounterDescriptor about;

	perfetto__track_descriptor__init(&track);
	perfetto__counter_descriptor__init(&about);
	about.unit = PERFETTO__COUNTER_DESCRIPTOR__UNIT__UNIT_COUNT;
	track.uuid = id;
	track.parent_uuid = parent;
	track.name = (char *)name;
	track.counter = &about;
	packets_track(packets, &track);
}
