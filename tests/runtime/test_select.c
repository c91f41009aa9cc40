// SPDX-License-Identifier: MIT
#include "helper.h"

#include "pollrt_select.h"

/* Ready at its nth poll; says what became of it. */
struct nth {
	unsigned int polls_left;
	unsigned int polled;
	unsigned int dropped;
	bool started;
	struct pollrt_cleanup cleanup;
};

static void nth_drop(struct pollrt_cleanup *cleanup)
{
	struct nth *self = POLLRT_CONTAINER_OF(cleanup, struct nth, cleanup);

	self->dropped++;
}

static enum pollrt_poll nth(struct nth *self, struct pollrt_cx *cx)
{
	self->polled++;
	if (!self->started)
		pollrt_defer(cx, &self->cleanup, nth_drop);
	self->started = true;
	if (--self->polls_left) {
		pollrt_wake_self(cx);
		return POLLRT_PENDING;
	}
	pollrt_undefer(&self->cleanup);
	return POLLRT_READY;
}

struct race {
	struct pollrt_async async;
	struct nth a, b, c;
	struct pollrt_select select;
	struct pollrt_sleep sleep;
	unsigned int dropped_before;
};

static POLLRT_ASYNC(race)
{
	POLLRT_BEGIN();
	self->a = (struct nth){.polls_left = 5};
	self->b = (struct nth){.polls_left = 3};
	self->c = (struct nth){.polls_left = 4};
	self->sleep = (struct pollrt_sleep){.ns = POLLRT_SEC(3600)};
	POLLRT_SELECT(self->select, nth(&self->a, cx), nth(&self->b, cx), nth(&self->c, cx),
		      pollrt_sleep(&self->sleep, cx));
	self->dropped_before = self->a.dropped + self->c.dropped;
	POLLRT_YIELD();
	POLLRT_END();
}

static void the_first_to_be_ready_wins_and_the_others_are_dropped(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 1);
		struct race future = {0};

		pollrt_block_on(rt, race, &future);
		assert_int_equal(future.select.winner, 1);
		assert_int_equal(future.b.polled, 3);
		assert_int_equal(future.b.dropped, 0);
		assert_int_equal(future.dropped_before, 2);
		assert_int_equal(future.a.dropped, 1);
		assert_true(future.a.polled <= 3);
		helper_finish(rt);
	}
}

struct fair {
	struct pollrt_async async;
	bool biased;
	unsigned int wins[8];
	unsigned int i;
	struct pollrt_select select;
};

#define EIGHT_READY                                                                                \
	POLLRT_READY, POLLRT_READY, POLLRT_READY, POLLRT_READY, POLLRT_READY, POLLRT_READY,        \
		POLLRT_READY, POLLRT_READY

static POLLRT_ASYNC(fair)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < 8000; self->i++) {
		if (self->biased)
			POLLRT_SELECT_BIASED(self->select, EIGHT_READY);
		else
			POLLRT_SELECT(self->select, EIGHT_READY);
		self->wins[self->select.winner]++;
	}
	POLLRT_END();
}

static void those_that_are_always_ready_win_alike(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct fair fair_race = {0}, biased = {.biased = true};

	(void)state;
	pollrt_block_on(rt, fair, &fair_race);
	for (unsigned int i = 0; i < 8; i++)
		assert_in_range(fair_race.wins[i], 700, 1300);
	pollrt_block_on(rt, fair, &biased);
	assert_int_equal(biased.wins[0], 8000);
	helper_finish(rt);
}

struct optional {
	struct pollrt_async async;
	bool enabled;
	struct nth a, b;
	struct pollrt_select select;
};

static POLLRT_ASYNC(optional)
{
	POLLRT_BEGIN();
	self->a = (struct nth){.polls_left = 1};
	self->b = (struct nth){.polls_left = 3};
	POLLRT_SELECT(self->select, self->enabled ? nth(&self->a, cx) : POLLRT_PENDING,
		      nth(&self->b, cx));
	POLLRT_END();
}

static void an_expression_can_be_left_out(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct optional without = {0}, with = {.enabled = true};

	(void)state;
	pollrt_block_on(rt, optional, &without);
	assert_int_equal(without.select.winner, 1);
	assert_int_equal(without.a.polled, 0);
	pollrt_block_on(rt, optional, &with);
	assert_int_equal(with.select.winner, 0);
	helper_finish(rt);
}

/* Holds what it counts until it is dropped or done, in an inner select and timeout. */
struct holds {
	struct pollrt_async async;
	atomic_int *held;
	struct pollrt_sleep a, b;
	struct pollrt_select select;
	struct pollrt_timeout timeout;
	struct pollrt_cleanup cleanup;
};

