/* SPDX-License-Identifier: MIT */
/* What the actors of the stress test do, and the world that they share. */
#ifndef TESTS_RUNTIME_STRESS_ACTS_H
#define TESTS_RUNTIME_STRESS_ACTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "pollrt_io.h"
#include "random.h"
#include "stress_sync.h"

#define SLOTS 32u
#define HANDLES 64u
#define CHILDREN 4u

/* Signals that are counted: none may be lost. */
struct slot {
	pthread_mutex_t lock;
	bool owned;
	unsigned int signals;
	struct pollrt_waker waker;
};

struct world {
	struct pollrt_runtime *rt;
	struct slot slots[SLOTS];
	struct commons commons;
	pthread_mutex_t lock;
	struct pollrt_join handles[HANDLES];
	_Atomic uint64_t seeds;
	_Atomic uint64_t spawned;
	_Atomic uint64_t dropped;
	_Atomic unsigned int users; /* foreign threads in the runtime's functions */
	_Atomic bool quiet;         /* they only signal from now on */
	_Atomic bool stop;
};

static uint64_t new_seed(struct world *world)
{
	uint64_t seed = atomic_fetch_add(&world->seeds, 0x9e3779b97f4a7c15u);

	next_random(&seed);
	return seed;
}

static void signal_slot(struct slot *slot, uint64_t dice)
{
	struct pollrt_waker waker;

	pthread_mutex_lock(&slot->lock);
	slot->signals++;
	waker = pollrt_waker_clone(&slot->waker);
	pthread_mutex_unlock(&slot->lock);
	if (dice % 4 == 0)
		pollrt_waker_wake_by_ref(&waker);
	if (dice % 4 == 1)
		pollrt_waker_wake_by_ref(&waker);
	pollrt_waker_wake(&waker);
}

enum act {
	ACT_YIELD,
	ACT_TREE,
	ACT_SLOT,
	ACT_SIGNAL,
	ACT_SLEEP,
	ACT_JOB,
	ACT_SHARE,
	ACT_PLACE,
	ACT_CHOOSE,
	ACT_TALK,
	ACT_ECHO, /* spawned by ACT_TALK only; the last */
};

int spawn_actor(struct world *world, struct pollrt_join *join, unsigned int depth);
int spawn_echo(struct world *world, int fd);

struct act_yield {
	struct pollrt_async async;
	unsigned int left;
};

static POLLRT_ASYNC(act_yield)
{
	POLLRT_BEGIN();
	while (self->left--)
		POLLRT_YIELD();
	POLLRT_END();
}

struct act_tree {
	struct pollrt_async async;
	struct world *world;
	uint64_t *seed;
	unsigned int depth;
	unsigned int i;
	struct pollrt_timeout timeout;
	struct pollrt_join children[CHILDREN];
};

static POLLRT_ASYNC(act_tree)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->depth && self->i < CHILDREN; self->i++)
		spawn_actor(self->world, &self->children[self->i], self->depth - 1);
	if (next_random(self->seed) % 2)
		POLLRT_YIELD();
	for (self->i = 0; self->i < CHILDREN; self->i++) {
		if (!self->children[self->i].task)
			continue;
		if (next_random(self->seed) % 3 == 0)
			pollrt_join_abort(&self->children[self->i]);
		if (next_random(self->seed) % 4 == 0)
			POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(next_random(self->seed) % 3),
					     pollrt_join(&self->children[self->i], cx));
		else if (next_random(self->seed) % 4)
			POLLRT_AWAIT(pollrt_join(&self->children[self->i], cx));
		pollrt_join_detach(&self->children[self->i]);
	}
	POLLRT_END();
}

struct act_slot {
	struct pollrt_async async;
	struct slot *slot;
	unsigned int target;
	bool owner;
	struct pollrt_cleanup cleanup;
};

static void release_slot(struct pollrt_cleanup *cleanup)
{
	struct act_slot *self = POLLRT_CONTAINER_OF(cleanup, struct act_slot, cleanup);
	struct pollrt_waker waker;

	pthread_mutex_lock(&self->slot->lock);
	waker = self->slot->waker;
	self->slot->waker.task = NULL;
	self->slot->owned = false;
	pthread_mutex_unlock(&self->slot->lock);
	pollrt_waker_drop(&waker);
}

static bool claim_slot(struct act_slot *self)
{
	bool claimed;

	pthread_mutex_lock(&self->slot->lock);
	claimed = !self->slot->owned;
	self->slot->owned = true;
	if (claimed)
		self->slot->signals = 0;
	pthread_mutex_unlock(&self->slot->lock);
	return claimed;
}

static enum pollrt_poll wait_signals(struct act_slot *self, struct pollrt_cx *cx)
{
	struct pollrt_waker old = {0};
	enum pollrt_poll poll;

	pthread_mutex_lock(&self->slot->lock);
	poll = self->slot->signals >= self->target ? POLLRT_READY : POLLRT_PENDING;
	if (poll == POLLRT_PENDING && !pollrt_waker_will_wake(&self->slot->waker, cx)) {
		old = self->slot->waker;
		self->slot->waker = pollrt_waker(cx);
	}
	pthread_mutex_unlock(&self->slot->lock);
	pollrt_waker_drop(&old);
	return poll;
}

static POLLRT_ASYNC(act_slot)
{
	POLLRT_BEGIN();
	if (!claim_slot(self))
		POLLRT_RETURN();
	pollrt_defer(cx, &self->cleanup, release_slot);
	POLLRT_AWAIT(wait_signals(self, cx));
	pollrt_undefer(&self->cleanup);
	release_slot(&self->cleanup);
	POLLRT_END();
}

