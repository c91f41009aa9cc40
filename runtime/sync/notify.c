// SPDX-License-Identifier: MIT
#include "sync/wait_queue.h"

void pollrt_notify_init(struct pollrt_notify *notify)
{
	pthread_mutex_init(&notify->lock, NULL);
	wait_queue_init(&notify->queue, &notify->lock, 0, 1);
	notify->rounds = 1;
}

void pollrt_notify_one(struct pollrt_notify *notify)
{
	pthread_mutex_lock(&notify->lock);
	wait_queue_release_unlock(&notify->queue, 1);
}

void pollrt_notify_all(struct pollrt_notify *notify)
{
	pthread_mutex_lock(&notify->lock);
	notify->rounds++;
	wait_queue_wake_all_unlock(&notify->queue);
}

enum pollrt_poll pollrt_notified(struct pollrt_notified *self, struct pollrt_cx *cx)
{
	struct pollrt_notify *notify = self->notify;
	bool missed;
	int err;

	pthread_mutex_lock(&notify->lock);
	missed = self->round && self->round != notify->rounds;
	err = wait_queue_poll(&notify->queue, &self->waiter, missed ? 0 : 1, cx);
	pthread_mutex_unlock(&notify->lock);
	return wait_queue_result(err, cx);
}

struct pollrt_notified pollrt_notified_from(struct pollrt_notify *notify)
{
	struct pollrt_notified notified = {.notify = notify};

	pthread_mutex_lock(&notify->lock);
	notified.round = notify->rounds;
	pthread_mutex_unlock(&notify->lock);
	return notified;
}
