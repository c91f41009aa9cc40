// SPDX-License-Identifier: MIT
/* Channels of which one end waits: backpressure, order, and waits that are dropped. */
#include "random.h"
#include "sync_helper.h"

/* ---- backpressure ---- */

#define SENDERS 20u
#define CAPACITY 5u

/* What went in and out, by the programs' own count. */
struct flow {
	struct pollrt_sender *sender;
	struct pollrt_receiver *receiver;
	_Atomic uint64_t sent;
	_Atomic uint64_t received;
	_Atomic uint64_t refused;
	uint64_t deepest; /* the channel's own word for it */
};

struct pusher {
	struct pollrt_async async;
	struct flow *flow;
	unsigned int left;
	uint64_t item;
	struct pollrt_send send;
};

static POLLRT_ASYNC(pusher)
{
	uint64_t sent;

	POLLRT_BEGIN();
	for (; self->left; self->left--) {
		POLLRT_CALL(self->send, pollrt_send, .sender = self->flow->sender,
			    .item = &self->item);
		if (self->send.status) {
			assert_int_equal(self->send.status, -EPIPE);
			self->flow->refused++;
			break;
		}
		sent = ++self->flow->sent;
		/* One item may be out of the channel and not counted yet. */
		assert_true(sent <= self->flow->received + CAPACITY + 1);
	}
	POLLRT_END();
}

struct slow_consumer {
	struct pollrt_async async;
	struct flow *flow;
	uint64_t expected;
	uint64_t item;
	struct pollrt_recv recv;
};

static POLLRT_ASYNC(slow_consumer)
{
	size_t depth;

	POLLRT_BEGIN();
	while (self->flow->received < self->expected) {
		depth = pollrt_channel_depth(self->flow->receiver);
		if (depth > self->flow->deepest)
			self->flow->deepest = depth;
		POLLRT_CALL(self->recv, pollrt_recv, .receiver = self->flow->receiver,
			    .item = &self->item);
		assert_int_equal(self->recv.status, 0);
		self->flow->received++;
		POLLRT_YIELD();
	}
	POLLRT_END();
}

struct is_full {
	struct pollrt_async async;
	const struct flow *flow;
};

static POLLRT_ASYNC(is_full)
{
	POLLRT_BEGIN();
	while (pollrt_channel_depth(self->flow->receiver) < CAPACITY)
		POLLRT_YIELD();
	POLLRT_END();
}

static void push_through_a_small_channel(struct pollrt_runtime *rt)
{
	struct pollrt_join joins[SENDERS];
	struct flow flow = {0};

	pollrt_channel_create(&flow.sender, &flow.receiver, sizeof(uint64_t), CAPACITY);
	for (unsigned int i = 0; i < SENDERS; i++)
		pollrt_spawn(rt, &joins[i], pusher, .flow = &flow, .left = 100);
	pollrt_block_on(rt, is_full, &(struct is_full){.flow = &flow});
	pollrt_block_on(rt, slow_consumer,
			&(struct slow_consumer){.flow = &flow, .expected = SENDERS * 100});
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = SENDERS});
	assert_int_equal(flow.sent, SENDERS * 100);
	assert_int_equal(flow.deepest, CAPACITY);
	pollrt_sender_close(flow.sender);
	pollrt_receiver_close(flow.receiver);
}

static void senders_wait_while_a_channel_is_full(void **state)
{
	(void)state;
	sync_on_each_flavour(push_through_a_small_channel);
}

struct quitter {
	struct pollrt_async async;
	struct flow *flow;
	struct slow_consumer consumer;
};

static POLLRT_ASYNC(quitter)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->consumer, slow_consumer, .flow = self->flow, .expected = 10);
	pollrt_receiver_close(self->flow->receiver);
	POLLRT_END();
}

static void close_before_those_who_wait(struct pollrt_runtime *rt)
{
	struct pollrt_join joins[100];
	struct flow flow = {0};

	pollrt_channel_create(&flow.sender, &flow.receiver, sizeof(uint64_t), 1);
	for (unsigned int i = 0; i < 100; i++)
		pollrt_spawn(rt, &joins[i], pusher, .flow = &flow, .left = 100);
	pollrt_block_on(rt, quitter, &(struct quitter){.flow = &flow});
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 100});
	assert_int_equal(flow.refused, 100);
	assert_int_equal(flow.received, 10);
	assert_true(flow.sent == 10 || flow.sent == 11);
	pollrt_sender_close(flow.sender);
}

