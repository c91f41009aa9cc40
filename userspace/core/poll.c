// SPDX-License-Identifier: MIT
#include <errno.h>

#include "core/stack_end.h"
#include "core/state.h"

/* A stack of as many frames may go on: bounds of the kernel side (bpf/events.h). */
#define MOST_KERNEL_FRAMES 64
#define MOST_USER_FRAMES 127

struct weight *correlator_weight(struct correlator *c, uint32_t what, struct kind *kind,
				 uint64_t task, uint32_t tid, uint32_t stack, uint32_t cause)
{
	struct weight_key key = {
		.task = c->options.by == CORRELATE_BY_TASK ? task : 0,
		.what = what,
		.kind = kind->index,
		.tid = c->options.by == CORRELATE_BY_WORKER ? tid : 0,
		.stack = stack,
		.cause = cause,
	};

	kind->used = true;
	return weights_get(&c->weights, &key);
}

int correlator_weigh(struct correlator *c, uint32_t what, struct kind *kind, uint64_t task,
		     uint32_t tid, uint32_t stack, uint32_t cause, uint64_t count, uint64_t ns)
{
	struct weight *weight;

	if (!kinds_chosen(&c->kinds, kind))
		return 0;
	weight = correlator_weight(c, what, kind, task, tid, stack, cause);
	if (!weight)
		return -ENOMEM;
	weight_add(weight, count, ns);
	return 0;
}

int correlator_weigh_wait(struct correlator *c, const struct task *task, uint32_t tid,
			  uint32_t waker, uint64_t ns)
{
	struct kind_wait *wait = &task->kind->waits[(waker >> 1) % KIND_WAITS];

	if (c->options.by != CORRELATE_BY_TYPE)
		return correlator_weigh(c, MODEL_WEIGHT_SCHEDULED, task->kind, task->id, tid,
					MODEL_NO_STACK, waker, 1, ns);
	if (!kinds_chosen(&c->kinds, task->kind))
		return 0;
	if (!wait->weight || wait->waker != waker) {
		wait->weight = correlator_weight(c, MODEL_WEIGHT_SCHEDULED, task->kind, 0, 0,
						 MODEL_NO_STACK, waker);
		wait->waker = waker;
	}
	if (!wait->weight)
		return -ENOMEM;
	weight_add(wait->weight, 1, ns);
	return 0;
}

static int weigh_self(struct correlator *c, const struct poll_span *span, uint32_t tid,
		      uint64_t self_ns)
{
	uint32_t what = WEIGHT_SELF | (span->sampled ? WEIGHT_SAMPLED : 0);

	if (c->options.by == CORRELATE_BY_TYPE) {
		*(span->sampled ? &span->kind->sampled_self_ns : &span->kind->self_ns) += self_ns;
		return 0;
	}
	if (!self_ns)
		return 0;
	return correlator_weigh(c, what, span->kind, span->task->id, tid, MODEL_NO_STACK, 0, 1,
				self_ns);
}

/* On-CPU time of the poll without that of polls nested in it. */
static uint64_t self_time(struct thread *thread, const struct event *event,
			  const struct poll_span *span)
{
	unsigned int depth = min_u64(event->poll.depth, THREAD_DEPTH - 1);
	uint64_t nested = depth + 1 < THREAD_DEPTH ? thread->inner_ns[depth + 1] : 0;
	uint64_t self;

	/* One that began before the capture holds all that the thread has shown. */
	if (event->flags & EVENT_CLIPPED)
		nested = thread->self_ns;
	self = span->on_cpu_ns - min_u64(nested, span->on_cpu_ns);
	for (unsigned int i = depth + 1; i < THREAD_DEPTH; i++)
		thread->inner_ns[i] = 0;
	if (depth)
		thread->inner_ns[depth] += span->on_cpu_ns;
	thread->self_ns += self;
	return self;
}

