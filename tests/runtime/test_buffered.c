// SPDX-License-Identifier: MIT
#include "helper_io.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "pollrt_select.h"

/* Writes its text a few bytes at a time, and closes. */
struct drips {
	struct pollrt_async async;
	struct pollrt_io *io;
	const char *text;
	size_t step;
	struct pollrt_write_all write;
};

static void drips_drop(struct drips *self)
{
	pollrt_io_close(self->io);
}

static POLLRT_ASYNC(drips)
{
	POLLRT_BEGIN();
	while (*self->text) {
		POLLRT_CALL(self->write, pollrt_write_all, .io = self->io, .buffer = self->text,
			    .size = strnlen(self->text, self->step));
		self->text += self->write.done;
		POLLRT_YIELD();
	}
	POLLRT_END();
}

static struct pollrt_io *drip(const char *text, size_t step)
{
	struct pollrt_io *pair[2];

	assert_int_equal(pollrt_unix_pair(pair, NULL, SOCK_STREAM), 0);
	pollrt_spawn_drop(NULL, NULL, drips, drips_drop, .io = pair[0], .text = text, .step = step);
	return pair[1];
}

struct lines {
	struct pollrt_async async;
	size_t step;
	char buffer[12];
	struct pollrt_reader reader;
	unsigned int i;
	char *line;
	ssize_t n;
};

static POLLRT_ASYNC(lines)
{
	static const char *const expected[] = {"one", "", "three", "and\rfour", "ten of cha", "fi"};

	POLLRT_BEGIN();
	self->reader = (struct pollrt_reader){
		.io = drip("one\n\nthree\r\nand\rfour\r\nten of cha\nfi", self->step),
		.buffer = self->buffer,
		.size = sizeof(self->buffer)};
	for (self->i = 0; self->i < 6; self->i++) {
		POLLRT_AWAIT(pollrt_reader_line(&self->reader, &self->line, &self->n, cx));
		assert_int_equal(self->n, strlen(expected[self->i]));
		assert_string_equal(self->line, expected[self->i]);
	}
	for (self->i = 0; self->i < 2; self->i++) {
		POLLRT_AWAIT(pollrt_reader_line(&self->reader, &self->line, &self->n, cx));
		assert_int_equal(self->n, 0);
		assert_null(self->line);
	}
	pollrt_io_close(self->reader.io);
	POLLRT_END();
}

static void lines_are_found_however_they_arrive(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);

		for (size_t step = 1; step < 40; step++)
			pollrt_block_on(io.rt, lines, &(struct lines){.step = step});
		helper_io_end(&io);
	}
}

struct limits {
	struct pollrt_async async;
	char buffer[8];
	struct pollrt_reader reader;
	char *data;
	char rest[32];
	ssize_t n;
	struct pollrt_reader_exact exact;
};

static POLLRT_ASYNC(limits)
{
	POLLRT_BEGIN();
	self->reader = (struct pollrt_reader){.io = drip("1234567;too long a line;last", 5),
					      .buffer = self->buffer,
					      .size = sizeof(self->buffer)};
	/* With its delimiter it would be 8 bytes. */
	POLLRT_AWAIT(pollrt_reader_until(&self->reader, ';', &self->data, &self->n, cx));
	assert_int_equal(self->n, -EMSGSIZE);
	POLLRT_AWAIT(pollrt_reader_until(&self->reader, ';', &self->data, &self->n, cx));
	assert_int_equal(self->n, -EMSGSIZE);
	POLLRT_CALL(self->exact, pollrt_reader_exact, .reader = &self->reader, .buffer = self->rest,
		    .size = 19);
	assert_int_equal(self->exact.status, 0);
	assert_memory_equal(self->rest, "1234567;too long a ", 19);
	POLLRT_AWAIT(pollrt_reader_until(&self->reader, ';', &self->data, &self->n, cx));
	assert_int_equal(self->n, 5);
	assert_memory_equal(self->data, "line;", 5);
	POLLRT_CALL(self->exact, pollrt_reader_exact, .reader = &self->reader, .buffer = self->rest,
		    .size = 10);
	assert_int_equal(self->exact.status, -ENODATA);
	assert_int_equal(self->exact.done, 4);
	assert_memory_equal(self->rest, "last", 4);
	POLLRT_AWAIT(pollrt_reader_read(&self->reader, self->rest, 32, &self->n, cx));
	assert_int_equal(self->n, 0);
	pollrt_io_close(self->reader.io);
	POLLRT_END();
}

static void what_does_not_fit_is_refused_and_stays(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);

		pollrt_block_on(io.rt, limits, &(struct limits){0});
		helper_io_end(&io);
	}
}

