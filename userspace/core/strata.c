// SPDX-License-Identifier: MIT
#include "core/strata.h"

#include <errno.h>
#include <math.h>
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
	gaps = array_grow(strata->gaps, strata->count, &strata->capacity, sizeof(*gaps));
	if (!gaps || strata->count > UINT32_MAX)
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

void stratum_close(struct strata *strata, struct stratum *stratum)
{
	double gaps = (double)stratum->gaps;
	double missed = fmin((double)stratum->missed_gaps, stratum->missed * gaps);
	uint32_t number = stratum->first;

	while (number) {
		struct strata_gap *gap = &strata->gaps[number];
		uint32_t next = gap->next;

		gap->stands_for = (gaps + missed) / stratum->sampled;
		if (gap->weight)
			gap_count(gap, 1);
		gap_leave(strata, number);
		number = next;
	}
	*stratum = (struct stratum){.second = stratum->second};
}

static void move_on(struct strata *strata, struct stratum *stratum, uint64_t second)
{
	/* What comes late is of no second before. */
	if (second <= stratum->second)
		return;
	if (stratum->sampled) {
		stratum_close(strata, stratum);
	} else if (stratum->gaps) {
		stratum->missed++;
		stratum->missed_gaps += stratum->gaps;
	}
	stratum->gaps = 0;
	stratum->second = second;
}

int strata_begin(struct strata *strata, struct stratum *stratum, uint64_t second, uint32_t stack,
		 uint32_t *gap)
{
	move_on(strata, stratum, second);
	stratum->gaps++;
	*gap = stack == MODEL_NO_STACK ? 0 : gap_new(strata);
	if (!*gap)
		return stack == MODEL_NO_STACK ? 0 : -ENOMEM;
	/* Its task has it, and its stratum. */
	strata->gaps[*gap] =
		(struct strata_gap){.stack = stack, .next = stratum->first, .holders = 2};
	stratum->first = *gap;
	if (++stratum->sampled == STRATUM_MOST)
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
