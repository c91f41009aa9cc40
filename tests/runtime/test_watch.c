// SPDX-License-Identifier: MIT
#include "sync_helper.h"

#define LAST 1000u

/* Two halves that belong together: a torn copy would show. */
struct value {
	uint64_t number;
	uint64_t negated;
};

static struct value value_of(uint64_t number)
{
	return (struct value){number, ~number};
}

struct follows {
	struct pollrt_async async;
	struct pollrt_watch_receiver receiver;
	struct value value;
	unsigned int seen;
	struct pollrt_watch_changed changed;
};

static POLLRT_ASYNC(follows)
{
	uint64_t before;

	POLLRT_BEGIN();
	for (;;) {
		POLLRT_CALL(self->changed, pollrt_watch_changed, .receiver = &self->receiver);
		if (self->changed.status)
			break;
		before = self->value.number;
		pollrt_watch_get(&self->receiver, &self->value);
		assert_int_equal(self->value.negated, ~self->value.number);
		assert_true(self->value.number > before);
		self->seen++;
	}
	assert_int_equal(self->changed.status, -EPIPE);
	/* Some may have been skipped, but not the last. */
	assert_int_equal(self->value.number, LAST);
	POLLRT_END();
}

static void follows_drop(struct follows *self)
{
	pollrt_watch_unsubscribe(&self->receiver);
}

static void *follow_thread(void *argument)
{
	struct pollrt_watch_receiver receiver;
	struct value value = value_of(0);

	pollrt_watch_subscribe(&receiver, argument);
	/* The last value may have come before. */
	pollrt_watch_get(&receiver, &value);
	while (!pollrt_watch_changed_blocking(&receiver))
		pollrt_watch_get(&receiver, &value);
	assert_int_equal(value.number, LAST);
	pollrt_watch_unsubscribe(&receiver);
	return NULL;
}

struct publishes {
	struct pollrt_async async;
	struct pollrt_watch *watch;
	uint64_t i;
};

static POLLRT_ASYNC(publishes)
{
	struct value value;

	POLLRT_BEGIN();
	for (self->i = 1; self->i <= LAST; self->i++) {
		value = value_of(self->i);
		pollrt_watch_send(self->watch, &value);
		if (self->i % 3 == 0)
			POLLRT_YIELD();
	}
	pollrt_watch_close(self->watch);
	POLLRT_END();
}

static void publish_to_many(struct pollrt_runtime *rt)
{
	struct pollrt_watch_receiver receiver;
	struct value value = value_of(0);
	struct pollrt_join joins[80];
	struct pollrt_watch *watch;
	pthread_t thread;

	assert_int_equal(pollrt_watch_create(&watch, sizeof(value), &value), 0);
	pollrt_watch_subscribe(&receiver, watch);
	for (unsigned int i = 0; i < 80; i++) {
		struct pollrt_watch_receiver other;

		pollrt_watch_subscribe(&other, receiver.watch);
		pollrt_spawn_drop(rt, &joins[i], follows, follows_drop, .receiver = other);
	}
	pthread_create(&thread, NULL, follow_thread, watch);
	pollrt_block_on(rt, publishes, &(struct publishes){.watch = watch});
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 80});
	pthread_join(thread, NULL);
	pollrt_watch_unsubscribe(&receiver);
}

static void everybody_sees_the_last_value(void **state)
{
	(void)state;
	sync_on_each_flavour(publish_to_many);
}

static void only_a_new_value_is_a_change(void **state)
{
	struct pollrt_watch_receiver receiver;
	struct value value = value_of(1);
	struct pollrt_watch *watch;

	(void)state;
	pollrt_watch_create(&watch, sizeof(value), &value);
	pollrt_watch_subscribe(&receiver, watch);
	value = value_of(2);
	pollrt_watch_send(watch, &value);
	pollrt_watch_send(watch, &value);
	assert_int_equal(pollrt_watch_changed_blocking(&receiver), 0);
	/* It was not looked at, so it is still new. */
	assert_int_equal(pollrt_watch_changed_blocking(&receiver), 0);
	pollrt_watch_get(&receiver, &value);
	assert_int_equal(value.number, 2);
	value = value_of(3);
	pollrt_watch_send(watch, &value);
	pollrt_watch_close(watch);
	/* The value first, then the end. */
	assert_int_equal(pollrt_watch_changed_blocking(&receiver), 0);
	pollrt_watch_get(&receiver, &value);
	assert_int_equal(value.number, 3);
	assert_int_equal(pollrt_watch_changed_blocking(&receiver), -EPIPE);
	pollrt_watch_unsubscribe(&receiver);
	assert_int_equal(pollrt_watch_create(&watch, 0, &value), -EINVAL);
	pollrt_watch_close(NULL);
}

struct times_out {
	struct pollrt_async async;
	struct pollrt_watch_receiver *receiver;
	struct pollrt_watch_changed changed;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(times_out)
{
	POLLRT_BEGIN();
	self->changed = (struct pollrt_watch_changed){.receiver = self->receiver};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), pollrt_watch_changed(&self->changed, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	POLLRT_END();
}

static void watch_for_a_while(struct pollrt_runtime *rt)
{
	struct pollrt_watch_receiver receiver;
	struct value value = value_of(0);
	struct pollrt_watch *watch;

	pollrt_watch_create(&watch, sizeof(value), &value);
	pollrt_watch_subscribe(&receiver, watch);
	pollrt_block_on(rt, times_out, &(struct times_out){.receiver = &receiver});
	pollrt_watch_send(watch, &value);
	pollrt_watch_close(watch);
	pollrt_watch_unsubscribe(&receiver);
}

static void a_wait_that_times_out_leaves_the_watch(void **state)
{
	(void)state;
	sync_on_each_flavour(watch_for_a_while);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_sees_the_last_value),
		cmocka_unit_test(only_a_new_value_is_a_change),
		cmocka_unit_test(a_wait_that_times_out_leaves_the_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
