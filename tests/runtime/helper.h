/* SPDX-License-Identifier: MIT */
#ifndef TESTS_RUNTIME_HELPER_H
#define TESTS_RUNTIME_HELPER_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pollrt.h"

static inline struct pollrt_runtime *helper_runtime(enum pollrt_flavour flavour,
						    unsigned int workers)
{
	struct pollrt_config config = {
		.flavour = flavour,
		.workers = flavour == POLLRT_CURRENT_THREAD ? 1 : workers,
	};
	struct pollrt_runtime *rt = NULL;

	assert_int_equal(pollrt_runtime_create(&rt, &config), 0);
	return rt;
}

/** Shuts down; then everything that was spawned has ended, and every wake is accounted for. */
static inline void helper_finish(struct pollrt_runtime *rt)
{
	struct pollrt_metrics m;

	pollrt_runtime_shutdown(rt);
	pollrt_metrics(rt, &m);
	assert_int_equal(m.spawns, m.completions + m.cancellations);
	assert_int_equal(m.spawns + m.wakes, m.polls + m.discards);
	pollrt_runtime_destroy(rt);
}

/** Waits until @n tasks have completed: what a task did is seen before its end is counted. */
static inline void helper_await_completions(const struct pollrt_runtime *rt, uint64_t n)
{
	struct pollrt_metrics m;

	do {
		usleep(100);
		pollrt_metrics(rt, &m);
	} while (m.completions < n);
}

/** Awaits tasks and gives up their handles. */
struct joins_all {
	struct pollrt_async async;
	struct pollrt_join *joins;
	unsigned int count;
	bool completed; /**< each of them must have */
	unsigned int i;
};

__attribute__((unused)) static POLLRT_ASYNC(joins_all)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->count; self->i++) {
		POLLRT_AWAIT(pollrt_join(&self->joins[self->i], cx));
		if (self->completed)
			assert_int_equal(self->joins[self->i].status, 0);
		pollrt_join_detach(&self->joins[self->i]);
	}
	POLLRT_END();
}

#endif
