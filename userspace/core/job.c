// SPDX-License-Identifier: MIT
/*
 * Jobs of blocking pools: how long they were queued, and how long they ran.
 *
 * One on whose thread tasks are polled, and not inside of another poll, is a worker of the runtime, which may
 * be run as a job of its own pool: it is none that blocks.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/state.h"

struct job {
	uint64_t id;
	struct kind *kind;
	uint64_t queued, started;
	bool was_queued, was_started;
	uint32_t tid; /* where it was started */
};

static struct job *job_new(struct source *source, struct kind *kind, uint64_t id)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->id = id;
	job->kind = kind;
	if (id_table_add(&source->jobs, id, job)) {
		free(job);
		return NULL;
	}
	return job;
}

static int add_wait(struct job *job, uint64_t ns)
{
	struct kind_jobs *jobs = kind_jobs(job->kind);

	if (!jobs)
		return -ENOMEM;
	jobs->queued_ns += ns;
	return histogram_add(&jobs->wait, ns);
}

static int add_run(struct job *job, uint64_t ns)
{
	struct kind_jobs *jobs = kind_jobs(job->kind);

	if (!jobs)
		return -ENOMEM;
	jobs->run_ns += ns;
	return histogram_add(&jobs->run, ns);
}

static int observe(struct correlator *c, const struct job *job, uint64_t end)
{
	const struct observed_job ran = {
		.start = min_u64(job->started, end),
		.end = end,
		.kind = job->kind->index,
		.tid = job->tid,
	};

	if (!c->options.observer || !job->was_started)
		return 0;
	return c->options.observer->job(c->options.observer, &ran);
}

/* Has not ended. */
static int add_running(struct job *job, uint64_t ns)
{
	int err = add_run(job, ns);

	if (!err)
		job->kind->jobs->running++;
	return err;
}

static int start(struct job *job, uint32_t tid, uint64_t time)
{
	if (job->was_started)
		return 0;
	job->was_started = true;
	job->started = time;
	job->tid = tid;
	if (!job->was_queued)
		return 0;
	return add_wait(job, time > job->queued ? time - job->queued : 0);
}

static void forget(struct source *source, struct job *job)
{
	id_table_remove(&source->jobs, job->id);
	free(job);
}

static int end(struct correlator *c, struct source *source, struct job *job, uint64_t time)
{
	int err = 0;

	if (job->was_started)
		err = add_run(job, time > job->started ? time - job->started : 0);
	else if (!job->was_queued)
		err = add_run(job, time); /* older than the capture: clipped */
	else if (time > job->queued)
		c->capture.uncertain_ns += time - job->queued;
	if (!err && !kind_jobs(job->kind))
		err = -ENOMEM;
	if (!err)
		job->kind->jobs->jobs++;
	if (!err)
		err = observe(c, job, time);
	forget(source, job);
	return err;
}

void job_polls(struct correlator *c, struct thread *thread)
{
	struct source *source = c->sources[thread->job_source];
	struct job *job = source ? id_table_find(&source->jobs, thread->job) : NULL;

	thread->in_job = false;
	if (job)
		forget(source, job);
}

/* Notes that the thread is in the job, or no more. Returns whether it polled tasks since it last was told. */
static bool enter(struct thread *thread, const struct event *event)
{
	bool polled = thread->polls_outermost;

	thread->polls_outermost = false;
	thread->in_job = event->type == EVENT_BLOCKING_START;
	thread->job = event->blocking.job;
	thread->job_source = event->source;
	return polled;
}

int job_take(struct correlator *c, const struct event *event)
{
	struct source *source = correlator_source(c, event->source);
	uint64_t time = correlator_time(c, event->time);
	struct thread *thread;
	struct kind *kind;
	struct job *job;
	bool polled;

	kind = source ? kinds_get(&c->kinds, source, event->blocking.kind, KIND_PLAIN) : NULL;
	if (!kind)
		return -ENOMEM;
	job = id_table_find(&source->jobs, event->blocking.job);
	if (!job)
		job = job_new(source, kind, event->blocking.job);
	if (!job)
		return -ENOMEM;
	if (event->type == EVENT_BLOCKING_QUEUE) {
		source->queues_jobs = true;
		if (job->was_queued || job->was_started)
			return 0;
		job->was_queued = true;
		job->queued = time;
		return 0;
	}
	thread = thread_get(c, event->tid, time);
	if (!thread)
		return -ENOMEM;
	polled = enter(thread, event);
	if (event->type == EVENT_BLOCKING_START)
		return start(job, event->tid, time);
	if (!polled)
		return end(c, source, job, time);
	forget(source, job);
	return 0;
}

int jobs_finish(struct correlator *c, struct source *source)
{
	for (size_t i = 0; i < source->jobs.nslots; i++) {
		struct job *job = source->jobs.slots[i].value;
		int err;

		if (!job)
			continue;
		if (job->was_started)
			err = add_running(job, c->end > job->started ? c->end - job->started : 0);
		else
			err = add_wait(job, c->end > job->queued ? c->end - job->queued : 0);
		if (!err)
			err = observe(c, job, c->end);
		if (err)
			return err;
	}
	return 0;
}
