// SPDX-License-Identifier: MIT
#include "join_set.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "context.h"
#include "pollrt_select.h"
#include "probes.h"
#include "task.h"

/* A task in a set. Freed by whoever takes its handle, or after a drop by the thread that ends it. */
struct join_member {
	struct pollrt_join_set *set;
	struct pollrt_join join;
	TAILQ_ENTRY(join_member) link;
};
TAILQ_HEAD(join_members, join_member);

struct pollrt_join_set {
	struct pollrt_cleanup cleanup; /**< of the owner's scope, if `scoped` */
	bool scoped;
	size_t count;         /**< members with a handle in the set; the owner's */
	pthread_mutex_t lock; /**< of what follows */
	struct join_members running;
	struct join_members ended;
	struct pollrt_task *waiter; /**< with a reference, or NULL */
	bool dropped;               /**< the last member to end frees it */
};

static void set_free(struct pollrt_join_set *set)
{
	pthread_mutex_destroy(&set->lock);
	free(set);
}

static void set_close(struct pollrt_join_set *set)
{
	struct join_member *member;
	bool last;

	pthread_mutex_lock(&set->lock);
	while ((member = TAILQ_FIRST(&set->ended))) {
		TAILQ_REMOVE(&set->ended, member, link);
		pollrt_join_detach(&member->join);
		free(member);
	}
	/* Their tasks are not freed under the lock: each has yet to come by in join_set_ended(). */
	TAILQ_FOREACH(member, &set->running, link)
	{
		pollrt_join_abort(&member->join);
		pollrt_join_detach(&member->join);
	}
	set->dropped = true;
	last = TAILQ_EMPTY(&set->running);
	pthread_mutex_unlock(&set->lock);
	if (last)
		set_free(set);
}

static void set_cleanup(struct pollrt_cleanup *cleanup)
{
	set_close((void *)((char *)cleanup - offsetof(struct pollrt_join_set, cleanup)));
}

int pollrt_join_set_open(struct pollrt_join_set **result, struct pollrt_cx *cx)
{
	struct pollrt_join_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	pthread_mutex_init(&set->lock, NULL);
	TAILQ_INIT(&set->running);
	TAILQ_INIT(&set->ended);
	set->scoped = cx;
	if (cx)
		pollrt_defer(cx, &set->cleanup, set_cleanup);
	*result = set;
	return 0;
}

void pollrt_join_set_drop(struct pollrt_join_set *set)
{
	if (!set)
		return;
	if (set->scoped)
		pollrt_undefer(&set->cleanup);
	set_close(set);
}

int pollrt_join_set_spawn_spec(struct pollrt_runtime *rt, struct pollrt_join_set *set,
			       const struct pollrt_spec *spec)
{
	struct pollrt_spec with = *spec;
	struct join_member *member = malloc(sizeof(*member));
	int err;

	if (!member)
		return -ENOMEM;
	member->set = set;
	with.member = member;
	/* The task may end before its handle is here; then its end waits for the lock. */
	pthread_mutex_lock(&set->lock);
	err = spec->job ? pollrt_spawn_blocking_spec(rt, &member->join, &with)
			: pollrt_spawn_spec(rt, &member->join, &with);
	if (!err)
		TAILQ_INSERT_TAIL(&set->running, member, link);
	pthread_mutex_unlock(&set->lock);
	if (err)
		free(member);
	else
		set->count++;
	return err;
}

void join_set_ended(struct join_member *member)
{
	struct pollrt_join_set *set = member->set;
	struct pollrt_task *waiter = NULL;
	bool last = false;

	pthread_mutex_lock(&set->lock);
	TAILQ_REMOVE(&set->running, member, link);
	if (set->dropped) {
		free(member);
		last = TAILQ_EMPTY(&set->running);
	} else {
		TAILQ_INSERT_TAIL(&set->ended, member, link);
		waiter = set->waiter;
		set->waiter = NULL;
	}
	pthread_mutex_unlock(&set->lock);
	if (waiter) {
		task_wake(waiter);
		task_unref(waiter);
	}
	if (last)
		set_free(set);
}

size_t pollrt_join_set_count(const struct pollrt_join_set *set)
{
	return set->count;
}

void pollrt_join_set_abort_all(struct pollrt_join_set *set)
{
	struct join_member *member;

	pthread_mutex_lock(&set->lock);
	TAILQ_FOREACH(member, &set->running, link)
	pollrt_join_abort(&member->join);
	pthread_mutex_unlock(&set->lock);
}

/* Has @task, or nobody, woken when the next member ends. Returns one that has ended, if any. */
static struct join_member *set_wait(struct pollrt_join_set *set, struct pollrt_task *task)
{
	struct pollrt_task *old = NULL;
	struct join_member *member;

	pthread_mutex_lock(&set->lock);
	member = task ? TAILQ_FIRST(&set->ended) : NULL;
	if (member) {
		TAILQ_REMOVE(&set->ended, member, link);
		task = NULL;
	}
	if (set->waiter != task) {
		old = set->waiter;
		set->waiter = task;
		if (task)
			task_ref(task);
	}
	pthread_mutex_unlock(&set->lock);
	if (old)
		task_unref(old);
	return member;
}

static void next_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_join_next *self =
		(void *)((char *)cleanup - offsetof(struct pollrt_join_next, cleanup));

	set_wait(self->set, NULL);
}

enum pollrt_poll pollrt_join_next(struct pollrt_join_next *self, struct pollrt_cx *cx)
{
	struct join_member *member;

	if (!context_budget_left(cx))
		return POLLRT_PENDING;
	self->status = -ENOENT;
	if (!self->set->count)
		return POLLRT_READY;
	member = set_wait(self->set, cx->task);
	if (!member) {
		if (!self->waits)
			pollrt_defer(cx, &self->cleanup, next_drop);
		self->waits = true;
		probe_waker_clone(cx->task->id);
		return POLLRT_PENDING;
	}
	if (self->waits)
		pollrt_undefer(&self->cleanup);
	self->waits = false;
	self->set->count--;
	self->status = 0;
	self->join = member->join;
	free(member);
	context_budget_spend();
	self->join.status = self->join.task->cancelled ? -ECANCELED : 0;
	return POLLRT_READY;
}
