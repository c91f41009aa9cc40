// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sync/wait_queue.h"

struct oneshot;

struct pollrt_oneshot_sender {
	struct oneshot *oneshot;
};

struct pollrt_oneshot_receiver {
	struct oneshot *oneshot;
	bool alone; /**< has seen under the lock that the sender is gone, and needs it no more */
};

struct oneshot {
	struct pollrt_oneshot_sender sender;
	struct pollrt_oneshot_receiver receiver;
	size_t item_size;
	pollrt_drop_fn drop;
	pthread_mutex_t lock;          /**< of all that follows */
	bool sending;                  /**< the sender is there */
	bool receiving;                /**< the receiver is there */
	bool full;                     /**< the item is there; then the sender is not */
	struct pollrt_wait_queue sent; /**< a permit for the item; closed with the sender */
	struct pollrt_wait_queue gone; /**< never has a permit; closed with the receiver */
	_Alignas(max_align_t) unsigned char item[];
};

int pollrt_oneshot_create(struct pollrt_oneshot_sender **sender,
			  struct pollrt_oneshot_receiver **receiver, size_t item_size,
			  pollrt_drop_fn drop)
{
	struct oneshot *oneshot;

	if (!item_size || item_size > PTRDIFF_MAX / 2)
		return -EINVAL;
	oneshot = malloc(sizeof(*oneshot) + item_size);
	if (!oneshot)
		return -ENOMEM;
	*oneshot = (struct oneshot){
		.sender = {oneshot},
		.receiver = {.oneshot = oneshot},
		.item_size = item_size,
		.drop = drop,
		.sending = true,
		.receiving = true,
	};
	pthread_mutex_init(&oneshot->lock, NULL);
	wait_queue_init(&oneshot->sent, &oneshot->lock, 0, 1);
	wait_queue_init(&oneshot->gone, &oneshot->lock, 0, 0);
	*sender = &oneshot->sender;
	*receiver = &oneshot->receiver;
	return 0;
}

static void oneshot_free(struct oneshot *oneshot)
{
	pthread_mutex_destroy(&oneshot->lock);
	free(oneshot);
}

/* Gives up the sender, with an item or NULL. */
static int send_close(struct oneshot *oneshot, const void *item)
{
	struct wake_list wakes;
	bool wanted;

	wake_list_init(&wakes);
	pthread_mutex_lock(&oneshot->lock);
	oneshot->sending = false;
	wanted = oneshot->receiving;
	if (wanted && item) {
		memcpy(oneshot->item, item, oneshot->item_size);
		oneshot->full = true;
		wait_queue_release(&oneshot->sent, 1, &wakes);
	}
	wait_queue_close_unlock(&oneshot->sent);
	wake_list_run(&wakes);
	if (wanted)
		return 0;
	oneshot_free(oneshot);
	return -EPIPE;
}

int pollrt_oneshot_send(struct pollrt_oneshot_sender *sender, const void *item)
{
	return send_close(sender->oneshot, item);
}

void pollrt_oneshot_sender_close(struct pollrt_oneshot_sender *sender)
{
	if (sender)
		send_close(sender->oneshot, NULL);
}

/* Frees what both sides have given up. */
static void drop_unreceived(struct oneshot *oneshot)
{
	if (oneshot->full && oneshot->drop)
		oneshot->drop(oneshot->item);
	oneshot_free(oneshot);
}

void pollrt_oneshot_receiver_close(struct pollrt_oneshot_receiver *receiver)
{
	struct oneshot *oneshot;
	bool last;

	if (!receiver)
		return;
	oneshot = receiver->oneshot;
	if (receiver->alone) {
		drop_unreceived(oneshot);
		return;
	}
	pthread_mutex_lock(&oneshot->lock);
	oneshot->receiving = false;
	last = !oneshot->sending;
	wait_queue_close_unlock(&oneshot->gone);
	if (last)
		drop_unreceived(oneshot);
}

/* Moves out the item that was waited for, unless @err says that there is none; unlocks. */
static int get_unlock(struct oneshot *oneshot, void *item, int err)
{
	if (!err) {
		memcpy(item, oneshot->item, oneshot->item_size);
		oneshot->full = false;
	}
	oneshot->receiver.alone = !oneshot->sending;
	pthread_mutex_unlock(&oneshot->lock);
	return err;
}

enum pollrt_poll pollrt_oneshot_recv(struct pollrt_oneshot_recv *self, struct pollrt_cx *cx)
{
	struct oneshot *oneshot = self->receiver->oneshot;
	int err;

	pthread_mutex_lock(&oneshot->lock);
	err = wait_queue_poll(&oneshot->sent, &self->waiter, 1, cx);
	self->status = get_unlock(oneshot, self->item, err);
	return wait_queue_result(self->status, cx);
}

int pollrt_oneshot_try_recv(struct pollrt_oneshot_receiver *receiver, void *item)
{
	struct oneshot *oneshot = receiver->oneshot;

	pthread_mutex_lock(&oneshot->lock);
	return get_unlock(oneshot, item, wait_queue_try(&oneshot->sent, 1));
}

int pollrt_oneshot_recv_blocking(struct pollrt_oneshot_receiver *receiver, void *item)
{
	struct oneshot *oneshot = receiver->oneshot;

	pthread_mutex_lock(&oneshot->lock);
	return get_unlock(oneshot, item, wait_queue_block(&oneshot->sent, 1));
}

enum pollrt_poll pollrt_oneshot_closed(struct pollrt_oneshot_closed *self, struct pollrt_cx *cx)
{
	return wait_queue_await(&self->sender->oneshot->gone, &self->waiter, 1, cx);
}
