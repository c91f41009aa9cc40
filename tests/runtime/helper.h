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

#endif
