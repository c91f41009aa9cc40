// SPDX-License-Identifier: MIT
#include "core/alive.h"

#define STEP_NS 1000000

static struct alive_mark *mark_at(struct alive *alive, uint64_t number)
{
	return &alive->marks[number % ALIVE_MARKS];
}

static uint64_t oldest(const struct alive *alive)
{
	return alive->nmarks > ALIVE_MARKS ? alive->nmarks - ALIVE_MARKS : 0;
}

static void advance(struct alive *alive, uint64_t time)
{
	if (time <= alive->now.time)
		return;
	alive->now.area += alive->now.tasks * (time - alive->now.time);
	alive->now.time = time;
	if (!alive->nmarks || time - mark_at(alive, alive->nmarks - 1)->time >= STEP_NS)
		*mark_at(alive, alive->nmarks++) = alive->now;
}

/* Changes the number of tasks at the present, which may be marked already. */
static void count(struct alive *alive, uint64_t by)
{
	alive->now.tasks += by;
	if (alive->nmarks && mark_at(alive, alive->nmarks - 1)->time == alive->now.time)
		mark_at(alive, alive->nmarks - 1)->tasks = alive->now.tasks;
}

/* Adds one life from `since` to `until` to what was counted up to each mark. */
static void backdate(struct alive *alive, uint64_t since, uint64_t until)
{
	for (uint64_t i = alive->nmarks; i > oldest(alive); i--) {
		struct alive_mark *mark = mark_at(alive, i - 1);

		if (mark->time <= since)
			break;
		mark->area += (mark->time < until ? mark->time : until) - since;
		if (mark->time < until)
			mark->tasks++;
	}
	alive->now.area += until - since;
}

void alive_born(struct alive *alive, uint64_t since, uint64_t now)
{
	advance(alive, now);
	if (since < alive->now.time)
		backdate(alive, since, alive->now.time);
	count(alive, 1);
}

void alive_older(struct alive *alive, uint64_t since, uint64_t birth)
{
	if (birth > alive->now.time)
		birth = alive->now.time;
	if (since < birth)
		backdate(alive, since, birth);
}

void alive_died(struct alive *alive, uint64_t now)
{
	advance(alive, now);
	count(alive, -UINT64_C(1));
}

static uint64_t area_at(struct alive *alive, uint64_t time)
{
	struct alive_mark *mark;

	if (time >= alive->now.time)
		return alive->now.area + alive->now.tasks * (time - alive->now.time);
	for (uint64_t i = alive->nmarks; i > oldest(alive); i--) {
		mark = mark_at(alive, i - 1);
		if (mark->time <= time)
			return mark->area + mark->tasks * (time - mark->time);
	}
	if (!oldest(alive))
		return 0;
	/* Before all that is remembered: as many as then */
	mark = mark_at(alive, oldest(alive));
	return mark->area - mark->tasks * (mark->time - time);
}

uint64_t alive_uncertain(struct alive *alive, uint64_t since, uint64_t until)
{
	uint64_t from, to;

	if (since < alive->told)
		since = alive->told;
	if (since >= until)
		return 0;
	alive->told = until;
	from = area_at(alive, since);
	to = area_at(alive, until);
	/* Between marks the number of tasks is taken as constant: never let that make less than
	 * nothing. */
	return to > from ? to - from : 0;
}
