// SPDX-License-Identifier: MIT
#include "sched/blocking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "probes.h"
#include "sched/runtime.h"
#include "sched/task.h"

void blocking_init(struct blocking *blocking, uint32_t limit, uint64_t keepalive_ns)
{
	pthread_condattr_t attr;

	*blocking = (struct blocking){.limit = limit, .keepalive_ns = keepalive_ns};
	pthread_mutex_init(&blocking->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&blocking->work, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&blocking->ended, NULL);
	blocking->last = &blocking->first;
	LIST_INIT(&blocking->running);
	handover_init(&blocking->handover);
}

/* Those of the pool proper: a worker takes one out of it. Under the lock. */
static uint32_t threads(const struct blocking *blocking)
{
	return blocking->alive - blocking->handover.working;
}

uint32_t blocking_number(struct blocking *blocking)
{
	return blocking->named++ % 100;
}

/* Under the lock. */
static struct pollrt_task *take_job(struct blocking *blocking)
{
	struct pollrt_task *job = blocking->first;

	if (!job)
		return NULL;
	blocking->first = job->next;
	if (!blocking->first)
		blocking->last = &blocking->first;
	blocking->depth--;
	return job;
}

static void run_job(struct context *context, struct pollrt_task *job)
{
	if (state_start(&job->state) & STATE_CANCELLED) {
		task_end(job, true);
		return;
	}
	context->budget = CONTEXT_BUDGET;
	counters_add_shared(&job->rt->shared, COUNTER_BLOCKING_RUNS, 1);
	probe_blocking_start(job->id, job->kind);
	job->job(job->future);
	probe_blocking_end(job->id, job->kind);
	task_end(job, false);
}

/* Waits for an event of `work`, for as long as an idle thread is kept. False when time is up. */
static bool wait_claim(struct blocking *blocking)
{
	uint64_t deadline = pollrt_now_ns() + blocking->keepalive_ns;
	struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000u),
				 .tv_nsec = (long)(deadline % 1000000000u)};

	return pthread_cond_timedwait(&blocking->work, &blocking->lock, &until) != ETIMEDOUT;
}

/* One of them. */
struct work {
	struct worker *worker;
	struct pollrt_task *job;
};

/* As the runtime ends, threads are left whose workers have ended: they are none of the pool. */
static bool is_surplus(const struct blocking *blocking)
{
	return threads(blocking) > blocking->limit;
}

static bool take_work(struct blocking *blocking, struct work *work)
{
	work->worker = handover_take(&blocking->handover);
	work->job = work->worker || is_surplus(blocking) ? NULL : take_job(blocking);
	return work->worker || work->job;
}

/* Waits for work under the lock. False: the thread is to end. */
static bool wait_work(struct blocking *blocking, struct work *work)
{
	bool timely = true, found;

	while (!(found = take_work(blocking, work)) && !blocking->closed && timely &&
	       !is_surplus(blocking)) {
		blocking->idle++;
		timely = wait_claim(blocking);
		if (blocking->claims) {
			/* Who handed over the claim has taken a thread off `idle`. */
			blocking->claims--;
			timely = true;
		} else {
			blocking->idle--;
		}
	}
	return found;
}

static void join_thread(struct blocking_thread *thread)
{
	if (!thread)
		return;
	pthread_join(thread->thread, NULL);
	free(thread);
}

static void *thread_main(void *argument)
{
	struct blocking_thread *self = argument, *previous;
	struct blocking *blocking = &self->rt->blocking;
	struct context context = {.rt = self->rt};
	struct work work;

	context_enter(&context);
	pthread_mutex_lock(&blocking->lock);
	blocking->starting--;
	/* Else a worker is its first work. */
	if (TAILQ_EMPTY(&blocking->handover.offered))
		runtime_name_thread(self->rt, "block", blocking_number(blocking));
	while (wait_work(blocking, &work)) {
		pthread_mutex_unlock(&blocking->lock);
		if (work.worker)
			handover_run(work.worker);
		else
			run_job(&context, work.job);
		pthread_mutex_lock(&blocking->lock);
	}
	/* A chain: each thread that ends joins the one before it, the pool's end the last. */
	LIST_REMOVE(self, link);
	blocking->alive--;
	previous = blocking->retired;
	blocking->retired = self;
	pthread_cond_signal(&blocking->ended);
	pthread_mutex_unlock(&blocking->lock);
	join_thread(previous);
	context_leave(&context);
	return NULL;
}