struct resumes {
	struct pollrt_async async;
	struct pollrt_io *pair[2];
	char buffer[32];
	struct pollrt_reader reader;
	char *line;
	ssize_t n;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(resumes)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_unix_pair(self->pair, NULL, SOCK_STREAM), 0);
	self->reader = (struct pollrt_reader){
		.io = self->pair[0], .buffer = self->buffer, .size = sizeof(self->buffer)};
	POLLRT_AWAIT(pollrt_write(self->pair[1], "first\nhalf", 10, &self->n, cx));
	POLLRT_AWAIT(pollrt_reader_line(&self->reader, &self->line, &self->n, cx));
	assert_string_equal(self->line, "first");
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2),
			     pollrt_reader_line(&self->reader, &self->line, &self->n, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	POLLRT_AWAIT(pollrt_write(self->pair[1], " and half\n", 10, &self->n, cx));
	POLLRT_AWAIT(pollrt_reader_line(&self->reader, &self->line, &self->n, cx));
	assert_string_equal(self->line, "half and half");
	pollrt_io_close(self->pair[0]);
	pollrt_io_close(self->pair[1]);
	POLLRT_END();
}

static void a_line_that_was_given_up_is_not_lost(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);

		pollrt_block_on(io.rt, resumes, &(struct resumes){0});
		helper_io_end(&io);
	}
}

#define NUMBERS 50000u

struct writes {
	struct pollrt_async async;
	struct pollrt_writer writer;
	char buffer[100];
	uint32_t i;
	_Atomic unsigned int *gave_up;
	struct pollrt_writer_put put;
	struct pollrt_timeout timeout;
	int status;
};

static void writes_drop(struct writes *self)
{
	pollrt_io_close(self->writer.io);
}

/* Numbers, with puts that are given up when the reader is slow, and go on where they were. */
static POLLRT_ASYNC(writes)
{
	POLLRT_BEGIN();
	self->writer.buffer = self->buffer;
	self->writer.size = sizeof(self->buffer);
	for (self->i = 0; self->i < NUMBERS; self->i++) {
		self->put = (struct pollrt_writer_put){
			.writer = &self->writer, .data = &self->i, .size = sizeof(self->i)};
		do {
			POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(1),
					     pollrt_writer_put(&self->put, cx));
			if (self->timeout.status)
				atomic_fetch_add(self->gave_up, 1);
		} while (self->timeout.status);
		assert_int_equal(self->put.status, 0);
	}
	POLLRT_AWAIT(pollrt_writer_flush(&self->writer, &self->status, cx));
	assert_int_equal(self->status, 0);
	POLLRT_END();
}

struct counts {
	struct pollrt_async async;
	struct pollrt_io *pair[2];
	char buffer[4096];
	struct pollrt_reader reader;
	struct pollrt_reader_exact exact;
	struct pollrt_sleep sleep;
	uint32_t i, number;
	_Atomic unsigned int gave_up;
};

static POLLRT_ASYNC(counts)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_unix_pair(self->pair, NULL, SOCK_STREAM), 0);
	setsockopt(pollrt_io_fd(self->pair[0]), SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int));
	pollrt_spawn_drop(NULL, NULL, writes, writes_drop, .writer = {.io = self->pair[0]},
			  .gave_up = &self->gave_up);
	while (!atomic_load(&self->gave_up))
		POLLRT_SLEEP(self->sleep, POLLRT_MS(1));
	self->reader = (struct pollrt_reader){
		.io = self->pair[1], .buffer = self->buffer, .size = sizeof(self->buffer)};
	for (self->i = 0; self->i < NUMBERS; self->i++) {
		POLLRT_CALL(self->exact, pollrt_reader_exact, .reader = &self->reader,
			    .buffer = &self->number, .size = sizeof(self->number));
		assert_int_equal(self->exact.status, 0);
		assert_int_equal(self->number, self->i);
	}
	POLLRT_CALL(self->exact, pollrt_reader_exact, .reader = &self->reader,
		    .buffer = &self->number, .size = sizeof(self->number));
	assert_int_equal(self->exact.status, -ENODATA);
	assert_int_equal(self->exact.done, 0);
	pollrt_io_close(self->pair[1]);
	POLLRT_END();
}

static void what_is_put_arrives_once_and_in_order(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct counts future = {0};

		pollrt_block_on(io.rt, counts, &future);
		assert_int_equal(future.i, NUMBERS);
		helper_io_end(&io);
	}
}

