// SPDX-License-Identifier: MIT
/* A mutex is a semaphore of one permit. */
#include "sync/wait_queue.h"

void pollrt_mutex_init(struct pollrt_mutex *mutex)
{
	pollrt_semaphore_init(&mutex->semaphore, 1);
}

enum pollrt_poll pollrt_lock(struct pollrt_lock *self, struct pollrt_cx *cx)
{
	self->acquire.semaphore = &self->mutex->semaphore;
	self->acquire.permits = 1;
	return wait_queue_await(&self->mutex->semaphore.queue, &self->acquire.waiter, 1, cx);
}

void pollrt_lock_hold(struct pollrt_lock *self, struct pollrt_cx *cx)
{
	pollrt_acquire_hold(&self->acquire, cx);
}

void pollrt_lock_release(struct pollrt_lock *self)
{
	pollrt_acquire_release(&self->acquire);
}

int pollrt_try_lock(struct pollrt_mutex *mutex)
{
	return pollrt_try_acquire(&mutex->semaphore, 1);
}

void pollrt_lock_blocking(struct pollrt_mutex *mutex)
{
	pollrt_acquire_blocking(&mutex->semaphore, 1);
}

void pollrt_unlock(struct pollrt_mutex *mutex)
{
	pollrt_release(&mutex->semaphore, 1);
}
