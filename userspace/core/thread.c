// SPDX-License-Identifier: MIT
#include "core/thread.h"

#include <errno.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/state.h"

struct thread *thread_find(struct threads *threads, uint32_t tid)
{
	struct thread **cached = &threads->cache[tid % THREAD_CACHE];
	struct thread *thread;

	if (*cached && (*cached)->tid == tid)
		return *cached;
	HASH_FIND(hh, threads->by_tid, &tid, sizeof(tid), thread);
	if (thread)
		*cached = thread;
	return thread;
}

struct thread *thread_get(struct correlator *c, uint32_t tid, uint64_t time)
{
	struct thread *thread = thread_find(&c->threads, tid);

	if (thread)
		return thread;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->tid = tid;
	thread->process = EVENT_NO_PROCESS;
	thread->source = NO_SOURCE;
	thread->name = NAME_UNKNOWN;
	thread->first_seen = time;
	thread->last_active = time;
	thread->waited.stack = thread->ran.stack = MODEL_NO_STACK;
	HASH_ADD(hh, c->threads.by_tid, tid, sizeof(thread->tid), thread);
	if (!hash_added(thread)) {
		free(thread);
		return NULL;
	}
	return thread;
}

void thread_active(struct thread *thread, const struct source *source, uint64_t time)
{
	if (thread->source == NO_SOURCE)
		thread->source = source->number;
	if (!thread->announced)
		thread->process = source->process;
	thread->last_active = max_u64(thread->last_active, time);
}

static void measure_on_cpu(const struct event_thread_totals *totals, struct model_worker *worker)
{
	uint64_t observed = worker->observed_ns;

	worker->has_on_cpu = true;
	worker->blocked_ns = min_u64(totals->blocked_ns, observed);
	worker->runqueue_ns = min_u64(totals->runqueue_ns, observed - worker->blocked_ns);
	worker->on_cpu_ns = observed - worker->blocked_ns - worker->runqueue_ns;
}

/*
 * Where a thread never showed that it parks, what it slept outside of polls: the one that waits in block_on
 * for a runtime's other workers has no park probe, and is not busy.
 */
static uint64_t parked_unprobed(const struct thread *thread)
{
	uint64_t slept = thread->totals.blocked_ns;

	return slept - min_u64(slept, thread->poll_blocked_ns);
}

static void measure_busy(const struct thread *thread, uint64_t end, struct model_worker *worker)
{
	uint64_t parked = thread->parks ? thread->parked_ns : parked_unprobed(thread);

	if (thread->parked && end > thread->park_since)
		parked += end - thread->park_since;
	if (thread->parks && thread->absence.began > worker->start_ns)
		parked += thread->absence.began - worker->start_ns;
	worker->has_busy = true;
	worker->parked_ns = min_u64(parked, worker->observed_ns);
	worker->busy_ns = worker->observed_ns - worker->parked_ns;
}

/* Busy and parked, on CPU and not: each sums to what was observed, or is not known. */
static void measure(const struct thread *thread, uint64_t start, uint64_t end,
		    struct model_worker *worker)
{
	worker->observed_ns = end - start;
	if (thread->parks || thread->has_totals)
		measure_busy(thread, end, worker);
	if (thread->has_totals)
		measure_on_cpu(&thread->totals, worker);
}

static int add_parked(struct thread *thread, uint64_t from, uint64_t to)
{
	if (to > from)
		thread->parked_ns += to - from;
	return timeline_add(&thread->timeline, MODEL_PART_PARKED, from, to);
}

/* Those that ended before a poll that began at @start: without one, they were outside. */
static int settle_absence(struct thread *thread, uint64_t start)
{
	struct absence *absence = &thread->absence;
	bool outside = absence->ns && start > absence->first;

	if (outside)
		thread->parked_ns += absence->ns;
	absence->ns = 0;
	return outside ? timeline_add(&thread->timeline, MODEL_PART_PARKED, absence->first,
				      absence->until)
		       : 0;
}

static void add_absence(struct absence *absence, uint64_t since, uint64_t until)
{
	if (!absence->ns)
		absence->first = since;
	absence->until = until;
	absence->ns += until - min_u64(since, until);
}

