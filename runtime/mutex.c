// SPDX-License-Identifier: MIT
/* A mutex is a semaphore of one permit. */
#include "pollrt_sync.h"

void pollrt_mutex_init(struct pollrt_mutex *mutex)
{
	pollrt_semaphore_init(&mutex->semaphore, 1);
}

enum pollrt_poll pollrt_lock(struct pollrt_lock *self, struct pollrt_cx *cx)
{
	self->acquire.semaphore = &self->mutex->semaphore;
	return pollrt_acquire(&self->acquire, cx);
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
