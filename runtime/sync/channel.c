// SPDX-License-Identifier: MIT
/*
 * A channel is a queue of items between two wait queues: `room` has a permit for each item that may
 * still be sent (without bound: practically always one), `items` one for each that can be received.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "sync/item_queue.h"
#include "probes.h"
#include "sync/wait_queue.h"

struct channel;

struct pollrt_sender {
	struct channel *channel;
};

struct pollrt_receiver {
	struct channel *channel;
};

struct channel {
	struct pollrt_sender sender;     /**< what all senders point to */
	struct pollrt_receiver receiver; /**< what the receiver points to */
	uint64_t id;
	uint32_t capacity; /**< 0: unbounded */
	pollrt_drop_fn drop;
	_Atomic unsigned int refs; /**< one of all senders together, one of the receiver */
	pthread_mutex_t lock;      /**< of all that follows */
	size_t senders;
	bool receiving; /**< the receiver is there */
	struct item_queue queue;
	struct pollrt_wait_queue room;
	struct pollrt_wait_queue items;
};

static uint64_t new_id(void)
{
	static _Atomic uint64_t last;

	return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

int pollrt_channel_create_drop(struct pollrt_sender **sender, struct pollrt_receiver **receiver,
			       size_t item_size, uint32_t capacity, pollrt_drop_fn drop)
{
	struct channel *channel;

	if (!item_size || item_size > PTRDIFF_MAX / 2)
		return -EINVAL;
	channel = calloc(1, sizeof(*channel));
	if (!channel)
		return -ENOMEM;
	channel->sender.channel = channel;
	channel->receiver.channel = channel;
	channel->id = new_id();
	channel->capacity = capacity;
	channel->drop = drop;
	atomic_init(&channel->refs, 2);
	pthread_mutex_init(&channel->lock, NULL);
	channel->senders = 1;
	channel->receiving = true;
	item_queue_init(&channel->queue, item_size, capacity);
	wait_queue_init(&channel->room, &channel->lock, capacity ? capacity : SIZE_MAX, SIZE_MAX);
	wait_queue_init(&channel->items, &channel->lock, 0, SIZE_MAX);
	*sender = &channel->sender;
	*receiver = &channel->receiver;
	return 0;
}

int pollrt_channel_create(struct pollrt_sender **sender, struct pollrt_receiver **receiver,
			  size_t item_size, uint32_t capacity)
{
	return pollrt_channel_create_drop(sender, receiver, item_size, capacity, NULL);
}

/* After all that one side does, also where it tells the other side that it is gone. */
static void channel_unref(struct channel *channel)
{
	if (atomic_fetch_sub_explicit(&channel->refs, 1, memory_order_acq_rel) != 1)
		return;
	pthread_mutex_destroy(&channel->lock);
	free(channel);
}

struct pollrt_sender *pollrt_sender_clone(struct pollrt_sender *sender)
{
	struct channel *channel = sender->channel;

	pthread_mutex_lock(&channel->lock);
	channel->senders++;
	pthread_mutex_unlock(&channel->lock);
	return sender;
}

void pollrt_sender_close(struct pollrt_sender *sender)
{
	struct channel *channel;

	if (!sender)
		return;
	channel = sender->channel;
	pthread_mutex_lock(&channel->lock);
	if (--channel->senders) {
		pthread_mutex_unlock(&channel->lock);
		return;
	}
	wait_queue_close_unlock(&channel->items);
	channel_unref(channel);
}

void pollrt_receiver_close(struct pollrt_receiver *receiver)
{
	struct item_queue left;
	struct channel *channel;

	if (!receiver)
		return;
	channel = receiver->channel;
	pthread_mutex_lock(&channel->lock);
	channel->receiving = false;
	left = channel->queue;
	item_queue_init(&channel->queue, left.item_size, channel->capacity);
	wait_queue_close_unlock(&channel->room);
	item_queue_clear(&left, channel->drop);
	channel_unref(channel);
}

static uint32_t probe_depth(const struct channel *channel)
{
	size_t length = channel->queue.length;

	return length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
}

/*
 * Puts in the item of a sender that has room, unless @err says that it has not; unlocks. The probe
 * fires before the receiver is woken, so that they come in this order, but not under the lock: it
 * may cost a trap.
 */
static int put_unlock(struct channel *channel, const void *item, int err)
{
	struct wake_list wakes;
	uint32_t depth;

	if (!err && !channel->receiving)
		err = -EPIPE;
	wake_list_init(&wakes);
	if (!err) {
		err = item_queue_push(&channel->queue, item);
		wait_queue_release(err ? &channel->room : &channel->items, 1, &wakes);
	}
	depth = probe_depth(channel);
	pthread_mutex_unlock(&channel->lock);
	if (!err)
		probe_channel_send(channel->id, depth, channel->capacity);
	wake_list_run(&wakes);
	return err;
}

/* The same for a receiver that has an item. */
static int get_unlock(struct channel *channel, void *item, int err)
{
	struct wake_list wakes;
	uint32_t depth;

	wake_list_init(&wakes);
	if (!err) {
		item_queue_pop(&channel->queue, item);
		wait_queue_release(&channel->room, 1, &wakes);
	}
	depth = probe_depth(channel);
	pthread_mutex_unlock(&channel->lock);
	if (!err)
		probe_channel_recv(channel->id, depth, channel->capacity);
	wake_list_run(&wakes);
	return err;
}

enum pollrt_poll pollrt_send(struct pollrt_send *self, struct pollrt_cx *cx)
{
	struct channel *channel = self->sender->channel;
	int err;

	pthread_mutex_lock(&channel->lock);
	err = wait_queue_poll(&channel->room, &self->waiter, 1, cx);
	self->status = put_unlock(channel, self->item, err);
	return wait_queue_result(self->status, cx);
}

int pollrt_try_send(struct pollrt_sender *sender, const void *item)
{
	struct channel *channel = sender->channel;

	pthread_mutex_lock(&channel->lock);
	return put_unlock(channel, item, wait_queue_try(&channel->room, 1));
}

int pollrt_send_blocking(struct pollrt_sender *sender, const void *item)
{
	struct channel *channel = sender->channel;

	pthread_mutex_lock(&channel->lock);
	return put_unlock(channel, item, wait_queue_block(&channel->room, 1));
}

enum pollrt_poll pollrt_recv(struct pollrt_recv *self, struct pollrt_cx *cx)
{
	struct channel *channel = self->receiver->channel;
	int err;

	pthread_mutex_lock(&channel->lock);
	err = wait_queue_poll(&channel->items, &self->waiter, 1, cx);
	self->status = get_unlock(channel, self->item, err);
	return wait_queue_result(self->status, cx);
}

int pollrt_try_recv(struct pollrt_receiver *receiver, void *item)
{
	struct channel *channel = receiver->channel;

	pthread_mutex_lock(&channel->lock);
	return get_unlock(channel, item, wait_queue_try(&channel->items, 1));
}

int pollrt_recv_blocking(struct pollrt_receiver *receiver, void *item)
{
	struct channel *channel = receiver->channel;

	pthread_mutex_lock(&channel->lock);
	return get_unlock(channel, item, wait_queue_block(&channel->items, 1));
}

size_t pollrt_channel_depth(const struct pollrt_receiver *receiver)
{
	struct channel *channel = receiver->channel;
	size_t length;

	pthread_mutex_lock(&channel->lock);
	length = channel->queue.length;
	pthread_mutex_unlock(&channel->lock);
	return length;
}
