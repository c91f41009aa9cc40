// SPDX-License-Identifier: MIT
/* The tracks of threads: who they are, and what is told of them outside of polls. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/causes.h"
#include "emit/perfetto_state.h"
#include "util/syscalls.h"

#define MOST_FILES 65536 /* whose names are told */

static struct thread_track *thread_find(struct perfetto *p, uint32_t tid)
{
	struct thread_track *thread;

	HASH_FIND(hh, p->threads, &tid, sizeof(tid), thread);
	return thread;
}

struct thread_track *thread_track_get(struct perfetto *p, uint32_t tid)
{
	struct thread_track *thread = thread_find(p, tid);

	if (thread)
		return thread;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->tid = tid;
	thread->number = p->nthreads++;
	thread->local_depth = EVENT_NO_DEPTH;
	thread->lane = (struct lane){.packets = &p->packets,
				     .track = track_id(TRACK_THREAD, thread->number),
				     .origin = p->model->capture.start_ns};
	HASH_ADD(hh, p->threads, tid, sizeof(thread->tid), thread);
	if (hash_added(thread))
		return thread;
	free(thread);
	return NULL;
}

static void thread_free(struct perfetto *p, struct thread_track *thread)
{
	HASH_DEL(p->threads, thread);
	lane_release(&thread->lane);
	free(thread->name);
	free(thread);
}

void thread_track_describe(struct perfetto *p, struct thread_track *thread)
{
	if (thread->described)
		return;
	thread->described = true;
	track_describe_thread(&p->packets, thread->lane.track, thread->process, thread->tid,
			      thread->name ? thread->name : "");
}

int thread_track_flush(struct perfetto *p, struct thread_track *thread,
		       const struct packets_slice *outermost)
{
	if (thread->lane.nheld || outermost)
		thread_track_describe(p, thread);
	return lane_flush(&thread->lane, outermost);
}

int thread_track_hold(struct perfetto *p, struct thread_track *thread,
		      const struct packets_slice *slice)
{
	if (thread->lane.nheld == LANE_MOST)
		thread_track_describe(p, thread);
	return lane_hold(&thread->lane, slice);
}

static int thread_end(struct perfetto *p, struct thread_track *thread)
{
	int err = thread_track_flush(p, thread, NULL);

	thread_free(p, thread);
	return err;
}

void thread_track_belongs(const struct perfetto *p, struct thread_track *thread, uint16_t source)
{
	const struct model_source *of = perfetto_source(p, source);

	if (!thread->process && of)
		thread->process = &p->model->processes[of->process];
}

static int take_thread(struct perfetto *p, const struct event *event)
{
	const struct model_process *process = perfetto_process(p, event->thread.process);
	struct thread_track *thread = thread_find(p, event->tid);
	char *name;
	int err;

	/* The number is given anew. */
	if (thread && thread->announced && thread->process != process) {
		err = thread_end(p, thread);
		if (err)
			return err;
	}
	thread = thread_track_get(p, event->tid);
	name = thread ? strdup(event->thread.comm) : NULL;
	if (!name)
		return -ENOMEM;
	if (!thread->name || strcmp(thread->name, name) || thread->process != process) {
		bool described = thread->described;

		free(thread->name);
		thread->name = name;
		thread->process = process;
		thread->described = false;
		if (described)
			thread_track_describe(p, thread);
	} else {
		free(name);
	}
	thread->announced = true;
	return 0;
}

static int take_totals(struct perfetto *p, const struct event *event)
{
	struct thread_track *thread = thread_find(p, event->tid);

	return thread && event->thread_totals.exited ? thread_end(p, thread) : 0;
}

static int take_park(struct perfetto *p, const struct event *event)
{
	struct thread_track *thread = thread_track_get(p, event->tid);
	struct packets_slice slice = {.category = PACKETS_PARK, .name = p->parked};

	if (!thread)
		return -ENOMEM;
	thread_track_belongs(p, thread, event->source);
	slice.start = thread->park_since;
	slice.end = perfetto_time(p, event->time);
	if (event->type == EVENT_PARK) {
		if (event->flags & EVENT_INSIDE)
			return 0;
		if (!thread->parked)
			thread->park_since = slice.end;
		thread->parked = true;
		counters_park(p, thread, event);
		return 0;
	}
	if (!thread->parked)
		return 0;
	thread->parked = false;
	return thread_track_hold(p, thread, &slice);
}

static struct cause_text cause_name(const struct perfetto *p, const struct event_offcpu *offcpu)
{
	struct cause_text text;

	if (offcpu->cause == EVENT_CAUSE_SYSCALL)
		return causes_call_name(syscall_name, p->model->capture.arch, offcpu->syscall);
	snprintf(text.s, sizeof(text.s), "%s", causes_event_name(offcpu->cause));
	return text;
}

static uint32_t file_text(struct perfetto *p, const struct event_offcpu *offcpu)
{
	if (!offcpu->file_name[0] || p->packets.texts.count >= MOST_FILES)
		return 0;
	return packets_text(&p->packets, offcpu->file_name);
}

static int take_offcpu(struct perfetto *p, const struct event *event)
{
	const struct event_offcpu *offcpu = &event->offcpu;
	struct thread_track *thread = thread_track_get(p, event->tid);
	struct packets_slice slice = {.start = perfetto_time(p, offcpu->out),
				      .unsettled = event->flags & EVENT_UNSETTLED};
	uint64_t wake = perfetto_time(p, offcpu->wake), end = perfetto_time(p, event->time);
	int err = 0;

	if (!thread)
		return -ENOMEM;
	if (event->flags & EVENT_UNSETTLED && thread->polled)
		return 0;
	if (offcpu->cause == EVENT_CAUSE_RUNQUEUE)
		wake = slice.start;
	if (wake > slice.start) {
		slice.end = wake;
		slice.category = PACKETS_BLOCKED;
		slice.name = packets_name(&p->packets, cause_name(p, offcpu).s);
		slice.file = file_text(p, offcpu);
		slice.waker = offcpu->waker == EVENT_WAKER_THREAD ? offcpu->waker_tid : 0;
		err = thread_track_hold(p, thread, &slice);
	}
	if (!err && end > wake) {
		slice = (struct packets_slice){.start = wake,
					       .end = end,
					       .unsettled = slice.unsettled,
					       .category = PACKETS_RUNQUEUE,
					       .name = p->runqueue};
		err = thread_track_hold(p, thread, &slice);
	}
	return err;
}

int thread_track_take(struct perfetto *p, const struct event *event)
{
	switch (event->type) {
	case EVENT_THREAD:
		return take_thread(p, event);
	case EVENT_THREAD_TOTALS:
		return take_totals(p, event);
	case EVENT_OFFCPU:
		return take_offcpu(p, event);
	default:
		return take_park(p, event);
	}
}

int thread_tracks_finish(struct perfetto *p)
{
	struct thread_track *thread, *next;
	int err = 0;

	HASH_ITER (hh, p->threads, thread, next) {
		const struct packets_slice slice = {
			.start = thread->park_since,
			.end = p->model->capture.duration_ns,
			.category = PACKETS_PARK,
			.name = p->parked,
		};

		if (!err && thread->parked)
			err = thread_track_hold(p, thread, &slice);
		if (!err)
			err = thread_track_flush(p, thread, NULL);
	}
	return err;
}

void thread_tracks_free(struct perfetto *p)
{
	struct thread_track *thread, *next;

	HASH_ITER (hh, p->threads, thread, next)
		thread_free(p, thread);
}
