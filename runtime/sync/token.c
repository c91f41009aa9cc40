// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "pollrt_select.h"
#include "sync/wait_queue.h"

struct pollrt_token {
	_Atomic unsigned int refs;
	_Atomic bool cancelled; /**< for those who only look; written before the queue is closed */
	pthread_mutex_t lock;
	struct pollrt_wait_queue queue; /**< without permits; closed when it is cancelled */
};

int pollrt_token_create(struct pollrt_token **result)
{
	struct pollrt_token *token = calloc(1, sizeof(*token));

	if (!token)
		return -ENOMEM;
	atomic_init(&token->refs, 1);
	pthread_mutex_init(&token->lock, NULL);
	wait_queue_init(&token->queue, &token->lock, 0, 0);
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

void pollrt_token_cancel(struct pollrt_token *token)
{
	/* What came before is seen by who acquires it. */
	atomic_store_explicit(&token->cancelled, true, memory_order_release);
	pthread_mutex_lock(&token->lock);
	wait_queue_close_unlock(&token->queue);
}

bool pollrt_token_is_cancelled(const struct pollrt_token *token)
{
	return atomic_load_explicit(&token->cancelled, memory_order_acquire);
}

enum pollrt_poll pollrt_cancelled(struct pollrt_cancelled *self, struct pollrt_cx *cx)
{
	return wait_queue_await(&self->token->queue, &self->waiter, 1, cx);
}
