// SPDX-License-Identifier: MIT
// links: events util -lzstd -liberty
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libiberty/libiberty.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <cmocka.h>

#include "events/chunk.h"
#include "events/format.h"
#include "events/recording.h"
#include "tests/fixtures/events.h"

#define CHUNKS 4

/* A small recording, all types in each of its chunks, and what was given to each chunk. */
struct sample {
	uint8_t *bytes;
	size_t size;
	size_t starts[CHUNKS + 2]; /* of the chunks, of the end, of what is behind it */
	struct fixture_list list;
	size_t first[CHUNKS + 1]; /* index of a chunk's first event */
	int fd;                   /* where damaged copies go */
	char path[32];
};

static void give_chunk(struct sample *sample, struct recording_writer *writer, uint64_t number)
{
	struct event_sink *sink = recording_writer_sink(writer);
	struct fixture_storage storage;
	struct event event;

	for (uint8_t type = 1; type < EVENT_TYPES; type++) {
		fixture_event(&event, type, 1000 * number + type, FIXTURE_MIXED, number, &storage);
		assert_int_equal(sink->take(sink, &event), 0);
		fixture_keep(&sample->list.sink, &event);
		/* What it points to changes with the next: the copy is what is compared. */
		memset(&storage, 0, sizeof(storage));
	}
	assert_int_equal(recording_writer_flush(writer), 0);
}

static int set_up(void **state)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	struct recording_writer *writer;
	struct stat st;

	if (!sample)
		return -1;
	*state = sample;
	fixture_list_init(&sample->list);
	sample->fd = memfd_create("damaged", 0);
	snprintf(sample->path, sizeof(sample->path), "/proc/self/fd/%d", sample->fd);
	assert_int_equal(recording_writer_open_fd(dup(sample->fd), &writer), 0);
	for (uint64_t i = 0; i < CHUNKS; i++) {
		sample->starts[i] = recording_writer_bytes(writer);
		sample->first[i] = sample->list.n;
		give_chunk(sample, writer, i);
	}
	sample->first[CHUNKS] = sample->list.n;
	sample->starts[CHUNKS] = recording_writer_bytes(writer);
	assert_int_equal(recording_writer_close(writer), 0);
	assert_int_equal(fstat(sample->fd, &st), 0);
	sample->size = sample->starts[CHUNKS + 1] = (size_t)st.st_size;
	sample->bytes = malloc(sample->size);
	assert_int_equal(pread(sample->fd, sample->bytes, sample->size, 0), st.st_size);
	return 0;
}

static int tear_down(void **state)
{
	struct sample *sample = *state;

	fixture_list_free(&sample->list);
	free(sample->bytes);
	close(sample->fd);
	free(sample);
	return 0;
}

struct outcome {
	int err;
	struct recording_stats stats;
	struct fixture_list read;
};

static struct outcome replay(const struct sample *sample, const void *bytes, size_t size)
{
	struct outcome outcome = {0};
	struct recording *recording;
	uint16_t major;

	fixture_list_init(&outcome.read);
	assert_int_equal(ftruncate(sample->fd, 0), 0);
	assert_int_equal(pwrite(sample->fd, bytes, size, 0), size);
	outcome.err = recording_open(sample->path, &recording, &major);
	if (outcome.err)
		return outcome;
	assert_int_equal(recording_read(recording, &outcome.read.sink), 0);
	outcome.stats = *recording_stats(recording);
	recording_close(recording);
	return outcome;
}

/* The chunk that a byte belongs to; CHUNKS is the end. */
static size_t chunk_at(const struct sample *sample, size_t offset)
{
	size_t chunk = 0;

	while (offset >= sample->starts[chunk + 1])
		chunk++;
	return chunk;
}

/*
 * What was read is what was given, without the events of chunk `without` and those from `end` on.
 */
static bool is_all_but(const struct sample *sample, const struct outcome *outcome, size_t without,
		       size_t end)
{
	size_t n = 0;

	for (size_t i = 0; i < sample->first[end]; i++) {
		if (without < CHUNKS && i >= sample->first[without] &&
		    i < sample->first[without + 1])
			continue;
		if (n >= outcome->read.n ||
		    !fixture_same(&outcome->read.events[n++], &sample->list.events[i]))
			return false;
	}
	return n == outcome->read.n;
}

