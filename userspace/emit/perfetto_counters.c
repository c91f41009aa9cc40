// SPDX-License-Identifier: MIT
/* How many there are: of runnable tasks, and in queues. */
#include <errno.h>

#include "emit/perfetto_state.h"

int counters_wait(struct perfetto *p, const struct observed_gap *gap)
{
	size_t source = p->source_index[gap->task.source];
	struct series *runnable;

	if (gap->queued >= gap->until || source >= p->model->nsources)
		return 0;
	runnable = &p->sources[source].runnable;
	if (!runnable->steps && series_init(runnable, p->model->capture.duration_ns))
		return -ENOMEM;
	series_add(runnable, gap->queued, gap->until);
	return 0;
}

static void count_local(struct perfetto *p, struct thread_track *thread, uint64_t time,
			uint32_t depth)
{
	uint64_t track = track_id(TRACK_LOCAL, thread->number);

	if (thread->local_depth == depth)
		return;
	if (thread->local_depth == EVENT_NO_DEPTH)
		track_describe_counter(&p->packets, track, thread->lane.track, "local queue");
	thread->local_depth = depth;
	packets_count(&p->packets, track, time, depth);
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
	series_see(injection, perfetto_time(p, event->poll.start), event->poll.inject_depth);
	return 0;
}

int counters_poll(struct perfetto *p, struct thread_track *thread, const struct event *event)
{
	/* A worker's own queue: what it polls outermost tells it in order. */
	if (event->poll.local_depth != EVENT_NO_DEPTH && !event->poll.depth &&
	    !(event->flags & EVENT_CLIPPED))
		count_local(p, thread, event->poll.start, event->poll.local_depth);
	return count_injection(p, event);
}

void counters_park(struct perfetto *p, struct thread_track *thread, const struct event *event)
{
	/* It has polled what was left in its queue, or others have taken it. */
	if (thread->local_depth != EVENT_NO_DEPTH)
		count_local(p, thread, event->time, 0);
}

static void count_pool(struct perfetto *p, size_t source, uint64_t time, uint32_t depth)
{
	uint64_t track = track_id(TRACK_POOL, source);
	struct source_track *counted = &p->sources[source];

	if (counted->pool_described && counted->pool_depth == depth)
		return;
	if (!counted->pool_described)
		track_describe_counter(&p->packets, track,
				       track_id(TRACK_PROCESS, p->model->sources[source].process),
				       "blocking pool's queue");
	counted->pool_described = true;
	counted->pool_depth = depth;
	packets_count(&p->packets, track, time, depth);
}

/* Who queues a job says how many wait; of those one is less with each that begins. */
int counters_pool(struct perfetto *p, const struct event *event)
{
	size_t source = p->source_index[event->source];
	const struct source_track *counted;

	if (source >= p->model->nsources)
		return 0;
	counted = &p->sources[source];
	if (event->type == EVENT_BLOCKING_QUEUE && event->blocking.depth != EVENT_NO_DEPTH)
		count_pool(p, source, event->time, event->blocking.depth);
	else if (event->type == EVENT_BLOCKING_START && counted->pool_depth)
		count_pool(p, source, event->time, counted->pool_depth - 1);
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

void counters_finish(struct perfetto *p)
{
	for (size_t i = 0; i < p->model->nsources; i++) {
		if (p->sources[i].runnable.steps)
			write_runnable(p, i);
		if (p->sources[i].injection.steps)
			write_injection(p, i);
	}
}
