// SPDX-License-Identifier: MIT
#include "helper.h"

/* What a test and its tasks share. */
struct shared {
	_Atomic unsigned int polls;
	_Atomic unsigned int drops;
	_Atomic bool go;
	pthread_mutex_t lock;
	struct pollrt_waker waker;
};

static struct shared *shared_new(void)
{
	struct shared *shared = calloc(1, sizeof(*shared));

	pthread_mutex_init(&shared->lock, NULL);
	return shared;
}

static void shared_free(struct shared *shared)
{
	pollrt_waker_drop(&shared->waker);
	free(shared);
}

static void spin_until(_Atomic unsigned int *value, unsigned int atleast)
{
	while (*value < atleast)
		usleep(100);
}

/* Pending until `go`; leaves its waker. */
struct waits {
	struct shared *shared;
};

static enum pollrt_poll waits(struct waits *self, struct pollrt_cx *cx)
{
	struct shared *shared = self->shared;
	bool ready;

	pthread_mutex_lock(&shared->lock);
	if (!shared->waker.task)
		shared->waker = pollrt_waker(cx);
	/* First: who sees the count may set it for the next poll. */
	ready = shared->go;
	shared->polls++;
	pthread_mutex_unlock(&shared->lock);
	return ready ? POLLRT_READY : POLLRT_PENDING;
}

static void waits_drop(struct waits *self)
{
	self->shared->drops++;
}

static void wake(struct shared *shared)
{
	pthread_mutex_lock(&shared->lock);
	pollrt_waker_wake_by_ref(&shared->waker);
	pthread_mutex_unlock(&shared->lock);
}

struct joins {
	struct pollrt_async async;
	struct pollrt_join *join;
};

static POLLRT_ASYNC(joins)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT(pollrt_join(self->join, cx));
	POLLRT_END();
}

static void await_join(struct pollrt_runtime *rt, struct pollrt_join *join)
{
	assert_int_equal(pollrt_block_on(rt, joins, &(struct joins){.join = join}), 0);
}

struct add {
	struct pollrt_async async;
	int a, b, sum;
};

static POLLRT_ASYNC(add)
{
	POLLRT_BEGIN();
	POLLRT_YIELD();
	self->sum = self->a + self->b;
	POLLRT_END();
}

static void a_joiner_reads_the_result_from_the_state(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);
	struct pollrt_join join;

	(void)state;
	assert_int_equal(pollrt_spawn(rt, &join, add, .a = 2, .b = 3), 0);
	await_join(rt, &join);
	assert_int_equal(join.status, 0);
	assert_int_equal(((struct add *)pollrt_join_state(&join))->sum, 5);
	pollrt_join_detach(&join);
	helper_finish(rt);
}

static void wakes_are_counted_when_they_are_effective(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct shared *shared = shared_new();
	struct pollrt_metrics m;
	struct pollrt_join join;

	(void)state;
	pollrt_spawn_drop(rt, &join, waits, waits_drop, .shared = shared);
	for (unsigned int polls = 1; polls <= 5; polls++) {
		spin_until(&shared->polls, polls);
		wake(shared);
	}
	spin_until(&shared->polls, 6);
	pollrt_metrics(rt, &m);
	assert_int_equal(m.wakes, 5);
	assert_int_equal(m.polls, 6);
	shared->go = true;
	wake(shared);
	await_join(rt, &join);
	/* Complete: not effective any more. */
	wake(shared);
	pollrt_metrics(rt, &m);
	assert_int_equal(m.wakes, 6);
	assert_int_equal(shared->drops, 1);
	pollrt_join_detach(&join);
	helper_finish(rt);
	shared_free(shared);
}

static void abort_of_an_idle_task_drops_it_without_a_poll(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);
	struct shared *shared = shared_new();
	struct pollrt_join join;

	(void)state;
	pollrt_spawn_drop(rt, &join, waits, waits_drop, .shared = shared);
	spin_until(&shared->polls, 1);
	pollrt_join_abort(&join);
	pollrt_join_abort(&join);
	await_join(rt, &join);
	assert_int_equal(join.status, -ECANCELED);
	assert_int_equal(shared->polls, 1);
	assert_int_equal(shared->drops, 1);
	pollrt_join_detach(&join);
	helper_finish(rt);
	shared_free(shared);
}

static void abort_before_the_first_poll_still_drops(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct shared *shared = shared_new();
	struct pollrt_join join;

	(void)state;
	/* Nothing runs it until the block_on. */
	pollrt_spawn_drop(rt, &join, waits, waits_drop, .shared = shared);
	pollrt_join_abort(&join);
	await_join(rt, &join);
	assert_int_equal(join.status, -ECANCELED);
	assert_int_equal(shared->polls, 0);
	assert_int_equal(shared->drops, 1);
	pollrt_join_detach(&join);
	helper_finish(rt);
	shared_free(shared);
}

struct aborts_itself {
	struct pollrt_async async;
	struct shared *shared;
	struct pollrt_join *join;
};

static POLLRT_ASYNC(aborts_itself)
{
	POLLRT_BEGIN();
	pollrt_join_abort(self->join);
	self->shared->polls++;
	POLLRT_YIELD();
	self->shared->polls++;
	POLLRT_END();
}

