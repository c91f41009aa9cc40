// SPDX-License-Identifier: MIT
#include "sync_helper.h"

/* What the lock protects; no atomics, so that TSan sees who is inside without it. */
struct account {
	struct pollrt_mutex mutex;
	uint64_t balance;
	bool busy;
};

static void enter(struct account *account)
{
	assert_false(account->busy);
	account->busy = true;
}

static void leave(struct account *account)
{
	account->busy = false;
	account->balance++;
}

struct client {
	struct pollrt_async async;
	struct account *account;
	unsigned int left;
	struct pollrt_lock lock;
};

static POLLRT_ASYNC(client)
{
	POLLRT_BEGIN();
	while (self->left--) {
		POLLRT_CALL(self->lock, pollrt_lock, .mutex = &self->account->mutex);
		enter(self->account);
		if (self->left % 3)
			POLLRT_YIELD();
		leave(self->account);
		pollrt_unlock(&self->account->mutex);
	}
	POLLRT_END();
}

static void *client_thread(void *argument)
{
	struct account *account = argument;

	for (unsigned int i = 0; i < 200; i++) {
		if (i % 2 || pollrt_try_lock(&account->mutex))
			pollrt_lock_blocking(&account->mutex);
		enter(account);
		leave(account);
		pollrt_unlock(&account->mutex);
	}
	return NULL;
}

static void lock_from_everywhere(struct pollrt_runtime *rt)
{
	struct account account = {.balance = 0};
	struct pollrt_join joins[50];
	pthread_t threads[2];

	pollrt_mutex_init(&account.mutex);
	for (unsigned int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, client_thread, &account);
	for (unsigned int i = 0; i < 50; i++)
		pollrt_spawn(rt, &joins[i], client, .account = &account, .left = 40);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 50});
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(account.balance, 50 * 40 + 2 * 200);
	assert_int_equal(pollrt_try_lock(&account.mutex), 0);
	assert_int_equal(pollrt_try_lock(&account.mutex), -EAGAIN);
}

static void one_task_or_thread_at_a_time_is_inside(void **state)
{
	(void)state;
	sync_on_each_flavour(lock_from_everywhere);
}

struct in_turn {
	struct pollrt_async async;
	struct pollrt_mutex *mutex;
	unsigned int *turns;
	unsigned int turn;
	struct pollrt_lock lock;
};

static POLLRT_ASYNC(in_turn)
{
	POLLRT_BEGIN();
	POLLRT_LOCK(self->lock, self->mutex);
	self->turn = ++*self->turns;
	POLLRT_YIELD();
	pollrt_lock_release(&self->lock);
	POLLRT_END();
}

static void the_lock_goes_round_in_order(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct pollrt_join joins[20];
	struct pollrt_mutex mutex;
	unsigned int turns = 0;

	(void)state;
	pollrt_mutex_init(&mutex);
	assert_int_equal(pollrt_try_lock(&mutex), 0);
	for (unsigned int i = 0; i < 20; i++) {
		pollrt_spawn(rt, &joins[i], in_turn, .mutex = &mutex, .turns = &turns);
		pollrt_block_on(rt, yields, &(struct yields){.left = 2});
	}
	pollrt_unlock(&mutex);
	/* The lock is the first one's already. */
	assert_int_equal(pollrt_try_lock(&mutex), -EAGAIN);
	while (turns < 20)
		pollrt_block_on(rt, yields, &(struct yields){.left = 1});
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(((struct in_turn *)pollrt_join_state(&joins[i]))->turn, i + 1);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 20});
	helper_finish(rt);
}

struct sleeps_inside {
	struct pollrt_async async;
	struct pollrt_mutex *mutex;
	struct pollrt_lock lock;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(sleeps_inside)
{
	POLLRT_BEGIN();
	POLLRT_LOCK(self->lock, self->mutex);
	POLLRT_SLEEP(self->sleep, UINT64_MAX);
	pollrt_lock_release(&self->lock);
	POLLRT_END();
}

static void abort_the_holder(struct pollrt_runtime *rt)
{
	struct account account = {.balance = 0};
	struct pollrt_join joins[2];

	pollrt_mutex_init(&account.mutex);
	pollrt_spawn(rt, &joins[0], sleeps_inside, .mutex = &account.mutex);
	pollrt_block_on(rt, yields, &(struct yields){.left = 3});
	pollrt_spawn(rt, &joins[1], client, .account = &account, .left = 5);
	pollrt_block_on(rt, yields, &(struct yields){.left = 3});
	pollrt_join_abort(&joins[0]);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 2});
	assert_int_equal(account.balance, 5);
}

static void a_held_lock_is_unlocked_when_its_task_is_dropped(void **state)
{
	(void)state;
	sync_on_each_flavour(abort_the_holder);
}

struct times_out {
	struct pollrt_async async;
	struct pollrt_mutex *mutex;
	struct sleeps_inside inner;
	struct pollrt_lock lock;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(times_out)
{
	POLLRT_BEGIN();
	/* A function that is dropped with the lock unlocks it. */
	self->inner = (struct sleeps_inside){.mutex = self->mutex};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), sleeps_inside(&self->inner, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	/* A lock that was got in time is kept beyond the timeout. */
	self->lock = (struct pollrt_lock){.mutex = self->mutex};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_SEC(100), pollrt_lock(&self->lock, cx));
	assert_int_equal(self->timeout.status, 0);
	assert_int_equal(pollrt_try_lock(self->mutex), -EAGAIN);
	/* A wait that times out leaves no trace. */
	self->lock = (struct pollrt_lock){.mutex = self->mutex};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), pollrt_lock(&self->lock, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	pollrt_unlock(self->mutex);
	assert_int_equal(pollrt_try_lock(self->mutex), 0);
	POLLRT_END();
}

static void lock_in_time(struct pollrt_runtime *rt)
{
	struct pollrt_mutex mutex;

	pollrt_mutex_init(&mutex);
	pollrt_block_on(rt, times_out, &(struct times_out){.mutex = &mutex});
}

static void timeouts_and_locks_get_along(void **state)
{
	(void)state;
	sync_on_each_flavour(lock_in_time);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_task_or_thread_at_a_time_is_inside),
		cmocka_unit_test(the_lock_goes_round_in_order),
		cmocka_unit_test(a_held_lock_is_unlocked_when_its_task_is_dropped),
		cmocka_unit_test(timeouts_and_locks_get_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
