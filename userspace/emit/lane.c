// SPDX-License-Identifier: MIT
#include "emit/lane.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/array.h"

#define DEEPEST 64 /* deeper ones are drawn beside each other */

static bool is_sleep(const struct packets_slice *slice)
{
	return slice->category == PACKETS_BLOCKED || slice->category == PACKETS_RUNQUEUE;
}

static int hold(struct lane *lane, const struct packets_slice *slice)
{
	struct packets_slice *held;

	held = array_grow(lane->held, lane->nheld, &lane->room, sizeof(*held));
	if (!held)
		return -ENOMEM;
	lane->held = held;
	held[lane->nheld++] = *slice;
	return 0;
}

/* What is around comes first. */
static int compare(const void *a, const void *b)
{
	const struct packets_slice *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	if (x->category != y->category)
		return x->category < y->category ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* The ends of slices that are open. */
struct nest {
	struct lane *lane;
	uint64_t ends[DEEPEST];
	unsigned int depth;
};

static void close_until(struct nest *nest, uint64_t time)
{
	while (nest->depth && nest->ends[nest->depth - 1] <= time) {
		uint64_t end = nest->ends[--nest->depth];

		packets_slice_end(nest->lane->packets, nest->lane->track, nest->lane->origin + end);
	}
}

static void put(struct nest *nest, const struct packets_slice *slice)
{
	struct packets_slice made = *slice;

	if (made.start < nest->lane->shown)
		made.start = nest->lane->shown;
	if (made.end < made.start)
		made.end = made.start;
	close_until(nest, made.start);
	if (nest->depth == DEEPEST)
		close_until(nest, made.start = nest->ends[DEEPEST - 1]);
	if (nest->depth && made.end > nest->ends[nest->depth - 1])
		made.end = nest->ends[nest->depth - 1];
	nest->ends[nest->depth++] = made.end;
	made.start += nest->lane->origin;
	packets_slice_begin(nest->lane->packets, nest->lane->track, &made);
}

/* Writes what is held and to be shown. Returns where the last slice ends. */
static uint64_t write_held(struct lane *lane,
			   bool (*is_shown)(const struct packets_slice *slice,
					    const struct packets_slice *outermost),
			   const struct packets_slice *outermost)
{
	struct nest nest = {.lane = lane};
	uint64_t last = lane->shown;

	if (lane->nheld)
		qsort(lane->held, lane->nheld, sizeof(*lane->held), compare);
	for (size_t i = 0; i < lane->nheld; i++) {
		if (!is_shown(&lane->held[i], outermost))
			continue;
		put(&nest, &lane->held[i]);
		if (nest.ends[nest.depth - 1] > last)
			last = nest.ends[nest.depth - 1];
	}
	close_until(&nest, UINT64_MAX);
	lane->nheld = 0;
	return last;
}

static bool is_settled(const struct packets_slice *slice, const struct packets_slice *outermost)
{
	(void)outermost;
	return !slice->unsettled;
}

static bool is_inside(const struct packets_slice *slice, const struct packets_slice *outermost)
{
	if (!is_sleep(slice))
		return true;
	return outermost && slice->start >= outermost->start && slice->end <= outermost->end;
}

int lane_hold(struct lane *lane, const struct packets_slice *slice)
{
	/* Of a poll as long as that, the slices within go first: it did not begin when one of them did. */
	if (lane->nheld == LANE_MOST)
		write_held(lane, is_settled, NULL);
	return hold(lane, slice) ?: lane->packets->error;
}

int lane_flush(struct lane *lane, const struct packets_slice *outermost)
{
	if (outermost && hold(lane, outermost))
		return -ENOMEM;
	lane->shown = write_held(lane, is_inside, outermost);
	return lane->packets->error;
}

void lane_release(struct lane *lane)
{
	free(lane->held);
	lane->held = NULL;
	lane->nheld = lane->room = 0;
}
