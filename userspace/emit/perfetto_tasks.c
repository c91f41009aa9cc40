// SPDX-License-Identifier: MIT
/* What tasks do: on the tracks of those that have one, and on the threads that poll them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "emit/perfetto_state.h"

/* Whether the kind's type is one that is to be shown. */
static bool is_shown(const struct perfetto *p, uint32_t kind)
{
	return kind < p->model->nkinds && p->model->kinds[kind].type != MODEL_NO_TYPE;
}

static uint32_t kind_name(struct perfetto *p, uint32_t kind)
{
	if (!p->kind_names[kind])
		p->kind_names[kind] = packets_name(&p->packets, p->model->kinds[kind].name);
	return p->kind_names[kind];
}

/* "idle at read_line", where that is known. The model's stacks are those of the correlator that tells of gaps. */
static uint32_t idle_name(struct perfetto *p, uint32_t stack)
{
	char *name;

	if (stack >= p->model->nstacks || !p->awaits[stack])
		return p->idle;
	if (!p->idle_names[stack]) {
		if (asprintf(&name, "idle at %s", p->awaits[stack]) < 0)
			return p->idle;
		p->idle_names[stack] = packets_name(&p->packets, name);
		free(name);
	}
	return p->idle_names[stack];
}

static void draw(struct perfetto *p, const struct task_track *track, uint32_t name, uint64_t start,
		 uint64_t end, uint32_t tid)
{
	uint64_t origin = p->model->capture.start_ns;
	const struct packets_slice slice = {
		.start = origin + start,
		.category = PACKETS_TASK,
		.name = name,
		.thread = tid,
	};

	packets_slice_begin(&p->packets, track->track, &slice);
	packets_slice_end(&p->packets, track->track, origin + end);
}

/* Times of a task come in order, but for a queue at its birth that is told late. */
static void draw_state(struct perfetto *p, struct task_track *track, uint32_t name, uint64_t start,
		       uint64_t end)
{
	if (start >= end)
		return;
	if (track->begin <= track->until && end <= track->begin) {
		/* At one time, what is written later would come later: an end after a begin. */
		draw(p, track, name, start, end - 1, 0);
		track->begin = start;
		return;
	}
	if (track->begin > track->until)
		track->begin = start;
	draw(p, track, name, start, end, 0);
	track->until = end;
}

static struct task_track *track_of(const struct perfetto *p, const struct observed_task *task)
{
	return id_table_find(&p->by_serial, task->serial);
}

/* What queued the task that is polled next: an instant where it was done. */
static int draw_wake(struct perfetto *p, const struct observed_gap *gap)
{
	const struct packets_slice slice = {
		.start = p->model->capture.start_ns + gap->woken,
		.category = PACKETS_WAKE,
		.name = packets_name(&p->packets, gap->spawned ? "spawn" : "wake"),
		.task = gap->task.id,
		.flow = p->flows + 1,
	};
	struct thread_track *thread;

	if (!gap->tid || !gap->waker_tid || gap->queued >= gap->until)
		return 0;
	thread = thread_track_get(p, gap->waker_tid);
	if (!thread)
		return -ENOMEM;
	thread_track_belongs(p, thread, gap->task.source);
	thread_track_describe(p, thread);
	packets_instant(&p->packets, thread->lane.track, &slice);
	p->flow = ++p->flows;
	return p->packets.error;
}

int perfetto_on_gap(struct observer *observer, const struct observed_gap *gap)
{
	struct perfetto *p = perfetto_of(observer);
	struct task_track *track;

	p->flow = 0;
	if (!is_shown(p, gap->task.kind) || gap->unknown)
		return 0;
	track = track_of(p, &gap->task);
	if (track) {
		draw_state(p, track, idle_name(p, gap->await), gap->since, gap->queued);
		draw_state(p, track, p->scheduled, gap->queued, gap->until);
	}
	return counters_wait(p, gap) ?: draw_wake(p, gap);
}

int perfetto_on_poll(struct observer *observer, const struct observed_poll *poll)
{
	struct perfetto *p = perfetto_of(observer);
	const struct event *event = poll->event;
	struct thread_track *thread = thread_track_get(p, event->tid);
	/* On the thread, all that it took: what counts for its task may be less. */
	struct packets_slice slice = {
		.start = perfetto_time(p, event->poll.start),
		.end = perfetto_time(p, event->time),
		.category = PACKETS_POLL,
		.depth = event->poll.depth,
		.task = poll->task.id,
		.flow = p->flow,
		.result = event->flags & EVENT_IN_PROGRESS ? p->in_progress
			  : event->flags & EVENT_READY     ? p->ready
							   : p->pending,
	};
	struct task_track *track;

	p->flow = 0;
	if (!thread)
		return -ENOMEM;
	thread_track_belongs(p, thread, event->source);
	thread->polled = true;
	if (!is_shown(p, poll->task.kind))
		return event->poll.depth ? 0 : thread_track_flush(p, thread, NULL);
	slice.name = kind_name(p, poll->task.kind);
	track = track_of(p, &poll->task);
	if (track) {
		draw(p, track, p->polling, poll->start, poll->end, event->tid);
		if (track->begin > track->until)
			track->begin = poll->start;
		track->until = poll->end;
	}
	if (event->poll.depth)
		return thread_track_hold(p, thread, &slice);
	thread_track_describe(p, thread);
	return counters_poll(p, thread, event) ?: thread_track_flush(p, thread, &slice);
}

int perfetto_on_job(struct observer *observer, const struct observed_job *job)
{
	struct perfetto *p = perfetto_of(observer);
	struct thread_track *thread = thread_track_get(p, job->tid);
	struct packets_slice slice = {
		.start = job->start,
		.end = job->end,
		.category = PACKETS_JOB,
	};

	if (!thread)
		return -ENOMEM;
	if (job->kind >= p->model->nkinds)
		return 0;
	slice.name = kind_name(p, job->kind);
	return thread_track_flush(p, thread, &slice);
}
