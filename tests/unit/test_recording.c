// SPDX-License-Identifier: MIT
// links: events util -lzstd -liberty
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "events/chunk.h"
#include "events/recording.h"
#include "tests/fixtures/events.h"
#include "tests/fixtures/stream.h"

struct file {
	char path[64];
};

static int set_up(void **state)
{
	struct file *file = calloc(1, sizeof(*file));
	int fd;

	if (!file)
		return -1;
	strcpy(file->path, "/tmp/pollscope-test-XXXXXX");
	fd = mkstemp(file->path);
	*state = file;
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	struct file *file = *state;

	unlink(file->path);
	free(file);
	return 0;
}

static void give(struct recording_writer *writer, const struct event *event)
{
	struct event_sink *sink = recording_writer_sink(writer);

	assert_int_equal(sink->take(sink, event), 0);
}

static void give_list(struct recording_writer *writer, const struct fixture_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		give(writer, &list->events[i]);
}

static struct recording_stats replay(const char *path, struct event_sink *sink)
{
	struct recording *recording;
	struct recording_stats stats;
	uint16_t major;

	assert_int_equal(recording_open(path, &recording, &major), 0);
	assert_int_equal(major, RECORDING_MAJOR);
	assert_int_equal(recording_read(recording, sink), 0);
	stats = *recording_stats(recording);
	recording_close(recording);
	return stats;
}

static void assert_replays(const char *path, const struct fixture_list *given)
{
	struct recording_stats stats;
	struct fixture_list read;

	fixture_list_init(&read);
	stats = replay(path, &read.sink);
	assert_false(stats.cut);
	assert_int_equal(stats.damaged_chunks, 0);
	assert_int_equal(stats.damaged_bytes, 0);
	assert_int_equal(stats.unsound_events, 0);
	assert_int_equal(read.n, given->n);
	for (size_t i = 0; i < read.n; i++)
		assert_true(fixture_same(&read.events[i], &given->events[i]));
	fixture_list_free(&read);
}

static void add_fixture(struct fixture_list *list, uint8_t type, uint64_t time,
			enum fixture_values values, uint64_t round)
{
	struct fixture_storage storage;
	struct event event;

	fixture_event(&event, type, time, values, round, &storage);
	assert_true(event_is_sound(&event));
	fixture_keep(&list->sink, &event);
}

static void every_event_comes_back_with_any_value(void **state)
{
	struct file *file = *state;
	struct recording_writer *writer;
	struct fixture_list list;

	fixture_list_init(&list);
	for (uint64_t round = 0; round < 200; round++) {
		for (uint8_t type = 1; type < EVENT_TYPES; type++) {
			enum fixture_values values =
				(enum fixture_values)(round * 7 + type) % FIXTURE_VALUES;
			uint64_t time = values == FIXTURE_ZERO       ? 0
					: values == FIXTURE_GREATEST ? UINT64_MAX
								     : round * 1000 + type;

			add_fixture(&list, type, time, values, round);
		}
	}
	assert_int_equal(recording_writer_open(file->path, &writer), 0);
	give_list(writer, &list);
	assert_int_equal(recording_writer_close(writer), 0);
	assert_replays(file->path, &list);
	fixture_list_free(&list);
}

/* The struct of each type, to see that no field of it is missing. */
static size_t size_of_type(uint8_t type)
{
	static const size_t sizes[EVENT_TYPES] = {
		[EVENT_CAPTURE_START] = sizeof(struct event_capture_start),
		[EVENT_CAPTURE_END] = sizeof(struct event_capture_end),
		[EVENT_PROCESS] = sizeof(struct event_process),
		[EVENT_SOURCE] = sizeof(struct event_source),
		[EVENT_MODULE] = sizeof(struct event_module),
		[EVENT_KIND] = sizeof(struct event_kind),
		[EVENT_THREAD] = sizeof(struct event_thread),
		[EVENT_THREAD_TOTALS] = sizeof(struct event_thread_totals),
		[EVENT_PROCESS_EXIT] = sizeof(struct event_process_exit),
		[EVENT_PATH] = sizeof(struct event_path),
		[EVENT_SYMBOL] = sizeof(struct event_symbol),
		[EVENT_LOST] = sizeof(struct event_lost),
		[EVENT_OVERHEAD] = sizeof(struct event_overhead),
		[EVENT_POLL] = sizeof(struct event_poll),
		[EVENT_OFFCPU] = sizeof(struct event_offcpu),
		[EVENT_SAMPLE] = sizeof(struct event_sample),
		[EVENT_SPAWN] = sizeof(struct event_spawn),
		[EVENT_WAKE] = sizeof(struct event_wake),
		[EVENT_ABORT] = sizeof(struct event_abort),
		[EVENT_TERMINATE] = sizeof(struct event_terminate),
		[EVENT_BLOCKING_QUEUE] = sizeof(struct event_blocking),
		[EVENT_BLOCKING_START] = sizeof(struct event_blocking),
		[EVENT_BLOCKING_END] = sizeof(struct event_blocking),
		[EVENT_BLOCK_ON_ENTER] = sizeof(struct event_block_on),
		[EVENT_BLOCK_ON_EXIT] = sizeof(struct event_block_on),
		[EVENT_SAMPLING] = sizeof(struct event_sampling),
		[EVENT_SKIPPED] = sizeof(struct event_skipped),
		[EVENT_AWAIT] = sizeof(struct event_sample),
		[EVENT_CPU_QUOTA] = sizeof(struct event_cpu_quota),
	};

	return sizes[type] ? sizes[type] : sizeof(struct event_worker);
}

