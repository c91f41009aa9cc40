/* SPDX-License-Identifier: MIT */
/*
 * The kernel's ring buffers, one for each CPU, drained by polling: producers never wake us.
 */
#ifndef POLLSCOPE_EVENTS_RING_H
#define POLLSCOPE_EVENTS_RING_H

#include <stddef.h>
#include <stdint.h>

struct rings;

/* Whoever takes what is in the rings. */
struct rings_reader {
	/* One record, aligned to 8, valid during the call. A negative errno ends the draining. */
	int (*record)(struct rings_reader *reader, size_t ring, const void *bytes, size_t size);
	/* All that was in the ring at this time (CLOCK_MONOTONIC ns) has been given: see
	 * order_drained(). */
	void (*drained)(struct rings_reader *reader, size_t ring, uint64_t clock_before);
};

/*
 * Maps n maps of type BPF_MAP_TYPE_RINGBUF, which stay the caller's; ring i is fds[i]. The reader
 * must outlive the rings. Returns 0 or a negative errno.
 */
int rings_new(const int *fds, size_t n, struct rings_reader *reader, struct rings **rings);
void rings_free(struct rings *rings);

/*
 * Gives all that each ring held when its turn came, and no more than that, so that a ring which
 * fills as fast as it is drained does not starve the others. A ring that holds a record reserved
 * and not yet submitted is given up to there, and is not drained. Returns the number of records, or
 * the reader's error.
 */
int64_t rings_drain(struct rings *rings);

#endif
