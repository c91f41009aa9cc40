// SPDX-License-Identifier: MIT
#include "emit/perfetto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/correlate.h"
#include "core/hash.h"
#include "core/id_table.h"
#include "core/observe.h"
#include "emit/export.h"
#include "emit/lane.h"
#include "emit/packets.h"
#include "emit/series.h"
#include "emit/tracks.h"
#include "util/syscalls.h"

#define MOST_FILES 65536 /* whose names are told */
#define NUMBERS (UINT16_MAX + 1)

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
	uint16_t source_index[NUMBERS],
		process_index[NUMBERS]; /* by number; the model's count: none */
	uint32_t *kind_names;           /* by kind; 0: not told yet */
	uint64_t flows;                 /* ever */
	uint64_t flow;                  /* into the poll that is told next; 0: none */
	uint32_t idle, scheduled, polling, parked, runqueue, ready, pending,
		in_progress; /* names, texts */
};

static const struct model_source *source_of(const struct perfetto *p, uint16_t number)
{
	size_t index = p->source_index[number];

	return index < p->model->nsources ? &p->model->sources[index] : NULL;
}

static const struct model_process *process_of(const struct perfetto *p, uint16_t number)
{
	size_t index = p->process_index[number];

	return index < p->model->nprocesses ? &p->model->processes[index] : NULL;
}

/* Since the capture's start, and in it. */
static uint64_t since_start(const struct perfetto *p, uint64_t time)
{
	const struct model_capture *capture = &p->model->capture;
	uint64_t since = time > capture->start_ns ? time - capture->start_ns : 0;

	return since < capture->duration_ns ? since : capture->duration_ns;
}

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

/* ---- threads --------------------------------------------------------------------------------- */

static struct thread_track *thread_find(struct perfetto *p, uint32_t tid)
{
	struct thread_track *thread;

	HASH_FIND(hh, p->threads, &tid, sizeof(tid), thread);
	return thread;
}

static struct thread_track *thread_get(struct perfetto *p, uint32_t tid)
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
	thread->lane.track = track_id(TRACK_THREAD, thread->number);
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

/* Before anything is on its track. A thread that shows nothing gets none. */
static void thread_describe(struct perfetto *p, struct thread_track *thread)
{
	if (thread->described)
		return;
	thread->described = true;
	track_describe_thread(&p->packets, thread->lane.track, thread->process, thread->tid,
			      thread->name ? thread->name : "");
}

static int thread_flush(struct perfetto *p, struct thread_track *thread,
			const struct packets_slice *outermost)
{
	if (thread->lane.nheld || outermost)
		thread_describe(p, thread);
	return lane_flush(&thread->lane, outermost, &p->packets, p->model->capture.start_ns);
}

static int thread_end(struct perfetto *p, struct thread_track *thread)
{
	int err = thread_flush(p, thread, NULL);

	thread_free(p, thread);
	return err;
}

/* As its source's process, as long as that is not told. */
static void thread_belongs(const struct perfetto *p, struct thread_track *thread, uint16_t source)
{
	const struct model_source *of = source_of(p, source);

	if (!thread->process && of)
		thread->process = &p->model->processes[of->process];
}

static int take_thread(struct perfetto *p, const struct event *event)
{
	const struct model_process *process = process_of(p, event->thread.process);
	struct thread_track *thread = thread_find(p, event->tid);
	char *name;
	int err;

	/* The number is given anew. */
	if (thread && thread->announced && thread->process != process) {
		err = thread_end(p, thread);
		if (err)
			return err;
	}
	thread = thread_get(p, event->tid);
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
			thread_describe(p, thread);
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
	struct thread_track *thread = thread_get(p, event->tid);
	struct packets_slice slice = {.category = PACKETS_PARK, .name = p->parked};

	if (!thread)
		return -ENOMEM;
	thread_belongs(p, thread, event->source);
	slice.start = thread->park_since;
	slice.end = since_start(p, event->time);
	if (event->type == EVENT_PARK) {
		if (!thread->parked)
			thread->park_since = slice.end;
		thread->parked = true;
		return 0;
	}
	if (!thread->parked)
		return 0;
	thread->parked = false;
	return lane_hold(&thread->lane, &slice);
}

/* ---- sleeps ---------------------------------------------------------------------------------- */