/* A gap in front of something that wants `alignment` can only be padding if it is smaller. */
static void the_schema_leaves_out_nothing_but_padding(void **state)
{
	(void)state;
	for (uint8_t type = 1; type < EVENT_TYPES; type++) {
		const struct schema *schema = schema_of(type);
		uint8_t size_at[sizeof(struct event) + 8] = {0};
		size_t end = offsetof(struct event, poll) + size_of_type(type), gap = 0;

		assert_non_null(schema);
		for (unsigned int i = 0; i < schema->nfields; i++)
			size_at[schema->fields[i].offset] = schema->fields[i].size;
		size_at[offsetof(struct event, type)] = 1; /* a column of its own */
		if (type == EVENT_SYMBOL)
			size_at[offsetof(struct event, symbol.nframes)] = 4; /* with its frames */
		size_at[end] = 8;
		for (size_t i = 0; i < end;) {
			size_t alignment = size_at[i + 1] < 8 ? size_at[i + 1] : 8;

			gap = size_at[i] ? 0 : gap + 1;
			assert_true(!gap || !alignment || gap < alignment);
			i += size_at[i] ? size_at[i] : 1;
		}
	}
}

/* Made by the version that wrote format 1.0: what was added later reads as not told. */
static void a_recording_of_format_1_0_is_read(void **state)
{
	struct recording_stats stats;
	struct fixture_list read;
	const struct event *events;

	(void)state;
	fixture_list_init(&read);
	stats = replay("tests/fixtures/format-1.0.data", &read.sink);
	assert_int_equal(stats.minor, 0);
	assert_false(stats.cut);
	assert_int_equal(stats.damaged_chunks + stats.unknown_events + stats.unsound_events, 0);
	assert_int_equal(read.n, 14);
	events = read.events;
	assert_string_equal(events[0].capture_start.kernel, "6.18");
	assert_int_equal(events[3].type, EVENT_OVERHEAD);
	assert_int_equal(events[3].overhead.poll_ns, 100);
	assert_int_equal(events[3].overhead.signal_ns, 50);
	assert_int_equal(events[3].overhead.skip_ns, 0);
	assert_int_equal(events[5].type, EVENT_KIND);
	assert_string_equal(events[5].kind.type, "work");
	assert_string_equal(events[5].kind.full, "");
	assert_int_equal(events[8].type, EVENT_POLL);
	assert_int_equal(events[8].poll.start, 1100);
	for (int i = 9; i < 11; i++) {
		assert_int_equal(events[i].type, EVENT_TERMINATE);
		assert_int_equal(events[i].terminate.task, i - 2);
		assert_int_equal(events[i].terminate.cancelled, i - 9);
		assert_int_equal(events[i].terminate.kind, 0);
	}
	assert_string_equal(events[11].kind.type, "idle");
	assert_string_equal(events[13].symbol.frames[0].function, "save");
	fixture_list_free(&read);
}

static void a_stream_of_many_chunks_comes_back_in_order(void **state)
{
	static const struct stream_options options = {.workers = 4,
						      .tasks = 500,
						      .polls = 50000,
						      .poll_ns = 4000,
						      .io_ns = 500000,
						      .blocking = 40};
	struct file *file = *state;
	struct recording_writer *writer;
	struct stream_totals totals;
	struct fixture_list list;

	fixture_list_init(&list);
	assert_int_equal(stream_run(&options, &list.sink, &totals), 0);
	assert_int_equal(recording_writer_open(file->path, &writer), 0);
	give_list(writer, &list);
	assert_int_equal(recording_writer_close(writer), 0);
	assert_replays(file->path, &list);
	fixture_list_free(&list);
}

