// SPDX-License-Identifier: MIT
#include "sched/owned.h"

#include <errno.h>
#include <stdlib.h>

#define MAX_SHARDS 64u

static struct owned_shard *shard_of(struct owned *owned, const struct pollrt_task *task)
{
	return &owned->shards[task->id & (owned->count - 1)];
}

int owned_init(struct owned *owned, uint32_t workers)
{
	uint32_t count = 1;

	while (count < workers && count < MAX_SHARDS)
		count *= 2;
	owned->shards = aligned_alloc(_Alignof(struct owned_shard), count * sizeof(*owned->shards));
	if (!owned->shards)
		return -ENOMEM;
	owned->count = count;
	for (uint32_t i = 0; i < count; i++) {
		pthread_mutex_init(&owned->shards[i].lock, NULL);
		LIST_INIT(&owned->shards[i].tasks);
		owned->shards[i].closed = false;
	}
	return 0;
}

void owned_fini(struct owned *owned)
{
	free(owned->shards);
}

bool owned_insert(struct owned *owned, struct pollrt_task *task)
{
	struct owned_shard *shard = shard_of(owned, task);
	bool closed;

	pthread_mutex_lock(&shard->lock);
	closed = shard->closed;
	if (!closed)
		LIST_INSERT_HEAD(&shard->tasks, task, owned);
	pthread_mutex_unlock(&shard->lock);
	return !closed;
}

/* A task that is in no list has no link back. */
static bool unlink_task(struct pollrt_task *task)
{
	if (!task->owned.le_prev)
		return false;
	LIST_REMOVE(task, owned);
	task->owned.le_prev = NULL;
	return true;
}

bool owned_remove(struct owned *owned, struct pollrt_task *task)
{
	struct owned_shard *shard = shard_of(owned, task);
	bool removed;

	pthread_mutex_lock(&shard->lock);
	removed = unlink_task(task);
	pthread_mutex_unlock(&shard->lock);
	return removed;
}

void owned_close(struct owned *owned)
{
	for (uint32_t i = 0; i < owned->count; i++) {
		struct owned_shard *shard = &owned->shards[i];
		struct pollrt_task *task;

		pthread_mutex_lock(&shard->lock);
		shard->closed = true;
		while ((task = LIST_FIRST(&shard->tasks))) {
			unlink_task(task);
			/* What the future's destructor does may take this lock. */
			pthread_mutex_unlock(&shard->lock);
			task_shutdown(task);
			task_unref(task);
			pthread_mutex_lock(&shard->lock);
		}
		pthread_mutex_unlock(&shard->lock);
	}
}