static void senders_that_wait_learn_that_the_receiver_is_gone(void **state)
{
	(void)state;
	sync_on_each_flavour(close_before_those_who_wait);
}

/* ---- order ---- */

struct numbered {
	struct pollrt_async async;
	struct pollrt_sender *sender;
	uint64_t number;
	struct pollrt_send send;
};

static POLLRT_ASYNC(numbered)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->send, pollrt_send, .sender = self->sender, .item = &self->number);
	POLLRT_END();
}

static void numbered_drop(struct numbered *self)
{
	pollrt_sender_close(self->sender);
}

static void senders_are_served_in_the_order_of_coming(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	uint64_t item;

	(void)state;
	pollrt_channel_create(&sender, &receiver, sizeof(uint64_t), 1);
	for (uint64_t i = 0; i < 50; i++) {
		pollrt_spawn_drop(rt, NULL, numbered, numbered_drop,
				  .sender = pollrt_sender_clone(sender), .number = i);
		pollrt_block_on(rt, yields, &(struct yields){.left = 3});
	}
	for (uint64_t i = 0; i < 50; i++) {
		assert_int_equal(pollrt_try_recv(receiver, &item), 0);
		assert_int_equal(item, i);
		/* Nobody overtakes those who wait, though the channel is empty for a moment. */
		if (i < 49)
			assert_int_equal(pollrt_try_send(sender, &item), -EAGAIN);
		pollrt_block_on(rt, yields, &(struct yields){.left = 3});
	}
	pollrt_sender_close(sender);
	assert_int_equal(pollrt_try_recv(receiver, &item), -EPIPE);
	pollrt_receiver_close(receiver);
	helper_finish(rt);
}

/* ---- being dropped ---- */

struct impatient {
	struct pollrt_async async;
	struct flow *flow;
	uint64_t item;
	struct pollrt_send send;
	struct pollrt_recv recv;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(impatient)
{
	POLLRT_BEGIN();
	/* Full: there is no room in time. */
	assert_int_equal(pollrt_try_send(self->flow->sender, &self->item), 0);
	self->send = (struct pollrt_send){.sender = self->flow->sender, .item = &self->item};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), pollrt_send(&self->send, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	/* It has left the queue: somebody else finds the room. */
	assert_int_equal(pollrt_try_recv(self->flow->receiver, &self->item), 0);
	assert_int_equal(pollrt_try_send(self->flow->sender, &self->item), 0);
	assert_int_equal(pollrt_try_recv(self->flow->receiver, &self->item), 0);
	/* Empty: there is nothing in time. */
	self->recv = (struct pollrt_recv){.receiver = self->flow->receiver, .item = &self->item};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), pollrt_recv(&self->recv, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	assert_int_equal(pollrt_try_send(self->flow->sender, &self->item), 0);
	assert_int_equal(pollrt_try_recv(self->flow->receiver, &self->item), 0);
	POLLRT_END();
}

static void time_out_on_both_ends(struct pollrt_runtime *rt)
{
	struct flow flow = {0};

	pollrt_channel_create(&flow.sender, &flow.receiver, sizeof(uint64_t), 1);
	pollrt_block_on(rt, impatient, &(struct impatient){.flow = &flow});
	pollrt_sender_close(flow.sender);
	pollrt_receiver_close(flow.receiver);
}

static void a_wait_that_times_out_takes_nothing(void **state)
{
	(void)state;
	sync_on_each_flavour(time_out_on_both_ends);
}

static void room_given_to_an_aborted_send_goes_to_the_next(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	struct pollrt_join joins[3];
	uint64_t item = 0;

	(void)state;
	pollrt_channel_create(&sender, &receiver, sizeof(uint64_t), 1);
	for (uint64_t i = 0; i < 3; i++)
		pollrt_spawn_drop(rt, &joins[i], numbered, numbered_drop,
				  .sender = pollrt_sender_clone(sender), .number = i);
	pollrt_block_on(rt, yields, &(struct yields){.left = 3});
	/* Task 1 has the room now, and will not be polled again. */
	assert_int_equal(pollrt_try_recv(receiver, &item), 0);
	pollrt_join_abort(&joins[1]);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 3});
	assert_int_equal(pollrt_try_recv(receiver, &item), 0);
	assert_int_equal(item, 2);
	pollrt_sender_close(sender);
	pollrt_receiver_close(receiver);
	helper_finish(rt);
}

