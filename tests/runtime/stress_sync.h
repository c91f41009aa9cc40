/* SPDX-License-Identifier: MIT */
/* Actors that use what all of them share: a channel, a lock, permits, notifications. */
#ifndef TESTS_RUNTIME_STRESS_SYNC_H
#define TESTS_RUNTIME_STRESS_SYNC_H

#include <stdatomic.h>

#include "check.h"
#include "pollrt_sync.h"
#include "random.h"

#define COMMONS_PERMITS 4u
#define COMMONS_CAPACITY 3u

struct commons {
	struct pollrt_sender *sender;
	struct pollrt_receiver *receiver;
	_Atomic uint64_t sent;
	_Atomic uint64_t received;
	struct pollrt_semaphore semaphore;
	struct pollrt_mutex mutex;
	uint64_t guarded; /* by the mutex, and counted once more without it */
	_Atomic uint64_t counted;
	struct pollrt_notify notify;
};

static void commons_open(struct commons *commons)
{
	CHECK(!pollrt_channel_create(&commons->sender, &commons->receiver, sizeof(uint64_t),
				     COMMONS_CAPACITY));
	pollrt_semaphore_init(&commons->semaphore, COMMONS_PERMITS);
	pollrt_mutex_init(&commons->mutex);
	pollrt_notify_init(&commons->notify);
}

/* When all actors are gone: nothing that was granted, sent or locked may be lost. */
static void commons_close(struct commons *commons)
{
	uint64_t left = pollrt_channel_depth(commons->receiver);

	CHECK(commons->sent == commons->received + left);
	for (uint64_t item; left; left--)
		CHECK(!pollrt_try_recv(commons->receiver, &item));
	pollrt_sender_close(commons->sender);
	pollrt_receiver_close(commons->receiver);
	CHECK(pollrt_semaphore_available(&commons->semaphore) == COMMONS_PERMITS);
	CHECK(!pollrt_try_lock(&commons->mutex));
	CHECK(commons->guarded == commons->counted);
}

static void commons_count(struct commons *commons)
{
	commons->guarded++;
	commons->counted++;
}

/* What a thread does there; it sees to it that no sender waits for ever. */
static void commons_visit(struct commons *commons, uint64_t dice)
{
	uint64_t item;

	while (!pollrt_try_recv(commons->receiver, &item))
		commons->received++;
	if (dice % 8 == 0) {
		pollrt_lock_blocking(&commons->mutex);
		commons_count(commons);
		pollrt_unlock(&commons->mutex);
	} else if (dice % 8 == 1) {
		pollrt_notify_one(&commons->notify);
	}
}

enum share_wait {
	SHARE_SEND,
	SHARE_RECV,
	SHARE_LOCK,
	SHARE_ACQUIRE,
	SHARE_NOTIFIED,
};

struct act_share {
	struct pollrt_async async;
	struct commons *commons;
	uint64_t *seed;
	unsigned int left;
	enum share_wait wait;
	uint64_t item;
	union {
		struct pollrt_send send;
		struct pollrt_recv recv;
		struct pollrt_lock lock;
		struct pollrt_acquire acquire;
		struct pollrt_notified notified;
	};
	struct pollrt_timeout timeout;
};

/* Starts one of the waits at random; returns how long it is to last at most. */
static uint64_t share_choose(struct act_share *self)
{
	struct commons *commons = self->commons;
	uint64_t dice = next_random(self->seed);
	uint64_t soon = POLLRT_US(next_random(self->seed) % 3000);

	self->wait = (enum share_wait)(dice % (SHARE_NOTIFIED + 1));
	switch (self->wait) {
	case SHARE_SEND:
		self->send = (struct pollrt_send){.sender = commons->sender, .item = &self->item};
		break;
	case SHARE_LOCK:
		self->lock = (struct pollrt_lock){.mutex = &commons->mutex};
		break;
	case SHARE_ACQUIRE:
		self->acquire = (struct pollrt_acquire){
			.semaphore = &commons->semaphore,
			.permits = 1 + dice / 8 % COMMONS_PERMITS,
		};
		break;
	/* Nobody need come to end these. */
	case SHARE_RECV:
		self->recv =
			(struct pollrt_recv){.receiver = commons->receiver, .item = &self->item};
		return soon;
	default:
		self->notified = pollrt_notified_from(&commons->notify);
		return soon;
	}
	return dice % 2 ? soon : UINT64_MAX;
}

static enum pollrt_poll share_poll(struct act_share *self, struct pollrt_cx *cx)
{
	switch (self->wait) {
	case SHARE_SEND:
		return pollrt_send(&self->send, cx);
	case SHARE_LOCK:
		return pollrt_lock(&self->lock, cx);
	case SHARE_ACQUIRE:
		return pollrt_acquire(&self->acquire, cx);
	case SHARE_RECV:
		return pollrt_recv(&self->recv, cx);
	default:
		return pollrt_notified(&self->notified, cx);
	}
}

/* The wait was over in time: holds what it was for until share_end(). */
static void share_begin(struct act_share *self, struct pollrt_cx *cx)
{
	switch (self->wait) {
	case SHARE_SEND:
		CHECK(!self->send.status);
		self->commons->sent++;
		break;
	case SHARE_LOCK:
		pollrt_lock_hold(&self->lock, cx);
		commons_count(self->commons);
		break;
	case SHARE_ACQUIRE:
		pollrt_acquire_hold(&self->acquire, cx);
		break;
	case SHARE_RECV:
		CHECK(!self->recv.status);
		self->commons->received++;
		break;
	default:
		break;
	}
}

static void share_end(struct act_share *self)
{
	if (self->wait == SHARE_LOCK)
		pollrt_lock_release(&self->lock);
	else if (self->wait == SHARE_ACQUIRE)
		pollrt_acquire_release(&self->acquire);
	else if (next_random(self->seed) % 4)
		pollrt_notify_one(&self->commons->notify);
	else
		pollrt_notify_all(&self->commons->notify);
}

static POLLRT_ASYNC(act_share)
{
	POLLRT_BEGIN();
	while (self->left--) {
		POLLRT_AWAIT_TIMEOUT(self->timeout, share_choose(self), share_poll(self, cx));
		if (self->timeout.status)
			continue;
		share_begin(self, cx);
		if (next_random(self->seed) % 2)
			POLLRT_YIELD();
		share_end(self);
	}
	POLLRT_END();
}

#endif
