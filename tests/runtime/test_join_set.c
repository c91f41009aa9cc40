// SPDX-License-Identifier: MIT
#include "helper.h"

#include "pollrt_select.h"

struct naps {
	struct pollrt_async async;
	uint64_t ns;
	atomic_int *alive;
	struct pollrt_sleep sleep;
};

static void naps_drop(struct naps *self)
{
	atomic_fetch_sub(self->alive, 1);
}

static POLLRT_ASYNC(naps)
{
	POLLRT_BEGIN();
	POLLRT_SLEEP(self->sleep, self->ns);
	POLLRT_END();
}

struct works {
	int result;
};

static void works(struct works *self)
{
	usleep(1000);
	self->result = 7;
}

struct told {
	struct pollrt_async async;
	struct pollrt_token *token;
	int result;
	struct pollrt_cancelled cancelled;
};

static POLLRT_ASYNC(told)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->cancelled, pollrt_cancelled, .token = self->token);
	self->result++;
	POLLRT_END();
}

struct in_order {
	struct pollrt_async async;
	struct pollrt_join_set *set;
	struct pollrt_join_next next;
	struct pollrt_token *tokens[3];
	unsigned int i;
};

static POLLRT_ASYNC(in_order)
{
	static const unsigned int order[] = {1, 2, 0};

	POLLRT_BEGIN();
	assert_int_equal(pollrt_join_set_open(&self->set, cx), 0);
	POLLRT_CALL(self->next, pollrt_join_next, .set = self->set);
	assert_int_equal(self->next.status, -ENOENT);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pollrt_token_create(&self->tokens[i]), 0);
		assert_int_equal(pollrt_join_set_spawn(NULL, self->set, told, .result = 10 * i,
						       .token = self->tokens[i]),
				 0);
	}
	assert_int_equal(pollrt_join_set_spawn_blocking(NULL, self->set, works), 0);
	assert_int_equal(pollrt_join_set_count(self->set), 4);
	POLLRT_CALL(self->next, pollrt_join_next, .set = self->set);
	assert_int_equal(self->next.status, 0);
	assert_int_equal(((struct works *)pollrt_join_state(&self->next.join))->result, 7);
	pollrt_join_detach(&self->next.join);
	for (self->i = 0; self->i < 3; self->i++) {
		pollrt_token_cancel(self->tokens[order[self->i]]);
		POLLRT_CALL(self->next, pollrt_join_next, .set = self->set);
		assert_int_equal(self->next.status, 0);
		assert_int_equal(self->next.join.status, 0);
		assert_int_equal(((struct told *)pollrt_join_state(&self->next.join))->result,
				 10 * order[self->i] + 1);
		pollrt_join_detach(&self->next.join);
		pollrt_token_release(self->tokens[order[self->i]]);
		assert_int_equal(pollrt_join_set_count(self->set), 2 - self->i);
	}
	POLLRT_CALL(self->next, pollrt_join_next, .set = self->set);
	assert_int_equal(self->next.status, -ENOENT);
	POLLRT_END();
}

static void tasks_come_out_in_the_order_in_which_they_end(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 2);

		pollrt_block_on(rt, in_order, &(struct in_order){0});
		helper_finish(rt);
	}
}

struct many {
	struct pollrt_async async;
	struct pollrt_join_set *set;
	struct pollrt_join_next next;
	atomic_int *alive;
	unsigned int i;
	unsigned int cancelled, ended;
};

static void fill(struct pollrt_join_set *set, atomic_int *alive, unsigned int count, uint64_t ns)
{
	atomic_fetch_add(alive, (int)count);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(pollrt_join_set_spawn_drop(NULL, set, naps, naps_drop, .ns = ns,
							    .alive = alive),
				 0);
}

static POLLRT_ASYNC(many)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_join_set_open(&self->set, cx), 0);
	fill(self->set, self->alive, 50, POLLRT_SEC(3600));
	fill(self->set, self->alive, 500, 1);
	for (self->i = 0; self->i < 500; self->i++) {
		POLLRT_CALL(self->next, pollrt_join_next, .set = self->set);
		self->ended += !self->next.join.status;
		pollrt_join_detach(&self->next.join);
	}
	pollrt_join_set_abort_all(self->set);
	assert_int_equal(pollrt_join_set_count(self->set), 50);
	while (pollrt_join_set_count(self->set)) {
		POLLRT_CALL(self->next, pollrt_join_next, .set = self->set);
		self->cancelled += self->next.join.status == -ECANCELED;
		pollrt_join_detach(&self->next.join);
	}
	assert_int_equal(atomic_load(self->alive), 0);
	fill(self->set, self->alive, 30, POLLRT_SEC(3600));
	fill(self->set, self->alive, 30, 1);
	POLLRT_YIELD();
	POLLRT_END();
}

static void aborted_tasks_come_out_cancelled(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 2);
		atomic_int alive = 0;
		struct many future = {.alive = &alive};

		pollrt_block_on(rt, many, &future);
		assert_int_equal(future.ended, 500);
		assert_int_equal(future.cancelled, 50);
		helper_finish(rt);
		assert_int_equal(atomic_load(&alive), 0);
	}
}

/* Awaits a set that will never have anything to give, in a scope that ends. */
struct waits {
	struct pollrt_async async;
	atomic_int *alive;
	struct pollrt_join_set *set;
	struct pollrt_join_next next;
};

