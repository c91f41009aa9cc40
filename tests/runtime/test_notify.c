// SPDX-License-Identifier: MIT
#include "sync_helper.h"

struct waits {
	struct pollrt_async async;
	struct pollrt_notify *notify;
	_Atomic unsigned int *turns;
	unsigned int turn;
	struct pollrt_notified notified;
};

static POLLRT_ASYNC(waits)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->notified, pollrt_notified, .notify = self->notify);
	self->turn = ++*self->turns;
	POLLRT_END();
}

static void notify_in_advance(struct pollrt_runtime *rt)
{
	_Atomic unsigned int turns = 0;
	struct pollrt_notify notify;
	struct pollrt_join join;

	pollrt_notify_init(&notify);
	pollrt_notify_one(&notify);
	pollrt_notify_one(&notify);
	pollrt_block_on(rt, waits, &(struct waits){.notify = &notify, .turns = &turns});
	assert_int_equal(turns, 1);
	/* The second was one too many. */
	pollrt_spawn(rt, &join, waits, .notify = &notify, .turns = &turns);
	pollrt_block_on(rt, yields, &(struct yields){.left = 20});
	assert_int_equal(turns, 1);
	pollrt_notify_one(&notify);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = &join, .count = 1});
	assert_int_equal(turns, 2);
}

static void one_notification_is_kept_for_who_comes_later(void **state)
{
	(void)state;
	sync_on_each_flavour(notify_in_advance);
}

static void waiters_are_notified_in_the_order_of_coming(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	_Atomic unsigned int turns = 0;
	struct pollrt_notify notify;
	struct pollrt_join joins[10];

	(void)state;
	pollrt_notify_init(&notify);
	for (unsigned int i = 0; i < 10; i++) {
		pollrt_spawn(rt, &joins[i], waits, .notify = &notify, .turns = &turns);
		pollrt_block_on(rt, yields, &(struct yields){.left = 2});
	}
	for (unsigned int i = 0; i < 10; i++) {
		pollrt_notify_one(&notify);
		pollrt_block_on(rt, yields, &(struct yields){.left = 2});
		assert_int_equal(turns, i + 1);
		assert_int_equal(((struct waits *)pollrt_join_state(&joins[i]))->turn, i + 1);
	}
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 10});
	helper_finish(rt);
}

static void notify_everybody(struct pollrt_runtime *rt)
{
	_Atomic unsigned int turns = 0;
	struct pollrt_notify notify;
	struct pollrt_join joins[100];

	pollrt_notify_init(&notify);
	/* Nobody waits, and nothing is kept. */
	pollrt_notify_all(&notify);
	for (unsigned int i = 0; i < 100; i++)
		pollrt_spawn(rt, &joins[i], waits, .notify = &notify, .turns = &turns);
	while (turns < 100) {
		pollrt_notify_all(&notify);
		pollrt_block_on(rt, yields, &(struct yields){.left = 10});
	}
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 100});
}

static void all_who_wait_are_notified_together(void **state)
{
	(void)state;
	sync_on_each_flavour(notify_everybody);
}

static void a_notification_of_all_is_not_for_those_who_come_later(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	_Atomic unsigned int turns = 0;
	struct pollrt_notify notify;
	struct pollrt_join joins[100];

	(void)state;
	pollrt_notify_init(&notify);
	pollrt_notify_all(&notify);
	for (unsigned int i = 0; i < 100; i++)
		pollrt_spawn(rt, &joins[i], waits, .notify = &notify, .turns = &turns);
	pollrt_block_on(rt, yields, &(struct yields){.left = 3});
	assert_int_equal(turns, 0);
	pollrt_notify_all(&notify);
	pollrt_block_on(rt, yields, &(struct yields){.left = 3});
	assert_int_equal(turns, 100);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 100});
	helper_finish(rt);
}

static void a_notification_of_an_aborted_task_goes_to_the_next(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	_Atomic unsigned int turns = 0;
	struct pollrt_notify notify;
	struct pollrt_join joins[2];

	(void)state;
	pollrt_notify_init(&notify);
	for (unsigned int i = 0; i < 2; i++) {
		pollrt_spawn(rt, &joins[i], waits, .notify = &notify, .turns = &turns);
		pollrt_block_on(rt, yields, &(struct yields){.left = 2});
	}
	pollrt_notify_one(&notify);
	pollrt_join_abort(&joins[0]);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 2});
	assert_int_equal(turns, 1);
	/* With nobody left it is kept, but only one. */
	pollrt_spawn(rt, &joins[0], waits, .notify = &notify, .turns = &turns);
	pollrt_block_on(rt, yields, &(struct yields){.left = 2});
	pollrt_notify_one(&notify);
	pollrt_notify_one(&notify);
	pollrt_join_abort(&joins[0]);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 1});
	assert_int_equal(notify.queue.permits, 1);
	/* A notification of all is nothing to hand on. */
	pollrt_notify_init(&notify);
	pollrt_spawn(rt, &joins[0], waits, .notify = &notify, .turns = &turns);
	pollrt_block_on(rt, yields, &(struct yields){.left = 2});
	pollrt_notify_all(&notify);
	pollrt_join_abort(&joins[0]);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 1});
	assert_int_equal(notify.queue.permits, 0);
	helper_finish(rt);
}

/* A latch: all wait for a condition that is no atomic's, and is set once. */
struct latch {
	pthread_mutex_t lock;
	bool open;
	struct pollrt_notify notify;
};

static bool is_open(struct latch *latch)
{
	bool open;

	pthread_mutex_lock(&latch->lock);
	open = latch->open;
	pthread_mutex_unlock(&latch->lock);
	return open;
}

struct passes {
	struct pollrt_async async;
	struct latch *latch;
	struct pollrt_notified notified;
};

static POLLRT_ASYNC(passes)
{
	POLLRT_BEGIN();
	for (;;) {
		self->notified = pollrt_notified_from(&self->latch->notify);
		if (is_open(self->latch))
			break;
		POLLRT_YIELD();
		POLLRT_AWAIT(pollrt_notified(&self->notified, cx));
	}
	POLLRT_END();
}

static void *open_latch(void *argument)
{
	struct latch *latch = argument;

	usleep(200);
	pthread_mutex_lock(&latch->lock);
	latch->open = true;
	pthread_mutex_unlock(&latch->lock);
	pollrt_notify_all(&latch->notify);
	return NULL;
}

static void pass_latches(struct pollrt_runtime *rt)
{
	for (unsigned int round = 0; round < 20; round++) {
		struct latch latch = {.lock = PTHREAD_MUTEX_INITIALIZER};
		struct pollrt_join joins[50];
		pthread_t thread;

		pollrt_notify_init(&latch.notify);
		pthread_create(&thread, NULL, open_latch, &latch);
		for (unsigned int i = 0; i < 50; i++)
			pollrt_spawn(rt, &joins[i], passes, .latch = &latch);
		pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 50});
		pthread_join(thread, NULL);
	}
}

static void a_change_between_check_and_wait_is_not_missed(void **state)
{
	(void)state;
	sync_on_each_flavour(pass_latches);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_notification_is_kept_for_who_comes_later),
		cmocka_unit_test(waiters_are_notified_in_the_order_of_coming),
		cmocka_unit_test(all_who_wait_are_notified_together),
		cmocka_unit_test(a_notification_of_all_is_not_for_those_who_come_later),
		cmocka_unit_test(a_notification_of_an_aborted_task_goes_to_the_next),
		cmocka_unit_test(a_change_between_check_and_wait_is_not_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
