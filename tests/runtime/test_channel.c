// SPDX-License-Identifier: MIT
#include <malloc.h>

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

static void memory_follows_what_is_queued(void **state)
{
	size_t empty, full, drained;
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	char item[1000] = {0};

	(void)state;
	/* A large capacity alone costs nothing. */
	assert_int_equal(pollrt_channel_create(&sender, &receiver, sizeof(item), UINT32_MAX), 0);
	empty = mallinfo2().uordblks;
	for (unsigned int i = 0; i < 5000; i++)
		assert_int_equal(pollrt_try_send(sender, item), 0);
	full = mallinfo2().uordblks;
	for (unsigned int i = 0; i < 5000; i++)
		assert_int_equal(pollrt_try_recv(receiver, item), 0);
	drained = mallinfo2().uordblks;
	pollrt_sender_close(sender);
	pollrt_receiver_close(receiver);
	/* A sanitizer's allocator does not count. */
	if (full)
		assert_in_range(full - empty, 5000 * 1000, 5000 * 1100);
	assert_in_range(drained - empty, 0, 10000);
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

struct receives_in_job {
	struct pollrt_receiver *receiver;
	_Atomic int *status;
};

static void receives_in_job(struct receives_in_job *self)
{
	uint64_t item;

	*self->status = -EINPROGRESS;
	*self->status = pollrt_recv_blocking(self->receiver, &item);
	pollrt_receiver_close(self->receiver);
}

struct never_sends {
	struct pollrt_sender *sender;
};

static enum pollrt_poll never_sends(struct never_sends *self, struct pollrt_cx *cx)
{
	(void)self;
	(void)cx;
	return POLLRT_PENDING;
}

static void never_sends_drop(struct never_sends *self)
{
	pollrt_sender_close(self->sender);
}

static void a_shutdown_ends_jobs_that_wait_for_its_tasks(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	_Atomic int status = 0;

	(void)state;
	pollrt_channel_create(&sender, &receiver, sizeof(uint64_t), 1);
	pollrt_spawn_drop(rt, NULL, never_sends, never_sends_drop, .sender = sender);
	pollrt_spawn_blocking(rt, NULL, receives_in_job, .receiver = receiver, .status = &status);
	while (!status)
		usleep(100);
	helper_finish(rt);
	assert_int_equal(status, -EPIPE);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_arrive_in_order_until_the_senders_are_gone),
		cmocka_unit_test(a_channel_holds_no_more_than_its_capacity),
		cmocka_unit_test(items_of_every_size_come_back_whole),
		cmocka_unit_test(memory_follows_what_is_queued),
		cmocka_unit_test(an_item_needs_a_size),
		cmocka_unit_test(what_nobody_will_receive_is_dropped),
		cmocka_unit_test(clones_keep_a_channel_open),
		cmocka_unit_test(blocking_threads_and_tasks_share_a_channel),
		cmocka_unit_test(a_blocked_thread_learns_that_the_other_end_is_gone),
		cmocka_unit_test(a_shutdown_ends_jobs_that_wait_for_its_tasks),
		cmocka_unit_test(a_channel_joins_two_runtimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