int blocking_start_thread(struct pollrt_runtime *rt)
{
	struct blocking *blocking = &rt->blocking;
	struct blocking_thread *thread = malloc(sizeof(*thread));
	int err;

	if (!thread)
		return -ENOMEM;
	thread->rt = rt;
	err = pthread_create(&thread->thread, NULL, thread_main, thread);
	if (err) {
		free(thread);
		return -err;
	}
	LIST_INSERT_HEAD(&blocking->running, thread, link);
	blocking->alive++;
	blocking->starting++;
	return 0;
}

int blocking_summon(struct pollrt_runtime *rt)
{
	struct blocking *blocking = &rt->blocking;

	/* A worker that was taken back has left one on its way. */
	if (blocking->depth + blocking->handover.waiting < blocking->claims + blocking->starting)
		return 0;
	if (blocking->idle) {
		blocking->idle--;
		blocking->claims++;
		pthread_cond_signal(&blocking->work);
		return 0;
	}
	return threads(blocking) < blocking->limit ? blocking_start_thread(rt) : -EAGAIN;
}

/* Queues @job and sees to it that a thread takes it. On an error it is not queued. */
static int submit(struct pollrt_runtime *rt, struct pollrt_task *job)
{
	struct blocking *blocking = &rt->blocking;
	int err = 0;

	pthread_mutex_lock(&blocking->lock);
	if (blocking->closed) {
		err = -ESHUTDOWN;
		goto unlock;
	}
	err = blocking_summon(rt);
	/* The threads there are will come to it. */
	if (err && threads(blocking))
		err = 0;
	if (err)
		goto unlock;
	*blocking->last = job;
	blocking->last = &job->next;
	blocking->depth++;
	counters_add_shared(&rt->shared, COUNTER_BLOCKING_JOBS, 1);
	probe_blocking_queue(job->id, job->kind, blocking->depth, threads(blocking),
			     blocking->limit);
unlock:
	pthread_mutex_unlock(&blocking->lock);
	return err;
}

int pollrt_spawn_blocking_spec(struct pollrt_runtime *rt, struct pollrt_join *join,
			       const struct pollrt_spec *spec)
{
	struct pollrt_task *job = NULL;
	int err = -EINVAL;

	rt = context_runtime(rt);
	if (!rt)
		goto out;
	err = -ENOMEM;
	job = task_new(rt, TASK_JOB, spec->kind, spec->size, join ? 2 : 1);
	if (!job)
		goto out;
	job->job = spec->job;
	job->drop = spec->drop;
	job->member = spec->member;
	memcpy(job->future, spec->state, spec->size);
	err = submit(rt, job);
	if (err) {
		task_free(job);
		job = NULL;
	}
out:
	if (join)
		*join = (struct pollrt_join){.task = job, .status = err};
	return err;
}

void blocking_metrics(const struct blocking *blocking, struct pollrt_metrics *metrics)
{
	/* To who reads, the lock is no part of the pool. */
	pthread_mutex_t *lock = (pthread_mutex_t *)&blocking->lock;

	pthread_mutex_lock(lock);
	metrics->blocking_threads = threads(blocking);
	metrics->blocking_idle = blocking->idle;
	metrics->blocking_depth = blocking->depth;
	pthread_mutex_unlock(lock);
}

void blocking_close(struct blocking *blocking)
{
	struct pollrt_task *job;
	struct blocking_thread *retired;

	pthread_mutex_lock(&blocking->lock);
	blocking->closed = true;
	while ((job = take_job(blocking))) {
		pthread_mutex_unlock(&blocking->lock);
		state_start(&job->state);
		task_end(job, true);
		pthread_mutex_lock(&blocking->lock);
	}
	pthread_cond_broadcast(&blocking->work);
	while (!LIST_EMPTY(&blocking->running))
		pthread_cond_wait(&blocking->ended, &blocking->lock);
	retired = blocking->retired;
	blocking->retired = NULL;
	pthread_mutex_unlock(&blocking->lock);
	join_thread(retired);
}
