// SPDX-License-Identifier: MIT
// links: core util
/*
 * Over random polls, wakes, ends and losses, what is attributed to each stack is what a second count gives:
 * one that keeps every event and every gap, and looks through all of them.
 */
#include <stdlib.h>

#include "capture.h"
#include "core/observe.h"
#include "core/thread.h"

#define EVENTS 20000
#define PLACES 5
#define NOWHERE 0 /* else 1 + the place */

struct seen_await {
	uint64_t task, time;
	uint32_t tid;
	unsigned int place;
};

struct seen_poll {
	struct event event;
	unsigned int place;
};

struct seen_gap {
	uint64_t since, queued, until;
	uint32_t kind;
	unsigned int place;
	size_t told; /* losses that were told before */
};

struct seen_loss {
	uint64_t since, until;
};

struct audit {
	struct observer observer;
	struct seen_await awaits[EVENTS];
	struct seen_poll polls[EVENTS]; /* those before `taken` were observed */
	struct seen_gap gaps[2 * EVENTS];
	struct seen_loss losses[EVENTS];
	unsigned int places[EVENTS]; /* of tasks that wait, by serial */
	size_t nawaits, npolls, taken, ngaps, nlosses;
	uint64_t seed, clock;
};

static uint64_t draw(struct audit *audit, uint64_t below)
{
	audit->seed ^= audit->seed << 13;
	audit->seed ^= audit->seed >> 7;
	audit->seed ^= audit->seed << 17;
	return audit->seed % below;
}

static int see_gap(struct observer *observer, const struct observed_gap *gap)
{
	struct audit *audit = (struct audit *)observer;
	uint64_t serial = gap->task.serial;

	assert_true(serial < EVENTS && audit->ngaps < 2 * EVENTS);
	audit->gaps[audit->ngaps++] = (struct seen_gap){
		.since = gap->since,
		.queued = gap->queued,
		.until = gap->until,
		.kind = gap->task.kind,
		.place = audit->places[serial],
		.told = audit->nlosses,
	};
	audit->places[serial] = NOWHERE;
	return 0;
}

static bool same_poll(const struct event *a, const struct event *b)
{
	return a->time == b->time && a->tid == b->tid && a->poll.task == b->poll.task &&
	       a->poll.start == b->poll.start;
}

static int see_poll(struct observer *observer, const struct observed_poll *poll)
{
	struct audit *audit = (struct audit *)observer;
	const struct seen_poll *seen;

	do {
		assert_true(audit->taken < audit->npolls);
		seen = &audit->polls[audit->taken++];
	} while (!same_poll(&seen->event, poll->event));
	/* Cut off: it overlaps another one of its task. */
	if (poll->start == seen->event.poll.start - CAPTURE_ORIGIN &&
	    !(audit->nlosses && poll->start < audit->losses[audit->nlosses - 1].until))
		audit->places[poll->task.serial] = seen->place;
	return 0;
}

/* The first in the poll; what is in it, and where no poll is around it any, is forgotten. */
static unsigned int place_of(struct audit *audit, const struct event *event)
{
	unsigned int place = NOWHERE;

	for (size_t i = 0; i < audit->nawaits; i++) {
		struct seen_await *await = &audit->awaits[i];

		if (await->tid != event->tid)
			continue;
		if (await->time >= event->poll.start && await->task == event->poll.task && !place)
			place = await->place;
		if (await->time >= event->poll.start || !event->poll.depth)
			await->tid = 0;
	}
	return event->flags & (EVENT_READY | EVENT_IN_PROGRESS) ? NOWHERE : place;
}

static void feed_await(struct audit *audit, struct capture *capture, uint64_t task)
{
	uint64_t frame = draw(audit, PLACES);
	struct seen_await await = {.task = task,
				   .time = CAPTURE_ORIGIN + audit->clock,
				   .tid = capture->tid,
				   .place = 1 + frame};
	size_t open = 0;

	for (size_t i = 0; i < audit->nawaits; i++)
		open += audit->awaits[i].tid == await.tid;
	if (open < THREAD_DEPTH)
		audit->awaits[audit->nawaits++] = await;
	CAPTURE_EVENT(capture, audit->clock, EVENT_AWAIT,
		      .sample = {.task = task, .kind = 1, .stack = {.frames = &frame, .nuser = 1}});
}

