// SPDX-License-Identifier: MIT
#include "random.h"
#include "sync_helper.h"

/* Takes permits, notes when it has them, and gives them back after some yields. */
struct user {
	struct pollrt_async async;
	struct pollrt_semaphore *semaphore;
	size_t permits;
	unsigned int yields;
	unsigned int *turns;
	unsigned int turn;
	_Atomic size_t *used;
	size_t limit;
	struct pollrt_acquire acquire;
};

static POLLRT_ASYNC(user)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->acquire, pollrt_acquire, .semaphore = self->semaphore,
		    .permits = self->permits);
	if (self->turns)
		self->turn = ++*self->turns;
	if (self->used)
		assert_true(atomic_fetch_add(self->used, self->permits) + self->permits <=
			    self->limit);
	while (self->yields--)
		POLLRT_YIELD();
	if (self->used)
		atomic_fetch_sub(self->used, self->permits);
	pollrt_release(self->semaphore, self->permits);
	POLLRT_END();
}

static void share_permits(struct pollrt_runtime *rt)
{
	struct pollrt_semaphore semaphore;
	struct pollrt_join joins[200];
	_Atomic size_t used = 0;

	pollrt_semaphore_init(&semaphore, 7);
	for (unsigned int i = 0; i < 200; i++)
		pollrt_spawn(rt, &joins[i], user, .semaphore = &semaphore, .permits = 1 + i % 7,
			     .yields = i % 5, .used = &used, .limit = 7);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 200});
	assert_int_equal(used, 0);
	assert_int_equal(pollrt_semaphore_available(&semaphore), 7);
}

static void no_more_permits_are_out_than_there_are(void **state)
{
	(void)state;
	sync_on_each_flavour(share_permits);
}

static void waiters_are_served_in_order_and_the_greedy_do_not_starve(void **state)
{
	static const size_t wants[] = {1, 5, 1, 2, 1};
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct pollrt_semaphore semaphore;
	struct pollrt_join joins[5];
	unsigned int turns = 0;

	(void)state;
	pollrt_semaphore_init(&semaphore, 0);
	for (unsigned int i = 0; i < 5; i++) {
		pollrt_spawn(rt, &joins[i], user, .semaphore = &semaphore, .permits = wants[i],
			     .turns = &turns);
		pollrt_block_on(rt, yields, &(struct yields){.left = 2});
	}
	for (unsigned int i = 0; i < 5; i++) {
		pollrt_release(&semaphore, 1);
		assert_int_equal(pollrt_try_acquire(&semaphore, 1), -EAGAIN);
		pollrt_block_on(rt, yields, &(struct yields){.left = 2});
		/* The second waits for five, and those behind it for their turn. */
		assert_int_equal(turns, i < 4 ? 1 : 5);
	}
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(((struct user *)pollrt_join_state(&joins[i]))->turn, i + 1);
		pollrt_join_detach(&joins[i]);
	}
	assert_int_equal(pollrt_semaphore_available(&semaphore), 5);
	helper_finish(rt);
}

static void who_is_dropped_lets_those_behind_it_go_on(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct pollrt_semaphore semaphore;
	struct pollrt_join joins[3];
	unsigned int turns = 0;

	(void)state;
	pollrt_semaphore_init(&semaphore, 2);
	for (unsigned int i = 0; i < 3; i++) {
		pollrt_spawn(rt, &joins[i], user, .semaphore = &semaphore,
			     .permits = i == 0 ? 3 : 1, .turns = &turns);
		pollrt_block_on(rt, yields, &(struct yields){.left = 2});
	}
	assert_int_equal(turns, 0);
	pollrt_join_abort(&joins[0]);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 3});
	assert_int_equal(turns, 2);
	assert_int_equal(pollrt_semaphore_available(&semaphore), 2);
	helper_finish(rt);
}

