/* SPDX-License-Identifier: MIT */
/* What the tests of pollrt_sync.h share. */
#ifndef TESTS_RUNTIME_SYNC_HELPER_H
#define TESTS_RUNTIME_SYNC_HELPER_H

#include "helper.h"
#include "pollrt_sync.h"

/** Runs @test on a runtime of each flavour. */
static inline void sync_on_each_flavour(void (*test)(struct pollrt_runtime *rt))
{
	for (unsigned int flavour = POLLRT_MULTI_THREAD; flavour <= POLLRT_CURRENT_THREAD;
	     flavour++) {
		struct pollrt_runtime *rt = helper_runtime(flavour, 2);

		test(rt);
		helper_finish(rt);
	}
}

/** Awaits @count tasks and releases their handles. */
struct joins_all {
	struct pollrt_async async;
	struct pollrt_join *joins;
	unsigned int count;
	unsigned int i;
};

__attribute__((unused)) static POLLRT_ASYNC(joins_all)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->count; self->i++) {
		POLLRT_AWAIT(pollrt_join(&self->joins[self->i], cx));
		pollrt_join_detach(&self->joins[self->i]);
	}
	POLLRT_END();
}

/** Lets others run for some rounds. */
struct yields {
	struct pollrt_async async;
	unsigned int left;
};

__attribute__((unused)) static POLLRT_ASYNC(yields)
{
	POLLRT_BEGIN();
	while (self->left--)
		POLLRT_YIELD();
	POLLRT_END();
}

#endif
