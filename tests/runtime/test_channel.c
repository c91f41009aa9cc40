// SPDX-License-Identifier: MIT
#include "random.h"
#include "sync_helper.h"

#define ITEMS 2000u

/* Sends 0, 1, 2, ... and closes. */
struct producer {
	struct pollrt_async async;
	struct pollrt_sender *sender;
	uint64_t count;
	uint64_t i;
	struct pollrt_send send;
};

static POLLRT_ASYNC(producer)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->count; self->i++) {
		POLLRT_CALL(self->send, pollrt_send, .sender = self->sender, .item = &self->i);
		assert_int_equal(self->send.status, 0);
	}
	POLLRT_END();
}

static void producer_drop(struct producer *self)
{
	pollrt_sender_close(self->sender);
}

/* Receives until the end; `sum` of all, `ordered` if they were 0, 1, 2, ... */
struct consumer {
	struct pollrt_async async;
	struct pollrt_receiver *receiver;
	uint64_t item;
	uint64_t received;
	uint64_t sum;
	bool ordered;
	struct pollrt_recv recv;
};

static POLLRT_ASYNC(consumer)
{
	POLLRT_BEGIN();
	self->ordered = true;
	for (;;) {
		POLLRT_CALL(self->recv, pollrt_recv, .receiver = self->receiver,
			    .item = &self->item);
		if (self->recv.status)
			break;
		self->ordered = self->ordered && self->item == self->received;
		self->sum += self->item;
		self->received++;
	}
	assert_int_equal(self->recv.status, -EPIPE);
	POLLRT_END();
}

static void count_through_channels(struct pollrt_runtime *rt)
{
	static const uint32_t capacities[] = {0, 1, 3, 1000};

	for (unsigned int i = 0; i < 4; i++) {
		struct consumer future = {0};
		struct pollrt_sender *sender;

		assert_int_equal(pollrt_channel_create(&sender, &future.receiver, sizeof(uint64_t),
						       capacities[i]),
				 0);
		pollrt_spawn_drop(rt, NULL, producer, producer_drop, .sender = sender,
				  .count = ITEMS);
		pollrt_block_on(rt, consumer, &future);
		assert_int_equal(future.received, ITEMS);
		assert_true(future.ordered);
		pollrt_receiver_close(future.receiver);
	}
}

static void items_arrive_in_order_until_the_senders_are_gone(void **state)
{
	(void)state;
	sync_on_each_flavour(count_through_channels);
}

static void a_channel_holds_no_more_than_its_capacity(void **state)
{
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	uint64_t item = 0;

	(void)state;
	pollrt_channel_create(&sender, &receiver, sizeof(item), 100);
	for (; item < 100; item++)
		assert_int_equal(pollrt_try_send(sender, &item), 0);
	assert_int_equal(pollrt_try_send(sender, &item), -EAGAIN);
	assert_int_equal(pollrt_channel_depth(receiver), 100);
	assert_int_equal(pollrt_try_recv(receiver, &item), 0);
	assert_int_equal(item, 0);
	assert_int_equal(pollrt_try_send(sender, &item), 0);
	assert_int_equal(pollrt_try_send(sender, &item), -EAGAIN);
	pollrt_sender_close(sender);
	pollrt_receiver_close(receiver);
}

static void items_of_every_size_come_back_whole(void **state)
{
	static const size_t sizes[] = {1, 3, 24, 128, 129, 5000};
	unsigned char sent[5000], received[5000];

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		uint64_t seed = i, in = 0, out = 0;
		struct pollrt_receiver *receiver;
		struct pollrt_sender *sender;

		assert_int_equal(pollrt_channel_create(&sender, &receiver, sizes[i], 0), 0);
		for (unsigned int step = 0; step < 5000; step++) {
			/* Long stretches of both, so that it is often empty and often many blocks. */
			if (next_random(&seed) % 4 < (step / 500 % 2 ? 1 : 3)) {
				memset(sent, (int)(in++ & 0xff), sizes[i]);
				assert_int_equal(pollrt_try_send(sender, sent), 0);
			} else if (in == out) {
				assert_int_equal(pollrt_try_recv(receiver, received), -EAGAIN);
			} else {
				memset(sent, (int)(out++ & 0xff), sizes[i]);
				assert_int_equal(pollrt_try_recv(receiver, received), 0);
				assert_memory_equal(received, sent, sizes[i]);
			}
			assert_int_equal(pollrt_channel_depth(receiver), in - out);
		}
		pollrt_sender_close(sender);
		pollrt_receiver_close(receiver);
	}
}