static void permits_granted_to_an_aborted_task_come_back(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct pollrt_semaphore semaphore;
	struct pollrt_join join;

	(void)state;
	pollrt_semaphore_init(&semaphore, 0);
	pollrt_spawn(rt, &join, user, .semaphore = &semaphore, .permits = 3);
	pollrt_block_on(rt, yields, &(struct yields){.left = 2});
	pollrt_release(&semaphore, 3);
	assert_int_equal(pollrt_semaphore_available(&semaphore), 0);
	pollrt_join_abort(&join);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = &join, .count = 1});
	assert_int_equal(pollrt_semaphore_available(&semaphore), 3);
	helper_finish(rt);
}

struct holder {
	struct pollrt_async async;
	struct pollrt_semaphore *semaphore;
	bool for_ever;
	struct pollrt_acquire acquire;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(holder)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->acquire, pollrt_acquire, .semaphore = self->semaphore);
	pollrt_acquire_hold(&self->acquire, cx);
	if (self->for_ever)
		POLLRT_SLEEP(self->sleep, UINT64_MAX);
	pollrt_acquire_release(&self->acquire);
	POLLRT_END();
}

static void hold_until_aborted(struct pollrt_runtime *rt)
{
	struct pollrt_semaphore semaphore;
	struct pollrt_join joins[2];

	pollrt_semaphore_init(&semaphore, 1);
	pollrt_spawn(rt, &joins[0], holder, .semaphore = &semaphore, .for_ever = true);
	pollrt_block_on(rt, yields, &(struct yields){.left = 5});
	pollrt_spawn(rt, &joins[1], holder, .semaphore = &semaphore);
	pollrt_block_on(rt, yields, &(struct yields){.left = 5});
	pollrt_join_abort(&joins[0]);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 2});
	assert_int_equal(pollrt_semaphore_available(&semaphore), 1);
}

static void a_held_permit_comes_back_when_its_task_is_dropped(void **state)
{
	(void)state;
	sync_on_each_flavour(hold_until_aborted);
}

/* Takes permits again and again, or gives up. */
struct fickle {
	struct pollrt_async async;
	struct pollrt_semaphore *semaphore;
	uint64_t seed;
	unsigned int left;
	struct pollrt_acquire acquire;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(fickle)
{
	POLLRT_BEGIN();
	while (self->left--) {
		self->acquire = (struct pollrt_acquire){
			.semaphore = self->semaphore, .permits = 1 + next_random(&self->seed) % 5};
		POLLRT_AWAIT_TIMEOUT(self->timeout,
				     next_random(&self->seed) % 2 ? UINT64_MAX : POLLRT_MS(1),
				     pollrt_acquire(&self->acquire, cx));
		if (self->timeout.status)
			continue;
		pollrt_acquire_hold(&self->acquire, cx);
		if (next_random(&self->seed) % 2)
			POLLRT_YIELD();
		pollrt_acquire_release(&self->acquire);
	}
	POLLRT_END();
}

static void acquire_and_drop_at_random(struct pollrt_runtime *rt)
{
	struct pollrt_semaphore semaphore;
	struct pollrt_join joins[200];
	uint64_t seed = 1;

	pollrt_semaphore_init(&semaphore, 5);
	for (unsigned int i = 0; i < 200; i++)
		pollrt_spawn(rt, &joins[i], fickle, .semaphore = &semaphore, .seed = i, .left = 50);
	for (unsigned int i = 0; i < 70; i++) {
		pollrt_join_abort(&joins[next_random(&seed) % 200]);
		pollrt_block_on(rt, yields, &(struct yields){.left = i % 3});
	}
	/* Who waits without a limit comes to an end, unless a permit or a wake-up was lost. */
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 200});
	assert_int_equal(pollrt_semaphore_available(&semaphore), 5);
}

static void permits_are_conserved_whatever_is_dropped(void **state)
{
	(void)state;
	sync_on_each_flavour(acquire_and_drop_at_random);
}

