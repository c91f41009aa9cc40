// SPDX-License-Identifier: MIT
/* A worker goes on without the thread that blocks inside of a poll. */
#include "in_place.h"

/* ---- handing over ---- */

static void tasks_go_on_without_the_thread_that_blocks(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	_Atomic bool in = false, go = false;
	struct pollrt_join handle;
	struct caller caller_state;

	(void)state;
	assert_int_equal(
		pollrt_spawn(rt, &handle, caller, .call = {.in = &in, .go = &go}, .yields = true),
		0);
	await_flag(&in);
	/* On the only worker. */
	assert_int_equal(pollrt_spawn(rt, NULL, setter, .flag = &go), 0);
	caller_state = ended(rt, &handle);
	assert_int_equal(caller_state.status, 0);
	assert_int_equal(caller_state.call.calls, 1);
	/* The poll ends where it began; the next one is elsewhere. */
	assert_int_equal(caller_state.call.tid, caller_state.before);
	assert_int_equal(caller_state.after, caller_state.before);
	assert_int_not_equal(caller_state.later, caller_state.before);
	assert_string_equal(caller_state.call.name, "pollrt-block-0");
	assert_string_equal(caller_state.name_after, "pollrt-block-0");
	assert_int_equal(metrics_of(rt).handovers, 1);
	assert_int_equal(metrics_of(rt).blocking_threads, 1);
	assert_int_equal(metrics_of(rt).blocking_jobs, 0);
	helper_finish(rt);
}

static void run_family(unsigned int workers)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, workers);
	struct pollrt_join handle;

	assert_int_equal(pollrt_spawn(rt, &handle, family), 0);
	assert_int_equal(await_join(rt, &handle), 0);
	pollrt_join_detach(&handle);
	helper_await_completions(rt, 4);
	helper_finish(rt);
}

static void queued_tasks_are_handed_over(void **state)
{
	(void)state;
	for (unsigned int workers = 1; workers <= 3; workers++)
		run_family(workers);
}

struct napper {
	struct pollrt_async async;
	unsigned int i;
	_Atomic bool *flag;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(napper)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < 5; self->i++)
		POLLRT_SLEEP(self->sleep, POLLRT_MS(1));
	*self->flag = true;
	POLLRT_END();
}

static void timers_go_on(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_join handle;
	_Atomic bool go = false;

	(void)state;
	assert_int_equal(pollrt_spawn(rt, &handle, caller, .call = {.go = &go}), 0);
	assert_int_equal(pollrt_spawn(rt, NULL, napper, .flag = &go), 0);
	assert_int_equal(ended(rt, &handle).call.calls, 1);
	helper_finish(rt);
}

struct repeater {
	struct pollrt_async async;
	unsigned int left;
	struct call call;
};

static POLLRT_ASYNC(repeater)
{
	POLLRT_BEGIN();
	for (; self->left; self->left--) {
		pollrt_block_in_place(call, &self->call);
		POLLRT_YIELD();
	}
	POLLRT_END();
}

static void threads_are_used_again(void **state)
{
	struct pollrt_config config = {.workers = 2, .blocking_limit = 3};
	struct pollrt_join handles[4];
	struct pollrt_runtime *rt;

	(void)state;
	assert_int_equal(pollrt_runtime_create(&rt, &config), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(pollrt_spawn(rt, &handles[i], repeater, .left = 500), 0);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(await_join(rt, &handles[i]), 0);
		assert_int_equal(((struct repeater *)pollrt_join_state(&handles[i]))->call.calls,
				 500);
		pollrt_join_detach(&handles[i]);
	}
	assert_true(metrics_of(rt).blocking_threads <= 3);
	assert_true(metrics_of(rt).handovers <= 2000);
	assert_int_equal(metrics_of(rt).polls, 4 * 501);
	pollrt_runtime_shutdown(rt);
	assert_int_equal(metrics_of(rt).blocking_threads, 0);
	helper_finish(rt);
}

static void short_calls_do_not_pile_up_threads(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_join handle;

	(void)state;
	assert_int_equal(pollrt_spawn(rt, &handle, repeater, .left = 5000), 0);
	assert_int_equal(await_join(rt, &handle), 0);
	pollrt_join_detach(&handle);
	assert_int_equal(metrics_of(rt).handovers, 5000);
	/* Two would do, but for those that are late in going back to the pool: few of 5,000. */
	assert_in_range(metrics_of(rt).blocking_threads, 0, 100);
	helper_finish(rt);
}

/* ---- where ---- */

static void nest(struct call *self)
{
	assert_int_equal(pollrt_block_in_place(call, self), 0);
	assert_int_equal(pollrt_block_in_place(call, self), 0);
}

struct nester {
	struct pollrt_async async;
	struct call call;
	pid_t before;
};

static POLLRT_ASYNC(nester)
{
	POLLRT_BEGIN();
	self->before = thread_id();
	assert_int_equal(pollrt_block_in_place(nest, &self->call), 0);
	assert_int_equal(self->call.calls, 2);
	assert_int_equal(self->call.tid, self->before);
	POLLRT_END();
}