static void an_item_needs_a_size(void **state)
{
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;

	(void)state;
	assert_int_equal(pollrt_channel_create(&sender, &receiver, 0, 0), -EINVAL);
	assert_int_equal(pollrt_channel_create(&sender, &receiver, SIZE_MAX, 0), -EINVAL);
	pollrt_sender_close(NULL);
	pollrt_receiver_close(NULL);
}

static unsigned int dropped;
static uint64_t dropped_sum;

static void drop_item(void *item)
{
	dropped++;
	dropped_sum += *(uint64_t *)item;
}

static void what_nobody_will_receive_is_dropped(void **state)
{
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;

	(void)state;
	dropped = 0;
	dropped_sum = 0;
	pollrt_channel_create_drop(&sender, &receiver, sizeof(uint64_t), 0, drop_item);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(pollrt_try_send(sender, &i), 0);
	for (uint64_t i = 0, item; i < 10; i++)
		assert_int_equal(pollrt_try_recv(receiver, &item), 0);
	assert_int_equal(dropped, 0);
	pollrt_receiver_close(receiver);
	assert_int_equal(dropped, 90);
	assert_int_equal(dropped_sum, 99 * 100 / 2 - 9 * 10 / 2);
	/* This one stays the sender's. */
	assert_int_equal(pollrt_try_send(sender, &(uint64_t){0}), -EPIPE);
	pollrt_sender_close(sender);
	assert_int_equal(dropped, 90);
}

static void clones_keep_a_channel_open(void **state)
{
	struct pollrt_sender *sender, *clone;
	struct pollrt_receiver *receiver;
	uint64_t item = 7;

	(void)state;
	pollrt_channel_create(&sender, &receiver, sizeof(item), 1);
	clone = pollrt_sender_clone(sender);
	pollrt_sender_close(sender);
	assert_int_equal(pollrt_try_recv(receiver, &item), -EAGAIN);
	assert_int_equal(pollrt_try_send(clone, &item), 0);
	pollrt_sender_close(clone);
	assert_int_equal(pollrt_try_recv(receiver, &item), 0);
	assert_int_equal(pollrt_try_recv(receiver, &item), -EPIPE);
	pollrt_receiver_close(receiver);
}

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

static void push_through_a_small_channel(struct pollrt_runtime *rt)
{
	struct pollrt_join joins[SENDERS];
	struct flow flow = {0};

	pollrt_channel_create(&flow.sender, &flow.receiver, sizeof(uint64_t), CAPACITY);
	for (unsigned int i = 0; i < SENDERS; i++)
		pollrt_spawn(rt, &joins[i], pusher, .flow = &flow, .left = 100);
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
	struct consumer future = {0};
	struct pollrt_sender *sender;

	(void)state;
	pollrt_channel_create(&sender, &future.receiver, sizeof(uint64_t), 1);
	for (uint64_t i = 0; i < 50; i++) {
		pollrt_spawn_drop(rt, NULL, numbered, numbered_drop,
				  .sender = pollrt_sender_clone(sender), .number = i);
		pollrt_block_on(rt, yields, &(struct yields){.left = 3});
	}
	/* Nobody overtakes those who wait, though there may be room for a moment. */
	assert_int_equal(pollrt_try_recv(future.receiver, &future.item), 0);
	assert_int_equal(pollrt_try_send(sender, &future.item), -EAGAIN);
	future.received = 1;
	pollrt_sender_close(sender);
	pollrt_block_on(rt, consumer, &future);
	assert_int_equal(future.received, 50);
	assert_true(future.ordered);
	pollrt_receiver_close(future.receiver);
	helper_finish(rt);
}

/* ---- threads, and other runtimes ---- */

