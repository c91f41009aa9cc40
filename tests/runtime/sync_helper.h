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
