// SPDX-License-Identifier: MIT
#include "helper.h"
#include "pollrt_sync.h"

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

static void items_arrive_in_order_until_the_senders_are_gone(void **state)
{
	static const uint32_t capacities[] = {0, 1, 3, 1000};

	(void)state;
	for (unsigned int flavour = POLLRT_MULTI_THREAD; flavour <= POLLRT_CURRENT_THREAD;
	     flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 2);

		for (unsigned int i = 0; i < 4; i++) {
			struct consumer future = {0};
			struct pollrt_sender *sender;

			assert_int_equal(pollrt_channel_create(&sender, &future.receiver,
							       sizeof(uint64_t), capacities[i]),
					 0);
			pollrt_spawn_drop(rt, NULL, producer, producer_drop, .sender = sender,
					  .count = ITEMS);
			pollrt_block_on(rt, consumer, &future);
			assert_int_equal(future.received, ITEMS);
			assert_true(future.ordered);
			pollrt_receiver_close(future.receiver);
		}
		helper_finish(rt);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_arrive_in_order_until_the_senders_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