static void nested_it_is_a_plain_call(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_join handle;

	(void)state;
	assert_int_equal(pollrt_spawn(rt, &handle, nester), 0);
	assert_int_equal(await_join(rt, &handle), 0);
	pollrt_join_detach(&handle);
	assert_int_equal(metrics_of(rt).handovers, 1);
	helper_finish(rt);
}

static void outside_of_tasks_it_is_a_plain_call(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct call plain = {0};
	struct caller future = {0};

	(void)state;
	assert_int_equal(pollrt_block_in_place(call, &plain), 0);
	assert_int_equal(plain.calls, 1);
	assert_int_equal(pollrt_block_on(rt, caller, &future), 0);
	assert_int_equal(future.status, 0);
	assert_int_equal(future.call.calls, 1);
	assert_int_equal(future.call.tid, thread_id());
	assert_int_equal(metrics_of(rt).handovers, 0);
	helper_finish(rt);
}

struct job_call {
	struct call *call;
	int status;
};

static void job_call(struct job_call *self)
{
	self->status = pollrt_block_in_place(call, self->call);
}

static void a_current_thread_runtime_refuses(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct call from_job = {0};
	struct caller future = {0}, task;
	struct pollrt_join handle;

	(void)state;
	assert_int_equal(pollrt_block_on(rt, caller, &future), 0);
	assert_int_equal(future.status, -EINVAL);
	assert_int_equal(future.call.calls, 0);
	assert_int_equal(pollrt_spawn(rt, &handle, caller, .yields = true), 0);
	task = ended(rt, &handle);
	assert_int_equal(task.status, -EINVAL);
	assert_int_equal(task.call.calls, 0);
	/* Its blocking pool has nothing to hand over. */
	assert_int_equal(pollrt_spawn_blocking(rt, &handle, job_call, .call = &from_job), 0);
	assert_int_equal(await_join(rt, &handle), 0);
	assert_int_equal(((struct job_call *)pollrt_join_state(&handle))->status, 0);
	pollrt_join_detach(&handle);
	assert_int_equal(from_job.calls, 1);
	assert_int_equal(metrics_of(rt).handovers, 0);
	helper_finish(rt);
}

/* In place, waits for a task of the same runtime. */
struct waiter {
	struct pollrt_async async;
	struct pollrt_join join;
	int block_on;
	int status;
	_Atomic bool *in;
};

static void wait_in_place(struct waiter *self)
{
	if (self->in)
		*self->in = true;
	self->block_on = await_join(pollrt_runtime_current(), &self->join);
	self->status = self->join.status;
}

static POLLRT_ASYNC(waiter)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_spawn(NULL, &self->join, caller, .yields = true), 0);
	assert_int_equal(await_join(pollrt_runtime_current(), &self->join), -EDEADLK);
	assert_int_equal(pollrt_block_in_place(wait_in_place, self), 0);
	pollrt_join_detach(&self->join);
	POLLRT_END();
}

static void block_on_may_be_used_in_it(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_join handle;

	(void)state;
	assert_int_equal(pollrt_spawn(rt, &handle, waiter), 0);
	assert_int_equal(await_join(rt, &handle), 0);
	assert_int_equal(((struct waiter *)pollrt_join_state(&handle))->block_on, 0);
	assert_int_equal(((struct waiter *)pollrt_join_state(&handle))->status, 0);
	pollrt_join_detach(&handle);
	helper_finish(rt);
}

/* A future of another runtime, driven inside a task. */
struct outer {
	struct pollrt_async async;
	struct pollrt_runtime *inner;
	struct caller future;
};

static POLLRT_ASYNC(outer)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_block_on(self->inner, caller, &self->future), 0);
	POLLRT_END();
}

static void a_nested_future_hands_over_the_worker_around_it(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_runtime *inner = helper_runtime(POLLRT_MULTI_THREAD, 1);
	_Atomic bool in = false, go = false;
	struct pollrt_join handle;

	(void)state;
	assert_int_equal(pollrt_spawn(rt, &handle, outer, .inner = inner,
				      .future = {.call = {.in = &in, .go = &go}}),
			 0);
	await_flag(&in);
	assert_int_equal(pollrt_spawn(rt, NULL, setter, .flag = &go), 0);
	assert_int_equal(await_join(rt, &handle), 0);
	pollrt_join_detach(&handle);
	assert_int_equal(metrics_of(rt).handovers, 1);
	assert_int_equal(metrics_of(inner).handovers, 0);
	helper_finish(rt);
	helper_finish(inner);
}

struct dropped {
	struct pollrt_async async;
	struct call *call;
};

static POLLRT_ASYNC(dropped)
{
	POLLRT_BEGIN();
	POLLRT_END();
}

static void drop_in_place(struct dropped *self)
{
	assert_int_equal(pollrt_block_in_place(call, self->call), 0);
}

