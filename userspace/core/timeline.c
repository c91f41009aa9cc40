// SPDX-License-Identifier: MIT
#include "core/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void add_slice(struct model_slice *into, const struct model_slice *slice)
{
	for (int i = 0; i < MODEL_PARTS; i++)
		into->ns[i] += slice->ns[i];
}

unsigned int timeline_shift(unsigned int shift, uint64_t end)
{
	if (shift < TIMELINE_FINEST)
		shift = TIMELINE_FINEST;
	while (end && (end - 1) >> shift >= TIMELINE_SLICES)
		shift++;
	return shift;
}

void timeline_coarsen(struct timeline *timeline, unsigned int shift)
{
	struct model_slice *slices = timeline->slices;

	if (!slices)
		return;
	for (; timeline->shift < shift; timeline->shift++) {
		for (int i = 0; i < TIMELINE_SLICES / 2; i++) {
			slices[i] = slices[2 * i];
			add_slice(&slices[i], &slices[2 * i + 1]);
		}
		memset(&slices[TIMELINE_SLICES / 2], 0, TIMELINE_SLICES / 2 * sizeof(*slices));
	}
}

int timeline_add(struct timeline *timeline, enum model_part part, uint64_t from, uint64_t to)
{
	if (from >= to)
		return 0;
	if (!timeline->slices) {
		timeline->slices = calloc(TIMELINE_SLICES, sizeof(*timeline->slices));
		if (!timeline->slices)
			return -ENOMEM;
		timeline->shift = TIMELINE_FINEST;
	}
	timeline_coarsen(timeline, timeline_shift(timeline->shift, to));
	while (from < to) {
		uint64_t slice = from >> timeline->shift;
		uint64_t end = (slice + 1) << timeline->shift;

		if (end > to)
			end = to;
		timeline->slices[slice].ns[part] += end - from;
		from = end;
	}
	return 0;
}

void timeline_merge(struct timeline *into, struct timeline *from)
{
	if (!into->slices) {
		*into = *from;
		*from = (struct timeline){0};
		return;
	}
	if (!from->slices)
		return;
	timeline_coarsen(into, from->shift);
	timeline_coarsen(from, into->shift);
	for (int i = 0; i < TIMELINE_SLICES; i++)
		add_slice(&into->slices[i], &from->slices[i]);
	timeline_clear(from);
}

void timeline_clear(struct timeline *timeline)
{
	free(timeline->slices);
	*timeline = (struct timeline){0};
}
