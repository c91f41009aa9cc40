// SPDX-License-Identifier: MIT
#include "helper_io.h"

#include <fcntl.h>
#include <sys/stat.h>

struct keeps {
	struct pollrt_async async;
	const char *path;
	struct pollrt_file *file;
	struct pollrt_file_open open;
	struct pollrt_file_write write;
	struct pollrt_file_read read;
	struct pollrt_file_sync sync;
	char buffer[16];
};

static POLLRT_ASYNC(keeps)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->open, pollrt_file_open, .path = self->path,
		    .flags = O_RDWR | O_CREAT | O_EXCL, .mode = 0600);
	assert_int_equal(self->open.status, 0);
	self->file = self->open.file;
	assert_true(fcntl(pollrt_file_fd(self->file), F_GETFD) & FD_CLOEXEC);
	POLLRT_CALL(self->write, pollrt_file_write, .file = self->file, .buffer = "0123456789",
		    .size = 10);
	assert_int_equal(self->write.n, 10);
	POLLRT_CALL(self->write, pollrt_file_write, .file = self->file, .buffer = "AB", .size = 2,
		    .offset = 4);
	assert_int_equal(self->write.n, 2);
	POLLRT_CALL(self->sync, pollrt_file_sync, .file = self->file);
	assert_int_equal(self->sync.status, 0);
	POLLRT_CALL(self->sync, pollrt_file_sync, .file = self->file, .data_only = true);
	assert_int_equal(self->sync.status, 0);
	POLLRT_CALL(self->read, pollrt_file_read, .file = self->file, .buffer = self->buffer,
		    .size = 6, .offset = 2);
	assert_int_equal(self->read.n, 6);
	assert_memory_equal(self->buffer, "23AB67", 6);
	POLLRT_CALL(self->read, pollrt_file_read, .file = self->file, .buffer = self->buffer,
		    .size = 16, .offset = 7);
	assert_int_equal(self->read.n, 3);
	assert_memory_equal(self->buffer, "789", 3);
	POLLRT_CALL(self->read, pollrt_file_read, .file = self->file, .buffer = self->buffer,
		    .size = 16, .offset = 10);
	assert_int_equal(self->read.n, 0);
	pollrt_file_close(self->file);

	POLLRT_CALL(self->open, pollrt_file_open, .path = self->path, .flags = O_WRONLY | O_APPEND);
	assert_int_equal(self->open.status, 0);
	self->file = self->open.file;
	POLLRT_CALL(self->write, pollrt_file_write, .file = self->file, .buffer = "end", .size = 3);
	assert_int_equal(self->write.n, 3);
	POLLRT_CALL(self->read, pollrt_file_read, .file = self->file, .buffer = self->buffer,
		    .size = 1);
	assert_int_equal(self->read.n, -EBADF);
	pollrt_file_close(self->file);

	POLLRT_CALL(self->open, pollrt_file_open, .path = self->path,
		    .flags = O_RDWR | O_CREAT | O_EXCL);
	assert_int_equal(self->open.status, -EEXIST);
	assert_null(self->open.file);
	POLLRT_CALL(self->open, pollrt_file_open, .path = "/nowhere/at/all");
	assert_int_equal(self->open.status, -ENOENT);
	POLLRT_END();
}

static void what_is_written_is_read_again(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct helper_path path = helper_path_make();
		struct stat info;

		pollrt_block_on(io.rt, keeps, &(struct keeps){.path = path.path});
		assert_int_equal(stat(path.path, &info), 0);
		assert_int_equal(info.st_size, 13);
		helper_path_remove(&path);
		helper_io_end(&io);
	}
}

/* Holds the only thread of the blocking pool until told. */
struct plug {
	_Atomic bool *held, *released;
};

static void plug(struct plug *self)
{
	atomic_store(self->held, true);
	while (!atomic_load(self->released))
		usleep(100);
}

