// SPDX-License-Identifier: MIT
#include "core/strata.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/model.h"
#include "core/weights.h"

static uint32_t gap_new(struct strata *strata)
{
	uint32_t number = strata->unused;
	struct strata_gap *gaps;

	if (number) {
		strata->unused = strata->gaps[number].next;
		return number;
	}
	strata->count = strata->count ? strata->count : 1;
	if (strata->count > UINT32_MAX)
		return 0;
	gaps = array_grow(strata->gaps, strata->count, &strata->capacity, sizeof(*gaps));
	if (!gaps)
		return 0;
	strata->gaps = gaps;
	return strata->count++;
}

static void gap_leave(struct strata *strata, uint32_t number)
{
	struct strata_gap *gap = &strata->gaps[number];

	if (--gap->holders)
		return;
	gap->next = strata->unused;
	strata->unused = number;
}

/* Adds it to the estimates; sign -1: takes it away from them. */
static void gap_count(const struct strata_gap *gap, double sign)
{
	double ns = (double)gap->idle_ns, whole_ns = gap->stands_for * ns;

	gap->weight->whole_ns += sign * whole_ns;
	gap->weight->squares += sign * whole_ns * whole_ns;
	gap->weight->sampled_squares += sign * whole_ns * ns;
}

/* By more than what chance does to numbers of gaps, and than twice. */
static bool load_differs(double load, double other)
{
	double apart = load - other;

	return apart * apart > 9 * (load + other) && (load > 2 * other || other > 2 * load);
}

static double load_of(const struct strata_part *part)
{
	return part->slots ? (double)part->gaps / part->slots : 0;
}

/* Appends to what came before, samples and all. */
static void part_append(struct strata *strata, struct strata_part *part,
			const struct strata_part *more)
{
	if (!part->first)
		part->first = more->first;
	else
		strata->gaps[part->last].next = more->first;
	part->last = more->last ? more->last : part->last;
	part->gaps += more->gaps;
	part->sampled += more->sampled;
	part->slots += more->slots;
}

/* Its gaps count for what they stand for. */
static void part_count(struct strata *strata, struct strata_part *part)
{
	double each = (double)(part->gaps + part->others) / fmax(part->sampled, 1);
	uint32_t number = part->first;

	while (number) {
		struct strata_gap *gap = &strata->gaps[number];
		uint32_t next = gap->next;

		gap->stands_for = each;
		if (gap->weight)
			gap_count(gap, 1);
		gap_leave(strata, number);
		number = next;
	}
	*part = (struct strata_part){0};
}

/* What came before is over. */
static void stratum_settle(struct strata *strata, struct stratum *stratum)
{
	struct strata_part *part = &stratum->before, *missed = &stratum->missed;

	if (part->sampled) {
		part_count(strata, &stratum->sampled);
		if (!load_differs(load_of(missed), load_of(part)))
			part->others = missed->gaps;
		*missed = (struct strata_part){0};
		stratum->sampled = *part;
	} else if (stratum->sampled.sampled &&
		   !load_differs(load_of(part), load_of(&stratum->sampled))) {
		stratum->sampled.others += part->gaps;
	} else {
		part_append(strata, missed, part);
	}
	*part = (struct strata_part){0};
}

/* Takes the slot in. */
static void slot_end(struct strata *strata, struct stratum *stratum)
{
	struct strata_part *before = &stratum->before, *now = &stratum->now;

	now->slots = 1;
	if (before->slots && (load_differs(load_of(now), load_of(before)) ||
			      before->sampled + now->sampled > STRATUM_MOST))
		stratum_settle(strata, stratum);
	part_append(strata, before, now);
	*now = (struct strata_part){0};
}

static void move_on(struct strata *strata, struct stratum *stratum, uint64_t slot)
{
	struct strata_part *before = &stratum->before;
	uint64_t empty = slot - stratum->slot - 1;

	/* What comes late is of no slot before. */
	if (slot <= stratum->slot)
		return;
	if (stratum->now.gaps)
		slot_end(strata, stratum);
	else
		empty = 0;
	if (before->slots + empty >= STRATUM_SLOTS || (empty && load_differs(0, load_of(before))))
		stratum_settle(strata, stratum);
	else
		before->slots += empty;
	stratum->slot = slot;
}

void stratum_close(struct strata *strata, struct stratum *stratum)
{
	if (stratum->now.gaps)
		slot_end(strata, stratum);
	stratum_settle(strata, stratum);
	part_count(strata, &stratum->sampled);
}

int strata_begin(struct strata *strata, struct stratum *stratum, uint64_t time, uint32_t stack,
		 uint32_t *gap)
{
	struct strata_part *now = &stratum->now;

	move_on(strata, stratum, time / STRATA_SLOT_NS);
	now->gaps++;
	*gap = stack == MODEL_NO_STACK ? 0 : gap_new(strata);
	if (!*gap)
		return stack == MODEL_NO_STACK ? 0 : -ENOMEM;
	/* Its task has it, and its stratum. */
	strata->gaps[*gap] = (struct strata_gap){.stack = stack, .next = now->first, .holders = 2};
	now->first = *gap;
	now->last = now->last ? now->last : *gap;
	if (++now->sampled == STRATUM_MOST)
		stratum_close(strata, stratum);
	return 0;
}

static void remember(struct strata *strata, uint32_t gap)
{
	uint32_t *place = &strata->recent[strata->recent_next];

	if (strata->recent_count == STRATA_RECENT)
		gap_leave(strata, *place);
	else
		strata->recent_count++;
	*place = gap;
	strata->gaps[gap].holders++;
	strata->recent_next = (strata->recent_next + 1) % STRATA_RECENT;
}

void strata_end(struct strata *strata, uint32_t number, struct weight *weight, uint64_t idle_ns,
		uint64_t until)
{
	struct strata_gap *gap = &strata->gaps[number];

	if (weight) {
		gap->weight = weight;
		gap->idle_ns = idle_ns;
		gap->until = until;
		weight_add(weight, 1, idle_ns);
		if (gap->stands_for > 0)
			gap_count(gap, 1);
		remember(strata, number);
	}
	gap_leave(strata, number);
}

void strata_take_back(struct strata *strata, uint64_t since)
{
	for (; strata->recent_count; strata->recent_count--) {
		struct strata_gap *gap;
		uint32_t number;

		strata->recent_next = (strata->recent_next + STRATA_RECENT - 1) % STRATA_RECENT;
		number = strata->recent[strata->recent_next];
		gap = &strata->gaps[number];
		if (gap->until > since) {
			gap->weight->count--;
			gap->weight->ns -= gap->idle_ns;
			if (gap->stands_for > 0)
				gap_count(gap, -1);
			gap->weight = NULL;
		}
		gap_leave(strata, number);
	}
}

void strata_clear(struct strata *strata)
{
	free(strata->gaps);
}
