// SPDX-License-Identifier: MIT
#include "helper_io.h"

#include <sys/socket.h>

#define DATAGRAMS 2000u

struct serves {
	struct pollrt_async async;
	const char *path;
	struct pollrt_io *listener, *conn;
	int status;
	struct pollrt_timeout timeout;
	char buffer[64];
	ssize_t n;
	struct pollrt_write_all write;
	struct pollrt_cleanup cleanup;
};

static void serves_drop(struct serves *self)
{
	pollrt_io_close(self->conn);
	pollrt_io_close(self->listener);
}

/* Sends one connection's bytes back; accepting is given up and tried again meanwhile. */
static POLLRT_ASYNC(serves)
{
	POLLRT_BEGIN();
	do {
		POLLRT_AWAIT_TIMEOUT(
			self->timeout, POLLRT_MS(1),
			pollrt_unix_accept(self->listener, &self->conn, &self->status, cx));
	} while (self->timeout.status);
	assert_int_equal(self->status, 0);
	for (;;) {
		POLLRT_AWAIT(
			pollrt_read(self->conn, self->buffer, sizeof(self->buffer), &self->n, cx));
		if (self->n <= 0)
			break;
		POLLRT_CALL(self->write, pollrt_write_all, .io = self->conn, .buffer = self->buffer,
			    .size = (size_t)self->n);
		assert_int_equal(self->write.status, 0);
	}
	assert_int_equal(self->n, 0);
	POLLRT_END();
}

struct talks {
	struct pollrt_async async;
	const char *path;
	struct pollrt_sleep sleep;
	struct pollrt_io *io;
	char sent[3000], got[3001];
	size_t done;
	ssize_t n;
	struct pollrt_write_all write;
};

static POLLRT_ASYNC(talks)
{
	POLLRT_BEGIN();
	POLLRT_SLEEP(self->sleep, POLLRT_MS(5));
	assert_int_equal(pollrt_unix_connect(&self->io, NULL, self->path), 0);
	for (unsigned int i = 0; i < sizeof(self->sent); i++)
		self->sent[i] = (char)(i * 13);
	POLLRT_CALL(self->write, pollrt_write_all, .io = self->io, .buffer = self->sent,
		    .size = sizeof(self->sent));
	assert_int_equal(self->write.status, 0);
	assert_int_equal(pollrt_shutdown_write(self->io), 0);
	for (;;) {
		POLLRT_AWAIT(pollrt_read(self->io, self->got + self->done,
					 sizeof(self->got) - self->done, &self->n, cx));
		if (self->n <= 0)
			break;
		self->done += (size_t)self->n;
	}
	assert_int_equal(self->n, 0);
	assert_int_equal(self->done, sizeof(self->sent));
	assert_memory_equal(self->sent, self->got, sizeof(self->sent));
	pollrt_io_close(self->io);
	POLLRT_END();
}

static void echo_at(enum pollrt_flavour flavour, const char *path)
{
	struct helper_io io = helper_io_begin(flavour);
	struct talks future = {.path = path};
	struct pollrt_io *listener;

	assert_int_equal(pollrt_unix_listen(&listener, io.rt, path), 0);
	pollrt_spawn_drop(io.rt, NULL, serves, serves_drop, .listener = listener);
	pollrt_block_on(io.rt, talks, &future);
	helper_io_end(&io);
}

static void streams_are_found_by_path_or_abstract_name(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_path path = helper_path_make();
		char name[64] = "@";

		echo_at(flavour, path.path);
		strcat(name, path.path);
		echo_at(flavour, name);
		helper_path_remove(&path);
	}
}

static void names_that_cannot_be_are_refused(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_MULTI_THREAD);
	struct helper_path path = helper_path_make();
	struct pollrt_io *a = NULL, *b = NULL, *pair[2];
	char longest[109];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[108] = '\0';
	assert_int_equal(pollrt_unix_listen(&a, io.rt, longest), -ENAMETOOLONG);
	assert_int_equal(pollrt_unix_connect(&a, io.rt, longest), -ENAMETOOLONG);
	assert_int_equal(pollrt_unix_listen(&a, io.rt, ""), -EINVAL);
	assert_int_equal(pollrt_unix_connect(&a, io.rt, path.path), -ENOENT);
	assert_int_equal(pollrt_unix_datagram(&a, io.rt, NULL, path.path), -ENOENT);
	assert_int_equal(pollrt_unix_listen(&a, io.rt, path.path), 0);
	assert_int_equal(pollrt_unix_listen(&b, io.rt, path.path), -EADDRINUSE);
	assert_int_equal(pollrt_unix_datagram(&b, io.rt, NULL, path.path), -EPROTOTYPE);
	assert_null(b);
	pollrt_io_close(a);
	assert_int_equal(pollrt_unix_connect(&b, io.rt, path.path), -ECONNREFUSED);
	assert_int_equal(pollrt_unix_pair(pair, NULL, SOCK_STREAM), -EINVAL);
	helper_path_remove(&path);
	helper_io_end(&io);
}