static void what_is_whole_is_read_whole(void **state)
{
	struct sample *sample = *state;
	struct outcome outcome = replay(sample, sample->bytes, sample->size);

	assert_int_equal(outcome.err, 0);
	assert_true(is_all_but(sample, &outcome, CHUNKS, CHUNKS));
	assert_false(outcome.stats.cut);
	assert_int_equal(outcome.stats.damaged_chunks, 0);
	assert_int_equal(outcome.stats.unsound_events, 0);
	fixture_list_free(&outcome.read);
}

static void truncation_anywhere_costs_only_the_chunk_that_it_cuts(void **state)
{
	struct sample *sample = *state;

	for (size_t size = 0; size < sample->size; size++) {
		struct outcome outcome = replay(sample, sample->bytes, size);

		if (size < FORMAT_FILE_BYTES) {
			assert_int_equal(outcome.err, -EBADMSG);
			continue;
		}
		assert_int_equal(outcome.err, 0);
		assert_true(is_all_but(sample, &outcome, CHUNKS, chunk_at(sample, size)));
		assert_true(outcome.stats.cut);
		assert_int_equal(outcome.stats.damaged_chunks, 0);
		assert_int_equal(outcome.stats.damaged_bytes,
				 size - sample->starts[chunk_at(sample, size)]);
		fixture_list_free(&outcome.read);
	}
}

static void a_changed_byte_anywhere_costs_only_its_chunk_and_is_reported(void **state)
{
	static const uint8_t changes[] = {0x01, 0x80, 0xff};
	struct sample *sample = *state;

	for (size_t i = 0; i < 3 * sample->size; i++) {
		size_t at = i / 3, chunk;
		struct outcome outcome;

		sample->bytes[at] ^= changes[i % 3];
		outcome = replay(sample, sample->bytes, sample->size);
		sample->bytes[at] ^= changes[i % 3];
		if (at < FORMAT_FILE_BYTES) {
			assert_int_equal(outcome.err, -EBADMSG);
			continue;
		}
		assert_int_equal(outcome.err, 0);
		chunk = chunk_at(sample, at);
		if (chunk == CHUNKS) {
			assert_true(outcome.stats.cut);
			assert_true(is_all_but(sample, &outcome, CHUNKS, CHUNKS));
		} else if (outcome.stats.damaged_chunks) {
			assert_int_equal(outcome.stats.damaged_chunks, 1);
			assert_int_equal(outcome.stats.damaged_bytes,
					 sample->starts[chunk + 1] - sample->starts[chunk]);
			assert_true(is_all_but(sample, &outcome, chunk, CHUNKS));
		} else {
			/* A bit that zstd does not look at: nothing is lost. */
			assert_true(is_all_but(sample, &outcome, CHUNKS, CHUNKS));
		}
		fixture_list_free(&outcome.read);
	}
}

static void a_chunk_that_is_missing_is_counted(void **state)
{
	struct sample *sample = *state;
	struct outcome outcome;

	memmove(sample->bytes + sample->starts[1], sample->bytes + sample->starts[2],
		sample->size - sample->starts[2]);
	outcome = replay(sample, sample->bytes,
			 sample->size - (sample->starts[2] - sample->starts[1]));
	assert_int_equal(outcome.stats.damaged_chunks, 1);
	assert_false(outcome.stats.cut);
	assert_true(is_all_but(sample, &outcome, 1, CHUNKS));
	fixture_list_free(&outcome.read);
}

static void bytes_that_are_missing_inside_of_a_chunk_cost_only_that(void **state)
{
	struct sample *sample = *state;
	size_t at = sample->starts[1] + FORMAT_CHUNK_BYTES + 20;
	struct outcome outcome;

	memmove(sample->bytes + at, sample->bytes + at + 10, sample->size - at - 10);
	outcome = replay(sample, sample->bytes, sample->size - 10);
	assert_int_equal(outcome.stats.damaged_chunks, 1);
	assert_false(outcome.stats.cut);
	assert_true(is_all_but(sample, &outcome, 1, CHUNKS));
	fixture_list_free(&outcome.read);
}

static void garbage_between_chunks_is_skipped(void **state)
{
	struct sample *sample = *state;
	size_t garbage = 700000; /* more than one read */
	uint8_t *bytes = malloc(sample->size + garbage);
	struct outcome outcome;

	memcpy(bytes, sample->bytes, sample->starts[2]);
	for (size_t i = 0; i < garbage; i++)
		bytes[sample->starts[2] + i] = format_chunk_magic[i % 4 ? 0 : i / 4 % 4];
	memcpy(bytes + sample->starts[2] + garbage, sample->bytes + sample->starts[2],
	       sample->size - sample->starts[2]);
	outcome = replay(sample, bytes, sample->size + garbage);
	assert_int_equal(outcome.stats.damaged_chunks, 0);
	assert_int_equal(outcome.stats.damaged_bytes, garbage);
	assert_false(outcome.stats.cut);
	assert_true(is_all_but(sample, &outcome, CHUNKS, CHUNKS));
	fixture_list_free(&outcome.read);
	free(bytes);
}