static double bytes_per_poll(const char *path, const struct stream_options *options)
{
	struct recording_writer *writer;
	struct stream_totals totals;
	uint64_t bytes;

	assert_int_equal(recording_writer_open(path, &writer), 0);
	assert_int_equal(stream_run(options, recording_writer_sink(writer), &totals), 0);
	assert_int_equal(recording_writer_flush(writer), 0);
	bytes = recording_writer_bytes(writer);
	assert_int_equal(recording_writer_close(writer), 0);
	return (double)bytes / (double)totals.polls;
}

static void a_poll_with_its_wake_takes_eight_bytes(void **state)
{
	static const struct stream_options options = {
		.workers = 4, .tasks = 500, .polls = 100000, .poll_ns = 3000, .io_ns = 500000};
	struct file *file = *state;
	double bytes = bytes_per_poll(file->path, &options);

	print_message("%.2f bytes a poll\n", bytes);
	assert_true(bytes <= 8.0);
}

static void statistics_say_what_is_in_it(void **state)
{
	struct file *file = *state;
	struct recording_writer *writer;
	struct recording_stats stats;
	struct fixture_list list, read;
	struct stat st;

	fixture_list_init(&list);
	fixture_list_init(&read);
	add_fixture(&list, EVENT_WAKE, 2000, FIXTURE_MIXED, 1);
	add_fixture(&list, EVENT_WAKE, 1000, FIXTURE_MIXED, 2); /* late */
	add_fixture(&list, EVENT_POLL, 3000, FIXTURE_MIXED, 3);
	assert_int_equal(recording_writer_open(file->path, &writer), 0);
	give(writer, &list.events[0]);
	assert_int_equal(recording_writer_flush(writer), 0);
	give(writer, &list.events[1]);
	give(writer, &list.events[2]);
	assert_int_equal(recording_writer_close(writer), 0);
	stats = replay(file->path, &read.sink);
	assert_int_equal(stat(file->path, &st), 0);
	assert_int_equal(stats.bytes, st.st_size);
	assert_int_equal(stats.major, RECORDING_MAJOR);
	assert_int_equal(stats.chunks, 2);
	assert_int_equal(stats.events[EVENT_WAKE], 2);
	assert_int_equal(stats.events[EVENT_POLL], 1);
	assert_int_equal(stats.first_time, 1000);
	assert_int_equal(stats.last_time, 3000);
	assert_int_equal(read.n, 3);
	fixture_list_free(&list);
	fixture_list_free(&read);
}

static void an_empty_recording_is_complete(void **state)
{
	struct file *file = *state;
	struct recording_writer *writer;
	struct fixture_list none;

	fixture_list_init(&none);
	assert_int_equal(recording_writer_open(file->path, &writer), 0);
	assert_int_equal(recording_writer_flush(writer), 0);
	assert_int_equal(recording_writer_close(writer), 0);
	assert_replays(file->path, &none);
}

static void long_strings_stacks_and_symbols_are_cut(void **state)
{
	struct file *file = *state;
	struct recording_writer *writer;
	struct fixture_list read;
	struct event_frame *frames = calloc(65535, sizeof(*frames));
	uint64_t *stack = calloc(2 * 65535, sizeof(*stack));
	struct event event = {.type = EVENT_PATH, .time = 1};
	char *text = malloc(3 * 50000 + 1);

	fixture_list_init(&read);
	for (int i = 0; i < 50000; i++)
		memcpy(text + 3 * i, "\xe2\x82\xac", 3);
	text[3 * 50000] = '\0';
	for (int i = 0; i < 65535; i++)
		frames[i] = (struct event_frame){text, text + 3 * i, (uint32_t)i};
	assert_int_equal(recording_writer_open(file->path, &writer), 0);
	event.path.path = text;
	give(writer, &event);
	event.type = EVENT_SYMBOL;
	event.symbol = (struct event_symbol){.nframes = 65535, .frames = frames};
	give(writer, &event);
	event.type = EVENT_SAMPLE;
	event.sample = (struct event_sample){.stack = {stack, 65535, 65535}};
	give(writer, &event);
	event.sample = (struct event_sample){.stack = {stack, 24, 65535}};
	give(writer, &event);
	assert_int_equal(recording_writer_close(writer), 0);
	replay(file->path, &read.sink);
	assert_int_equal(read.n, 4);
	assert_int_equal(strlen(read.events[0].path.path), 65535);
	assert_int_equal(read.events[1].symbol.nframes, EVENT_SYMBOL_FRAMES);
	assert_int_equal(read.events[1].symbol.frames[99].line, 99);
	assert_int_equal(read.events[2].sample.stack.nkernel, EVENT_STACK_FRAMES);
	assert_int_equal(read.events[2].sample.stack.nuser, 0);
	assert_int_equal(read.events[3].sample.stack.nkernel, 24);
	assert_int_equal(read.events[3].sample.stack.nuser, EVENT_STACK_FRAMES - 24);
	fixture_list_free(&read);
	free(frames);
	free(stack);
	free(text);
}

