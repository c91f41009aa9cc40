// SPDX-License-Identifier: MIT
#include "helper.h"

#include <sched.h>

/* Waits for a thread to wake it, and tells that thread when it may. */
struct mailbox {
	pthread_mutex_t lock;
	struct pollrt_waker waker;
	_Atomic bool full;
};

static void mailbox_init(struct mailbox *box)
{
	memset(box, 0, sizeof(*box));
	pthread_mutex_init(&box->lock, NULL);
}

static void mailbox_fill(struct mailbox *box)
{
	struct pollrt_waker waker;

	pthread_mutex_lock(&box->lock);
	box->full = true;
	waker = box->waker;
	box->waker.task = NULL;
	pthread_mutex_unlock(&box->lock);
	pollrt_waker_wake(&waker);
}

static enum pollrt_poll mailbox_take(struct mailbox *box, struct pollrt_cx *cx)
{
	enum pollrt_poll poll = POLLRT_READY;

	pthread_mutex_lock(&box->lock);
	if (!box->full) {
		pollrt_waker_drop(&box->waker);
		box->waker = pollrt_waker(cx);
		poll = POLLRT_PENDING;
	}
	box->full = false;
	pthread_mutex_unlock(&box->lock);
	return poll;
}

#define LETTERS 3000

struct receives {
	struct pollrt_async async;
	struct mailbox *in, *out;
	unsigned int i;
};

static POLLRT_ASYNC(receives)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < LETTERS; self->i++) {
		POLLRT_AWAIT(mailbox_take(self->in, cx));
		if (self->out)
			mailbox_fill(self->out);
	}
	POLLRT_END();
}

struct sends {
	struct pollrt_async async;
	struct mailbox *in, *out;
	unsigned int i;
};

static POLLRT_ASYNC(sends)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < LETTERS; self->i++) {
		mailbox_fill(self->out);
		POLLRT_AWAIT(mailbox_take(self->in, cx));
	}
	POLLRT_END();
}

struct pair {
	struct pollrt_runtime *rt;
	struct mailbox a, b;
};

static void *receiver(void *argument)
{
	struct pair *pair = argument;

	pollrt_block_on(pair->rt, receives, &(struct receives){.in = &pair->a, .out = &pair->b});
	return NULL;
}

/* Two threads that block on futures of one runtime wake each other. */
static void exchange_letters(enum pollrt_flavour flavour)
{
	struct pair pair = {.rt = helper_runtime(flavour, 1)};
	struct pollrt_metrics m;
	pthread_t thread;

	mailbox_init(&pair.a);
	mailbox_init(&pair.b);
	pthread_create(&thread, NULL, receiver, &pair);
	pollrt_block_on(pair.rt, sends, &(struct sends){.in = &pair.b, .out = &pair.a});
	pthread_join(thread, NULL);
	pollrt_metrics(pair.rt, &m);
	assert_int_equal(m.block_ons, 2);
	assert_true(m.block_on_polls <= m.block_ons + m.block_on_wakes);
	helper_finish(pair.rt);
}

static void foreign_threads_wake_a_blocked_thread(void **state)
{
	(void)state;
	exchange_letters(POLLRT_MULTI_THREAD);
}

static void threads_take_turns_on_a_current_thread_runtime(void **state)
{
	(void)state;
	exchange_letters(POLLRT_CURRENT_THREAD);
}

/* A task that fills the mailbox of the thread that runs it. */
struct fills {
	struct mailbox *box;
};

static enum pollrt_poll fills(struct fills *self, struct pollrt_cx *cx)
{
	(void)cx;
	mailbox_fill(self->box);
	return POLLRT_READY;
}

static void *spawner(void *argument)
{
	struct pair *pair = argument;
	struct pollrt_metrics m;

	for (unsigned int i = 1; i <= LETTERS; i++) {
		pollrt_spawn(pair->rt, NULL, fills, .box = &pair->a);
		do {
			sched_yield();
			pollrt_metrics(pair->rt, &m);
		} while (m.completions < i || pair->a.full);
	}
	return NULL;
}

static void a_foreign_spawn_unparks_the_current_thread(void **state)
{
	struct pair pair = {.rt = helper_runtime(POLLRT_CURRENT_THREAD, 1)};
	pthread_t thread;

	(void)state;
	mailbox_init(&pair.a);
	pthread_create(&thread, NULL, spawner, &pair);
	pollrt_block_on(pair.rt, receives, &(struct receives){.in = &pair.a});
	pthread_join(thread, NULL);
	helper_finish(pair.rt);
}

struct counts {
	struct pollrt_async async;
	unsigned int left;
	unsigned int *done;
};

static POLLRT_ASYNC(counts)
{
	POLLRT_BEGIN();
	while (self->left--)
		POLLRT_YIELD();
	++*self->done;
	POLLRT_END();
}

/* Never sleeps: has to let the tasks of its own thread run nevertheless. */
struct yields_for {
	struct pollrt_async async;
	unsigned int *done;
	unsigned int want;
};

static POLLRT_ASYNC(yields_for)
{
	POLLRT_BEGIN();
	while (*self->done < self->want)
		POLLRT_YIELD();
	POLLRT_END();
}

static void a_yielding_block_on_lets_tasks_run(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	unsigned int done = 0;

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		pollrt_spawn(rt, NULL, counts, .left = 100, .done = &done);
	pollrt_block_on(rt, yields_for, &(struct yields_for){.done = &done, .want = 10});
	helper_finish(rt);
}