struct packets {
	struct pollrt_async async;
	struct pollrt_io *pair[2];
	char buffer[16];
	ssize_t n;
};

static POLLRT_ASYNC(packets)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_unix_pair(self->pair, NULL, SOCK_SEQPACKET), 0);
	POLLRT_AWAIT(pollrt_write(self->pair[0], "one", 3, &self->n, cx));
	POLLRT_AWAIT(pollrt_write(self->pair[0], "three", 5, &self->n, cx));
	POLLRT_AWAIT(pollrt_read(self->pair[1], self->buffer, 16, &self->n, cx));
	assert_int_equal(self->n, 3);
	POLLRT_AWAIT(pollrt_read(self->pair[1], self->buffer, 16, &self->n, cx));
	assert_int_equal(self->n, 5);
	pollrt_io_close(self->pair[0]);
	POLLRT_AWAIT(pollrt_read(self->pair[1], self->buffer, 16, &self->n, cx));
	assert_int_equal(self->n, 0);
	POLLRT_AWAIT(pollrt_write(self->pair[1], "x", 1, &self->n, cx));
	assert_int_equal(self->n, -EPIPE);
	pollrt_io_close(self->pair[1]);
	POLLRT_END();
}

static void a_pair_keeps_its_packets_apart_and_ends_with_its_peer(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);

		pollrt_block_on(io.rt, packets, &(struct packets){0});
		helper_io_end(&io);
	}
}

struct sends {
	struct pollrt_async async;
	const char *peer;
	_Atomic unsigned int *sent;
	struct pollrt_io *io;
	unsigned int i;
	ssize_t n;
};

static void sends_drop(struct sends *self)
{
	pollrt_io_close(self->io);
}

static POLLRT_ASYNC(sends)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_unix_datagram(&self->io, NULL, NULL, self->peer), 0);
	for (self->i = 0; self->i < DATAGRAMS; self->i++) {
		POLLRT_AWAIT(pollrt_write(self->io, &self->i, sizeof(self->i), &self->n, cx));
		assert_int_equal(self->n, sizeof(self->i));
		atomic_fetch_add(self->sent, 1);
	}
	POLLRT_END();
}

struct receives {
	struct pollrt_async async;
	const char *path;
	struct pollrt_io *io;
	_Atomic unsigned int sent;
	unsigned int i, got, before;
	ssize_t n;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(receives)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_unix_datagram(&self->io, NULL, self->path, NULL), 0);
	pollrt_spawn_drop(NULL, NULL, sends, sends_drop, .peer = self->path, .sent = &self->sent);
	/* Until the sender waits for room. */
	do {
		self->before = atomic_load(&self->sent);
		POLLRT_SLEEP(self->sleep, POLLRT_MS(10));
	} while (!self->before || atomic_load(&self->sent) != self->before);
	assert_true(self->before < DATAGRAMS);
	for (self->i = 0; self->i < DATAGRAMS; self->i++) {
		POLLRT_AWAIT(pollrt_read(self->io, &self->got, sizeof(self->got), &self->n, cx));
		assert_int_equal(self->n, sizeof(self->got));
		assert_int_equal(self->got, self->i);
	}
	pollrt_io_close(self->io);
	POLLRT_END();
}

static void a_sender_of_datagrams_waits_for_room(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct helper_path path = helper_path_make();
		struct receives future = {.path = path.path};

		pollrt_block_on(io.rt, receives, &future);
		assert_int_equal(future.i, DATAGRAMS);
		helper_path_remove(&path);
		helper_io_end(&io);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_are_found_by_path_or_abstract_name),
		cmocka_unit_test(names_that_cannot_be_are_refused),
		cmocka_unit_test(a_pair_keeps_its_packets_apart_and_ends_with_its_peer),
		cmocka_unit_test(a_sender_of_datagrams_waits_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
