// SPDX-License-Identifier: MIT
#include "emit/series.h"

#include <errno.h>
#include <stdlib.h>

#define SHORTEST_STEP 1000 /* ns */

int series_init(struct series *series, uint64_t duration_ns)
{
	uint64_t step = duration_ns / SERIES_STEPS + 1;

	if (step < SHORTEST_STEP)
		step = SHORTEST_STEP;
	*series = (struct series){.step_ns = step, .nsteps = duration_ns / step + 1};
	series->steps = calloc(series->nsteps, sizeof(*series->steps));
	if (!series->steps)
		return -ENOMEM;
	for (size_t i = 0; i < series->nsteps; i++)
		series->steps[i].greatest = SERIES_NONE;
	return 0;
}

void series_release(struct series *series)
{
	free(series->steps);
	*series = (struct series){0};
}

static struct series_step *step_at(const struct series *series, uint64_t *time)
{
	uint64_t most = series->nsteps * series->step_ns - 1;

	if (*time > most)
		*time = most;
	return &series->steps[*time / series->step_ns];
}

static void change(struct series *series, uint64_t time, int by)
{
	struct series_step *step = step_at(series, &time);

	step->change += by;
	step->early += by * (int64_t)(series->step_ns - time % series->step_ns);
}

void series_add(struct series *series, uint64_t from, uint64_t until)
{
	change(series, from, 1);
	change(series, until, -1);
}

void series_see(struct series *series, uint64_t time, uint32_t value)
{
	struct series_step *step = step_at(series, &time);

	if (step->greatest == SERIES_NONE || step->greatest < value)
		step->greatest = value;
}

const struct series_step *series_next(struct series *series, uint64_t *begin, double *mean)
{
	const struct series_step *step = &series->steps[series->at];

	if (series->at == series->nsteps)
		return NULL;
	*begin = series->at++ * series->step_ns;
	*mean = (double)series->count + (double)step->early / (double)series->step_ns;
	series->count += step->change;
	return step;
}
