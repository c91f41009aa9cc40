// SPDX-License-Identifier: MIT
#include "core/correlate.h"

#include <errno.h>
#include <stdlib.h>

#include "core/model_parts.h"
#include "core/state.h"

/* Two years: bounds what a broken recording can claim, so that sums of spans stay in 64 bits. */
#define LONGEST_CAPTURE (UINT64_C(1) << 56)

uint64_t correlator_time(const struct correlator *c, uint64_t time)
{
	uint64_t since = time > c->origin ? min_u64(time - c->origin, LONGEST_CAPTURE) : 0;

	return c->ended ? min_u64(since, c->end) : since;
}

static bool is_measured(const struct event *event)
{
	return (event->type >= EVENT_POLL && event->type < EVENT_SAMPLING) ||
	       event->type == EVENT_AWAIT;
}

/* Events without which no task's time is in doubt. */
static bool is_harmless(uint32_t type)
{
	switch (type) {
	case EVENT_THREAD:
	case EVENT_THREAD_TOTALS:
	case EVENT_SAMPLE:
	case EVENT_ABORT:
	case EVENT_WORKER_START:
	case EVENT_WORKER_STOP:
	case EVENT_PARK:
	case EVENT_UNPARK:
	case EVENT_BLOCKING_QUEUE:
	case EVENT_BLOCKING_START:
	case EVENT_BLOCKING_END:
	case EVENT_AWAIT:
		return true;
	default:
		return false;
	}
}

/* Events without which it is not known when tasks waited, or for what; where threads slept is no matter. */
static bool tells_awaits(uint32_t type)
{
	return type == EVENT_AWAIT || (!is_harmless(type) && type != EVENT_OFFCPU);
}

static int lost_take(struct correlator *c, const struct event *event)
{
	const struct event_lost *lost = &event->lost;
	uint64_t since = correlator_time(c, lost->since), until = correlator_time(c, event->time);

	c->lost[lost->type < EVENT_TYPES ? lost->type : 0] += lost->count;
	c->capture.events_lost += lost->count;
	if (lost->count && !is_harmless(lost->type))
		c->capture.uncertain_ns += alive_uncertain(&c->alive, since, until);
	if (lost->count && tells_awaits(lost->type))
		awaits_lost(c, since, until);
	return 0;
}

static int terminate(struct correlator *c, const struct event *event)
{
	const struct event_terminate left = {.task = event->block_on.task};
	struct source *source = correlator_source(c, event->source);
	uint64_t time = correlator_time(c, event->time);

	if (!source)
		return -ENOMEM;
	return task_terminate(c, source, event->type == EVENT_TERMINATE ? &event->terminate : &left,
			      time);
}

static int abort_take(struct correlator *c, const struct event *event)
{
	struct source *source = correlator_source(c, event->source);
	uint64_t time = correlator_time(c, event->time);

	if (!source)
		return -ENOMEM;
	/* Seen is seen; what it leads to is told by a wake and the end. */
	if (id_table_find(&source->tasks, event->abort.task) ||
	    grave_find(c, source, event->abort.task))
		return 0;
	return task_new(c, source, event->abort.task, time, time) ? 0 : -ENOMEM;
}

static int dispatch(struct correlator *c, const struct event *event)
{
	switch (event->type) {
	case EVENT_POLL:
		return poll_take(c, event);
	case EVENT_OFFCPU:
		return offcpu_take(c, event);
	case EVENT_SAMPLE:
		return sample_take(c, event);
	case EVENT_AWAIT:
		return await_take(c, event);
	case EVENT_SPAWN:
		return task_spawn(c, event, correlator_time(c, event->time));
	case EVENT_WAKE:
		return task_wake(c, event, correlator_time(c, event->time));
	case EVENT_ABORT:
		return abort_take(c, event);
	case EVENT_TERMINATE:
	case EVENT_BLOCK_ON_EXIT:
		return terminate(c, event);
	case EVENT_BLOCK_ON_ENTER:
		return task_enter(c, event, correlator_time(c, event->time));
	case EVENT_BLOCKING_QUEUE:
	case EVENT_BLOCKING_START:
	case EVENT_BLOCKING_END:
		return job_take(c, event);
	case EVENT_THREAD:
	case EVENT_THREAD_TOTALS:
	case EVENT_WORKER_START:
	case EVENT_WORKER_STOP:
	case EVENT_PARK:
	case EVENT_UNPARK:
		return thread_take(c, event);
	case EVENT_LOST:
		return lost_take(c, event);
	case EVENT_SAMPLING:
	case EVENT_SKIPPED:
		return sampling_take(c, event);
	default:
		return describe_take(c, event);
	}
}

