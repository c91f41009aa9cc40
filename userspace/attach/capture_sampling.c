// SPDX-License-Identifier: MIT
/* Sampling of polls in a capture: from its start, or from when the governor says so. */
#include <errno.h>

#include "attach/capture_state.h"
#include "attach/intake.h"
#include "attach/kind_set.h"
#include "attach/targets.h"
#include "attach/tracer.h"
#include "util/clock.h"

#define SKIPS_NS NSEC_PER_SEC /* what a recording that is cut may lack of the polls left out */

static struct governor_reading reading_take(const struct capture *c, uint64_t now)
{
	struct intake_counts counts;

	intake_counts(c->intake, &counts);
	return (struct governor_reading){
		.time = now,
		.cpu_ns = targets_cpu_ns(c->targets),
		.polls = counts.polls,
		.polls_ns = counts.polls_ns,
		.skips_ns = counts.skips_ns,
		.wakes_ns = counts.wakes_ns,
		.others_ns = counts.others_ns,
	};
}

static int sampling_tell(struct capture *c, struct event_sink *sink, uint64_t time)
{
	struct event event = {
		.time = time,
		.source = EVENT_NO_SOURCE,
		.type = EVENT_SAMPLING,
		.sampling = {.one_in = c->one_in},
	};

	return sink->take(sink, &event);
}

int capture_sampling_begin(struct capture *c)
{
	struct governor_reading now = reading_take(c, c->start);

	c->skips_told = c->start;
	governor_start(&c->governor, c->options->one_in ? 0 : c->options->max_overhead, &now);
	return c->one_in ? sampling_tell(c, &c->passing, c->start) : 0;
}

struct telling {
	struct capture *capture;
	struct event_sink *sink;
	uint64_t time;
};

static int skipped_tell(void *ctx, uint16_t source, uint64_t kind, uint64_t polls)
{
	const struct telling *telling = ctx;
	struct capture *c = telling->capture;
	struct event event = {
		.time = telling->time,
		.source = source,
		.type = EVENT_SKIPPED,
		.skipped = {.kind = kind, .polls = polls},
	};
	int err = 0;

	if (targets_names_kinds(c->targets, source))
		err = kind_set_add(intake_kinds(c->intake), source, kind);
	return err ? err : telling->sink->take(telling->sink, &event);
}

static int skips_tell(struct capture *c, struct event_sink *sink, uint64_t time)
{
	struct telling telling = {.capture = c, .sink = sink, .time = time};

	c->skips_told = time;
	return tracer_skipped(c->tracer, skipped_tell, &telling);
}

static int govern(struct capture *c, uint64_t now)
{
	struct governor_reading reading;
	char why[320];

	if (!governor_due(&c->governor, now))
		return 0;
	reading = reading_take(c, now);
	c->one_in = governor_decide(&c->governor, &reading, why, sizeof(why));
	if (!c->one_in)
		return 0;
	capture_notice(c, why);
	c->skips_told = now;
	return sampling_tell(c, intake_sink(c->intake), tracer_sample(c->tracer, c->one_in));
}

int capture_sampling_follow(struct capture *c, uint64_t now)
{
	if (!c->start)
		return 0;
	if (!c->one_in)
		return govern(c, now);
	if (now < c->skips_told + SKIPS_NS)
		return 0;
	/* Not `now`: what came since may have gone on already. */
	return skips_tell(c, intake_sink(c->intake), clock_monotonic_ns());
}

int capture_sampling_finish(struct capture *c, uint64_t time)
{
	return c->one_in ? skips_tell(c, &c->passing, time) : 0;
}
