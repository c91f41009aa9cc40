/* SPDX-License-Identifier: MIT */
/*
 * Processes and sources: whose tasks and threads they are.
 */
#ifndef POLLSCOPE_CORE_SOURCE_H
#define POLLSCOPE_CORE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "core/id_table.h"
#include "core/scale.h"

#define SOURCE_RUNTIMES 16 /* runtimes of one source whose number of workers is kept */

/* One (pid, exec generation). */
struct process {
	uint16_t number;
	bool described;
	bool launched;
	bool exited;
	bool ended; /* by exit or by exec: its tasks and threads are gone */
	uint32_t pid, generation;
	int32_t wait_status;
	uint64_t end;
	char *comm, *exe, *command_line; /* NULL: not told */
	char *cgroup;                    /* likewise: that of quota, which holds no other text */
	struct event_cpu_quota quota;
	uint32_t index; /* in the model */
};

struct source_runtime {
	uint64_t id;
	uint32_t workers;
};

/* One runtime in one process. One that was never described can do all, in a process of its own. */
struct source {
	uint16_t number;
	bool described;
	uint16_t process;
	uint32_t capabilities;
	char *runtime, *version, *path; /* NULL: not told */
	uint64_t polls, signals;        /* told */
	struct id_table tasks;          /* live ones */
	struct id_table jobs;           /* not ended */
	struct source_runtime runtimes[SOURCE_RUNTIMES];
	unsigned int nruntimes;
	bool queues_jobs;  /* tells when a job is queued */
	bool has_overhead; /* of its own */
	struct event_overhead overhead;
	uint64_t relieved;  /* when tasks were last taken for ended (sampling_relieve()) */
	size_t crowd;       /* as many live ones are too many again */
	struct scale scale; /* of its workers' polls: made at the end */
	uint64_t shared;    /* of scale.timed, by workers that have their share */
	uint32_t index;     /* in the model */
};

#endif