int thread_polled(struct thread *thread, uint64_t start, uint64_t end)
{
	struct absence *absence = &thread->absence;
	int err = settle_absence(thread, start);

	if (thread->parked && thread->parked_inside && thread->park_since >= start)
		thread->parked = false;
	if (err || !absence->away)
		return err;
	err = add_parked(thread, absence->since, start);
	absence->since = max_u64(absence->since, end);
	absence->outside = true;
	return err;
}

static void leave(struct thread *thread, uint64_t time)
{
	struct absence *absence = &thread->absence;

	if (absence->away)
		return;
	absence->away = true;
	absence->outside = false;
	absence->since = time;
}

static int come(struct thread *thread, uint64_t time)
{
	struct absence *absence = &thread->absence;

	if (!thread->worker)
		absence->began = time;
	if (!absence->away)
		return 0;
	absence->away = false;
	if (absence->outside)
		return add_parked(thread, absence->since, time);
	add_absence(absence, absence->since, time);
	return 0;
}

/* Takes the thread's timeline. */
static int keep_worker(struct correlator *c, struct thread *thread, uint64_t end)
{
	struct threads *threads = &c->threads;
	struct worker_record *record, *workers;
	uint64_t start = thread->first_seen;

	workers = array_grow(threads->workers, threads->nworkers, &threads->worker_room,
			     sizeof(*workers));
	if (!workers)
		return -ENOMEM;
	threads->workers = workers;
	if (thread->has_totals)
		start = min_u64(start, thread->totals.since);
	start = min_u64(start, end);
	record = &workers[threads->nworkers++];
	*record = (struct worker_record){
		.process = c->sources[thread->source]->process,
		.source = thread->source,
		.name = thread->name,
		.start = start,
		.parks = thread->parks,
		.most_workers = thread->most_workers,
		.sampled_polls = thread->sampled_polls,
		.sampled_blocked_ns = thread->sampled_blocked_ns,
		.worker = {.tid = thread->tid, .polls = thread->polls, .start_ns = start},
		.timeline = thread->timeline,
	};
	thread->timeline = (struct timeline){0};
	measure(thread, start, end, &record->worker);
	return 0;
}

static void thread_free(struct thread *thread)
{
	free(thread->pending.list);
	free(thread->unsettled.list);
	timeline_clear(&thread->timeline);
	timeline_clear(&thread->held);
	free(thread);
}

int thread_end(struct correlator *c, struct thread *thread, uint64_t end)
{
	struct threads *threads = &c->threads;
	int err = 0;

	if (thread->parked)
		err = timeline_add(&thread->timeline, MODEL_PART_PARKED, thread->park_since, end);
	if (!err)
		err = thread_polled(thread, end, end);
	if (!err && thread->worker && thread->source != NO_SOURCE)
		err = keep_worker(c, thread, end);
	if (threads->cache[thread->tid % THREAD_CACHE] == thread)
		threads->cache[thread->tid % THREAD_CACHE] = NULL;
	HASH_DEL(threads->by_tid, thread);
	thread_free(thread);
	return err;
}

int threads_end(struct correlator *c, uint16_t process, uint64_t end)
{
	struct thread *thread, *next;

	HASH_ITER (hh, c->threads.by_tid, thread, next) {
		int err;

		if (process != EVENT_NO_PROCESS && thread->process != process)
			continue;
		err = thread_end(c, thread, end);
		if (err)
			return err;
	}
	return 0;
}

static int take_thread(struct correlator *c, const struct event *event, uint64_t time)
{
	struct thread *thread = thread_find(&c->threads, event->tid);

	/* A number is given anew: at the latest when another process has it. */
	if (thread && thread->announced && thread->process != event->thread.process) {
		int err = thread_end(c, thread, time);

		if (err)
			return err;
	}
	thread = thread_get(c, event->tid, time);
	if (!thread)
		return -ENOMEM;
	thread->announced = true;
	thread->process = event->thread.process;
	return names_intern(&c->names, event->thread.comm, &thread->name);
}

