/* SPDX-License-Identifier: MIT */
/*
 * What the writer of a Perfetto trace knows, shared by its parts. Times are since the capture's start, but in
 * what is written.
 */
#ifndef POLLSCOPE_EMIT_PERFETTO_STATE_H
#define POLLSCOPE_EMIT_PERFETTO_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "core/hash.h"
#include "core/id_table.h"
#include "core/model.h"
#include "core/observe.h"
#include "emit/export.h"
#include "emit/lane.h"
#include "emit/packets.h"
#include "emit/series.h"
#include "emit/tracks.h"

#define PERFETTO_NUMBERS (UINT16_MAX + 1) /* processes or sources that a number can name */

struct thread_track {
	uint32_t tid;
	uint32_t number;
	const struct model_process *process; /* NULL: not known yet */
	bool announced;                      /* by EVENT_THREAD */
	bool described;
	bool polled;
	bool parked;
	uint64_t park_since;
	uint32_t local_depth; /* last told; EVENT_NO_DEPTH: none was */
	char *name;           /* NULL: not told */
	struct lane lane;
	UT_hash_handle hh;
};

/* One that the model has singly. */
struct task_track {
	uint64_t track;
	uint64_t begin, until; /* drawn; begin > until: nothing is */
};

struct source_track {
	struct series runnable, injection;
	uint32_t pool_depth; /* last told */
	bool pool_described;
};

struct perfetto {
	struct export_stream stream;
	struct observer observer;
	const struct model *model;
	struct correlator *correlator;
	struct packets packets;
	struct thread_track *threads;
	uint32_t nthreads;            /* ever */
	struct task_track *tasks;     /* by index in the model */
	struct id_table by_serial;    /* to the tasks */
	struct source_track *sources; /* by index in the model */
	/* By number; the model's count: none. */
	uint32_t source_index[PERFETTO_NUMBERS], process_index[PERFETTO_NUMBERS];
	uint32_t *kind_names; /* by kind; 0: not told yet */
	char **awaits;        /* by stack, the functions at which tasks waited; NULL: none did */
	uint32_t *idle_names; /* of those; 0: not told yet */
	uint64_t flows;       /* ever */
	uint64_t flow;        /* into the poll that is told next; 0: none */
	uint32_t idle, scheduled, polling, parked, runqueue; /* names */
	uint32_t ready, pending, in_progress;                /* texts */
};

static inline struct perfetto *perfetto_of(struct observer *observer)
{
	return (struct perfetto *)((char *)observer - offsetof(struct perfetto, observer));
}

/* NULL where the model has none of that number. */
const struct model_source *perfetto_source(const struct perfetto *perfetto, uint16_t number);
const struct model_process *perfetto_process(const struct perfetto *perfetto, uint16_t number);

/* Since the capture's start, and in it. */
uint64_t perfetto_time(const struct perfetto *perfetto, uint64_t time);

/* Threads (perfetto_threads.c). Each returns 0 or a negative errno, or NULL without memory. */

struct thread_track *thread_track_get(struct perfetto *perfetto, uint32_t tid);

/* A probe of the source was hit on it. */
void thread_track_belongs(const struct perfetto *perfetto, struct thread_track *thread,
			  uint16_t source);

/* Before anything is on its track: a thread that shows nothing gets none. */
void thread_track_describe(struct perfetto *perfetto, struct thread_track *thread);

/* Shows what is held of it, and a slice that no other is around; NULL: there is none. */
int thread_track_flush(struct perfetto *perfetto, struct thread_track *thread,
		       const struct packets_slice *outermost);

/* Keeps a slice until the poll that it may lie in is told. */
int thread_track_hold(struct perfetto *perfetto, struct thread_track *thread,
		      const struct packets_slice *slice);

/* EVENT_THREAD, EVENT_THREAD_TOTALS, EVENT_PARK, EVENT_UNPARK, EVENT_OFFCPU. */
int thread_track_take(struct perfetto *perfetto, const struct event *event);

int thread_tracks_finish(struct perfetto *perfetto);
void thread_tracks_free(struct perfetto *perfetto);

/* What the correlator tells of tasks (perfetto_tasks.c). */
int perfetto_on_gap(struct observer *observer, const struct observed_gap *gap);
int perfetto_on_poll(struct observer *observer, const struct observed_poll *poll);
int perfetto_on_job(struct observer *observer, const struct observed_job *job);

/* Counters (perfetto_counters.c). Each that may fail returns 0 or a negative errno. */
int counters_wait(struct perfetto *perfetto, const struct observed_gap *gap);
int counters_poll(struct perfetto *perfetto, struct thread_track *thread,
		  const struct event *event);
int counters_pool(struct perfetto *perfetto, const struct event *event);
void counters_park(struct perfetto *perfetto, struct thread_track *thread,
		   const struct event *event);
void counters_finish(struct perfetto *perfetto);

#endif
