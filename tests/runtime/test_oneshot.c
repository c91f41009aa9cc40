// SPDX-License-Identifier: MIT
#include "sync_helper.h"

struct asks {
	struct pollrt_async async;
	struct pollrt_oneshot_receiver *receiver;
	uint64_t answer;
	int status;
	struct pollrt_oneshot_recv recv;
};

static POLLRT_ASYNC(asks)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->recv, pollrt_oneshot_recv, .receiver = self->receiver,
		    .item = &self->answer);
	self->status = self->recv.status;
	pollrt_oneshot_receiver_close(self->receiver);
	POLLRT_END();
}

/* Answers after some yields, or closes without an answer. */
struct answers {
	struct pollrt_async async;
	struct pollrt_oneshot_sender *sender;
	unsigned int yields;
	bool silent;
};

static POLLRT_ASYNC(answers)
{
	POLLRT_BEGIN();
	while (self->yields--)
		POLLRT_YIELD();
	if (self->silent)
		pollrt_oneshot_sender_close(self->sender);
	else
		assert_int_equal(pollrt_oneshot_send(self->sender, &(uint64_t){42}), 0);
	POLLRT_END();
}

static void ask_and_answer(struct pollrt_runtime *rt)
{
	for (unsigned int i = 0; i < 100; i++) {
		struct asks future = {0};
		struct pollrt_oneshot_sender *sender;

		assert_int_equal(
			pollrt_oneshot_create(&sender, &future.receiver, sizeof(uint64_t), NULL),
			0);
		pollrt_spawn(rt, NULL, answers, .sender = sender, .yields = i % 4,
			     .silent = i % 3 == 0);
		pollrt_block_on(rt, asks, &future);
		assert_int_equal(future.status, i % 3 ? 0 : -EPIPE);
		assert_int_equal(future.answer, i % 3 ? 42 : 0);
	}
}

static void an_answer_or_its_absence_arrives(void **state)
{
	(void)state;
	sync_on_each_flavour(ask_and_answer);
}

static unsigned int dropped;

static void drop_item(void *item)
{
	assert_int_equal(*(uint64_t *)item, 7);
	dropped++;
}

static void an_item_is_moved_or_dropped_once(void **state)
{
	struct pollrt_oneshot_receiver *receiver;
	struct pollrt_oneshot_sender *sender;
	uint64_t item = 7, received = 0;

	(void)state;
	dropped = 0;
	pollrt_oneshot_create(&sender, &receiver, sizeof(item), drop_item);
	assert_int_equal(pollrt_oneshot_try_recv(receiver, &received), -EAGAIN);
	assert_int_equal(pollrt_oneshot_send(sender, &item), 0);
	assert_int_equal(pollrt_oneshot_try_recv(receiver, &received), 0);
	assert_int_equal(received, 7);
	assert_int_equal(pollrt_oneshot_try_recv(receiver, &received), -EPIPE);
	pollrt_oneshot_receiver_close(receiver);
	assert_int_equal(dropped, 0);

	pollrt_oneshot_create(&sender, &receiver, sizeof(item), drop_item);
	assert_int_equal(pollrt_oneshot_send(sender, &item), 0);
	pollrt_oneshot_receiver_close(receiver);
	assert_int_equal(dropped, 1);

	pollrt_oneshot_create(&sender, &receiver, sizeof(item), drop_item);
	pollrt_oneshot_receiver_close(receiver);
	assert_int_equal(pollrt_oneshot_send(sender, &item), -EPIPE);
	assert_int_equal(dropped, 1);

	assert_int_equal(pollrt_oneshot_create(&sender, &receiver, 0, NULL), -EINVAL);
	pollrt_oneshot_sender_close(NULL);
	pollrt_oneshot_receiver_close(NULL);
}

static void *answer_thread(void *argument)
{
	usleep(500);
	pollrt_oneshot_send(argument, &(uint64_t){42});
	return NULL;
}

static void a_thread_can_block_for_the_answer(void **state)
{
	struct pollrt_oneshot_receiver *receiver;
	struct pollrt_oneshot_sender *sender;
	uint64_t received = 0;
	pthread_t thread;

	(void)state;
	pollrt_oneshot_create(&sender, &receiver, sizeof(received), NULL);
	pthread_create(&thread, NULL, answer_thread, sender);
	assert_int_equal(pollrt_oneshot_recv_blocking(receiver, &received), 0);
	assert_int_equal(received, 42);
	pthread_join(thread, NULL);
	pollrt_oneshot_receiver_close(receiver);
}

/* Works until nobody wants the result any more. */
struct works {
	struct pollrt_async async;
	struct pollrt_oneshot_sender *sender;
	bool told;
	struct pollrt_oneshot_closed closed;
};

static POLLRT_ASYNC(works)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->closed, pollrt_oneshot_closed, .sender = self->sender);
	self->told = true;
	assert_int_equal(pollrt_oneshot_send(self->sender, &(uint64_t){42}), -EPIPE);
	POLLRT_END();
}

struct gives_up {
	struct pollrt_async async;
	struct pollrt_oneshot_receiver *receiver;
	uint64_t answer;
	struct pollrt_oneshot_recv recv;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(gives_up)
{
	POLLRT_BEGIN();
	self->recv =
		(struct pollrt_oneshot_recv){.receiver = self->receiver, .item = &self->answer};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), pollrt_oneshot_recv(&self->recv, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	pollrt_oneshot_receiver_close(self->receiver);
	POLLRT_END();
}

static void work_until_unwanted(struct pollrt_runtime *rt)
{
	struct pollrt_oneshot_receiver *receiver;
	struct pollrt_oneshot_sender *sender;
	struct pollrt_join join;

	pollrt_oneshot_create(&sender, &receiver, sizeof(uint64_t), NULL);
	pollrt_spawn(rt, &join, works, .sender = sender);
	pollrt_block_on(rt, gives_up, &(struct gives_up){.receiver = receiver});
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = &join, .count = 1});
}

static void a_sender_learns_that_nobody_waits_any_more(void **state)
{
	(void)state;
	sync_on_each_flavour(work_until_unwanted);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_or_its_absence_arrives),
		cmocka_unit_test(an_item_is_moved_or_dropped_once),
		cmocka_unit_test(a_thread_can_block_for_the_answer),
		cmocka_unit_test(a_sender_learns_that_nobody_waits_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
