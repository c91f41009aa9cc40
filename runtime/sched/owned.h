/* SPDX-License-Identifier: MIT */
/* All tasks of a runtime that have not ended, so that shutdown finds them. Sharded by task id. */
#ifndef POLLRT_OWNED_H
#define POLLRT_OWNED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "sched/task.h"

LIST_HEAD(task_list, pollrt_task);

struct owned_shard {
	_Alignas(64) pthread_mutex_t lock;
	struct task_list tasks;
	bool closed;
};

struct owned {
	uint32_t count; /**< a power of two */
	struct owned_shard *shards;
};

/** At least as many shards as @workers. Returns 0 or -ENOMEM. */
int owned_init(struct owned *owned, uint32_t workers);
void owned_fini(struct owned *owned);

/** False after owned_close(). */
bool owned_insert(struct owned *owned, struct pollrt_task *task);

/** False if owned_close() took it before. */
bool owned_remove(struct owned *owned, struct pollrt_task *task);

/** Refuses tasks from now on; shuts down those there are, and drops the list's references. */
void owned_close(struct owned *owned);

#endif
