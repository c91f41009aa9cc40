// SPDX-License-Identifier: MIT
// links: events util -lzstd -liberty
/*
 * Wire records into events and through the order. An input is a sequence of records, each behind
 * one byte with its ring and whether to flush, and two with its size.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "events/decode.h"
#include "events/order.h"
#include "tests/fixtures/events.h"

#define RINGS 4
#define HEADER 3
#define FLUSH 0x80

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static int take(struct event_sink *sink, const struct event *event)
{
	(void)sink;
	fixture_check(event);
	return 0;
}

/* In memory of exactly its size, so that reading behind it is seen. */
static void decode(struct order *order, size_t ring, const uint8_t *bytes, size_t size)
{
	static const struct address_range fault[] = {{0x100, 0x200}, {0xffffffff81000000, ~0ull}};
	static const struct decode_context context = {fault, 2};
	void *copy = malloc(size ? size : 1);
	struct decoded out;

	if (!copy)
		abort();
	memcpy(copy, bytes, size);
	if (decode_record(copy, size, &context, &out) == DECODED_EVENT) {
		fixture_check(&out.event);
		if (order_add(order, ring, &out.event))
			abort();
		order_drained(order, ring, out.event.time);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct order *order = order_new(RINGS);
	struct event_sink sink = {.take = take};

	while (size > HEADER) {
		size_t length = data[1] | (size_t)data[2] << 8;

		length = length < size - HEADER ? length : size - HEADER;
		decode(order, data[0] % RINGS, data + HEADER, length);
		if (data[0] & FLUSH)
			order_flush(order, &sink, 10);
		data += HEADER + length;
		size -= HEADER + length;
	}
	order_finish(order, &sink);
	order_free(order);
	return 0;
}

/* A good record of each type: what mutation starts from. */
static size_t seed(uint8_t *data, size_t max_size, unsigned int number)
{
	static const size_t sizes[] = {16, 128, 64, 232, 256, 184, 40, 48, 32};
	size_t n = 0;

	for (unsigned int type = 1; type < WIRE_TYPES; type++) {
		size_t size = sizes[(type + number) % (sizeof(sizes) / sizeof(sizes[0]))];
		uint8_t *record = data + n + HEADER;

		if (n + HEADER + size > max_size)
			break;
		memset(record - HEADER, 0, HEADER + size);
		record[-3] = (uint8_t)(type % RINGS | (type % 7 ? 0 : FLUSH));
		record[-2] = (uint8_t)size;
		record[-1] = (uint8_t)(size >> 8);
		record[0] = (uint8_t)type;
		record[4] = 77;
		record[8] = (uint8_t)(100 + type);
		if (type == WIRE_OFFCPU) {
			record[offsetof(struct wire_offcpu, reason)] = (uint8_t)(1 + number % 4);
			record[offsetof(struct wire_offcpu, nkernel)] = (uint8_t)(number % 9);
		}
		n += HEADER + size;
	}
	return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int number)
{
	return size < 16 ? seed(data, max_size, number) : LLVMFuzzerMutate(data, size, max_size);
}
