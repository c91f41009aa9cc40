/* SPDX-License-Identifier: MIT */
/* Ways to spend time on the calling thread, and to measure it. */
#ifndef EXAMPLES_CLOCK_H
#define EXAMPLES_CLOCK_H

#include <stdint.h>

/** The CPU time of the calling thread, in ns. */
uint64_t thread_cpu_ns(void);

/**
 * Computes for @ns of CPU time (some µs more), so that *@digest, which it starts from, matters.
 * Returns what it took.
 */
uint64_t compute(uint64_t ns, uint64_t *digest);

/** Puts the thread to sleep. */
void thread_sleep(uint64_t ns);

#endif
