// SPDX-License-Identifier: MIT
// links: events util -lzstd -liberty
/*
 * Recordings. Checksums and compression would stop most mutations at the door, so the input's first
 * byte says what the rest is: a file as it is, or pieces, each behind a byte and two with its size,
 * which become the payloads of good chunks.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "events/chunk.h"
#include "events/format.h"
#include "events/recording.h"
#include "tests/fixtures/events.h"

#define HEADER 3

enum { INPUT_FILE, INPUT_PAYLOADS, INPUTS };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static int take(struct event_sink *sink, const struct event *event)
{
	(void)sink;
	fixture_check(event);
	return 0;
}

static void append(int fd, const void *bytes, size_t size)
{
	if (write(fd, bytes, size) != (ssize_t)size)
		abort();
}

/*
 * The number of events in a chunk's header must be right to get in: the length of the first
 * column.
 */
static uint64_t count_events(const uint8_t *raw, size_t size)
{
	size_t i = 0;

	while (i < size && raw[i++] >= 0x80)
		;
	if (i + 2 >= size || raw[i])
		return 0;
	return raw[i + 1] < 0x80 ? raw[i + 1] : (raw[i + 1] & 0x7f) | (uint64_t)raw[i + 2] << 7;
}

static void append_chunk(int fd, const uint8_t *raw, size_t size, uint32_t number)
{
	uint8_t header[FORMAT_CHUNK_BYTES];
	size_t bound = ZSTD_compressBound(size);
	void *payload = malloc(bound);
	size_t stored = payload ? ZSTD_compress(payload, bound, raw, size, 1) : 0;

	format_write_chunk(header, &(struct format_chunk){
					   .type = FORMAT_EVENTS,
					   .number = number,
					   .size = stored,
					   .raw_size = size,
					   .events = count_events(raw, size),
				   });
	append(fd, header, sizeof(header));
	append(fd, payload, stored);
	free(payload);
}

static void append_payloads(int fd, const uint8_t *data, size_t size)
{
	uint8_t header[FORMAT_FILE_BYTES];

	format_write_file(header);
	append(fd, header, sizeof(header));
	for (uint32_t number = 0; size > HEADER; number++) {
		size_t length = data[1] | (size_t)data[2] << 8;

		length = length < size - HEADER ? length : size - HEADER;
		append_chunk(fd, data + HEADER, length, number + data[0] % 2);
		data += HEADER + length;
		size -= HEADER + length;
	}
}

static void replay(int fd)
{
	struct event_sink sink = {.take = take};
	struct recording *recording;
	uint16_t major;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (recording_open(path, &recording, &major))
		return;
	recording_read(recording, &sink);
	recording_close(recording);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("recording", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	if (size && data[0] % INPUTS == INPUT_FILE)
		append(fd, data + 1, size - 1);
	else if (size)
		append_payloads(fd, data + 1, size - 1);
	replay(fd);
	close(fd);
	return 0;
}

static void give_events(struct event_sink *sink, unsigned int number)
{
	struct fixture_storage storage;
	struct event event;

	for (unsigned int i = 0; i < 60; i++) {
		uint8_t type = (uint8_t)(1 + (i * 7 + number) % (EVENT_TYPES - 1));

		fixture_event(&event, type, 1000 * i, FIXTURE_MIXED, i % 8, &storage);
		sink->take(sink, &event);
	}
}

static size_t seed_file(uint8_t *data, size_t max_size, unsigned int number)
{
	int fd = memfd_create("seed", MFD_CLOEXEC);
	struct recording_writer *writer;
	ssize_t n;

	if (recording_writer_open_fd(dup(fd), &writer))
		abort();
	give_events(recording_writer_sink(writer), number);
	recording_writer_flush(writer);
	give_events(recording_writer_sink(writer), number + 1);
	recording_writer_close(writer);
	data[0] = INPUT_FILE;
	n = pread(fd, data + 1, max_size - 1, 0);
	close(fd);
	return 1 + (size_t)n;
}

struct chunk_sink {
	struct event_sink sink;
	struct chunk_writer *writer;
};

static int take_chunk(struct event_sink *sink, const struct event *event)
{
	return chunk_writer_add(((struct chunk_sink *)sink)->writer, event);
}

static size_t seed_payload(uint8_t *data, size_t max_size, unsigned int number)
{
	struct chunk_sink sink = {{.take = take_chunk}, chunk_writer_new()};
	struct chunk chunk;
	size_t n;

	if (!sink.writer)
		abort();
	give_events(&sink.sink, number);
	if (chunk_writer_finish(sink.writer, &chunk))
		abort();
	n = ZSTD_decompress(data + 1 + HEADER, max_size - 1 - HEADER, chunk.payload, chunk.size);
	chunk_writer_free(sink.writer);
	if (ZSTD_isError(n))
		return 0;
	data[0] = INPUT_PAYLOADS;
	data[1] = 0;
	data[2] = (uint8_t)n;
	data[3] = (uint8_t)(n >> 8);
	return 1 + HEADER + n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int number)
{
	if (size >= 16 || max_size < 64)
		return LLVMFuzzerMutate(data, size, max_size);
	return number % 4 ? seed_payload(data, max_size, number)
			  : seed_file(data, max_size, number);
}