struct drops {
	struct pollrt_async async;
	const char *path;
	_Atomic bool held, released;
	struct pollrt_join plug;
	struct pollrt_file *file;
	struct pollrt_file_open open;
	struct pollrt_file_write write;
	struct pollrt_file_read read;
	struct pollrt_timeout timeout;
	char *buffer;
	char byte;
};

static POLLRT_ASYNC(drops)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->open, pollrt_file_open, .path = self->path, .flags = O_RDWR | O_CREAT,
		    .mode = 0600);
	assert_int_equal(self->open.status, 0);
	self->file = self->open.file;
	pollrt_spawn_blocking(NULL, &self->plug, plug, .held = &self->held,
			      .released = &self->released);
	while (!atomic_load(&self->held))
		POLLRT_YIELD();

	/* A write that never gets a thread; nor does an open, which must not leave a descriptor. */
	self->buffer = strdup("never");
	self->write =
		(struct pollrt_file_write){.file = self->file, .buffer = self->buffer, .size = 5};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), pollrt_file_write(&self->write, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	free(self->buffer);
	self->open = (struct pollrt_file_open){.path = self->path, .flags = O_RDWR | O_TRUNC};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2), pollrt_file_open(&self->open, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);

	atomic_store(&self->released, true);
	POLLRT_AWAIT(pollrt_join(&self->plug, cx));
	pollrt_join_detach(&self->plug);
	POLLRT_CALL(self->read, pollrt_file_read, .file = self->file, .buffer = &self->byte,
		    .size = 1);
	assert_int_equal(self->read.n, 0);
	pollrt_file_close(self->file);
	POLLRT_END();
}

static struct helper_io begin_with_one_thread(enum pollrt_flavour flavour)
{
	struct helper_io io = {.descriptors = helper_descriptors()};
	struct pollrt_config config = {.flavour = flavour, .workers = 1, .blocking_limit = 1};

	assert_int_equal(pollrt_runtime_create(&io.rt, &config), 0);
	return io;
}

static void what_is_dropped_before_it_has_a_thread_has_no_effect(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = begin_with_one_thread(flavour);
		struct helper_path path = helper_path_make();

		pollrt_block_on(io.rt, drops, &(struct drops){.path = path.path});
		helper_path_remove(&path);
		helper_io_end(&io);
	}
}

struct opens_late {
	struct pollrt_async async;
	const char *path;
	struct pollrt_file_open open;
	struct pollrt_timeout timeout;
	struct pollrt_metrics metrics;
};

static POLLRT_ASYNC(opens_late)
{
	POLLRT_BEGIN();
	self->open = (struct pollrt_file_open){.path = self->path, .flags = O_RDONLY};
	do {
		pollrt_metrics(pollrt_runtime_current(), &self->metrics);
		POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(20),
				     pollrt_file_open(&self->open, cx));
		assert_int_equal(self->timeout.status, -ETIMEDOUT);
		pollrt_metrics(pollrt_runtime_current(), &self->metrics);
	} while (!self->metrics.blocking_runs);
	POLLRT_END();
}

static void an_open_dropped_while_it_runs_leaves_no_descriptor(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct helper_path path = helper_path_make();
		int fd;

		/* To open a fifo takes until somebody opens its other end. */
		assert_int_equal(mkfifo(path.path, 0600), 0);
		pollrt_block_on(io.rt, opens_late, &(struct opens_late){.path = path.path});
		/* For both ends: a job that comes to it only now need not wait either. */
		fd = open(path.path, O_RDWR);
		assert_true(fd >= 0);
		helper_finish(io.rt);
		close(fd);
		helper_path_remove(&path);
		assert_int_equal(helper_descriptors(), io.descriptors);
	}
}

struct hurries {
	struct pollrt_async async;
	const char *path;
	unsigned int i, whole, dropped;
	struct pollrt_file_open open;
	struct pollrt_file_write write;
	struct pollrt_file_read read;
	struct pollrt_timeout timeout;
	char *buffer;
};

