// SPDX-License-Identifier: MIT
#include "sched/inject.h"

#include "sched/task.h"

void inject_init(struct inject *inject)
{
	pthread_mutex_init(&inject->lock, NULL);
	inject->first = NULL;
	inject->last = &inject->first;
	inject->closed = false;
	atomic_init(&inject->length, 0);
	atomic_init(&inject->remote, 0);
}

static void drop_list(struct pollrt_task *task)
{
	while (task) {
		struct pollrt_task *next = task->next;

		task_unref(task);
		task = next;
	}
}

/* @remote: how many of the @n tasks come from outside of the workers. */
static void append(struct inject *inject, struct pollrt_task *first, struct pollrt_task *last,
		   uint32_t n, uint32_t remote)
{
	bool closed;

	last->next = NULL;
	pthread_mutex_lock(&inject->lock);
	closed = inject->closed;
	atomic_store_explicit(&inject->remote, inject_remote(inject) + remote,
			      memory_order_release);
	if (!closed) {
		*inject->last = first;
		inject->last = &last->next;
		atomic_store_explicit(&inject->length, inject_length(inject) + n,
				      memory_order_relaxed);
	}
	pthread_mutex_unlock(&inject->lock);
	if (closed)
		drop_list(first);
}

void inject_push(struct inject *inject, struct pollrt_task *task)
{
	append(inject, task, task, 1, 1);
}

void inject_push_batch(struct inject *inject, struct pollrt_task *first, struct pollrt_task *last,
		       uint32_t n)
{
	append(inject, first, last, n, 0);
}

struct pollrt_task *inject_pop(struct inject *inject, uint32_t n)
{
	struct pollrt_task *first, **end;
	uint32_t taken = 0;

	if (n == 0 || inject_length(inject) == 0)
		return NULL;
	pthread_mutex_lock(&inject->lock);
	first = inject->first;
	end = &inject->first;
	while (*end && taken < n) {
		end = &(*end)->next;
		taken++;
	}
	if (taken) {
		inject->first = *end;
		*end = NULL;
		if (!inject->first)
			inject->last = &inject->first;
		atomic_store_explicit(&inject->length, inject_length(inject) - taken,
				      memory_order_relaxed);
	}
	pthread_mutex_unlock(&inject->lock);
	return taken ? first : NULL;
}

void inject_close(struct inject *inject)
{
	struct pollrt_task *first;

	pthread_mutex_lock(&inject->lock);
	inject->closed = true;
	first = inject->first;
	inject->first = NULL;
	inject->last = &inject->first;
	atomic_store_explicit(&inject->length, 0, memory_order_relaxed);
	pthread_mutex_unlock(&inject->lock);
	drop_list(first);
}