static uint32_t stack_inside(const struct thread_place *place, const struct poll_span *span)
{
	return place->at >= span->start ? place->stack : MODEL_NO_STACK;
}

static int offer_slow(struct correlator *c, const struct thread *thread, const struct event *event,
		      const struct poll_span *span)
{
	struct slow_poll slow = {
		.poll = {.task = span->task->id,
			 .tid = event->tid,
			 .start_ns = span->start,
			 .poll_ns = span->ran_ns,
			 .on_cpu_ns = span->on_cpu_ns,
			 .runqueue_ns = span->runqueue_ns,
			 .blocked_ns = span->blocked_ns,
			 .in_progress = event->flags & EVENT_IN_PROGRESS},
		.kind = span->kind,
	};

	enum model_largest largest = model_poll_largest(&slow.poll);

	if (!best_takes_poll(c, &slow))
		return 0;
	sleeps_longest(thread, span, &slow.cause, &slow.poll.stack);
	if (largest != MODEL_LARGEST_BLOCKED)
		slow.poll.stack = stack_inside(
			largest == MODEL_LARGEST_RUNQUEUE ? &thread->waited : &thread->ran, span);
	return best_offer_poll(c, &slow);
}

/* What the poll's time was spent on, in bounds of what it took. */
static void split(struct correlator *c, const struct event *event, struct poll_span *span)
{
	span->blocked_ns = min_u64(event->poll.blocked_ns, span->ran_ns);
	span->runqueue_ns = min_u64(event->poll.runqueue_ns, span->ran_ns - span->blocked_ns);
	span->on_cpu_ns = span->ran_ns - span->blocked_ns - span->runqueue_ns;
	span->task->blocked_ns += span->blocked_ns;
	span->task->runqueue_ns += span->runqueue_ns;
	if (event->flags & EVENT_UNCERTAIN)
		c->capture.uncertain_ns += span->on_cpu_ns;
}

/* What stands for the polls that are skipped, too. */
static void charge_sample(struct thread *thread, const struct event *event,
			  const struct poll_span *span)
{
	struct kind_sampled *sampled = &span->kind->sampled;

	sampled->polls++;
	sampled->on_cpu_ns += span->on_cpu_ns;
	sampled->runqueue_ns += span->runqueue_ns;
	thread->sampled_polls++;
	if (!event->poll.depth)
		thread->sampled_blocked_ns += span->blocked_ns;
}

static int charge(struct correlator *c, struct thread *thread, const struct event *event,
		  struct poll_span *span)
{
	struct kind *kind = span->kind;
	int err;

	kind->polls++;
	if (span->sampled)
		charge_sample(thread, event, span);
	err = histogram_add(&kind->poll, span->ran_ns);
	if (err)
		return err;
	err = sleeps_settle(c, thread, event, span);
	if (err)
		return err;
	err = offer_slow(c, thread, event, span);
	if (err)
		return err;
	err = sleeps_charge(c, thread, event->poll.depth, span);
	if (err)
		return err;
	return weigh_self(c, span, event->tid, self_time(thread, event, span));
}

/* A poll can end its task's life. */
static int end_life(struct correlator *c, const struct event *event, struct task *task)
{
	if (task->flags & TASK_DYING) {
		task->death = max_u64(task->death, task->since);
		return task->source->capabilities & EVENT_POLLS_OVERLAP ? 0 : task_bury(c, task);
	}
	if (event->flags & EVENT_READY && !(task->source->capabilities & EVENT_CAN_TERMINATE))
		return task_end(c, task, task->since, MODEL_DONE);
	return 0;
}

/* What follows on the thread is no part of the poll. */
static void end_outermost(struct correlator *c, struct thread *thread, uint64_t end)
{
	thread->polls_outermost = true;
	thread->waited.ns = 0;
	thread->sampled |= end > c->sampled_since;
	if (thread->in_job)
		job_polls(c, thread);
}