static void *send_numbers(void *argument)
{
	struct pollrt_sender *sender = argument;

	for (uint64_t i = 0; i < ITEMS; i++)
		assert_int_equal(pollrt_send_blocking(sender, &i), 0);
	pollrt_sender_close(sender);
	return NULL;
}

static void *receive_numbers(void *argument)
{
	struct pollrt_receiver *receiver = argument;
	uint64_t item, i = 0;

	while (!pollrt_recv_blocking(receiver, &item))
		assert_int_equal(item, i++);
	assert_int_equal(i, ITEMS);
	return NULL;
}

static void threads_talk_to_tasks(struct pollrt_runtime *rt)
{
	struct consumer future = {0};
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	pthread_t thread;

	pollrt_channel_create(&sender, &future.receiver, sizeof(uint64_t), 2);
	pthread_create(&thread, NULL, send_numbers, sender);
	pollrt_block_on(rt, consumer, &future);
	pthread_join(thread, NULL);
	assert_int_equal(future.received, ITEMS);
	assert_true(future.ordered);
	pollrt_receiver_close(future.receiver);

	pollrt_channel_create(&sender, &receiver, sizeof(uint64_t), 2);
	pthread_create(&thread, NULL, receive_numbers, receiver);
	pollrt_block_on(rt, producer, &(struct producer){.sender = sender, .count = ITEMS});
	pollrt_sender_close(sender);
	pthread_join(thread, NULL);
	pollrt_receiver_close(receiver);
}

static void blocking_threads_and_tasks_share_a_channel(void **state)
{
	(void)state;
	sync_on_each_flavour(threads_talk_to_tasks);
}

static void *send_until_refused(void *argument)
{
	uint64_t item = 0;

	while (!pollrt_send_blocking(argument, &item))
		item++;
	assert_int_equal(pollrt_send_blocking(argument, &item), -EPIPE);
	return NULL;
}

static void a_blocked_thread_learns_that_the_other_end_is_gone(void **state)
{
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	pthread_t thread;

	(void)state;
	pollrt_channel_create(&sender, &receiver, sizeof(uint64_t), 3);
	pthread_create(&thread, NULL, send_until_refused, sender);
	while (pollrt_channel_depth(receiver) < 3)
		usleep(100);
	usleep(1000);
	pollrt_receiver_close(receiver);
	pthread_join(thread, NULL);
	pollrt_sender_close(sender);
}

static void a_channel_joins_two_runtimes(void **state)
{
	struct pollrt_runtime *workers = helper_runtime(POLLRT_MULTI_THREAD, 2);
	struct pollrt_runtime *local = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct consumer future = {0};
	struct pollrt_sender *sender;

	(void)state;
	pollrt_channel_create(&sender, &future.receiver, sizeof(uint64_t), 1);
	pollrt_spawn_drop(workers, NULL, producer, producer_drop, .sender = sender, .count = ITEMS);
	pollrt_block_on(local, consumer, &future);
	assert_int_equal(future.received, ITEMS);
	assert_true(future.ordered);
	pollrt_receiver_close(future.receiver);
	helper_finish(local);
	helper_finish(workers);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_arrive_in_order_until_the_senders_are_gone),
		cmocka_unit_test(a_channel_holds_no_more_than_its_capacity),
		cmocka_unit_test(items_of_every_size_come_back_whole),
		cmocka_unit_test(an_item_needs_a_size),
		cmocka_unit_test(what_nobody_will_receive_is_dropped),
		cmocka_unit_test(clones_keep_a_channel_open),
		cmocka_unit_test(senders_wait_while_a_channel_is_full),
		cmocka_unit_test(senders_that_wait_learn_that_the_receiver_is_gone),
		cmocka_unit_test(senders_are_served_in_the_order_of_coming),
		cmocka_unit_test(blocking_threads_and_tasks_share_a_channel),
		cmocka_unit_test(a_blocked_thread_learns_that_the_other_end_is_gone),
		cmocka_unit_test(a_channel_joins_two_runtimes),
		cmocka_unit_test(a_wait_that_times_out_takes_nothing),
		cmocka_unit_test(room_given_to_an_aborted_send_goes_to_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
