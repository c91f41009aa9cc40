/* SPDX-License-Identifier: MIT */
/* Reading the rings that the BPF programs write. */
#ifndef POLLSCOPE_EVENTS_RING_H
#define POLLSCOPE_EVENTS_RING_H

#include <stddef.h>
#include <stdint.h>

struct rings;

struct rings_consumer {
	/* One record of a ring; its bytes are valid during the call. 0, or a negative errno that ends it. */
	int (*record)(void *ctx, size_t ring, const void *bytes, size_t size);
	/* All that the ring held when the clock (CLOCK_MONOTONIC ns) was clock_before has been given. */
	void (*drained)(void *ctx, size_t ring, uint64_t clock_before);
	void *ctx;
};

/* Maps BPF ring buffers by their descriptors, which stay the caller's. 0 or a negative errno. */
int rings_new(struct rings **out, const int *fds, size_t n, const struct rings_consumer *consumer);
void rings_free(struct rings *rings);

/*
 * Gives what the rings hold to the consumer; of one ring at most what fits into it, so that a busy one does
 * not keep the others waiting. Returns how full the fullest was, in percent, or the consumer's error.
 */
int rings_drain(struct rings *rings);

#endif