/* The header of chunk 1, changed by the test and sealed again. */
static void reseal(struct sample *sample, const struct format_chunk *chunk)
{
	format_write_chunk(sample->bytes + sample->starts[1], chunk);
}

static struct format_chunk header(const struct sample *sample)
{
	struct format_chunk chunk;

	assert_true(format_read_chunk(sample->bytes + sample->starts[1], &chunk));
	return chunk;
}

static void headers_that_lie_cost_their_chunk(void **state)
{
	struct sample *sample = *state;
	const struct format_chunk good = header(sample);
	const struct format_chunk lies[] = {
		{1, 1, 1ull << 60, good.raw_size, good.events, 0, 0},
		{1, 1, CHUNK_MAX_BYTES, good.raw_size, good.events, 0, 0},
		{1, 1, good.size - 1, good.raw_size, good.events, 0, 0},
		{1, 1, 0, good.raw_size, good.events, 0, 0},
		{1, 1, good.size, 1ull << 60, good.events, 0, 0},
		{1, 1, good.size, CHUNK_MAX_BYTES, good.events, 0, 0},
		{1, 1, good.size, good.raw_size + 1, good.events, 0, 0},
		{1, 1, good.size, 0, good.events, 0, 0},
		{1, 1, good.size, good.raw_size, good.events + 1, 0, 0},
		{1, 1, good.size, good.raw_size, UINT64_MAX, 0, 0},
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct outcome outcome;

		reseal(sample, &lies[i]);
		outcome = replay(sample, sample->bytes, sample->size);
		assert_int_equal(outcome.stats.damaged_chunks, 1);
		assert_false(outcome.stats.cut);
		assert_true(is_all_but(sample, &outcome, 1, CHUNKS));
		fixture_list_free(&outcome.read);
	}
}

static void chunks_of_an_unknown_type_are_skipped(void **state)
{
	struct sample *sample = *state;
	struct format_chunk chunk = header(sample);
	struct outcome outcome;

	chunk.type = 77;
	reseal(sample, &chunk);
	outcome = replay(sample, sample->bytes, sample->size);
	assert_int_equal(outcome.stats.damaged_chunks, 0);
	assert_int_equal(outcome.stats.damaged_bytes, 0);
	assert_true(is_all_but(sample, &outcome, 1, CHUNKS));
	fixture_list_free(&outcome.read);
}

static void a_newer_major_version_is_refused_by_name(void **state)
{
	struct sample *sample = *state;
	struct recording *recording;
	uint32_t checksum;
	uint16_t major;

	sample->bytes[8] = RECORDING_MAJOR + 1;
	assert_int_equal(replay(sample, sample->bytes, sample->size).err, -EBADMSG);
	/* ... until it is sealed again. */
	checksum = xcrc32(sample->bytes, FORMAT_FILE_BYTES - 4, 0xffffffff);
	for (int i = 0; i < 4; i++)
		sample->bytes[FORMAT_FILE_BYTES - 4 + i] = (uint8_t)(checksum >> 8 * i);
	assert_int_equal(pwrite(sample->fd, sample->bytes, sample->size, 0), sample->size);
	assert_int_equal(recording_open(sample->path, &recording, &major), -ENOTSUP);
	assert_int_equal(major, RECORDING_MAJOR + 1);
}

/* ---- payloads that a writer would not make --------------------------------------------------- */

struct payload {
	uint8_t raw[4096];
	size_t n;
};

static void put(struct payload *payload, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		payload->raw[payload->n++] = (uint8_t)value | 0x80;
	payload->raw[payload->n++] = (uint8_t)value;
}

static bool read_payload(const struct payload *payload, uint32_t events,
			 struct chunk_counts *counts, struct fixture_list *read)
{
	struct chunk_reader *reader = chunk_reader_new();
	size_t bound = ZSTD_compressBound(payload->n);
	void *stored = malloc(bound);
	struct chunk chunk = {
		.payload = stored,
		.size = ZSTD_compress(stored, bound, payload->raw, payload->n, 1),
		.raw_size = payload->n,
		.events = events,
	};
	bool damaged;

	memset(counts, 0, sizeof(*counts));
	assert_int_equal(chunk_reader_read(reader, &chunk, &read->sink, counts, &damaged), 0);
	chunk_reader_free(reader);
	free(stored);
	return damaged;
}

