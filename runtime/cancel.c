// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "context.h"
#include "pollrt_select.h"
#include "probes.h"
#include "task.h"

#define WAKE_BATCH 32

TAILQ_HEAD(cancelled_list, pollrt_cancelled);

struct pollrt_token {
	_Atomic unsigned int refs;
	_Atomic bool cancelled; /**< set under the lock; its release pairs with loads outside */
	pthread_mutex_t lock;   /**< of what follows */
	struct cancelled_list waiters;
};

static void guard_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_guard *guard =
		(void *)((char *)cleanup - offsetof(struct pollrt_guard, cleanup));

	if (!guard->join.task)
		return;
	pollrt_join_abort(&guard->join);
	pollrt_join_detach(&guard->join);
}

void pollrt_guard(struct pollrt_guard *guard, struct pollrt_cx *cx)
{
	pollrt_defer(cx, &guard->cleanup, guard_drop);
}

void pollrt_guard_end(struct pollrt_guard *guard)
{
	pollrt_undefer(&guard->cleanup);
	guard_drop(&guard->cleanup);
}

int pollrt_token_create(struct pollrt_token **result)
{
	struct pollrt_token *token = calloc(1, sizeof(*token));

	if (!token)
		return -ENOMEM;
	atomic_init(&token->refs, 1);
	pthread_mutex_init(&token->lock, NULL);
	TAILQ_INIT(&token->waiters);
	*result = token;
	return 0;
}

struct pollrt_token *pollrt_token_clone(struct pollrt_token *token)
{
	atomic_fetch_add_explicit(&token->refs, 1, memory_order_relaxed);
	return token;
}

void pollrt_token_release(struct pollrt_token *token)
{
	/* Every use of the token by others comes before it is freed. */
	if (!token || atomic_fetch_sub_explicit(&token->refs, 1, memory_order_acq_rel) != 1)
		return;
	pthread_mutex_destroy(&token->lock);
	free(token);
}

bool pollrt_token_is_cancelled(const struct pollrt_token *token)
{
	return atomic_load_explicit(&token->cancelled, memory_order_acquire);
}

void pollrt_token_cancel(struct pollrt_token *token)
{
	struct pollrt_task *tasks[WAKE_BATCH];
	unsigned int n;

	do {
		struct pollrt_cancelled *waiter;

		n = 0;
		pthread_mutex_lock(&token->lock);
		atomic_store_explicit(&token->cancelled, true, memory_order_release);
		while (n < WAKE_BATCH && (waiter = TAILQ_FIRST(&token->waiters))) {
			TAILQ_REMOVE(&token->waiters, waiter, link);
			waiter->waits = false;
			/* Alive: to end, it would have had to leave the list under the lock. */
			task_ref(waiter->task);
			tasks[n++] = waiter->task;
		}
		pthread_mutex_unlock(&token->lock);
		for (unsigned int i = 0; i < n; i++) {
			task_wake(tasks[i]);
			task_unref(tasks[i]);
		}
	} while (n == WAKE_BATCH);
}

static void cancelled_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_cancelled *self =
		(void *)((char *)cleanup - offsetof(struct pollrt_cancelled, cleanup));

	pthread_mutex_lock(&self->token->lock);
	if (self->waits)
		TAILQ_REMOVE(&self->token->waiters, self, link);
	pthread_mutex_unlock(&self->token->lock);
}

/* False if it is cancelled already. */
static bool cancelled_wait(struct pollrt_cancelled *self, struct pollrt_cx *cx)
{
	struct pollrt_token *token = self->token;
	bool cancelled;

	pthread_mutex_lock(&token->lock);
	cancelled = pollrt_token_is_cancelled(token);
	if (!cancelled) {
		if (!self->waits)
			TAILQ_INSERT_TAIL(&token->waiters, self, link);
		self->waits = true;
		if (!self->task)
			pollrt_defer(cx, &self->cleanup, cancelled_drop);
		self->task = cx->task;
	}
	pthread_mutex_unlock(&token->lock);
	return !cancelled;
}

enum pollrt_poll pollrt_cancelled(struct pollrt_cancelled *self, struct pollrt_cx *cx)
{
	if (!context_budget_left(cx))
		return POLLRT_PENDING;
	if (!pollrt_token_is_cancelled(self->token) && cancelled_wait(self, cx)) {
		probe_waker_clone(cx->task->id);
		return POLLRT_PENDING;
	}
	if (self->task)
		pollrt_undefer(&self->cleanup);
	self->task = NULL;
	context_budget_spend();
	return POLLRT_READY;
}
