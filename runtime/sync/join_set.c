// SPDX-License-Identifier: MIT
#include "sync/join_set.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "pollrt_select.h"
#include "sched/task.h"
#include "sync/wait_queue.h"

/* A task in a set. Freed by who takes its handle, or after a drop by the thread that ends it. */
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
	struct pollrt_wait_queue queue; /**< a permit for each that has ended */
	bool dropped;                   /**< the last member to end frees it */
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
	set_close(POLLRT_CONTAINER_OF(cleanup, struct pollrt_join_set, cleanup));
}

int pollrt_join_set_open(struct pollrt_join_set **result, struct pollrt_cx *cx)
{
	struct pollrt_join_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	pthread_mutex_init(&set->lock, NULL);
	TAILQ_INIT(&set->running);
	TAILQ_INIT(&set->ended);
	wait_queue_init(&set->queue, &set->lock, 0, SIZE_MAX);
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
	bool last;

	pthread_mutex_lock(&set->lock);
	TAILQ_REMOVE(&set->running, member, link);
	if (!set->dropped) {
		TAILQ_INSERT_TAIL(&set->ended, member, link);
		wait_queue_release_unlock(&set->queue, 1);
		return;
	}
	free(member);
	last = TAILQ_EMPTY(&set->running);
	pthread_mutex_unlock(&set->lock);
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

enum pollrt_poll pollrt_join_next(struct pollrt_join_next *self, struct pollrt_cx *cx)
{
	struct pollrt_join_set *set = self->set;
	struct join_member *member = NULL;
	int err;

	self->status = -ENOENT;
	if (!set->count)
		return POLLRT_READY;
	pthread_mutex_lock(&set->lock);
	err = wait_queue_poll(&set->queue, &self->waiter, 1, cx);
	if (!err) {
		member = TAILQ_FIRST(&set->ended);
		TAILQ_REMOVE(&set->ended, member, link);
	}
	pthread_mutex_unlock(&set->lock);
	if (!member)
		return wait_queue_result(err, cx);
	set->count--;
	self->status = 0;
	self->join = member->join;
	self->join.status = self->join.task->cancelled ? -ECANCELED : 0;
	free(member);
	return POLLRT_READY;
}