/* ---- whatever is dropped ---- */

#define FICKLE 150u
#define EACH 40u

struct fickle_sender {
	struct pollrt_async async;
	struct flow *flow;
	uint64_t seed;
	uint64_t item; /* counts up from a number of its own */
	unsigned int left;
	struct pollrt_send send;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(fickle_sender)
{
	POLLRT_BEGIN();
	for (; self->left; self->left--, self->item++) {
		self->send =
			(struct pollrt_send){.sender = self->flow->sender, .item = &self->item};
		POLLRT_AWAIT_TIMEOUT(self->timeout,
				     next_random(&self->seed) % 2 ? UINT64_MAX : POLLRT_MS(1),
				     pollrt_send(&self->send, cx));
		if (!self->timeout.status)
			self->flow->sent++;
	}
	POLLRT_END();
}

static void fickle_sender_drop(struct fickle_sender *self)
{
	pollrt_sender_close(self->flow->sender);
}

struct fickle_receiver {
	struct pollrt_async async;
	struct flow *flow;
	uint64_t seed;
	uint64_t item;
	_Atomic bool *seen;
	struct pollrt_recv recv;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(fickle_receiver)
{
	POLLRT_BEGIN();
	for (;;) {
		self->recv =
			(struct pollrt_recv){.receiver = self->flow->receiver, .item = &self->item};
		POLLRT_AWAIT_TIMEOUT(self->timeout,
				     next_random(&self->seed) % 2 ? UINT64_MAX : POLLRT_MS(1),
				     pollrt_recv(&self->recv, cx));
		if (self->timeout.status)
			continue;
		if (self->recv.status)
			break;
		assert_false(atomic_exchange(&self->seen[self->item], true));
		self->flow->received++;
		if (next_random(&self->seed) % 8 == 0)
			POLLRT_YIELD();
	}
	POLLRT_END();
}

static void send_and_drop_at_random(struct pollrt_runtime *rt)
{
	static _Atomic bool seen[FICKLE * EACH];
	struct pollrt_join senders[FICKLE], receivers[3];
	struct flow flow = {0};
	uint64_t seed = 1;

	memset(seen, 0, sizeof(seen));
	pollrt_channel_create(&flow.sender, &flow.receiver, sizeof(uint64_t), 2);
	for (unsigned int i = 0; i < 3; i++)
		pollrt_spawn(rt, &receivers[i], fickle_receiver, .flow = &flow, .seed = i,
			     .seen = seen);
	for (unsigned int i = 0; i < FICKLE; i++) {
		pollrt_sender_clone(flow.sender);
		pollrt_spawn_drop(rt, &senders[i], fickle_sender, fickle_sender_drop, .flow = &flow,
				  .seed = i, .item = i * EACH, .left = EACH);
	}
	pollrt_sender_close(flow.sender);
	for (unsigned int i = 0; i < FICKLE / 3; i++) {
		pollrt_join_abort(&senders[next_random(&seed) % FICKLE]);
		pollrt_block_on(rt, yields, &(struct yields){.left = i % 3});
	}
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = senders, .count = FICKLE});
	/* The senders are gone: receivers come to an end, unless one lost its wake-up. */
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = receivers, .count = 3});
	assert_int_equal(flow.sent, flow.received);
	assert_int_equal(pollrt_channel_depth(flow.receiver), 0);
	pollrt_receiver_close(flow.receiver);
}

static void nothing_is_lost_or_doubled_whatever_is_dropped(void **state)
{
	(void)state;
	sync_on_each_flavour(send_and_drop_at_random);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(senders_wait_while_a_channel_is_full),
		cmocka_unit_test(senders_that_wait_learn_that_the_receiver_is_gone),
		cmocka_unit_test(senders_are_served_in_the_order_of_coming),
		cmocka_unit_test(a_wait_that_times_out_takes_nothing),
		cmocka_unit_test(room_given_to_an_aborted_send_goes_to_the_next),
		cmocka_unit_test(nothing_is_lost_or_doubled_whatever_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
