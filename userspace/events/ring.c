// SPDX-License-Identifier: MIT
#include "events/ring.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "util/clock.h"

struct rings;

struct reader {
	struct rings *rings;
	size_t number;
	size_t left; /* bytes that may still be taken in this turn */
};

struct rings {
	struct rings_consumer consumer;
	struct ring_buffer *buffer;
	struct reader *readers;
	size_t n;
};

/* Ends a turn whose share is used up; no consumer returns it. */
#define TURN_OVER (-EXFULL)

static int take(void *ctx, void *bytes, size_t size)
{
	struct reader *reader = ctx;
	const struct rings_consumer *consumer = &reader->rings->consumer;
	int err = consumer->record(consumer->ctx, reader->number, bytes, size);

	if (err)
		return err;
	if (reader->left <= size)
		return TURN_OVER;
	reader->left -= size;
	return 0;
}

static int rings_map(struct rings *r, const int *fds)
{
	for (size_t i = 0; i < r->n; i++) {
		int err = 0;

		r->readers[i] = (struct reader){ .rings = r, .number = i };
		if (i) {
			err = ring_buffer__add(r->buffer, fds[i], take, &r->readers[i]);
		} else {
			r->buffer = ring_buffer__new(fds[i], take, &r->readers[i], NULL);
			err = r->buffer ? 0 : -errno;
		}
		if (err)
			return err;
	}
	return 0;
}

int rings_new(struct rings **out, const int *fds, size_t n, const struct rings_consumer *consumer)
{
	struct rings *r = calloc(1, sizeof(*r));
	int err;

	*out = NULL;
	if (!r)
		return -ENOMEM;
	r->consumer = *consumer;
	r->n = n;
	r->readers = calloc(n, sizeof(*r->readers));
	err = r->readers ? rings_map(r, fds) : -ENOMEM;
	if (err)
		rings_free(r);
	else
		*out = r;
	return err;
}

void rings_free(struct rings *r)
{
	if (!r)
		return;
	ring_buffer__free(r->buffer);
	free(r->readers);
	free(r);
}

int rings_drain(struct rings *r)
{
	int fullest = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct ring *ring = ring_buffer__ring(r->buffer, i);
		size_t size = ring__size(ring);
		int percent = ring__avail_data_size(ring) * 100 / size;
		uint64_t clock_before = clock_monotonic_ns();
		int err;

		if (percent > fullest)
			fullest = percent;
		r->readers[i].left = size;
		err = ring__consume(ring);
		if (err >= 0)
			r->consumer.drained(r->consumer.ctx, i, clock_before);
		else if (err != TURN_OVER)
			return err;
	}
	return fullest;
}