struct fails {
	struct pollrt_async async;
	struct pollrt_io *pair[2];
	char buffer[4];
	struct pollrt_writer writer;
	struct pollrt_writer_put put;
	int status;
	char byte;
	ssize_t n;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(fails)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_unix_pair(self->pair, NULL, SOCK_STREAM), 0);
	self->writer = (struct pollrt_writer){
		.io = self->pair[0], .buffer = self->buffer, .size = sizeof(self->buffer)};
	/* Not before it is flushed. */
	POLLRT_CALL(self->put, pollrt_writer_put, .writer = &self->writer, .data = "abc",
		    .size = 3);
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2),
			     pollrt_read(self->pair[1], &self->byte, 1, &self->n, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	POLLRT_AWAIT(pollrt_writer_flush(&self->writer, &self->status, cx));
	assert_int_equal(self->status, 0);
	POLLRT_AWAIT(pollrt_read(self->pair[1], &self->byte, 1, &self->n, cx));
	assert_int_equal(self->n, 1);

	pollrt_io_close(self->pair[1]);
	POLLRT_CALL(self->put, pollrt_writer_put, .writer = &self->writer, .data = "0123456789",
		    .size = 10);
	assert_int_equal(self->put.status, -EPIPE);
	assert_int_equal(self->put.done, 4);
	POLLRT_AWAIT(pollrt_writer_flush(&self->writer, &self->status, cx));
	assert_int_equal(self->status, -EPIPE);
	pollrt_io_close(self->pair[0]);
	POLLRT_END();
}

static void a_writer_says_when_its_peer_is_gone(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);

		pollrt_block_on(io.rt, fails, &(struct fails){0});
		helper_io_end(&io);
	}
}

struct copies {
	struct pollrt_async async;
	const char *path;
	struct pollrt_file_open open;
	struct pollrt_writer writer;
	struct pollrt_writer_put put;
	struct pollrt_reader reader;
	struct pollrt_select select;
	char buffer[64], text[16], *line;
	unsigned int i, gave_up;
	int status;
	ssize_t n;
};

/* Numbers in lines, of which some attempts to write and to read are given up. */
static POLLRT_ASYNC(copies)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->open, pollrt_file_open, .path = self->path, .flags = O_RDWR | O_CREAT,
		    .mode = 0600);
	assert_int_equal(self->open.status, 0);
	self->writer = (struct pollrt_writer){
		.file = self->open.file, .buffer = self->buffer, .size = sizeof(self->buffer)};
	for (self->i = 0; self->i < 2000; self->i++) {
		snprintf(self->text, sizeof(self->text), "%u\n", self->i);
		self->put = (struct pollrt_writer_put){
			.writer = &self->writer, .data = self->text, .size = strlen(self->text)};
		/* Whatever is not ready at once loses. */
		POLLRT_SELECT_BIASED(self->select, pollrt_writer_put(&self->put, cx), POLLRT_READY);
		self->gave_up += self->select.winner;
		POLLRT_AWAIT(pollrt_writer_put(&self->put, cx));
		assert_int_equal(self->put.status, 0);
	}
	POLLRT_AWAIT(pollrt_writer_flush(&self->writer, &self->status, cx));
	assert_int_equal(self->status, 0);

	self->reader = (struct pollrt_reader){
		.file = self->open.file, .buffer = self->buffer, .size = sizeof(self->buffer)};
	for (self->i = 0; self->i < 2000; self->i++) {
		POLLRT_SELECT_BIASED(self->select,
				     pollrt_reader_line(&self->reader, &self->line, &self->n, cx),
				     POLLRT_READY);
		self->gave_up += self->select.winner;
		if (self->select.winner)
			POLLRT_AWAIT(pollrt_reader_line(&self->reader, &self->line, &self->n, cx));
		snprintf(self->text, sizeof(self->text), "%u", self->i);
		assert_string_equal(self->line, self->text);
	}
	POLLRT_AWAIT(pollrt_reader_line(&self->reader, &self->line, &self->n, cx));
	assert_null(self->line);
	assert_int_equal(self->n, 0);
	pollrt_file_close(self->open.file);
	POLLRT_END();
}

static void files_are_written_and_read_through_buffers(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct helper_path path = helper_path_make();
		struct copies future = {.path = path.path};

		pollrt_block_on(io.rt, copies, &future);
		assert_true(future.gave_up > 0);
		helper_path_remove(&path);
		helper_io_end(&io);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_found_however_they_arrive),
		cmocka_unit_test(what_does_not_fit_is_refused_and_stays),
		cmocka_unit_test(a_line_that_was_given_up_is_not_lost),
		cmocka_unit_test(what_is_put_arrives_once_and_in_order),
		cmocka_unit_test(a_writer_says_when_its_peer_is_gone),
		cmocka_unit_test(files_are_written_and_read_through_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