static int take_totals(struct correlator *c, const struct event *event, uint64_t time)
{
	struct thread *thread = thread_get(c, event->tid, time);

	if (!thread)
		return -ENOMEM;
	thread->has_totals = true;
	thread->totals = event->thread_totals;
	thread->totals.since = correlator_time(c, event->thread_totals.since);
	return thread->totals.exited ? thread_end(c, thread, time) : 0;
}

/*
 * Workers of each runtime, as the probes say. A program may make runtimes of one worker without end,
 * for a call each: where there is no more room these give way.
 */
static void count_workers(struct source *source, struct thread *thread,
			  const struct event_worker *worker)
{
	unsigned int i;

	if (!worker->workers || worker->workers > UINT16_MAX)
		return;
	thread->most_workers = (uint32_t)max_u64(thread->most_workers, worker->workers);
	for (i = 0; i < source->nruntimes && source->runtimes[i].id != worker->runtime; i++)
		;
	if (i == SOURCE_RUNTIMES && worker->workers > 1) {
		for (i = 0; i < SOURCE_RUNTIMES && source->runtimes[i].workers > 1; i++)
			;
	}
	if (i == SOURCE_RUNTIMES)
		return;
	if (i == source->nruntimes)
		source->nruntimes++;
	source->runtimes[i].id = worker->runtime;
	source->runtimes[i].workers = worker->workers;
}

static int unpark(struct thread *thread, uint64_t time, bool inside)
{
	/* Without a park: it began before the capture, or was lost, after the last that is known.
	 */
	uint64_t since = thread->parked ? thread->park_since : thread->last_active;

	inside = thread->parked ? thread->parked_inside : inside;
	thread->parked = false;
	if (!inside)
		return add_parked(thread, since, time);
	add_absence(&thread->absence, since, time);
	return 0;
}

/* That the thread itself parks, not what a poll of its drives. */
static bool shows_parks(const struct source *source, const struct event *event)
{
	if (event->type == EVENT_WORKER_STOP)
		return source->capabilities & EVENT_CAN_PARK;
	return event->type != EVENT_WORKER_START && !(event->flags & EVENT_INSIDE);
}

static int take_worker(struct correlator *c, const struct event *event, uint64_t time)
{
	struct source *source = correlator_source(c, event->source);
	struct thread *thread = thread_get(c, event->tid, time);
	int err = 0;

	if (!source || !thread)
		return -ENOMEM;
	count_workers(source, thread, &event->worker);
	thread->parks |= shows_parks(source, event);
	if (event->type == EVENT_WORKER_STOP) {
		leave(thread, time);
	} else if (event->type == EVENT_WORKER_START) {
		err = come(thread, time);
	} else if (event->type == EVENT_UNPARK) {
		err = unpark(thread, time, event->flags & EVENT_INSIDE);
	} else if (!thread->parked) {
		thread->parked_inside = event->flags & EVENT_INSIDE;
		err = thread->parked_inside ? 0 : settle_absence(thread, time);
		thread->parked = true;
		thread->park_since = time;
	}
	thread->worker = true;
	thread_active(thread, source, time);
	return err;
}

int thread_take(struct correlator *c, const struct event *event)
{
	uint64_t time = correlator_time(c, event->time);

	switch (event->type) {
	case EVENT_THREAD:
		return take_thread(c, event, time);
	case EVENT_THREAD_TOTALS:
		return take_totals(c, event, time);
	default:
		return take_worker(c, event, time);
	}
}

int worker_compare(const void *a, const void *b)
{
	const struct worker_record *x = a, *y = b;

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->worker.tid != y->worker.tid)
		return x->worker.tid < y->worker.tid ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

void threads_clear(struct threads *threads)
{
	struct thread *thread, *next;

	HASH_ITER (hh, threads->by_tid, thread, next) {
		HASH_DEL(threads->by_tid, thread);
		thread_free(thread);
	}
	for (size_t i = 0; i < threads->nworkers; i++)
		timeline_clear(&threads->workers[i].timeline);
	free(threads->workers);
	*threads = (struct threads){0};
}