static POLLRT_ASYNC(waits)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_join_set_open(&self->set, cx), 0);
	fill(self->set, self->alive, 20, POLLRT_SEC(3600));
	POLLRT_CALL(self->next, pollrt_join_next, .set = self->set);
	fail();
	POLLRT_END();
}

struct drops {
	struct pollrt_async async;
	atomic_int alive;
	struct waits waits;
	struct pollrt_timeout timeout;
	struct pollrt_join_set *set;
	struct pollrt_join_next next;
};

static POLLRT_ASYNC(drops)
{
	POLLRT_BEGIN();
	self->waits = (struct waits){.alive = &self->alive};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(5), waits(&self->waits, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	while (atomic_load(&self->alive))
		POLLRT_YIELD();

	/* One that outlives a wait for it, and is dropped by hand. */
	assert_int_equal(pollrt_join_set_open(&self->set, cx), 0);
	fill(self->set, &self->alive, 20, POLLRT_SEC(3600));
	self->next = (struct pollrt_join_next){.set = self->set};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(1), pollrt_join_next(&self->next, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	pollrt_join_set_abort_all(self->set);
	POLLRT_CALL(self->next, pollrt_join_next, .set = self->set);
	assert_int_equal(self->next.join.status, -ECANCELED);
	pollrt_join_detach(&self->next.join);
	pollrt_join_set_drop(self->set);
	while (atomic_load(&self->alive))
		POLLRT_YIELD();
	POLLRT_END();
}

static void a_dropped_set_aborts_its_tasks(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 2);
		struct drops future = {0};

		pollrt_block_on(rt, drops, &future);
		assert_int_equal(atomic_load(&future.alive), 0);
		helper_finish(rt);
	}
}

static void a_set_may_outlive_its_runtime_and_refuses_what_cannot_run(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_join_set *set;
	atomic_int alive = 1;

	(void)state;
	assert_int_equal(pollrt_join_set_open(&set, NULL), 0);
	assert_int_equal(pollrt_join_set_spawn(NULL, set, naps), -EINVAL);
	assert_int_equal(pollrt_join_set_spawn_drop(rt, set, naps, naps_drop,
						    .ns = POLLRT_SEC(3600), .alive = &alive),
			 0);
	pollrt_runtime_shutdown(rt);
	assert_int_equal(atomic_load(&alive), 0);
	assert_int_equal(pollrt_join_set_spawn(rt, set, naps), -ESHUTDOWN);
	assert_int_equal(pollrt_join_set_spawn_blocking(rt, set, works), -ESHUTDOWN);
	assert_int_equal(pollrt_join_set_count(set), 1);
	helper_finish(rt);
	pollrt_join_set_drop(set);
	pollrt_join_set_drop(NULL);
}

struct yields {
	struct pollrt_async async;
	unsigned int times;
	atomic_int *alive;
};

static void yields_drop(struct yields *self)
{
	atomic_fetch_sub(self->alive, 1);
}

static POLLRT_ASYNC(yields)
{
	POLLRT_BEGIN();
	for (; self->times; self->times--)
		POLLRT_YIELD();
	POLLRT_END();
}

struct ends {
	struct pollrt_async async;
	struct pollrt_join *join;
};

static POLLRT_ASYNC(ends)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT(pollrt_join(self->join, cx));
	POLLRT_END();
}

struct churns {
	struct pollrt_async async;
	atomic_int *alive;
	unsigned int i, j;
	struct pollrt_join_set *set;
	struct pollrt_join_next next;
	struct pollrt_select select;
};

/* Takes some of a set's tasks, gives up waiting at times, and drops the set as others end. */
static POLLRT_ASYNC(churns)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < 300; self->i++) {
		assert_int_equal(pollrt_join_set_open(&self->set, cx), 0);
		atomic_fetch_add(self->alive, 8);
		for (unsigned int i = 0; i < 8; i++)
			assert_int_equal(pollrt_join_set_spawn_drop(
						 NULL, self->set, yields, yields_drop,
						 .times = (i * self->i) % 5, .alive = self->alive),
					 0);
		for (self->j = 0; self->j < self->i % 9; self->j++) {
			self->next = (struct pollrt_join_next){.set = self->set};
			POLLRT_SELECT_BIASED(self->select, pollrt_join_next(&self->next, cx),
					     self->i % 2 ? POLLRT_READY : POLLRT_PENDING);
			if (self->select.winner == 0) {
				assert_int_equal(self->next.status, 0);
				pollrt_join_detach(&self->next.join);
			}
		}
		pollrt_join_set_drop(self->set);
	}
	POLLRT_END();
}

static void sets_are_dropped_while_their_tasks_end(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 4);
		struct pollrt_join handles[3];
		atomic_int alive = 0;

		for (unsigned int i = 0; i < 3; i++)
			pollrt_spawn(rt, &handles[i], churns, .alive = &alive);
		pollrt_block_on(rt, churns, &(struct churns){.alive = &alive});
		for (unsigned int i = 0; i < 3; i++) {
			pollrt_block_on(rt, ends, &(struct ends){.join = &handles[i]});
			assert_int_equal(handles[i].status, 0);
			pollrt_join_detach(&handles[i]);
		}
		helper_finish(rt);
		assert_int_equal(atomic_load(&alive), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_come_out_in_the_order_in_which_they_end),
		cmocka_unit_test(aborted_tasks_come_out_cancelled),
		cmocka_unit_test(a_dropped_set_aborts_its_tasks),
		cmocka_unit_test(sets_are_dropped_while_their_tasks_end),
		cmocka_unit_test(a_set_may_outlive_its_runtime_and_refuses_what_cannot_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