static void events_of_unknown_types_are_counted_and_move_the_time(void **state)
{
	struct payload payload = {.n = 0};
	struct chunk_counts counts;
	struct fixture_list read;

	(void)state;
	fixture_list_init(&read);
	put(&payload, 5);                                /* columns */
	put(&payload, 0), put(&payload, 3);              /* types */
	put(&payload, 1), put(&payload, 1);              /* threads */
	put(&payload, 200 << 8 | 128), put(&payload, 1); /* time of type 200 */
	put(&payload, 200 << 8 | 9), put(&payload, 2);
	put(&payload, EVENT_WAKE << 8 | 128), put(&payload, 2);
	memcpy(payload.raw + payload.n, (uint8_t[]){EVENT_WAKE, 200, EVENT_WAKE}, 3);
	payload.n += 3;
	put(&payload, 2 * 7);
	put(&payload, 5);
	put(&payload, 1), put(&payload, 1);
	put(&payload, 10), put(&payload, 3);
	assert_false(read_payload(&payload, 3, &counts, &read));
	assert_int_equal(counts.unknown, 1);
	assert_int_equal(read.n, 2);
	assert_int_equal(read.events[0].time, 10);
	assert_int_equal(read.events[0].tid, 7);
	assert_int_equal(read.events[1].time, 18);
	fixture_list_free(&read);
}

static void events_with_values_that_cannot_be_are_counted(void **state)
{
	struct payload payload = {.n = 0};
	struct chunk_counts counts;
	struct fixture_list read;

	(void)state;
	fixture_list_init(&read);
	put(&payload, 3);
	put(&payload, 0), put(&payload, 1);
	put(&payload, 1), put(&payload, 1);
	put(&payload, EVENT_POLL << 8 | 6), put(&payload, 1); /* start, without an end */
	put(&payload, EVENT_POLL);
	put(&payload, 2 * 7);
	put(&payload, 2 * 9);
	assert_false(read_payload(&payload, 1, &counts, &read));
	assert_int_equal(counts.unsound, 1);
	assert_int_equal(read.n, 0);
	fixture_list_free(&read);
}

static void put_fixture(struct chunk_writer *writer, struct fixture_list *list, uint8_t type,
			uint64_t time, uint64_t round)
{
	struct fixture_storage storage;
	struct event event;

	fixture_event(&event, type, time, FIXTURE_MIXED, round, &storage);
	assert_int_equal(chunk_writer_add(writer, &event), 0);
	if (list)
		fixture_keep(&list->sink, &event);
}

/* The column of types is the first behind the directory. */
static void make_unknown(struct payload *payload, uint32_t events, uint8_t type)
{
	uint8_t *at = payload->raw;

	for (unsigned int left = 1 + 2 * payload->raw[0]; left; left--)
		while (*at++ & 0x80)
			;
	for (uint32_t i = 0; i < events; i++)
		at[i] = at[i] == type ? 200 : at[i];
}

/* What format 1.1 reads of an await: that it does not know it. They move no time here, and nothing else. */
static void awaits_change_nothing_for_readers_without_them(void **state)
{
	static const uint8_t types[] = {EVENT_SPAWN,  EVENT_WAKE,      EVENT_POLL,
					EVENT_OFFCPU, EVENT_TERMINATE, EVENT_SAMPLE};
	struct chunk_writer *writer = chunk_writer_new();
	struct payload payload = {.n = 0};
	struct fixture_list given, read;
	struct chunk_counts counts;
	struct chunk chunk;

	(void)state;
	fixture_list_init(&given);
	fixture_list_init(&read);
	for (uint64_t i = 0; i < 5 * sizeof(types); i++) {
		put_fixture(writer, &given, types[i % sizeof(types)], 100 * i, i / 4);
		put_fixture(writer, NULL, EVENT_AWAIT, 100 * i, i / 3);
	}
	assert_int_equal(chunk_writer_finish(writer, &chunk), 0);
	payload.n = ZSTD_decompress(payload.raw, sizeof(payload.raw), chunk.payload, chunk.size);
	assert_int_equal(payload.n, chunk.raw_size);
	make_unknown(&payload, chunk.events, EVENT_AWAIT);
	assert_false(read_payload(&payload, chunk.events, &counts, &read));
	assert_int_equal(counts.unknown, given.n);
	assert_int_equal(read.n, given.n);
	for (size_t i = 0; i < given.n; i++)
		assert_true(fixture_same(&read.events[i], &given.events[i]));
	fixture_list_free(&given);
	fixture_list_free(&read);
	chunk_writer_free(writer);
}