int poll_take(struct correlator *c, const struct event *event)
{
	struct poll_span span = {.end = correlator_time(c, event->time)};
	struct thread *thread;
	uint32_t await;
	int err;

	if (event->poll.depth)
		c->capture.nested_polls++;
	span.start = min_u64(correlator_time(c, event->poll.start), span.end);
	thread = thread_get(c, event->tid, span.start);
	if (!thread)
		return -ENOMEM;
	err = sampling_relieve(c, c->sources[event->source]);
	if (!err)
		err = task_polled(c, event, span.start, span.end, &span.task);
	if (err)
		return err;
	thread->worker = true;
	thread->polls++;
	thread_active(thread, c->sources[event->source], span.end);
	await = awaits_of_poll(c, thread, event, &span);
	if (!span.task)
		return 0;
	span.kind = span.task->kind;
	span.sampled = span.start >= c->sampled_since && !(event->flags & EVENT_CLIPPED);
	err = task_poll(c, span.task, event, &span);
	if (err)
		return err;
	/* Of polls that overlap it is not known which one left the task waiting. */
	if (span.task->last_start == span.start)
		err = awaits_begin(c, span.task, event, &span, await);
	if (err)
		return err;
	split(c, event, &span);
	if (!event->poll.depth) {
		thread->poll_blocked_ns += span.blocked_ns;
		err = timeline_add(&thread->timeline, MODEL_PART_POLLING, span.end - span.ran_ns,
				   span.end);
	}
	if (!err)
		err = charge(c, thread, event, &span);
	if (!event->poll.depth) {
		end_outermost(c, thread, span.end);
		err = err ? err : thread_polled(thread, span.start, span.end);
	}
	return err ? err : end_life(c, event, span.task);
}

/* The kind of the innermost poll, which is not told yet. */
static struct kind *innermost_kind(struct correlator *c, uint16_t number, uint64_t id,
				   uint64_t address)
{
	struct source *source = correlator_source(c, number);
	struct task *task;

	if (!source)
		return NULL;
	task = id_table_find(&source->tasks, id);
	if (!task)
		return kinds_get(&c->kinds, source, address, KIND_PLAIN);
	return task_set_kind(c, task, address, false) ? NULL : task->kind;
}

/* Whether frames are missing because there were too many. */
static bool unwound_note(struct model_capture *capture, const struct event *event,
			 const struct event_stack *stack)
{
	enum stack_end end;

	if (!(event->flags & EVENT_UNWOUND) || !stack->nuser)
		return stack->nuser >= MOST_USER_FRAMES;
	end = stack_end_of(stack);
	capture->unwound_stacks++;
	capture->unwound_ends[end]++;
	return end == STACK_FULL;
}

int correlator_intern(struct correlator *c, const struct event *event, const struct thread *thread,
		      const struct event_stack *stack, uint32_t *number)
{
	bool cut = unwound_note(&c->capture, event, stack) || stack->nkernel >= MOST_KERNEL_FRAMES;
	uint16_t process = thread->process;
	int err;

	if (process == EVENT_NO_PROCESS && c->sources[event->source])
		process = c->sources[event->source]->process;
	err = stacks_intern(&c->stacks, process, stack, number);
	if (cut || (*number == MODEL_NO_STACK && (stack->nkernel || stack->nuser)))
		c->capture.truncated_stacks++;
	return err;
}

static int weigh_sleep(struct correlator *c, struct kind *kind, const struct thread *thread,
		       const struct sleeps *sleep)
{
	uint32_t sampled = sampling_covers(c, thread) ? WEIGHT_SAMPLED : 0;
	int err = 0;

	if (sleep->weight_count)
		err = correlator_weigh(c, MODEL_WEIGHT_BLOCKED | sampled, kind, sleep->task,
				       thread->tid, sleep->stack, sleep->cause, sleep->weight_count,
				       sleep->weight_ns);
	if (!err && sleep->runqueue_count)
		err = correlator_weigh(c, MODEL_WEIGHT_RUNQUEUE | sampled, kind, sleep->task,
				       thread->tid, sleep->stack, 0, sleep->runqueue_count,
				       sleep->runqueue_ns);
	return err;
}