/* Never out of permits, so that only the budget makes it yield. */
struct glutton {
	struct pollrt_async async;
	struct pollrt_semaphore *semaphore;
	_Atomic bool *stop;
	struct pollrt_acquire acquire;
};

static POLLRT_ASYNC(glutton)
{
	POLLRT_BEGIN();
	while (!*self->stop) {
		POLLRT_CALL(self->acquire, pollrt_acquire, .semaphore = self->semaphore);
		pollrt_release(self->semaphore, 1);
	}
	POLLRT_END();
}

struct stopper {
	struct pollrt_async async;
	_Atomic bool *stop;
};

static POLLRT_ASYNC(stopper)
{
	POLLRT_BEGIN();
	*self->stop = true;
	POLLRT_END();
}

static void who_never_has_to_wait_still_lets_others_run(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_semaphore semaphore;
	struct pollrt_join joins[2];
	_Atomic bool stop = false;

	(void)state;
	pollrt_semaphore_init(&semaphore, 1);
	pollrt_spawn(rt, &joins[0], glutton, .semaphore = &semaphore, .stop = &stop);
	pollrt_spawn(rt, &joins[1], stopper, .stop = &stop);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 2});
	helper_finish(rt);
}

struct guest {
	struct pollrt_semaphore *semaphore;
	_Atomic size_t *used;
};

static void *guest_thread(void *argument)
{
	struct guest *guest = argument;

	for (unsigned int i = 0; i < 500; i++) {
		pollrt_acquire_blocking(guest->semaphore, 1 + i % 3);
		assert_true(atomic_fetch_add(guest->used, 1 + i % 3) + 1 + i % 3 <= 3);
		atomic_fetch_sub(guest->used, 1 + i % 3);
		pollrt_release(guest->semaphore, 1 + i % 3);
	}
	return NULL;
}

static void share_with_threads(struct pollrt_runtime *rt)
{
	struct pollrt_semaphore semaphore;
	struct pollrt_join joins[100];
	_Atomic size_t used = 0;
	struct guest guest = {&semaphore, &used};
	pthread_t threads[2];

	pollrt_semaphore_init(&semaphore, 3);
	for (unsigned int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, guest_thread, &guest);
	for (unsigned int i = 0; i < 100; i++)
		pollrt_spawn(rt, &joins[i], user, .semaphore = &semaphore, .permits = 1 + i % 3,
			     .yields = i % 4, .used = &used, .limit = 3);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 100});
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(pollrt_semaphore_available(&semaphore), 3);
}

static void threads_and_tasks_share_permits(void **state)
{
	(void)state;
	sync_on_each_flavour(share_with_threads);
}

static void permits_can_be_added_without_end(void **state)
{
	struct pollrt_semaphore semaphore;

	(void)state;
	pollrt_semaphore_init(&semaphore, 1);
	pollrt_release(&semaphore, SIZE_MAX);
	assert_true(pollrt_semaphore_available(&semaphore) == SIZE_MAX);
	assert_int_equal(pollrt_try_acquire(&semaphore, SIZE_MAX), 0);
	assert_int_equal(pollrt_try_acquire(&semaphore, 1), -EAGAIN);
	assert_int_equal(pollrt_try_acquire(&semaphore, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_permits_are_out_than_there_are),
		cmocka_unit_test(waiters_are_served_in_order_and_the_greedy_do_not_starve),
		cmocka_unit_test(who_is_dropped_lets_those_behind_it_go_on),
		cmocka_unit_test(permits_granted_to_an_aborted_task_come_back),
		cmocka_unit_test(a_held_permit_comes_back_when_its_task_is_dropped),
		cmocka_unit_test(permits_are_conserved_whatever_is_dropped),
		cmocka_unit_test(who_never_has_to_wait_still_lets_others_run),
		cmocka_unit_test(threads_and_tasks_share_permits),
		cmocka_unit_test(permits_can_be_added_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