static void holds_drop(struct pollrt_cleanup *cleanup)
{
	struct holds *self = POLLRT_CONTAINER_OF(cleanup, struct holds, cleanup);

	atomic_fetch_sub(self->held, 1);
}

static POLLRT_ASYNC(holds)
{
	POLLRT_BEGIN();
	atomic_fetch_add(self->held, 1);
	pollrt_defer(cx, &self->cleanup, holds_drop);
	self->a = self->b = (struct pollrt_sleep){.ns = POLLRT_SEC(3600)};
	POLLRT_SELECT(self->select, pollrt_sleep(&self->a, cx), pollrt_sleep(&self->b, cx));
	POLLRT_END();
}

struct nests {
	struct pollrt_async async;
	atomic_int *held;
	struct holds inner, other;
	struct pollrt_select select;
	struct pollrt_sleep sleep;
	struct pollrt_timeout timeout;
	unsigned int loops;
};

static POLLRT_ASYNC(nests)
{
	POLLRT_BEGIN();
	for (;;) {
		self->inner = (struct holds){.held = self->held};
		self->other = (struct holds){.held = self->held};
		self->sleep = (struct pollrt_sleep){.ns = POLLRT_MS(1)};
		POLLRT_SELECT(self->select, holds(&self->inner, cx), pollrt_sleep(&self->sleep, cx),
			      holds(&self->other, cx));
		assert_int_equal(self->select.winner, 1);
		assert_int_equal(atomic_load(self->held), 0);
		if (++self->loops < 5)
			continue;
		self->inner = (struct holds){.held = self->held};
		POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(1), holds(&self->inner, cx));
		assert_int_equal(self->timeout.status, -ETIMEDOUT);
		assert_int_equal(atomic_load(self->held), 0);
		break;
	}
	self->inner = (struct holds){.held = self->held};
	self->other = (struct holds){.held = self->held};
	POLLRT_SELECT(self->select, holds(&self->inner, cx), holds(&self->other, cx));
	POLLRT_END();
}

struct aborts {
	struct pollrt_async async;
	atomic_int *held;
	struct pollrt_join join;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(aborts)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_spawn(NULL, &self->join, nests, .held = self->held), 0);
	/* Both are held while it selects; it is aborted in any of its selects. */
	for (;;) {
		POLLRT_SLEEP(self->sleep, POLLRT_MS(20));
		if (atomic_load(self->held) == 2)
			break;
	}
	pollrt_join_abort(&self->join);
	POLLRT_AWAIT(pollrt_join(&self->join, cx));
	assert_int_equal(self->join.status, -ECANCELED);
	pollrt_join_detach(&self->join);
	POLLRT_END();
}

static void selects_nest_and_end_with_their_task(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 2);
		atomic_int held = 0;

		pollrt_block_on(rt, aborts, &(struct aborts){.held = &held});
		assert_int_equal(atomic_load(&held), 0);
		helper_finish(rt);
	}
}

struct sleeps {
	struct pollrt_async async;
	atomic_int *alive;
	struct pollrt_sleep sleep;
};

static void sleeps_drop(struct sleeps *self)
{
	atomic_fetch_sub(self->alive, 1);
}

static POLLRT_ASYNC(sleeps)
{
	POLLRT_BEGIN();
	POLLRT_SLEEP(self->sleep, POLLRT_SEC(3600));
	POLLRT_END();
}

struct guards {
	struct pollrt_async async;
	atomic_int *alive;
	struct pollrt_guard child;
};

static POLLRT_ASYNC(guards)
{
	POLLRT_BEGIN();
	atomic_fetch_add(self->alive, 1);
	pollrt_spawn_drop(NULL, &self->child.join, sleeps, sleeps_drop, .alive = self->alive);
	pollrt_guard(&self->child, cx);
	POLLRT_AWAIT(pollrt_join(&self->child.join, cx));
	POLLRT_END();
}

struct bounds {
	struct pollrt_async async;
	atomic_int *alive;
	struct guards guards;
	struct pollrt_guard early;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(bounds)
{
	POLLRT_BEGIN();
	self->guards = (struct guards){.alive = self->alive};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), guards(&self->guards, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	while (atomic_load(self->alive))
		POLLRT_YIELD();
	atomic_fetch_add(self->alive, 1);
	pollrt_spawn_drop(NULL, &self->early.join, sleeps, sleeps_drop, .alive = self->alive);
	pollrt_guard(&self->early, cx);
	pollrt_guard_end(&self->early);
	while (atomic_load(self->alive))
		POLLRT_YIELD();
	POLLRT_END();
}

static void a_guarded_task_ends_with_the_scope_that_started_it(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 2);
		atomic_int alive = 0;

