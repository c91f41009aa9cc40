// SPDX-License-Identifier: MIT
#include "sync/wait_queue.h"

void pollrt_semaphore_init(struct pollrt_semaphore *semaphore, size_t permits)
{
	pthread_mutex_init(&semaphore->lock, NULL);
	wait_queue_init(&semaphore->queue, &semaphore->lock, permits, SIZE_MAX);
}

enum pollrt_poll pollrt_acquire(struct pollrt_acquire *self, struct pollrt_cx *cx)
{
	if (!self->permits)
		self->permits = 1;
	return wait_queue_await(&self->semaphore->queue, &self->waiter, self->permits, cx);
}

static void acquire_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_acquire *self =
		POLLRT_CONTAINER_OF(cleanup, struct pollrt_acquire, waiter.cleanup);

	pollrt_release(self->semaphore, self->permits);
}

void pollrt_acquire_hold(struct pollrt_acquire *self, struct pollrt_cx *cx)
{
	pollrt_defer(cx, &self->waiter.cleanup, acquire_drop);
}

void pollrt_acquire_release(struct pollrt_acquire *self)
{
	pollrt_undefer(&self->waiter.cleanup);
	pollrt_release(self->semaphore, self->permits);
}

int pollrt_try_acquire(struct pollrt_semaphore *semaphore, size_t permits)
{
	int err;

	pthread_mutex_lock(&semaphore->lock);
	err = wait_queue_try(&semaphore->queue, permits);
	pthread_mutex_unlock(&semaphore->lock);
	return err;
}

void pollrt_acquire_blocking(struct pollrt_semaphore *semaphore, size_t permits)
{
	pthread_mutex_lock(&semaphore->lock);
	wait_queue_block(&semaphore->queue, permits);
	pthread_mutex_unlock(&semaphore->lock);
}

void pollrt_release(struct pollrt_semaphore *semaphore, size_t permits)
{
	pthread_mutex_lock(&semaphore->lock);
	wait_queue_release_unlock(&semaphore->queue, permits);
}

size_t pollrt_semaphore_available(struct pollrt_semaphore *semaphore)
{
	size_t permits;

	pthread_mutex_lock(&semaphore->lock);
	permits = semaphore->queue.permits;
	pthread_mutex_unlock(&semaphore->lock);
	return permits;
}