static void indices_beyond_their_dictionary_are_damage(void **state)
{
	static const uint8_t cases[][2] = {
		{EVENT_WAKE, FIELD_OF_TID}, {EVENT_WAKE, 4},   {EVENT_WAKE, 5},   {EVENT_SPAWN, 6},
		{EVENT_THREAD, 6},          {EVENT_SAMPLE, 6}, {EVENT_SYMBOL, 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct payload payload = {.n = 0};
		struct chunk_counts counts;
		struct fixture_list read;

		fixture_list_init(&read);
		put(&payload, 3);
		put(&payload, 0), put(&payload, 1);
		put(&payload, 1), put(&payload, 1);
		put(&payload, cases[i][0] << 8 | cases[i][1]), put(&payload, 3);
		put(&payload, cases[i][0]);
		put(&payload, 2 * 7);
		put(&payload, 100), put(&payload, 100), put(&payload, 1);
		assert_true(read_payload(&payload, 1, &counts, &read));
		assert_int_equal(read.n, 0);
		fixture_list_free(&read);
	}
}

static void numbers_without_an_end_are_damage(void **state)
{
	struct payload payload = {.n = 0};
	struct chunk_counts counts;
	struct fixture_list read;

	(void)state;
	fixture_list_init(&read);
	put(&payload, 3);
	put(&payload, 0), put(&payload, 1);
	put(&payload, 1), put(&payload, 1);
	put(&payload, EVENT_WAKE << 8), put(&payload, 12);
	put(&payload, EVENT_WAKE);
	put(&payload, 2 * 7);
	memset(payload.raw + payload.n, 0xff, 12);
	payload.n += 12;
	assert_true(read_payload(&payload, 1, &counts, &read));
	fixture_list_free(&read);
}

static void directories_beyond_the_payload_are_damage(void **state)
{
	(void)state;
	for (uint64_t columns = 1; columns < 5; columns++) {
		struct payload payload = {.n = 0};
		struct chunk_counts counts;
		struct fixture_list read;

		fixture_list_init(&read);
		put(&payload, columns);
		put(&payload, 0), put(&payload, columns == 1 ? 1000 : 0);
		put(&payload, 1), put(&payload, UINT64_MAX);
		assert_true(read_payload(&payload, 0, &counts, &read));
		fixture_list_free(&read);
	}
}

static void strings_are_sanitized_when_read(void **state)
{
	static const char text[] = "a\x1b[2J\xff";
	struct payload payload = {.n = 0};
	struct chunk_counts counts;
	struct fixture_list read;

	(void)state;
	fixture_list_init(&read);
	put(&payload, 3);
	put(&payload, 0), put(&payload, 1);
	put(&payload, 1), put(&payload, 1);
	put(&payload, 4), put(&payload, sizeof(text));
	put(&payload, EVENT_PATH);
	put(&payload, 2 * 7);
	memcpy(payload.raw + payload.n, text, sizeof(text));
	payload.n += sizeof(text);
	assert_false(read_payload(&payload, 1, &counts, &read));
	assert_int_equal(read.n, 1);
	assert_string_equal(read.events[0].path.path, "a?[2J?");
	fixture_list_free(&read);
	payload.raw[payload.n - 1] = 'x'; /* no NUL at the end */
	assert_true(read_payload(&payload, 1, &counts, &read));
	fixture_list_free(&read);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_whole_is_read_whole),
		TEST(truncation_anywhere_costs_only_the_chunk_that_it_cuts),
		TEST(a_changed_byte_anywhere_costs_only_its_chunk_and_is_reported),
		TEST(a_chunk_that_is_missing_is_counted),
		TEST(bytes_that_are_missing_inside_of_a_chunk_cost_only_that),
		TEST(garbage_between_chunks_is_skipped),
		TEST(headers_that_lie_cost_their_chunk),
		TEST(chunks_of_an_unknown_type_are_skipped),
		TEST(a_newer_major_version_is_refused_by_name),
		cmocka_unit_test(events_of_unknown_types_are_counted_and_move_the_time),
		cmocka_unit_test(awaits_change_nothing_for_readers_without_them),
		cmocka_unit_test(events_with_values_that_cannot_be_are_counted),
		cmocka_unit_test(indices_beyond_their_dictionary_are_damage),
		cmocka_unit_test(numbers_without_an_end_are_damage),
		cmocka_unit_test(directories_beyond_the_payload_are_damage),
		cmocka_unit_test(strings_are_sanitized_when_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