static void feed_poll(struct audit *audit, struct capture *capture, uint64_t task)
{
	struct event event = {
		.time = CAPTURE_ORIGIN + audit->clock,
		.tid = capture->tid,
		.type = EVENT_POLL,
		.flags = draw(audit, 20) ? 0 : EVENT_READY,
		.poll = {.task = task,
			 .kind = 1 + task % 2,
			 .start = CAPTURE_ORIGIN + audit->clock - draw(audit, audit->clock) % 50,
			 .depth = draw(audit, 3)},
	};

	audit->polls[audit->npolls++] = (struct seen_poll){event, place_of(audit, &event)};
	capture_feed(capture, event);
}

static void feed_loss(struct audit *audit, struct capture *capture)
{
	uint64_t since = audit->clock - draw(audit, audit->clock) % 500;

	if (audit->nlosses && since < audit->losses[audit->nlosses - 1].until)
		since = audit->losses[audit->nlosses - 1].until;
	CAPTURE_EVENT(capture, audit->clock, EVENT_LOST,
		      .lost = {.type = EVENT_POLL, .count = 1, .since = CAPTURE_ORIGIN + since});
	audit->losses[audit->nlosses++] = (struct seen_loss){since, audit->clock};
}

static void feed_any(struct audit *audit, struct capture *capture)
{
	uint64_t task = 1 + draw(audit, 12), what = draw(audit, 1000);

	audit->clock += 1 + draw(audit, 60);
	capture->tid = 10 + draw(audit, 3);
	if (what < 5)
		feed_loss(audit, capture);
	else if (what < 40)
		capture_terminate(capture, audit->clock, task);
	else if (what < 80)
		capture_spawn(capture, audit->clock, task);
	else if (what < 300)
		capture_wake(capture, audit->clock, task);
	else if (what < 600)
		feed_await(audit, capture, task);
	else
		feed_poll(audit, capture, task);
	/* A poll of what was just awaited. */
	if (what >= 300 && what < 500)
		feed_poll(audit, capture, task);
}

static bool is_certain(const struct audit *audit, const struct seen_gap *gap)
{
	for (size_t i = 0; i < audit->nlosses; i++) {
		const struct seen_loss *loss = &audit->losses[i];

		if (i < gap->told ? gap->since < loss->until : gap->until > loss->since)
			return false;
	}
	return true;
}

static uint64_t expected(const struct audit *audit, const struct model *model, uint32_t type,
			 unsigned int place, uint64_t *count)
{
	uint64_t ns = 0;

	*count = 0;
	for (size_t i = 0; i < audit->ngaps; i++) {
		const struct seen_gap *gap = &audit->gaps[i];

		if (gap->place != place || model->kinds[gap->kind].type != type ||
		    gap->queued == gap->since || !is_certain(audit, gap))
			continue;
		ns += gap->queued - gap->since;
		++*count;
	}
	return ns;
}

static uint64_t attributed(const struct model *model, uint32_t type, unsigned int place,
			   uint64_t *count)
{
	uint64_t ns = 0;

	*count = 0;
	for (size_t i = 0; i < model->nweights; i++) {
		const struct model_weight *weight = &model->weights[i];

		if (weight->kind != MODEL_WEIGHT_IDLE || weight->type != type ||
		    model->stacks[weight->stack].frames[0] != place - 1)
			continue;
		ns += weight->ns;
		*count += weight->count;
	}
	return ns;
}

/* Returns how many gaps were attributed. */
static uint64_t compare(const struct audit *audit, const struct model *model)
{
	uint64_t gaps = 0;

	for (uint32_t type = 0; type < model->ntypes; type++) {
		uint64_t sum = 0;

		for (unsigned int place = 1; place <= PLACES; place++) {
			uint64_t count, other;
			uint64_t ns = attributed(model, type, place, &count);

			assert_int_equal(ns, expected(audit, model, type, place, &other));
			assert_int_equal(count, other);
			gaps += count;
			sum += ns;
		}
		assert_true(sum <= model->types[type].times.idle_ns);
	}
	return gaps;
}

static void attributed_gaps_are_those_of_a_second_count(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct audit *audit = calloc(1, sizeof(*audit));
		struct correlate_options options = {.tasks = EVENTS, .by = seed % 3};
		struct capture capture;

		assert_non_null(audit);
		audit->observer = (struct observer){.gap = see_gap, .poll = see_poll};
		audit->seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
		options.observer = &audit->observer;
		capture = capture_begin_with(&options);
		for (int i = 0; i < EVENTS / 2; i++)
			feed_any(audit, &capture);
		capture_end(&capture, audit->clock + 10);
		assert_true(audit->nlosses > 10);
		assert_true(compare(audit, capture.model) > 1000);
		capture_free(&capture);
		free(audit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributed_gaps_are_those_of_a_second_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
