// SPDX-License-Identifier: MIT
/* The end of a wait queue in which many wait, or one that has been granted what others wait for. */
#include "sched/task.h"

static void woken(void);
#define task_wake(task) (task_wake(task), woken())

#include "sync/wait_queue.c"
#undef task_wake

#include <sched.h>

#include "sync_helper.h"

#define RECEIVES (WAKE_LIST_MAX + 8)

/* Waits in many receives at once. */
struct receives {
	struct pollrt_receiver *receiver;
	_Atomic bool *waits, *dropped;
	int items[RECEIVES];
	struct pollrt_recv recvs[RECEIVES];
};

static enum pollrt_poll receives(struct receives *self, struct pollrt_cx *cx)
{
	/* The wake may come to a poll before the abort that follows it. */
	if (atomic_load(self->waits))
		return POLLRT_PENDING;
	for (unsigned int i = 0; i < RECEIVES; i++) {
		self->recvs[i].receiver = self->receiver;
		self->recvs[i].item = &self->items[i];
		assert_int_equal(pollrt_recv(&self->recvs[i], cx), POLLRT_PENDING);
	}
	atomic_store(self->waits, true);
	return POLLRT_PENDING;
}

static void receives_drop(struct receives *self)
{
	pollrt_receiver_close(self->receiver);
	atomic_store(self->dropped, true);
}

static _Atomic bool waits, dropped;
static struct pollrt_join victim;

/* While the end is being told, before all have heard: those who wait leave, and the receiver. */
static void woken(void)
{
	if (!victim.task)
		return;
	pollrt_join_abort(&victim);
	pollrt_join_detach(&victim);
	while (!atomic_load(&dropped))
		sched_yield();
}

static void a_channel_outlives_the_close_that_ends_it(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	struct pollrt_join join;

	(void)state;
	assert_int_equal(pollrt_channel_create(&sender, &receiver, sizeof(int), 0), 0);
	pollrt_spawn_drop(rt, &join, receives, receives_drop, .receiver = receiver, .waits = &waits,
			  .dropped = &dropped);
	while (!atomic_load(&waits))
		sched_yield();
	victim = join;
	pollrt_sender_close(sender);
	assert_true(atomic_load(&dropped));
	helper_finish(rt);
}

struct receives_one {
	struct pollrt_async async;
	struct pollrt_receiver *receiver;
	int item;
	struct pollrt_recv recv;
};

static POLLRT_ASYNC(receives_one)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->recv, pollrt_recv, .receiver = self->receiver, .item = &self->item);
	POLLRT_END();
}

struct drops_first {
	struct pollrt_async async;
	struct pollrt_sender *sender;
	struct pollrt_receiver *receiver;
	struct pollrt_join first, second;
	struct yields yields;
};

/* On one thread: neither receiver runs between the send and the abort. */
static POLLRT_ASYNC(drops_first)
{
	int item = 7;

	POLLRT_BEGIN();
	pollrt_spawn(NULL, &self->first, receives_one, .receiver = self->receiver);
	pollrt_spawn(NULL, &self->second, receives_one, .receiver = self->receiver);
	POLLRT_CALL(self->yields, yields, .left = 3);
	assert_int_equal(pollrt_try_send(self->sender, &item), 0);
	pollrt_sender_close(self->sender);
	pollrt_join_abort(&self->first);
	pollrt_join_detach(&self->first);
	POLLRT_AWAIT(pollrt_join(&self->second, cx));
	POLLRT_END();
}

static void what_a_dropped_receive_was_given_is_received_after_the_end(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct drops_first future = {0};
	struct receives_one *second;

	(void)state;
	assert_int_equal(pollrt_channel_create(&future.sender, &future.receiver, sizeof(int), 0),
			 0);
	pollrt_block_on(rt, drops_first, &future);
	second = pollrt_join_state(&future.second);
	assert_int_equal(second->recv.status, 0);
	assert_int_equal(second->item, 7);
	assert_int_equal(pollrt_try_recv(future.receiver, &second->item), -EPIPE);
	pollrt_join_detach(&future.second);
	pollrt_receiver_close(future.receiver);
	helper_finish(rt);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_outlives_the_close_that_ends_it),
		cmocka_unit_test(what_a_dropped_receive_was_given_is_received_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
