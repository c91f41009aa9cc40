// SPDX-License-Identifier: MIT
#include "helper.h"

#include <sys/socket.h>

#include "pollrt_io.h"

#define MESSAGE 4096u

struct echo {
	struct pollrt_async async;
	struct pollrt_io *io;
	char buffer[512];
	ssize_t n;
	struct pollrt_write_all write;
};

static void echo_drop(struct echo *self)
{
	pollrt_io_close(self->io);
}

static POLLRT_ASYNC(echo)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_AWAIT(
			pollrt_read(self->io, self->buffer, sizeof(self->buffer), &self->n, cx));
		if (self->n <= 0)
			break;
		POLLRT_CALL(self->write, pollrt_write_all, .io = self->io, .buffer = self->buffer,
			    .size = (size_t)self->n);
		if (self->write.status)
			break;
	}
	POLLRT_END();
}

struct listens {
	struct pollrt_async async;
	struct pollrt_io *listener;
	struct pollrt_io *conn;
	int status;
};

static POLLRT_ASYNC(listens)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_AWAIT(pollrt_tcp_accept(self->listener, &self->conn, &self->status, cx));
		assert_int_equal(self->status, 0);
		pollrt_spawn_drop(NULL, NULL, echo, echo_drop, .io = self->conn);
	}
	POLLRT_END();
}

struct client {
	struct pollrt_async async;
	uint16_t port;
	unsigned int messages;
	char sent[MESSAGE];
	char received[MESSAGE];
	size_t got;
	ssize_t n;
	struct pollrt_tcp_connect connect;
	struct pollrt_write_all write;
};

static POLLRT_ASYNC(client)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->connect, pollrt_tcp_connect, .address = "127.0.0.1", .port = self->port);
	assert_int_equal(self->connect.status, 0);
	for (; self->messages; self->messages--) {
		memset(self->sent, (int)self->messages, MESSAGE);
		POLLRT_CALL(self->write, pollrt_write_all, .io = self->connect.io,
			    .buffer = self->sent, .size = MESSAGE);
		assert_int_equal(self->write.status, 0);
		for (self->got = 0; self->got < MESSAGE; self->got += (size_t)self->n) {
			POLLRT_AWAIT(pollrt_read(self->connect.io, self->received + self->got,
						 MESSAGE - self->got, &self->n, cx));
			assert_true(self->n > 0);
		}
		assert_memory_equal(self->sent, self->received, MESSAGE);
	}
	pollrt_io_close(self->connect.io);
	POLLRT_END();
}

struct joins {
	struct pollrt_async async;
	struct pollrt_join *joins;
	unsigned int count;
	unsigned int i;
};

static POLLRT_ASYNC(joins)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->count; self->i++) {
		POLLRT_AWAIT(pollrt_join(&self->joins[self->i], cx));
		pollrt_join_detach(&self->joins[self->i]);
	}
	POLLRT_END();
}

static void echo_over_tcp(enum pollrt_flavour flavour)
{
	struct pollrt_runtime *rt = helper_runtime(flavour, 2);
	struct pollrt_join handles[20];
	struct pollrt_io *listener;
	int port;

	assert_int_equal(pollrt_tcp_listen(&listener, rt, "127.0.0.1", 0), 0);
	port = pollrt_tcp_port(listener);
	assert_true(port > 0);
	pollrt_spawn(rt, NULL, listens, .listener = listener);
	for (unsigned int i = 0; i < 20; i++)
		pollrt_spawn(rt, &handles[i], client, .port = (uint16_t)port, .messages = 50);
	pollrt_block_on(rt, joins, &(struct joins){.joins = handles, .count = 20});
	pollrt_runtime_shutdown(rt);
	pollrt_io_close(listener);
	helper_finish(rt);
}

static void connections_echo_on_workers(void **state)
{
	(void)state;
	echo_over_tcp(POLLRT_MULTI_THREAD);
}

static void connections_echo_on_one_thread(void **state)
{
	(void)state;
	echo_over_tcp(POLLRT_CURRENT_THREAD);
}

static void connecting_to_a_closed_port_is_refused(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_tcp_connect future = {.address = "127.0.0.1"};
	struct pollrt_io *listener;

	(void)state;
	assert_int_equal(pollrt_tcp_listen(&listener, rt, "127.0.0.1", 0), 0);
	future.port = (uint16_t)pollrt_tcp_port(listener);
	pollrt_io_close(listener);
	pollrt_block_on(rt, pollrt_tcp_connect, &future);
	assert_int_equal(future.status, -ECONNREFUSED);
	future = (struct pollrt_tcp_connect){.address = "not an address"};
	pollrt_block_on(rt, pollrt_tcp_connect, &future);
	assert_int_equal(future.status, -EINVAL);
	helper_finish(rt);
}

