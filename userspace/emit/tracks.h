/* SPDX-License-Identifier: MIT */
/* The tracks of a Perfetto trace: their ids, and how they are described. */
#ifndef POLLSCOPE_EMIT_TRACKS_H
#define POLLSCOPE_EMIT_TRACKS_H

#include <stdint.h>

#include "core/model.h"
#include "emit/packets.h"

enum track_kind {
	TRACK_PROCESS,  /* of a process's index in the model */
	TRACK_TASKS,    /* of a source's index: what holds its tasks' tracks */
	TRACK_TASK,     /* of a task's index */
	TRACK_THREAD,   /* numbered as they come */
	TRACK_LOCAL,    /* a thread's own queue, by the thread's number */
	TRACK_RUNNABLE, /* of a source's index; so are the next */
	TRACK_INJECTION,
	TRACK_POOL,
	TRACK_KINDS,
};

static inline uint64_t track_id(enum track_kind kind, uint64_t number)
{
	return (number + 1) * TRACK_KINDS + kind;
}

/* All processes, and the tasks that the model has singly. */
void tracks_describe_model(struct packets *packets, const struct model *model);

/* process: NULL where it is not known. */
void track_describe_thread(struct packets *packets, uint64_t track,
			   const struct model_process *process, uint32_t tid, const char *name);

void track_describe_counter(struct packets *packets, uint64_t track, uint64_t parent,
			    const char *name);

#endif