static void a_destructor_may_call_it(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	_Atomic bool in = false, go = false;
	struct call seen = {.in = &in, .go = &go};
	struct pollrt_join handle;

	(void)state;
	assert_int_equal(pollrt_spawn_drop(rt, &handle, dropped, drop_in_place, .call = &seen), 0);
	await_flag(&in);
	assert_int_equal(pollrt_spawn(rt, NULL, setter, .flag = &go), 0);
	assert_int_equal(await_join(rt, &handle), 0);
	pollrt_join_detach(&handle);
	assert_int_equal(seen.calls, 1);
	helper_finish(rt);
}

/* ---- shutdown ---- */

struct shutter {
	struct pollrt_runtime *rt;
	_Atomic bool done;
};

static void *shutter(void *argument)
{
	struct shutter *self = argument;

	pollrt_runtime_shutdown(self->rt);
	self->done = true;
	return NULL;
}

/* Goes on after the call, and never ends by itself. */
struct endless {
	struct pollrt_async async;
	struct call call;
	_Atomic bool *dropped;
	int spawned;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(endless)
{
	POLLRT_BEGIN();
	pollrt_block_in_place(call, &self->call);
	self->spawned = pollrt_spawn(NULL, NULL, setter, .flag = self->dropped);
	assert_int_equal(self->spawned, -ESHUTDOWN);
	POLLRT_SLEEP(self->sleep, POLLRT_SEC(1000));
	POLLRT_END();
}

static void endless_drop(struct endless *self)
{
	assert_false(*self->dropped);
	*self->dropped = true;
}

static void shutdown_waits_for_the_poll_and_cancels_the_task(void **state)
{
	struct shutter shutdown = {.rt = helper_runtime(POLLRT_MULTI_THREAD, 2)};
	_Atomic bool in = false, go = false, dropped = false;
	unsigned int others = 0;
	struct pollrt_join handle;
	pthread_t thread;

	(void)state;
	assert_int_equal(pollrt_spawn_drop(shutdown.rt, &handle, endless, endless_drop,
					   .call = {.in = &in, .go = &go}, .dropped = &dropped),
			 0);
	await_flag(&in);
	assert_int_equal(pthread_create(&thread, NULL, shutter, &shutdown), 0);
	usleep(5000);
	assert_false(shutdown.done);
	assert_false(dropped);
	/* By then tasks are refused; those before run, or are cancelled too. */
	for (; pollrt_spawn(shutdown.rt, NULL, setter, .flag = &in) != -ESHUTDOWN; others++)
		usleep(100);
	go = true;
	pthread_join(thread, NULL);
	assert_true(dropped);
	assert_in_range(metrics_of(shutdown.rt).cancellations, 1, 1 + others);
	pollrt_join_detach(&handle);
	helper_finish(shutdown.rt);
}

struct stuck {
	int nothing;
};

static enum pollrt_poll stuck(struct stuck *self, struct pollrt_cx *cx)
{
	(void)self;
	(void)cx;
	return POLLRT_PENDING;
}

struct hopeless {
	struct pollrt_async async;
	struct waiter waiter;
};

static POLLRT_ASYNC(hopeless)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_spawn(NULL, &self->waiter.join, stuck), 0);
	assert_int_equal(pollrt_block_in_place(wait_in_place, &self->waiter), 0);
	assert_int_equal(self->waiter.block_on, 0);
	assert_int_equal(self->waiter.status, -ECANCELED);
	pollrt_join_detach(&self->waiter.join);
	POLLRT_END();
}

static void shutdown_ends_what_is_waited_for_in_place(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1 + i % 2);
		_Atomic bool in = false;

		assert_int_equal(pollrt_spawn(rt, NULL, hopeless, .waiter = {.in = &in}), 0);
		await_flag(&in);
		/* Not before it is in block_on, which is refused after a shutdown. */
		while (metrics_of(rt).block_on_polls < 1)
			usleep(100);
		helper_finish(rt);
	}
}

static unsigned int reads;

static void read_only(const unsigned int *value)
{
	reads += *value;
}

static void a_call_may_take_what_it_only_reads(void **state)
{
	const unsigned int value = 3;

	(void)state;
	assert_int_equal(pollrt_block_in_place(read_only, &value), 0);
	assert_int_equal(reads, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_go_on_without_the_thread_that_blocks),
		cmocka_unit_test(queued_tasks_are_handed_over),
		cmocka_unit_test(timers_go_on),
		cmocka_unit_test(threads_are_used_again),
		cmocka_unit_test(short_calls_do_not_pile_up_threads),
		cmocka_unit_test(nested_it_is_a_plain_call),
		cmocka_unit_test(outside_of_tasks_it_is_a_plain_call),
		cmocka_unit_test(a_current_thread_runtime_refuses),
		cmocka_unit_test(block_on_may_be_used_in_it),
		cmocka_unit_test(a_nested_future_hands_over_the_worker_around_it),
		cmocka_unit_test(a_destructor_may_call_it),
		cmocka_unit_test(shutdown_waits_for_the_poll_and_cancels_the_task),
		cmocka_unit_test(shutdown_ends_what_is_waited_for_in_place),
		cmocka_unit_test(a_call_may_take_what_it_only_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