struct floods {
	struct pollrt_async async;
	struct pollrt_write_all write;
	char buffer[1 << 16];
};

static POLLRT_ASYNC(floods)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT(pollrt_write_all(&self->write, cx));
	POLLRT_END();
}

struct io_pair {
	struct pollrt_io *a, *b;
};

static struct io_pair open_pair(struct pollrt_runtime *rt)
{
	struct io_pair pair;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(pollrt_io_open(&pair.a, rt, fds[0]), 0);
	assert_int_equal(pollrt_io_open(&pair.b, rt, fds[1]), 0);
	return pair;
}

static void a_write_without_a_reader_waits(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct io_pair pair = open_pair(rt);
	size_t size = (size_t)8 << 20, got = 0;
	struct pollrt_join join;
	char *data = calloc(1, size), *copy = malloc(size);

	(void)state;
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31);
	pollrt_spawn(rt, &join, floods, .write = {.io = pair.a, .buffer = data, .size = size});
	/* Reads on a thread of its own, with the plain call. */
	while (got < size) {
		ssize_t n = read(pollrt_io_fd(pair.b), copy + got, size - got);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			usleep(100);
			continue;
		}
		got += (size_t)n;
	}
	assert_memory_equal(data, copy, size);
	pollrt_block_on(rt, joins, &(struct joins){.joins = &join, .count = 1});
	pollrt_io_close(pair.a);
	pollrt_io_close(pair.b);
	free(data);
	free(copy);
	helper_finish(rt);
}

static void a_write_to_a_gone_peer_is_an_error(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct io_pair pair = open_pair(rt);
	struct pollrt_write_all write = {.io = pair.a, .buffer = "x", .size = 1};

	(void)state;
	pollrt_io_close(pair.b);
	pollrt_block_on(rt, pollrt_write_all, &write);
	assert_int_equal(write.status, -EPIPE);
	pollrt_io_close(pair.a);
	helper_finish(rt);
}

struct reads_late {
	struct pollrt_async async;
	struct pollrt_io *io;
	struct pollrt_timeout timeout;
	char byte;
	ssize_t n;
};

static POLLRT_ASYNC(reads_late)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2),
			     pollrt_read(self->io, &self->byte, 1, &self->n, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	POLLRT_AWAIT(pollrt_read(self->io, &self->byte, 1, &self->n, cx));
	POLLRT_END();
}

static void *write_a_byte(void *argument)
{
	const struct pollrt_io *io = argument;

	usleep(10000);
	assert_int_equal(write(pollrt_io_fd(io), "y", 1), 1);
	return NULL;
}

static void a_read_can_time_out_and_be_tried_again(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct io_pair pair = open_pair(rt);
	struct reads_late future = {.io = pair.a};
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, write_a_byte, pair.b);
	pollrt_block_on(rt, reads_late, &future);
	pthread_join(thread, NULL);
	assert_int_equal(future.n, 1);
	assert_int_equal(future.byte, 'y');
	pollrt_io_close(pair.a);
	pollrt_io_close(pair.b);
	helper_finish(rt);
}

static void a_descriptor_may_be_closed_after_its_runtime(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct io_pair pair = open_pair(rt);

	(void)state;
	helper_finish(rt);
	pollrt_io_close(pair.a);
	pollrt_io_close(pair.b);
	pollrt_io_close(NULL);
}

static void what_epoll_cannot_watch_is_refused(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	char path[] = "/tmp/pollrt-test-XXXXXX";
	struct pollrt_io *io;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(pollrt_io_open(&io, rt, fd), -EPERM);
	close(fd);
	assert_int_equal(pollrt_io_open(&io, rt, fd), -EBADF);
	helper_finish(rt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_echo_on_workers),
		cmocka_unit_test(connections_echo_on_one_thread),
		cmocka_unit_test(connecting_to_a_closed_port_is_refused),
		cmocka_unit_test(a_write_without_a_reader_waits),
		cmocka_unit_test(a_write_to_a_gone_peer_is_an_error),
		cmocka_unit_test(a_read_can_time_out_and_be_tried_again),
		cmocka_unit_test(a_descriptor_may_be_closed_after_its_runtime),
		cmocka_unit_test(what_epoll_cannot_watch_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