int correlator_flush(struct correlator *c)
{
	while (c->lookahead.count) {
		int err = dispatch(c, lookahead_pop(&c->lookahead));

		if (err)
			return err;
	}
	return 0;
}

/*
 * A new image runs through the probes of the one before it until it is looked at. What it does till then is
 * nobody's: its own source comes later.
 */
static bool is_of_image_before(const struct correlator *c, const struct event *event)
{
	const struct source *source = c->sources[event->source];
	const struct process *process = source ? c->processes[source->process] : NULL;

	return process && process->ended && correlator_time(c, event->time) > process->end;
}

static int count(struct correlator *c, const struct event *event)
{
	uint64_t time = correlator_time(c, event->time);
	struct source *source;

	c->capture.events++;
	if (time < c->now)
		c->capture.late++;
	c->now = max_u64(c->now, time);
	/* These take no probe, and what is off CPU may have no source. */
	if (event->type == EVENT_OFFCPU || event->type == EVENT_SAMPLE)
		return 0;
	source = c->sources[event->source] ?: correlator_source(c, event->source);
	if (!source)
		return -ENOMEM;
	source->polls += event->type == EVENT_POLL;
	source->signals += event_is_signal(event);
	return 0;
}

static int take(struct event_sink *sink, const struct event *event)
{
	struct correlator *c = (struct correlator *)sink;
	int err = 0;

	if (!c->started) {
		c->started = true;
		c->origin = event->time;
		c->capture.start_ns = event->time;
	}
	if (is_measured(event)) {
		err = count(c, event);
		if (err || is_of_image_before(c, event))
			return err;
	}
	if (lookahead_wants(event)) {
		if (c->lookahead.count == LOOKAHEAD_EVENTS)
			err = dispatch(c, lookahead_pop(&c->lookahead));
		lookahead_push(c, event);
		return err;
	}
	err = correlator_flush(c);
	return err ? err : dispatch(c, event);
}

struct correlator *correlator_new(const struct correlate_options *options)
{
	struct correlator *c = calloc(1, sizeof(*c));
	uint32_t number;

	if (!c)
		return NULL;
	c->sink.take = take;
	c->task_pool.size = sizeof(struct task);
	c->sampled_since = UINT64_MAX;
	c->options = *options;
	c->kinds.glob = options->type_glob;
	c->causes.syscall_name = options->syscall_name;
	best_init(&c->best, options);
	if (names_intern(&c->names, "[unknown]", &number) ||
	    names_intern(&c->names, "[spawned]", &number)) {
		correlator_free(c);
		return NULL;
	}
	return c;
}

struct event_sink *correlator_sink(struct correlator *c)
{
	return &c->sink;
}

static void source_free(struct source *source)
{
	if (!source)
		return;
	for (size_t i = 0; i < source->jobs.nslots; i++)
		free(source->jobs.slots[i].value);
	id_table_clear(&source->tasks);
	id_table_clear(&source->jobs);
	free(source->runtime);
	free(source->version);
	free(source->path);
	free(source);
}

static void process_free(struct process *process)
{
	if (!process)
		return;
	free(process->comm);
	free(process->exe);
	free(process->command_line);
	free(process->cgroup);
	free(process);
}

void correlator_free(struct correlator *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < c->nsources; i++)
		source_free(c->sources[i]);
	for (unsigned int i = 0; i < c->nprocesses; i++)
		process_free(c->processes[i]);
	model_clear_capture(&c->capture);
	model_free_modules(c->modules, c->nmodules);
	model_free_symbols(c->symbols, c->nsymbols);
	names_clear(&c->names);
	kinds_clear(&c->kinds);
	causes_clear(&c->causes);
	stacks_clear(&c->stacks);
	strata_clear(&c->awaits.strata);
	weights_clear(&c->weights);
	threads_clear(&c->threads);
	pool_clear(&c->task_pool);
	free(c->graveyard.graves);
	best_clear(&c->best);
	free(c);
}