/* Frees buffers and the file as soon as operations on them are dropped. */
static POLLRT_ASYNC(hurries)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < 300; self->i++) {
		POLLRT_CALL(self->open, pollrt_file_open, .path = self->path,
			    .flags = O_RDWR | O_CREAT, .mode = 0600);
		assert_int_equal(self->open.status, 0);
		self->buffer = malloc(40000);
		memset(self->buffer, 'w', 40000);
		self->write = (struct pollrt_file_write){
			.file = self->open.file, .buffer = self->buffer, .size = 40000};
		POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_US(1),
				     pollrt_file_write(&self->write, cx));
		memset(self->buffer, 'r', 40000);
		free(self->buffer);
		self->buffer = malloc(40000);
		self->read = (struct pollrt_file_read){
			.file = self->open.file, .buffer = self->buffer, .size = 40000};
		POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_US(1 + self->i % 2 * 100000),
				     pollrt_file_read(&self->read, cx));
		if (self->timeout.status) {
			self->dropped++;
		} else {
			self->whole++;
			for (ssize_t i = 0; i < self->read.n; i++)
				assert_int_equal(self->buffer[i], 'w');
		}
		free(self->buffer);
		pollrt_file_close(self->open.file);
	}
	POLLRT_END();
}

static void what_is_dropped_while_it_runs_touches_nothing_of_the_caller(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct helper_path path = helper_path_make();
		struct hurries future = {.path = path.path};

		pollrt_block_on(io.rt, hurries, &future);
		assert_int_equal(future.whole + future.dropped, 300);
		assert_true(future.whole > 0);
		helper_path_remove(&path);
		helper_io_end(&io);
	}
}

struct part {
	struct pollrt_async async;
	struct pollrt_file *file;
	unsigned int index, i;
	char data[100];
	struct pollrt_file_write write;
	struct pollrt_file_read read;
};

static POLLRT_ASYNC(part)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < 20; self->i++) {
		memset(self->data, (int)(self->index + self->i), 100);
		POLLRT_CALL(self->write, pollrt_file_write, .file = self->file,
			    .buffer = self->data, .size = 100, .offset = self->index * 100);
		assert_int_equal(self->write.n, 100);
		memset(self->data, 0, 100);
		POLLRT_CALL(self->read, pollrt_file_read, .file = self->file, .buffer = self->data,
			    .size = 100, .offset = self->index * 100);
		assert_int_equal(self->read.n, 100);
		for (unsigned int i = 0; i < 100; i++)
			assert_int_equal(self->data[i], (char)(self->index + self->i));
	}
	POLLRT_END();
}

struct parts {
	struct pollrt_async async;
	const char *path;
	struct pollrt_file_open open;
	struct pollrt_join joins[10];
	unsigned int i;
};

static POLLRT_ASYNC(parts)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->open, pollrt_file_open, .path = self->path, .flags = O_RDWR | O_CREAT,
		    .mode = 0600);
	for (unsigned int i = 0; i < 10; i++)
		pollrt_spawn(NULL, &self->joins[i], part, .file = self->open.file, .index = i);
	for (self->i = 0; self->i < 10; self->i++) {
		POLLRT_AWAIT(pollrt_join(&self->joins[self->i], cx));
		pollrt_join_detach(&self->joins[self->i]);
	}
	pollrt_file_close(self->open.file);
	POLLRT_END();
}

static void tasks_share_a_file(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct helper_path path = helper_path_make();

		pollrt_block_on(io.rt, parts, &(struct parts){.path = path.path});
		helper_path_remove(&path);
		helper_io_end(&io);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(what_is_dropped_before_it_has_a_thread_has_no_effect),
		cmocka_unit_test(an_open_dropped_while_it_runs_leaves_no_descriptor),
		cmocka_unit_test(what_is_dropped_while_it_runs_touches_nothing_of_the_caller),
		cmocka_unit_test(tasks_share_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
