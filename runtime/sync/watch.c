// SPDX-License-Identifier: MIT
/* Versions tell a receiver whether it has seen the value, so no wake-up is missed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sync/wait_queue.h"

struct pollrt_watch {
	size_t size;
	pthread_mutex_t lock; /**< of all that follows */
	size_t refs;          /**< of the sender and of each receiver */
	uint64_t version;
	struct pollrt_wait_queue changes; /**< never has a permit; closed with the sender */
	_Alignas(max_align_t) unsigned char value[];
};

int pollrt_watch_create(struct pollrt_watch **result, size_t size, const void *value)
{
	struct pollrt_watch *watch;

	if (!size || size > PTRDIFF_MAX / 2)
		return -EINVAL;
	watch = malloc(sizeof(*watch) + size);
	if (!watch)
		return -ENOMEM;
	watch->size = size;
	pthread_mutex_init(&watch->lock, NULL);
	watch->refs = 1;
	watch->version = 0;
	wait_queue_init(&watch->changes, &watch->lock, 0, 0);
	memcpy(watch->value, value, size);
	*result = watch;
	return 0;
}

static void drop_ref(struct pollrt_watch *watch)
{
	bool last;

	pthread_mutex_lock(&watch->lock);
	last = !--watch->refs;
	pthread_mutex_unlock(&watch->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

void pollrt_watch_close(struct pollrt_watch *watch)
{
	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	wait_queue_close_unlock(&watch->changes);
	drop_ref(watch);
}

void pollrt_watch_send(struct pollrt_watch *watch, const void *value)
{
	pthread_mutex_lock(&watch->lock);
	memcpy(watch->value, value, watch->size);
	watch->version++;
	wait_queue_wake_all_unlock(&watch->changes);
}

void pollrt_watch_subscribe(struct pollrt_watch_receiver *receiver, struct pollrt_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->refs++;
	*receiver = (struct pollrt_watch_receiver){.watch = watch, .seen = watch->version};
	pthread_mutex_unlock(&watch->lock);
}

void pollrt_watch_unsubscribe(struct pollrt_watch_receiver *receiver)
{
	drop_ref(receiver->watch);
	receiver->watch = NULL;
}

void pollrt_watch_get(struct pollrt_watch_receiver *receiver, void *value)
{
	struct pollrt_watch *watch = receiver->watch;

	pthread_mutex_lock(&watch->lock);
	memcpy(value, watch->value, watch->size);
	receiver->seen = watch->version;
	pthread_mutex_unlock(&watch->lock);
}

enum pollrt_poll pollrt_watch_changed(struct pollrt_watch_changed *self, struct pollrt_cx *cx)
{
	struct pollrt_watch *watch = self->receiver->watch;
	bool changed;
	int err;

	pthread_mutex_lock(&watch->lock);
	changed = watch->version != self->receiver->seen;
	err = wait_queue_poll(&watch->changes, &self->waiter, changed ? 0 : 1, cx);
	pthread_mutex_unlock(&watch->lock);
	/* Closed before the last value's wake-up came: it is to be seen all the same. */
	self->status = changed ? 0 : err;
	return wait_queue_result(err, cx);
}

int pollrt_watch_changed_blocking(struct pollrt_watch_receiver *receiver)
{
	struct pollrt_watch *watch = receiver->watch;
	int err;

	pthread_mutex_lock(&watch->lock);
	err = wait_queue_block(&watch->changes, watch->version != receiver->seen ? 0 : 1);
	if (watch->version != receiver->seen)
		err = 0;
	pthread_mutex_unlock(&watch->lock);
	return err;
}
