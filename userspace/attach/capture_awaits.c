// SPDX-License-Identifier: MIT
/* What the probes where tasks wait may cost in a capture, and have cost. */
#include "attach/await_budget.h"
#include "attach/await_links.h"
#include "attach/capture_state.h"
#include "attach/intake.h"
#include "attach/targets.h"
#include "attach/tracer.h"
#include "util/clock.h"

#define TELL_NS NSEC_PER_SEC /* what a recording that is cut may lack of the cost */

void capture_awaits_begin(struct capture *c)
{
	c->awaits_told = c->start;
	await_budget_start(&c->await_budget, c->start, c->start);
}

struct telling {
	struct capture *capture;
	struct event_sink *sink;
	uint64_t time;
};

static int spent_tell(void *ctx, uint16_t source, uint64_t spent_ns)
{
	const struct telling *telling = ctx;
	struct event event = {
		.time = telling->time,
		.source = source,
		.type = EVENT_OVERHEAD,
		.overhead = *targets_source_cost(telling->capture->targets, source),
	};

	event.overhead.await_ns = spent_ns;
	return telling->sink->take(telling->sink, &event);
}

static int awaits_tell(struct capture *c, struct event_sink *sink, uint64_t time)
{
	struct telling telling = {.capture = c, .sink = sink, .time = time};

	c->awaits_told = time;
	return await_links_each(tracer_awaits(c->tracer), await_hit_ns(c->cost.await_ns),
				spent_tell, &telling);
}

int capture_awaits_follow(struct capture *c, uint64_t now)
{
	struct await_links *links = tracer_awaits(c->tracer);
	uint64_t spent;

	/* While polls are sampled, wakes are not seen: nobody knows when a wait ends. */
	if (!c->start || !c->options->await_stacks || c->one_in)
		return 0;
	spent = await_links_spent(links, await_hit_ns(c->cost.await_ns));
	await_links_switch(links, await_budget_on(&c->await_budget, now, spent));
	return now < c->awaits_told + TELL_NS ? 0 : awaits_tell(c, intake_sink(c->intake), now);
}

int capture_awaits_finish(struct capture *c, uint64_t time)
{
	return awaits_tell(c, &c->passing, time);
}
