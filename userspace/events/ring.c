// SPDX-License-Identifier: MIT
#include "events/ring.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/clock.h"

struct ring_slot {
	struct rings *rings;
	struct ring *ring;
	size_t index;
	unsigned long limit; /* position behind what is to be consumed now */
};

struct rings {
	struct ring_buffer *buffer;
	struct rings_reader *reader;
	int64_t records; /* of this draining */
	int error;
	size_t n;
	struct ring_slot slots[];
};

/* Where a record of this size, at the consumer's position, ends: behind its header, and aligned. */
static unsigned long record_end(const struct ring *ring, size_t size)
{
	return ring__consumer_pos(ring) + ((BPF_RINGBUF_HDR_SZ + size + 7) & ~(size_t)7);
}

static int take(void *context, void *bytes, size_t size)
{
	struct ring_slot *slot = context;
	struct rings *rings = slot->rings;

	rings->records++;
	rings->error = rings->reader->record(rings->reader, slot->index, bytes, size);
	if (rings->error)
		return rings->error;
	/* An error is how libbpf is told to stop. The record counts as consumed all the same. */
	return (long)(record_end(slot->ring, size) - slot->limit) >= 0 ? -ECANCELED : 0;
}

int rings_new(const int *fds, size_t n, struct rings_reader *reader, struct rings **out)
{
	struct rings *rings = calloc(1, sizeof(*rings) + n * sizeof(rings->slots[0]));
	int err = 0;

	if (!rings)
		return -ENOMEM;
	rings->reader = reader;
	rings->n = n;
	for (size_t i = 0; i < n; i++) {
		struct ring_slot *slot = &rings->slots[i];

		slot->rings = rings;
		slot->index = i;
		if (i) {
			err = ring_buffer__add(rings->buffer, fds[i], take, slot);
		} else {
			rings->buffer = ring_buffer__new(fds[i], take, slot, NULL);
			err = rings->buffer ? 0 : -errno;
		}
		if (err) {
			rings_free(rings);
			return err;
		}
		slot->ring = ring_buffer__ring(rings->buffer, (unsigned int)i);
	}
	*out = rings;
	return 0;
}

void rings_free(struct rings *rings)
{
	if (!rings)
		return;
	ring_buffer__free(rings->buffer);
	free(rings);
}

static int drain(struct rings *rings, struct ring_slot *slot)
{
	/* First the clock: what is reserved after the position was read may be older than it, by
	 * the time between taking the time and reserving. The order's slack allows for that. */
	uint64_t clock_before = clock_monotonic_ns();
	int err = 0;

	slot->limit = ring__producer_pos(slot->ring);
	if (ring__consumer_pos(slot->ring) != slot->limit)
		err = ring__consume(slot->ring);
	if (rings->error)
		return rings->error;
	if (err < 0 && err != -ECANCELED)
		return err;
	if ((long)(ring__consumer_pos(slot->ring) - slot->limit) >= 0)
		rings->reader->drained(rings->reader, slot->index, clock_before);
	return 0;
}

int64_t rings_drain(struct rings *rings)
{
	rings->records = 0;
	rings->error = 0;
	for (size_t i = 0; i < rings->n; i++) {
		int err = drain(rings, &rings->slots[i]);

		if (err)
			return err;
	}
	return rings->records;
}