static const char *cause_name(const struct perfetto *p, const struct event_offcpu *offcpu,
			      char *made, size_t size)
{
	const char *name;

	switch (offcpu->cause) {
	case EVENT_CAUSE_SYSCALL:
		name = syscall_name(p->model->capture.arch ?: "", offcpu->syscall);
		if (name)
			return name;
		snprintf(made, size, "syscall_%d", offcpu->syscall);
		return made;
	case EVENT_CAUSE_PAGE_FAULT:
		return "page-fault";
	case EVENT_CAUSE_MEMORY:
		return "memory";
	case EVENT_CAUSE_STOPPED:
		return "stopped";
	default:
		return "other";
	}
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
	struct thread_track *thread = thread_get(p, event->tid);
	struct packets_slice slice = {.start = since_start(p, offcpu->out)};
	uint64_t wake = since_start(p, offcpu->wake), end = since_start(p, event->time);
	char made[32];
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
		slice.name = packets_name(&p->packets, cause_name(p, offcpu, made, sizeof(made)));
		slice.file = file_text(p, offcpu);
		slice.waker = offcpu->waker == EVENT_WAKER_THREAD ? offcpu->waker_tid : 0;
		err = lane_hold(&thread->lane, &slice);
	}
	if (!err && end > wake) {
		slice = (struct packets_slice){.start = wake,
					       .end = end,
					       .category = PACKETS_RUNQUEUE,
					       .name = p->runqueue};
		err = lane_hold(&thread->lane, &slice);
	}
	return err;
}

/* ---- tasks ----------------------------------------------------------------------------------- */

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
	thread = thread_get(p, gap->waker_tid);
	if (!thread)
		return -ENOMEM;
	thread_belongs(p, thread, gap->task.source);
	thread_describe(p, thread);
	packets_instant(&p->packets, thread->lane.track, &slice);
	p->flow = ++p->flows;
	return p->packets.error;
}

static int on_gap(struct observer *observer, const struct observed_gap *gap)
{
	struct perfetto *p =
		(struct perfetto *)((char *)observer - offsetof(struct perfetto, observer));
	struct task_track *track;
	size_t source = p->source_index[gap->task.source];

	p->flow = 0;
	if (!is_shown(p, gap->task.kind) || gap->unknown)
		return 0;
	track = track_of(p, &gap->task);
	if (track) {
		draw_state(p, track, p->idle, gap->since, gap->queued);
		draw_state(p, track, p->scheduled, gap->queued, gap->until);
	}
	if (gap->queued < gap->until && source < p->model->nsources) {
		struct series *runnable = &p->sources[source].runnable;

		if (!runnable->steps && series_init(runnable, p->model->capture.duration_ns))
			return -ENOMEM;
		series_add(runnable, gap->queued, gap->until);
	}
	return draw_wake(p, gap);
}

/* ---- polls ----------------------------------------------------------------------------------- */

/* A worker's own queue: what it polls outermost tells it in order. */
static void count_local(struct perfetto *p, struct thread_track *thread, const struct event *event)
{
	uint64_t track = track_id(TRACK_LOCAL, thread->number);

	if (event->poll.local_depth == EVENT_NO_DEPTH || event->poll.depth ||
	    event->poll.local_depth == thread->local_depth || event->flags & EVENT_CLIPPED)
		return;
	if (thread->local_depth == EVENT_NO_DEPTH)
		track_describe_counter(&p->packets, track, thread->lane.track, "local queue");
	thread->local_depth = event->poll.local_depth;
	packets_count(&p->packets, track, event->poll.start, thread->local_depth);
}

static int count_injection(struct perfetto *p, const struct event *event)
{
	size_t source = p->source_index[event->source];
	struct series *injection;

	if (event->poll.inject_depth == EVENT_NO_DEPTH || source >= p->model->nsources ||
	    event->flags & EVENT_CLIPPED)
		return 0;
	injection = &p->sources[source].injection;
	if (!injection->steps && series_init(injection, p->model->capture.duration_ns))
		return -ENOMEM;
	series_see(injection, since_start(p, event->poll.start), event->poll.inject_depth);
	return 0;
}

