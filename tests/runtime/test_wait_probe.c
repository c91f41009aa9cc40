// SPDX-License-Identifier: MIT
/* Where a task waits for another: the probe fires once a poll, and nobody waits for a tracer. */
#include "probes.h"

static void count_probe(void);
#define probe_waker_clone(id) ((void)(id), count_probe())

#include "sync/semaphore.c"
#include "sync/wait_queue.c"

#include "sync_helper.h"

static unsigned int probes, probes_locked;
static struct pollrt_semaphore semaphore;

static void count_probe(void)
{
	probes++;
	if (pthread_mutex_trylock(&semaphore.lock))
		probes_locked++;
	else
		pthread_mutex_unlock(&semaphore.lock);
}

struct acquires {
	struct pollrt_async async;
	struct pollrt_acquire acquire;
};

static POLLRT_ASYNC(acquires)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->acquire, pollrt_acquire, .semaphore = &semaphore);
	POLLRT_END();
}

struct waits_once {
	struct pollrt_async async;
	struct pollrt_join join;
	struct yields yields;
};

static POLLRT_ASYNC(waits_once)
{
	POLLRT_BEGIN();
	pollrt_spawn(NULL, &self->join, acquires);
	POLLRT_CALL(self->yields, yields, .left = 3);
	assert_int_equal(probes, 1);
	pollrt_release(&semaphore, 1);
	POLLRT_AWAIT(pollrt_join(&self->join, cx));
	pollrt_join_detach(&self->join);
	POLLRT_END();
}

static void a_wait_is_probed_once_and_without_the_lock(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);

	(void)state;
	pollrt_semaphore_init(&semaphore, 0);
	pollrt_block_on(rt, waits_once, &(struct waits_once){0});
	assert_int_equal(probes, 1);
	assert_int_equal(probes_locked, 0);
	helper_finish(rt);
}

struct gives_up {
	struct pollrt_async async;
	struct pollrt_acquire acquire;
	struct pollrt_timeout patience;
};

static POLLRT_ASYNC(gives_up)
{
	POLLRT_BEGIN();
	self->acquire = (struct pollrt_acquire){.semaphore = &semaphore};
	POLLRT_AWAIT_TIMEOUT(self->patience, POLLRT_MS(5), pollrt_acquire(&self->acquire, cx));
	assert_int_equal(self->patience.status, -ETIMEDOUT);
	POLLRT_END();
}

/* Polled once more then, it is no longer what the task waits for. */
static void what_is_given_up_is_not_waited_for(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);

	(void)state;
	pollrt_semaphore_init(&semaphore, 0);
	probes = 0;
	for (unsigned int i = 1; i <= 3; i++) {
		pollrt_block_on(rt, gives_up, &(struct gives_up){0});
		assert_int_equal(probes, i);
	}
	helper_finish(rt);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_is_probed_once_and_without_the_lock),
		cmocka_unit_test(what_is_given_up_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