		pollrt_block_on(rt, bounds, &(struct bounds){.alive = &alive});
		assert_int_equal(atomic_load(&alive), 0);
		helper_finish(rt);
	}
}

struct told {
	struct pollrt_async async;
	struct pollrt_token *token;
	atomic_int *waiting, *told;
	const int *before;
	struct pollrt_cancelled cancelled;
	struct pollrt_timeout timeout;
};

static void told_drop(struct told *self)
{
	pollrt_token_release(self->token);
}

static POLLRT_ASYNC(told)
{
	POLLRT_BEGIN();
	self->cancelled = (struct pollrt_cancelled){.token = self->token};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_US(1), pollrt_cancelled(&self->cancelled, cx));
	atomic_fetch_add(self->waiting, 1);
	POLLRT_CALL(self->cancelled, pollrt_cancelled, .token = self->token);
	assert_int_equal(*self->before, 42);
	atomic_fetch_add(self->told, 1);
	POLLRT_END();
}

struct told_all {
	struct pollrt_async async;
	unsigned int count;
	atomic_int waiting, told;
	int before;
	struct pollrt_token *token;
	struct pollrt_cancelled cancelled;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(told_all)
{
	POLLRT_BEGIN();
	for (unsigned int i = 0; i < self->count; i++)
		pollrt_spawn_drop(
			NULL, NULL, told, told_drop, .token = pollrt_token_clone(self->token),
			.waiting = &self->waiting, .told = &self->told, .before = &self->before);
	while (atomic_load(&self->waiting) < (int)self->count)
		POLLRT_SLEEP(self->sleep, POLLRT_MS(1));
	assert_false(pollrt_token_is_cancelled(self->token));
	assert_int_equal(atomic_load(&self->told), 0);
	self->before = 42;
	pollrt_token_cancel(self->token);
	pollrt_token_cancel(self->token);
	assert_true(pollrt_token_is_cancelled(self->token));
	POLLRT_CALL(self->cancelled, pollrt_cancelled, .token = self->token);
	while (atomic_load(&self->told) < (int)self->count)
		POLLRT_SLEEP(self->sleep, POLLRT_MS(1));
	POLLRT_END();
}

static void a_token_tells_everybody_who_awaits_it(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 2);
		struct told_all future = {.count = 100};

		assert_int_equal(pollrt_token_create(&future.token), 0);
		pollrt_block_on(rt, told_all, &future);
		assert_int_equal(atomic_load(&future.told), 100);
		pollrt_token_release(future.token);
		pollrt_token_release(NULL);
		helper_finish(rt);
	}
}

static void *cancel_token(void *token)
{
	pollrt_token_cancel(token);
	pollrt_token_release(token);
	return NULL;
}

struct races {
	struct pollrt_async async;
	struct pollrt_token *token;
	unsigned int i;
	unsigned int told;
	pthread_t thread;
	struct pollrt_cancelled a, b;
	struct pollrt_select select;
};

static POLLRT_ASYNC(races)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < 200; self->i++) {
		assert_int_equal(pollrt_token_create(&self->token), 0);
		pthread_create(&self->thread, NULL, cancel_token, pollrt_token_clone(self->token));
		self->a = self->b = (struct pollrt_cancelled){.token = self->token};
		POLLRT_SELECT(self->select, pollrt_cancelled(&self->a, cx),
			      pollrt_cancelled(&self->b, cx));
		self->told++;
		pollrt_token_release(self->token);
		pthread_join(self->thread, NULL);
	}
	POLLRT_END();
}

static void a_token_may_be_cancelled_while_it_is_being_awaited(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct races future = {0};

	(void)state;
	pollrt_block_on(rt, races, &future);
	assert_int_equal(future.told, 200);
	helper_finish(rt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_to_be_ready_wins_and_the_others_are_dropped),
		cmocka_unit_test(those_that_are_always_ready_win_alike),
		cmocka_unit_test(an_expression_can_be_left_out),
		cmocka_unit_test(selects_nest_and_end_with_their_task),
		cmocka_unit_test(a_guarded_task_ends_with_the_scope_that_started_it),
		cmocka_unit_test(a_token_tells_everybody_who_awaits_it),
		cmocka_unit_test(a_token_may_be_cancelled_while_it_is_being_awaited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