/* A task that blocks its thread on a future of @rt. */
struct nests {
	struct pollrt_async async;
	struct pollrt_runtime *rt;
	unsigned int *done;
	unsigned int depth;
	int status;
};

static POLLRT_ASYNC(nests)
{
	struct nests inner = {.rt = self->rt, .done = self->done, .depth = self->depth - 1};
	unsigned int want;

	POLLRT_BEGIN();
	if (self->depth) {
		self->status = pollrt_block_on(self->rt, nests, &inner);
		POLLRT_YIELD();
		POLLRT_RETURN();
	}
	want = *self->done + 1;
	pollrt_spawn(self->rt, NULL, counts, .left = 3, .done = self->done);
	self->status = pollrt_block_on(self->rt, yields_for,
				       &(struct yields_for){.done = self->done, .want = want});
	POLLRT_END();
}

static void block_on_nests_in_a_current_thread_runtime(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct nests nests_state = {.rt = rt, .depth = 3};
	unsigned int done = 0;

	(void)state;
	nests_state.done = &done;
	assert_int_equal(pollrt_block_on(rt, nests, &nests_state), 0);
	assert_int_equal(nests_state.status, 0);
	assert_int_equal(done, 1);
	helper_finish(rt);
}

struct runs_in_worker {
	struct pollrt_async async;
	struct pollrt_runtime *inner;
	struct pollrt_runtime *own;
	unsigned int *done;
	struct nests nests;
};

static POLLRT_ASYNC(runs_in_worker)
{
	POLLRT_BEGIN();
	assert_int_equal(
		pollrt_block_on(self->own, yields_for, &(struct yields_for){.done = self->done}),
		-EDEADLK);
	POLLRT_CALL(self->nests, nests, .rt = self->inner, .depth = 2, .done = self->done);
	assert_ptr_equal(pollrt_runtime_current(), self->own);
	POLLRT_END();
}

struct joins {
	struct pollrt_async async;
	struct pollrt_join join;
};

static POLLRT_ASYNC(joins)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT(pollrt_join(&self->join, cx));
	pollrt_join_detach(&self->join);
	POLLRT_END();
}

static void a_worker_may_block_on_another_runtime_only(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);
	struct pollrt_runtime *inner = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct joins joins_state = {0};
	unsigned int done = 0;

	(void)state;
	pollrt_spawn(rt, &joins_state.join, runs_in_worker, .inner = inner, .own = rt,
		     .done = &done);
	pollrt_block_on(rt, joins, &joins_state);
	assert_int_equal(done, 1);
	helper_finish(inner);
	helper_finish(rt);
}

/* Blocks its worker until tasks of its own runtime are done. */
struct waits_for_others {
	struct pollrt_async async;
	struct pollrt_runtime *inner;
	struct pollrt_runtime *own;
	unsigned int depth;
	struct pollrt_join join;
	unsigned int done;
	struct joins joins;
};

static POLLRT_ASYNC(waits_for_others)
{
	POLLRT_BEGIN();
	pollrt_spawn(self->own, &self->join, counts, .done = &self->done);
	if (self->depth) {
		self->joins.join = self->join;
		pollrt_block_on(self->inner, joins, &self->joins);
		/* The same with a task that is spawned inside. */
		pollrt_block_on(self->inner, waits_for_others,
				&(struct waits_for_others){.own = self->own});
	} else {
		POLLRT_AWAIT(pollrt_join(&self->join, cx));
		pollrt_join_detach(&self->join);
	}
	POLLRT_END();
}

static void other_workers_run_what_a_blocked_one_waits_for(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 2);
	struct pollrt_runtime *inner = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct joins joins_state = {0};

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		pollrt_spawn(rt, &joins_state.join, waits_for_others, .inner = inner, .own = rt,
			     .depth = 1);
		joins_state.async.resume = NULL;
		pollrt_block_on(rt, joins, &joins_state);
	}
	helper_finish(inner);
	helper_finish(rt);
}

static void tasks_wait_for_the_next_block_on(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	unsigned int done = 0;

	(void)state;
	pollrt_spawn(rt, NULL, counts, .left = 1000, .done = &done);
	pollrt_block_on(rt, yields_for, &(struct yields_for){.done = &done, .want = 0});
	assert_int_equal(done, 0);
	pollrt_block_on(rt, yields_for, &(struct yields_for){.done = &done, .want = 1});
	assert_int_equal(done, 1);
	helper_finish(rt);
}

static void block_on_fails_without_a_running_runtime(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	unsigned int done = 0;

	(void)state;
	assert_int_equal(pollrt_block_on(NULL, yields_for, &(struct yields_for){.done = &done}),
			 -EINVAL);
	pollrt_runtime_shutdown(rt);
	assert_int_equal(pollrt_block_on(rt, yields_for, &(struct yields_for){.done = &done}),
			 -ESHUTDOWN);
	helper_finish(rt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_threads_wake_a_blocked_thread),
		cmocka_unit_test(threads_take_turns_on_a_current_thread_runtime),
		cmocka_unit_test(a_foreign_spawn_unparks_the_current_thread),
		cmocka_unit_test(a_yielding_block_on_lets_tasks_run),
		cmocka_unit_test(block_on_nests_in_a_current_thread_runtime),
		cmocka_unit_test(a_worker_may_block_on_another_runtime_only),
		cmocka_unit_test(other_workers_run_what_a_blocked_one_waits_for),
		cmocka_unit_test(tasks_wait_for_the_next_block_on),
		cmocka_unit_test(block_on_fails_without_a_running_runtime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