/* Splits an interval into sleeping and waiting for a CPU. */
static void measure(const struct correlator *c, const struct event *event, struct sleeps *sleep)
{
	uint64_t end = correlator_time(c, event->time);
	uint64_t wake = min_u64(correlator_time(c, event->offcpu.wake), end);

	sleep->out = min_u64(correlator_time(c, event->offcpu.out), end);
	wake = max_u64(wake, sleep->out);
	if (sleep->cause == CAUSE_NONE)
		wake = sleep->out;
	else
		sleep->count = 1;
	sleep->total_ns = wake - sleep->out;
	sleep->max_ns = sleep->total_ns;
	sleep->runqueue_ns = end - wake;
	sleep->runqueue_count = sleep->runqueue_ns > 0;
	if (sleep->total_ns && sleep->total_ns >= c->options.min_block_ns) {
		sleep->weight_count = 1;
		sleep->weight_ns = sleep->total_ns;
	}
}

/* An interval as measured: asleep first, then waiting for a CPU. */
static int draw(struct timeline *timeline, const struct sleeps *sleep)
{
	uint64_t wake = sleep->out + sleep->total_ns;
	int err = timeline_add(timeline, MODEL_PART_BLOCKED, sleep->out, wake);

	return err ? err
		   : timeline_add(timeline, MODEL_PART_RUNQUEUE, wake, wake + sleep->runqueue_ns);
}

int offcpu_take(struct correlator *c, const struct event *event)
{
	const struct event_offcpu *offcpu = &event->offcpu;
	struct sleeps sleep = {.task = offcpu->task, .source = event->source};
	bool unsettled = event->flags & EVENT_UNSETTLED;
	struct kind *kind = NULL;
	struct thread *thread;
	bool room = true;
	int err;

	if (causes_intern(&c->causes, offcpu, &sleep.cause))
		return -ENOMEM;
	measure(c, event, &sleep);
	thread = thread_get(c, event->tid, sleep.out);
	if (!thread)
		return -ENOMEM;
	if (unsettled && thread->polled)
		return 0;
	err = draw(unsettled ? &thread->held : &thread->timeline, &sleep);
	if (err)
		return err;
	err = correlator_intern(c, event, thread, &offcpu->stack, &sleep.stack);
	if (err)
		return err;
	if (!unsettled) {
		kind = innermost_kind(c, event->source, offcpu->task, offcpu->kind);
		if (!kind)
			return -ENOMEM;
		room = kind_has_room(kind, sleep.cause);
	}
	err = causes_file(&c->causes, offcpu, room, &sleep.file);
	if (err)
		return err;
	if (unsettled)
		return sleeps_hold(c, thread, &sleep);
	sleeps_note_wait(thread, &sleep);
	err = weigh_sleep(c, kind, thread, &sleep);
	if (err || sleep.cause == CAUSE_NONE)
		return err;
	return sleeps_add(c, thread, &sleep);
}

int sample_take(struct correlator *c, const struct event *event)
{
	struct thread *thread = thread_get(c, event->tid, correlator_time(c, event->time));
	struct kind *kind;
	uint32_t stack, what;
	int err;

	kind = innermost_kind(c, event->source, event->sample.task, event->sample.kind);
	if (!thread || !kind)
		return -ENOMEM;
	err = correlator_intern(c, event, thread, &event->sample.stack, &stack);
	if (err)
		return err;
	thread->ran.at = correlator_time(c, event->time);
	thread->ran.stack = stack;
	what = MODEL_WEIGHT_ON_CPU | (sampling_covers(c, thread) ? WEIGHT_SAMPLED : 0);
	return correlator_weigh(c, what, kind, event->sample.task, event->tid, stack, 0, 1,
				c->capture.sample_period_ns);
}
