// SPDX-License-Identifier: MIT
#include "sched/idle.h"

#include <errno.h>
#include <stdlib.h>

#define UNPARKED ((uint32_t)1 << 16)
#define SEARCHING ((uint32_t)1)

static uint32_t searching_of(uint32_t state)
{
	return state & (UNPARKED - 1);
}

int idle_init(struct idle *idle, uint32_t workers)
{
	idle->sleepers = calloc(workers, sizeof(*idle->sleepers));
	if (!idle->sleepers)
		return -ENOMEM;
	pthread_mutex_init(&idle->lock, NULL);
	atomic_init(&idle->state, workers * UNPARKED);
	idle->workers = workers;
	idle->sleeping = 0;
	return 0;
}

void idle_fini(struct idle *idle)
{
	free(idle->sleepers);
}

/*
 * A read-modify-write, not a load: it and the one in idle_park() are on one variable, so either
 * this thread sees the worker parked, or the worker sees the task that was pushed before this call.
 */
static bool should_wake(struct idle *idle)
{
	uint32_t state = atomic_fetch_add(&idle->state, 0);

	return searching_of(state) == 0 && state / UNPARKED < idle->workers;
}

int idle_worker_to_notify(struct idle *idle)
{
	int worker = -1;

	if (!should_wake(idle))
		return -1;
	pthread_mutex_lock(&idle->lock);
	if (idle->sleeping && should_wake(idle)) {
		atomic_fetch_add(&idle->state, UNPARKED + SEARCHING);
		worker = (int)idle->sleepers[--idle->sleeping];
	}
	pthread_mutex_unlock(&idle->lock);
	return worker;
}

void idle_park(struct idle *idle, uint32_t worker, bool searching)
{
	pthread_mutex_lock(&idle->lock);
	atomic_fetch_sub(&idle->state, UNPARKED + (searching ? SEARCHING : 0));
	idle->sleepers[idle->sleeping++] = worker;
	pthread_mutex_unlock(&idle->lock);
}

/* The sleeper's place, or -1; under the lock. */
static int find(const struct idle *idle, uint32_t worker)
{
	for (uint32_t i = 0; i < idle->sleeping; i++) {
		if (idle->sleepers[i] == worker)
			return (int)i;
	}
	return -1;
}

bool idle_unpark(struct idle *idle, uint32_t worker)
{
	int place;

	pthread_mutex_lock(&idle->lock);
	place = find(idle, worker);
	if (place >= 0) {
		idle->sleepers[place] = idle->sleepers[--idle->sleeping];
		atomic_fetch_add(&idle->state, UNPARKED);
	}
	pthread_mutex_unlock(&idle->lock);
	return place >= 0;
}

bool idle_is_parked(struct idle *idle, uint32_t worker)
{
	bool parked;

	pthread_mutex_lock(&idle->lock);
	parked = find(idle, worker) >= 0;
	pthread_mutex_unlock(&idle->lock);
	return parked;
}

bool idle_search_begin(struct idle *idle)
{
	if (2 * searching_of(atomic_load(&idle->state)) >= idle->workers)
		return false;
	atomic_fetch_add(&idle->state, SEARCHING);
	return true;
}

bool idle_search_end(struct idle *idle)
{
	return searching_of(atomic_fetch_sub(&idle->state, SEARCHING)) == 1;
}