static void abort_in_a_poll_takes_effect_at_its_end(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct shared *shared = shared_new();
	struct pollrt_join join;

	(void)state;
	pollrt_spawn(rt, &join, aborts_itself, .shared = shared, .join = &join);
	await_join(rt, &join);
	assert_int_equal(join.status, -ECANCELED);
	assert_int_equal(shared->polls, 1);
	pollrt_join_detach(&join);
	helper_finish(rt);
	shared_free(shared);
}

static void abort_of_a_complete_task_does_nothing(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_join join;

	(void)state;
	pollrt_spawn(rt, &join, add, .a = 1);
	await_join(rt, &join);
	pollrt_join_abort(&join);
	await_join(rt, &join);
	assert_int_equal(join.status, 0);
	pollrt_join_detach(&join);
	helper_finish(rt);
}

static void aborts_race_with_polls_and_wakes(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);

	(void)state;
	for (unsigned int i = 0; i < 2000; i++) {
		struct shared *shared = shared_new();
		struct pollrt_join join;

		pollrt_spawn_drop(rt, &join, waits, waits_drop, .shared = shared);
		wake(shared);
		if (i % 2)
			spin_until(&shared->polls, 1);
		wake(shared);
		pollrt_join_abort(&join);
		wake(shared);
		await_join(rt, &join);
		assert_int_equal(join.status, -ECANCELED);
		assert_int_equal(shared->drops, 1);
		pollrt_join_detach(&join);
		shared_free(shared);
	}
	helper_finish(rt);
}

struct deferred {
	struct pollrt_cleanup cleanup;
	char *log;
	char name;
};

static void log_deferred(struct pollrt_cleanup *cleanup)
{
	struct deferred *deferred = (struct deferred *)cleanup;

	deferred->log[strlen(deferred->log)] = deferred->name;
}

struct defers {
	struct pollrt_async async;
	char *log;
	struct deferred a, b, c;
};

static POLLRT_ASYNC(defers)
{
	POLLRT_BEGIN();
	self->a = (struct deferred){.log = self->log, .name = 'a'};
	self->b = (struct deferred){.log = self->log, .name = 'b'};
	self->c = (struct deferred){.log = self->log, .name = 'c'};
	pollrt_defer(cx, &self->a.cleanup, log_deferred);
	pollrt_defer(cx, &self->b.cleanup, log_deferred);
	pollrt_defer(cx, &self->c.cleanup, log_deferred);
	pollrt_undefer(&self->b.cleanup);
	POLLRT_END();
}

static void cleanups_run_at_the_end_latest_first(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	char log[8] = "";

	(void)state;
	pollrt_block_on(rt, defers, &(struct defers){.log = log});
	assert_string_equal(log, "ca");
	helper_finish(rt);
}

static void ids_are_unique_and_ascend(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct pollrt_join a, b;

	(void)state;
	pollrt_spawn(rt, &a, add, .a = 1);
	pollrt_spawn(rt, &b, add, .a = 1);
	assert_true(pollrt_join_id(&a) >= 1);
	assert_int_equal(pollrt_join_id(&b), pollrt_join_id(&a) + 1);
	pollrt_join_detach(&a);
	pollrt_join_detach(&b);
	helper_finish(rt);
}

static void spawning_without_or_after_a_runtime_fails(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_join join;

	(void)state;
	assert_int_equal(pollrt_spawn(NULL, &join, add, .a = 1), -EINVAL);
	assert_null(join.task);
	pollrt_runtime_shutdown(rt);
	assert_int_equal(pollrt_spawn(rt, &join, add, .a = 1), -ESHUTDOWN);
	assert_null(join.task);
	helper_finish(rt);
}

static void wakers_and_handles_outlive_the_runtime(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);
	struct shared *shared = shared_new();
	struct pollrt_waker clone;
	struct pollrt_join join;

	(void)state;
	pollrt_spawn_drop(rt, &join, waits, waits_drop, .shared = shared);
	spin_until(&shared->polls, 1);
	helper_finish(rt);
	assert_int_equal(shared->drops, 1);
	clone = pollrt_waker_clone(&shared->waker);
	wake(shared);
	pollrt_waker_wake(&clone);
	pollrt_join_abort(&join);
	pollrt_join_detach(&join);
	shared_free(shared);
}

static void the_empty_waker_and_handle_do_nothing(void **state)
{
	struct pollrt_waker waker = {0}, clone = pollrt_waker_clone(&waker);
	struct pollrt_join join = {0};

	(void)state;
	pollrt_waker_wake_by_ref(&waker);
	pollrt_waker_wake(&clone);
	pollrt_waker_drop(&waker);
	pollrt_join_abort(&join);
	pollrt_join_detach(&join);
	assert_int_equal(pollrt_join_id(&join), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_joiner_reads_the_result_from_the_state),
		cmocka_unit_test(wakes_are_counted_when_they_are_effective),
		cmocka_unit_test(abort_of_an_idle_task_drops_it_without_a_poll),
		cmocka_unit_test(abort_before_the_first_poll_still_drops),
		cmocka_unit_test(abort_in_a_poll_takes_effect_at_its_end),
		cmocka_unit_test(abort_of_a_complete_task_does_nothing),
		cmocka_unit_test(aborts_race_with_polls_and_wakes),
		cmocka_unit_test(cleanups_run_at_the_end_latest_first),
		cmocka_unit_test(ids_are_unique_and_ascend),
		cmocka_unit_test(spawning_without_or_after_a_runtime_fails),
		cmocka_unit_test(wakers_and_handles_outlive_the_runtime),
		cmocka_unit_test(the_empty_waker_and_handle_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