static int on_poll(struct observer *observer, const struct observed_poll *poll)
{
	struct perfetto *p =
		(struct perfetto *)((char *)observer - offsetof(struct perfetto, observer));
	const struct event *event = poll->event;
	struct thread_track *thread = thread_get(p, event->tid);
	/* On the thread, all that it took: what counts for its task may be less. */
	struct packets_slice slice = {
		.start = since_start(p, event->poll.start),
		.end = since_start(p, event->time),
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
	thread_belongs(p, thread, event->source);
	thread->polled = true;
	if (!is_shown(p, poll->task.kind))
		return event->poll.depth ? 0 : thread_flush(p, thread, NULL);
	slice.name = kind_name(p, poll->task.kind);
	track = track_of(p, &poll->task);
	if (track) {
		draw(p, track, p->polling, poll->start, poll->end, event->tid);
		if (track->begin > track->until)
			track->begin = poll->start;
		track->until = poll->end;
	}
	if (event->poll.depth)
		return lane_hold(&thread->lane, &slice);
	thread_describe(p, thread);
	count_local(p, thread, event);
	return count_injection(p, event) ?: thread_flush(p, thread, &slice);
}

static int on_job(struct observer *observer, const struct observed_job *job)
{
	struct perfetto *p =
		(struct perfetto *)((char *)observer - offsetof(struct perfetto, observer));
	struct thread_track *thread = thread_get(p, job->tid);
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
	return thread_flush(p, thread, &slice);
}

/* ---- counters -------------------------------------------------------------------------------- */

static int take_pool(struct perfetto *p, const struct event *event)
{
	size_t source = p->source_index[event->source];
	uint64_t track = track_id(TRACK_POOL, source);
	struct source_track *counted;

	if (event->blocking.depth == EVENT_NO_DEPTH || source >= p->model->nsources)
		return 0;
	counted = &p->sources[source];
	if (counted->pool_described && counted->pool_depth == event->blocking.depth)
		return 0;
	if (!counted->pool_described)
		track_describe_counter(&p->packets, track,
				       track_id(TRACK_PROCESS, p->model->sources[source].process),
				       "blocking pool's queue");
	counted->pool_described = true;
	counted->pool_depth = event->blocking.depth;
	packets_count(&p->packets, track, event->time, counted->pool_depth);
	return p->packets.error;
}

static void write_runnable(struct perfetto *p, size_t source)
{
	const struct model_capture *capture = &p->model->capture;
	uint64_t track = track_id(TRACK_RUNNABLE, source), begin;
	struct series *runnable = &p->sources[source].runnable;
	double mean, last = -1;

	track_describe_counter(&p->packets, track,
			       track_id(TRACK_PROCESS, p->model->sources[source].process),
			       "runnable tasks (mean)");
	while (series_next(runnable, &begin, &mean)) {
		/* What waits is not told any more. */
		if (capture->estimated && begin >= capture->sampled_since_ns)
			break;
		if (mean != last)
			packets_mean(&p->packets, track, capture->start_ns + begin, mean);
		last = mean;
	}
}

static void write_injection(struct perfetto *p, size_t source)
{
	uint64_t track = track_id(TRACK_INJECTION, source), begin;
	struct series *injection = &p->sources[source].injection;
	const struct series_step *step;
	uint32_t last = SERIES_NONE;
	double mean;

	track_describe_counter(&p->packets, track,
			       track_id(TRACK_PROCESS, p->model->sources[source].process),
			       "injection queue");
	while ((step = series_next(injection, &begin, &mean))) {
		if (step->greatest == SERIES_NONE || step->greatest == last)
			continue;
		last = step->greatest;
		packets_count(&p->packets, track, p->model->capture.start_ns + begin, last);
	}
}

/* ---- the stream ------------------------------------------------------------------------------ */

static int perfetto_take(struct event_sink *sink, const struct event *event)
{
	struct perfetto *p = (struct perfetto *)sink;
	struct event_sink *correlator = correlator_sink(p->correlator);
	int err = correlator->take(correlator, event); /* tells what was before */

	if (err)
		return err;
	switch (event->type) {
	case EVENT_THREAD:
		err = take_thread(p, event);
		break;
	case EVENT_THREAD_TOTALS:
		err = take_totals(p, event);
		break;
	case EVENT_PARK:
	case EVENT_UNPARK:
		err = take_park(p, event);
		break;
	case EVENT_OFFCPU:
		err = take_offcpu(p, event);
		break;
	case EVENT_BLOCKING_QUEUE:
		err = take_pool(p, event);
		break;
	}
	return err ?: p->packets.error;
}

static int perfetto_finish(struct export_stream *stream)
{
	struct perfetto *p = (struct perfetto *)stream;
	struct model *again = correlator_finish(p->correlator); /* tells what is still open */
	struct thread_track *thread, *next;
	int err = again ? 0 : p->packets.error ?: -ENOMEM;

	model_free(again);
	HASH_ITER (hh, p->threads, thread, next) {
		if (!err && thread->parked) {
			const struct packets_slice slice = {
				.start = thread->park_since,
				.end = p->model->capture.duration_ns,
				.category = PACKETS_PARK,
				.name = p->parked,
			};

			err = lane_hold(&thread->lane, &slice);
		}
		if (!err)
			err = thread_flush(p, thread, NULL);
	}
	for (size_t i = 0; i < p->model->nsources && !err; i++) {
		if (p->sources[i].runnable.steps)
			write_runnable(p, i);
		if (p->sources[i].injection.steps)
			write_injection(p, i);
	}
	return err ?: p->packets.error;
}

static void perfetto_free(struct export_stream *stream)
{
	struct perfetto *p = (struct perfetto *)stream;
	struct thread_track *thread, *next;

	HASH_ITER (hh, p->threads, thread, next)
		thread_free(p, thread);
	for (size_t i = 0; p->sources && i < p->model->nsources; i++) {
		series_release(&p->sources[i].runnable);
		series_release(&p->sources[i].injection);
	}
	id_table_clear(&p->by_serial);
	packets_release(&p->packets);
	correlator_free(p->correlator);
	free(p->tasks);
	free(p->sources);
	free(p->kind_names);
	free(p);
}

static int index_model(struct perfetto *p)
{
	const struct model *model = p->model;

	p->tasks = calloc(model->ntasks + 1, sizeof(*p->tasks));
	p->sources = calloc(model->nsources + 1, sizeof(*p->sources));
	p->kind_names = calloc(model->nkinds + 1, sizeof(*p->kind_names));
	if (!p->tasks || !p->sources || !p->kind_names)
		return -ENOMEM;
	for (size_t i = 0; i < NUMBERS; i++) {
		p->source_index[i] = model->nsources;
		p->process_index[i] = model->nprocesses;
	}
	for (size_t i = 0; i < model->nsources; i++)
		p->source_index[model->sources[i].number] = i;
	for (size_t i = 0; i < model->nprocesses; i++)
		p->process_index[model->processes[i].number] = i;
	for (size_t i = 0; i < model->ntasks; i++) {
		p->tasks[i] = (struct task_track){.track = track_id(TRACK_TASK, i), .begin = 1};
		if (id_table_add(&p->by_serial, model->tasks[i].serial, &p->tasks[i]))
			return -ENOMEM;
	}
	return 0;
}

static void begin(struct perfetto *p, FILE *out)
{
	struct packets *packets = &p->packets;

	packets_begin(packets, out, p->model->capture.start_ns, p->model->capture.start_unix_ns);
	p->idle = packets_name(packets, "idle");
	p->scheduled = packets_name(packets, "scheduled");
	p->polling = packets_name(packets, "polling");
	p->parked = packets_name(packets, "parked");
	p->runqueue = packets_name(packets, "run queue");
	p->ready = packets_text(packets, "ready");
	p->pending = packets_text(packets, "pending");
	p->in_progress = packets_text(packets, "in progress");
	tracks_describe_model(packets, p->model);
}

struct export_stream *emit_perfetto_open(const struct model *model, FILE *out)
{
	struct perfetto *p = calloc(1, sizeof(*p));
	struct correlate_options options = {0};

	if (!p)
		return NULL;
	p->stream = (struct export_stream){
		.sink.take = perfetto_take, .finish = perfetto_finish, .free = perfetto_free};
	p->observer = (struct observer){.gap = on_gap, .poll = on_poll, .job = on_job};
	p->model = model;
	options.observer = &p->observer;
	p->correlator = correlator_new(&options);
	if (!p->correlator || index_model(p)) {
		perfetto_free(&p->stream);
		return NULL;
	}
	begin(p, out);
	return &p->stream;
}
