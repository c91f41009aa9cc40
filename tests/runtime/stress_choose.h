/* SPDX-License-Identifier: MIT */
/* Actors that select, with tasks of their own in a set, and that lose most of what they start. */
#ifndef TESTS_RUNTIME_STRESS_CHOOSE_H
#define TESTS_RUNTIME_STRESS_CHOOSE_H

#include <fcntl.h>

#include "check.h"
#include "pollrt_io.h"
#include "pollrt_select.h"
#include "random.h"

#define CHOOSE_MEMBERS 6u

/* Yields a little, or waits until it is told. */
struct member {
	struct pollrt_async async;
	struct pollrt_token *token;
	unsigned int left;
	struct pollrt_cancelled cancelled;
};

static POLLRT_ASYNC(member)
{
	POLLRT_BEGIN();
	if (self->left % 2)
		POLLRT_CALL(self->cancelled, pollrt_cancelled, .token = self->token);
	while (self->left--)
		POLLRT_YIELD();
	POLLRT_END();
}

static void member_drop(struct member *self)
{
	pollrt_token_release(self->token);
}

struct act_choose {
	struct pollrt_async async;
	uint64_t *seed;
	unsigned int left;
	uint64_t dice;
	struct pollrt_token *token;
	struct pollrt_join_set *set;
	struct pollrt_join_next next;
	struct pollrt_cancelled cancelled;
	struct pollrt_file_open open;
	struct pollrt_sleep sleep;
	struct pollrt_select select;
};

/* A new token, after telling those that wait for the old one. */
static void choose_tell(struct act_choose *self)
{
	if (self->token) {
		pollrt_token_cancel(self->token);
		CHECK(pollrt_token_is_cancelled(self->token));
		pollrt_token_release(self->token);
	}
	CHECK(!pollrt_token_create(&self->token));
}

static void choose_start(struct act_choose *self)
{
	self->dice = next_random(self->seed);
	if (self->dice % 4 == 0)
		choose_tell(self);
	if (self->dice / 4 % 8 == 0)
		pollrt_join_set_abort_all(self->set);
	/* At shutdown it is refused, and nothing is left behind. */
	if (pollrt_join_set_count(self->set) < CHOOSE_MEMBERS &&
	    pollrt_join_set_spawn_drop(NULL, self->set, member, member_drop,
				       .token = pollrt_token_clone(self->token),
				       .left = self->dice / 32 % 8))
		pollrt_token_release(self->token);
	self->next = (struct pollrt_join_next){.set = self->set};
	self->cancelled = (struct pollrt_cancelled){.token = self->token};
	self->open = (struct pollrt_file_open){.path = "/dev/null", .flags = O_RDONLY};
	self->sleep = (struct pollrt_sleep){.ns = POLLRT_US(self->dice / 256 % 2000)};
}

static void choose_take(struct act_choose *self)
{
	/* Nobody cancels it while it is awaited. */
	CHECK(self->select.winner != 3);
	if (self->select.winner == 0 && !self->next.status)
		pollrt_join_detach(&self->next.join);
	if (self->select.winner == 1 && !self->open.status)
		pollrt_file_close(self->open.file);
}

static POLLRT_ASYNC(act_choose)
{
	POLLRT_BEGIN();
	choose_tell(self);
	CHECK(!pollrt_join_set_open(&self->set, cx));
	while (self->left--) {
		choose_start(self);
		POLLRT_SELECT(self->select, pollrt_join_next(&self->next, cx),
			      pollrt_file_open(&self->open, cx), pollrt_sleep(&self->sleep, cx),
			      pollrt_cancelled(&self->cancelled, cx),
			      self->dice % 3 ? POLLRT_PENDING : POLLRT_READY);
		choose_take(self);
		if (self->dice / 512 % 8 == 0) {
			pollrt_join_set_drop(self->set);
			CHECK(!pollrt_join_set_open(&self->set, cx));
		}
	}
	choose_tell(self);
	while (pollrt_join_set_count(self->set)) {
		POLLRT_CALL(self->next, pollrt_join_next, .set = self->set);
		CHECK(!self->next.status);
		pollrt_join_detach(&self->next.join);
	}
	POLLRT_END();
}

#endif