struct act_signal {
	struct pollrt_async async;
	struct world *world;
	uint64_t *seed;
	unsigned int left;
};

static POLLRT_ASYNC(act_signal)
{
	uint64_t dice;

	POLLRT_BEGIN();
	while (self->left--) {
		dice = next_random(self->seed);
		signal_slot(&self->world->slots[dice % SLOTS], dice / SLOTS);
		if (dice % 8 == 0)
			POLLRT_YIELD();
	}
	POLLRT_END();
}

/* Timers that race with wakes from elsewhere, with each other, and with the abort of the task. */
struct act_sleep {
	struct pollrt_async async;
	struct world *world;
	uint64_t *seed;
	unsigned int left;
	struct pollrt_sleep sleep;
	struct pollrt_interval interval;
	struct pollrt_timeout timeout;
	struct act_slot slot;
};

static POLLRT_ASYNC(act_sleep)
{
	POLLRT_BEGIN();
	while (self->left--) {
		self->slot = (struct act_slot){
			.slot = &self->world->slots[next_random(self->seed) % SLOTS], .target = 3};
		POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(next_random(self->seed) % 3),
				     act_slot(&self->slot, cx));
		POLLRT_SLEEP(self->sleep, POLLRT_US(next_random(self->seed) % 2000));
		self->interval.period_ns = POLLRT_MS(1);
		POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(1),
				     pollrt_interval_tick(&self->interval, cx));
		self->interval = (struct pollrt_interval){0};
	}
	POLLRT_END();
}

struct job {
	struct world *world;
	uint64_t seed;
};

static void job(struct job *self)
{
	uint64_t dice = next_random(&self->seed);

	signal_slot(&self->world->slots[dice % SLOTS], dice);
	if (dice % 3 == 0)
		spawn_actor(self->world, NULL, 0);
	if (dice % 5 == 0)
		usleep((useconds_t)(dice % 2000));
}

struct act_job {
	struct pollrt_async async;
	struct world *world;
	uint64_t *seed;
	unsigned int left;
	struct pollrt_join join;
};

static POLLRT_ASYNC(act_job)
{
	POLLRT_BEGIN();
	while (self->left--) {
		if (pollrt_spawn_blocking(NULL, &self->join, job, .world = self->world,
					  .seed = *self->seed))
			continue;
		if (next_random(self->seed) % 4 == 0)
			pollrt_join_abort(&self->join);
		if (next_random(self->seed) % 4)
			POLLRT_AWAIT(pollrt_join(&self->join, cx));
		pollrt_join_detach(&self->join);
	}
	POLLRT_END();
}

/* Blocks its thread and not its worker, or a worker that nobody could take over. */
struct act_place {
	struct pollrt_async async;
	struct world *world;
	uint64_t *seed;
	unsigned int left;
	unsigned int calls;
	unsigned int ran;
};

static void block(struct act_place *self)
{
	uint64_t dice = next_random(self->seed);

	self->ran++;
	signal_slot(&self->world->slots[dice % SLOTS], dice);
	if (dice % 3 == 0)
		spawn_actor(self->world, NULL, 0);
	if (dice % 5 == 0)
		usleep((useconds_t)(dice % 500));
	if (dice % 7 == 0)
		pollrt_block_on(self->world->rt, act_yield, &(struct act_yield){.left = 3});
	if (dice % 11 == 0)
		CHECK(!pollrt_block_in_place(block, self));
}

static POLLRT_ASYNC(act_place)
{
	POLLRT_BEGIN();
	while (self->left--) {
		self->calls += !pollrt_block_in_place(block, self);
		CHECK(self->ran >= self->calls);
		if (next_random(self->seed) % 2)
			POLLRT_YIELD();
	}
	POLLRT_END();
}

/* One end of a socket pair; ACT_ECHO is the other. */
struct act_talk {
	struct pollrt_async async;
	struct world *world;
	struct pollrt_io *io;
	int fd; /* the echo's, to be opened by it */
	bool echo;
	unsigned int left;
	size_t got;
	ssize_t n;
	char buffer[256];
	struct pollrt_write_all write;
};

static POLLRT_ASYNC(act_talk)
{
	int fds[2];

	POLLRT_BEGIN();
	if (self->echo) {
		if (pollrt_io_open(&self->io, NULL, self->fd))
			close(self->fd);
		self->fd = -1;
	} else if (!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		if (pollrt_io_open(&self->io, NULL, fds[0]))
			close(fds[0]);
		if (spawn_echo(self->world, fds[1]))
			close(fds[1]);
	}
	if (!self->io)
		POLLRT_RETURN();
	for (; self->echo || self->left; self->left -= !self->echo) {
		if (!self->echo)
			POLLRT_CALL(self->write, pollrt_write_all, .io = self->io,
				    .buffer = self->buffer, .size = sizeof(self->buffer));
		for (self->got = 0; self->got < sizeof(self->buffer);
		     self->got += (size_t)self->n) {
			POLLRT_AWAIT(pollrt_read(self->io, self->buffer + self->got,
						 sizeof(self->buffer) - self->got, &self->n, cx));
			if (self->n <= 0)
				POLLRT_RETURN();
		}
		if (self->echo)
			POLLRT_CALL(self->write, pollrt_write_all, .io = self->io,
				    .buffer = self->buffer, .size = sizeof(self->buffer));
	}
	POLLRT_END();
}

#endif