static int refuse(struct event_sink *sink, const struct event *event)
{
	(void)sink;
	return event->type == EVENT_POLL ? -EBADMSG : 0;
}

static void the_sinks_error_ends_the_replay(void **state)
{
	struct file *file = *state;
	struct event_sink sink = {.take = refuse};
	struct recording_writer *writer;
	struct recording *recording;
	struct fixture_list list;
	uint16_t major;

	fixture_list_init(&list);
	add_fixture(&list, EVENT_WAKE, 10, FIXTURE_MIXED, 1);
	add_fixture(&list, EVENT_POLL, 20, FIXTURE_MIXED, 1);
	assert_int_equal(recording_writer_open(file->path, &writer), 0);
	give_list(writer, &list);
	assert_int_equal(recording_writer_close(writer), 0);
	assert_int_equal(recording_open(file->path, &recording, &major), 0);
	assert_int_equal(recording_read(recording, &sink), -EBADMSG);
	assert_int_equal(recording_stats(recording)->damaged_chunks, 0);
	recording_close(recording);
	fixture_list_free(&list);
}

static void what_cannot_be_opened_says_why(void **state)
{
	struct file *file = *state;
	struct recording_writer *writer;
	struct recording *recording;
	uint16_t major;

	assert_int_equal(recording_open("/nonexistent/x", &recording, &major), -ENOENT);
	assert_int_equal(recording_open(file->path, &recording, &major), -EBADMSG);
	assert_int_equal(recording_open("/tmp", &recording, &major), -EISDIR);
	assert_int_equal(recording_writer_open("/nonexistent/x", &writer), -ENOENT);
	assert_int_equal(recording_writer_open("/dev/full", &writer), -ENOSPC);
	assert_int_equal(recording_writer_close(NULL), 0);
	recording_close(NULL);
}

static void a_broken_pipe_is_reported_once_and_for_all(void **state)
{
	struct recording_writer *writer;
	struct event event = {.type = EVENT_WAKE, .time = 1};
	struct event_sink *sink;
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(recording_writer_open_fd(ends[1], &writer), 0);
	sink = recording_writer_sink(writer);
	assert_int_equal(sink->take(sink, &event), 0);
	close(ends[0]);
	assert_int_equal(recording_writer_flush(writer), -EPIPE);
	assert_int_equal(sink->take(sink, &event), -EPIPE);
	assert_int_equal(recording_writer_close(writer), -EPIPE);
}

/* A limit on the file's size stands for a full disk: it cuts a write in its middle as well. */
static void a_full_disk_leaves_whole_chunks(void **state)
{
	struct file *file = *state;
	struct recording_writer *writer;
	struct rlimit limit = {4000, RLIM_INFINITY}, before;
	struct recording_stats stats;
	struct fixture_list list, read;
	struct event_sink *sink;
	uint64_t bytes;
	struct stat st;

	fixture_list_init(&list);
	fixture_list_init(&read);
	for (uint64_t i = 0; i < 5000; i++)
		add_fixture(&list, EVENT_POLL, 1000 * i, FIXTURE_MIXED, i);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit.rlim_max = before.rlim_max;
	assert_int_equal(recording_writer_open(file->path, &writer), 0);
	sink = recording_writer_sink(writer);
	assert_int_equal(sink->take(sink, &list.events[0]), 0);
	assert_int_equal(recording_writer_flush(writer), 0);
	bytes = recording_writer_bytes(writer);
	setrlimit(RLIMIT_FSIZE, &limit);
	give_list(writer, &list);
	assert_int_equal(recording_writer_flush(writer), -EFBIG);
	assert_int_equal(recording_writer_close(writer), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(stat(file->path, &st), 0);
	assert_int_equal(st.st_size, bytes);
	stats = replay(file->path, &read.sink);
	assert_true(stats.cut);
	assert_int_equal(stats.damaged_bytes, 0);
	assert_int_equal(read.n, 1);
	fixture_list_free(&list);
	fixture_list_free(&read);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_event_comes_back_with_any_value),
		TEST(the_schema_leaves_out_nothing_but_padding),
		TEST(a_recording_of_format_1_0_is_read),
		TEST(a_stream_of_many_chunks_comes_back_in_order),
		TEST(a_poll_with_its_wake_takes_eight_bytes),
		TEST(statistics_say_what_is_in_it),
		TEST(an_empty_recording_is_complete),
		TEST(long_strings_stacks_and_symbols_are_cut),
		TEST(the_sinks_error_ends_the_replay),
		TEST(what_cannot_be_opened_says_why),
		TEST(a_broken_pipe_is_reported_once_and_for_all),
		TEST(a_full_disk_leaves_whole_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
