// SPDX-License-Identifier: MIT
#include "helper_io.h"

#include <poll.h>
#include <sys/socket.h>

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
	const char *address;
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
	POLLRT_CALL(self->connect, pollrt_tcp_connect, .address = self->address,
		    .port = self->port);
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

static void listens_drop(struct listens *self)
{
	pollrt_io_close(self->listener);
}

static void echo_over_tcp(enum pollrt_flavour flavour, const char *address)
{
	struct helper_io io = helper_io_begin(flavour);
	struct pollrt_join handles[20];
	struct pollrt_io *listener;
	int port, err;

	err = pollrt_tcp_listen(&listener, io.rt, address, 0);
	if (err == -EADDRNOTAVAIL || err == -EAFNOSUPPORT) {
		helper_io_end(&io);
		skip();
	}
	assert_int_equal(err, 0);
	port = pollrt_tcp_port(listener);
	assert_true(port > 0);
	pollrt_spawn_drop(io.rt, NULL, listens, listens_drop, .listener = listener);
	for (unsigned int i = 0; i < 20; i++)
		pollrt_spawn(io.rt, &handles[i], client, .address = address, .port = (uint16_t)port,
			     .messages = 50);
	pollrt_block_on(io.rt, joins_all,
			&(struct joins_all){.joins = handles, .count = 20, .completed = true});
	helper_io_end(&io);
}

static void connections_echo_on_workers(void **state)
{
	(void)state;
	echo_over_tcp(POLLRT_MULTI_THREAD, "127.0.0.1");
}

static void connections_echo_on_one_thread(void **state)
{
	(void)state;
	echo_over_tcp(POLLRT_CURRENT_THREAD, "127.0.0.1");
}

static void connections_echo_over_ipv6(void **state)
{
	(void)state;
	echo_over_tcp(POLLRT_MULTI_THREAD, "::1");
}

/* A socket with a port of its own, at which nobody listens. */
static int bind_socket(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
	return fd;
}

static void connecting_to_a_closed_port_is_refused(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_tcp_connect future = {.address = "127.0.0.1"};
	struct sockaddr_in address;
	int fd = bind_socket(&address);

	(void)state;
	future.port = ntohs(address.sin_port);
	pollrt_block_on(rt, pollrt_tcp_connect, &future);
	assert_int_equal(future.status, -ECONNREFUSED);
	close(fd);
	future = (struct pollrt_tcp_connect){.address = "not an address"};
	pollrt_block_on(rt, pollrt_tcp_connect, &future);
	assert_int_equal(future.status, -EINVAL);
	helper_finish(rt);
}

struct half_closes {
	struct pollrt_async async;
	uint16_t port;
	struct pollrt_io *listener, *conn;
	struct pollrt_tcp_connect connect;
	struct pollrt_address address;
	char bytes[4];
	int status;
	ssize_t n;
};

static POLLRT_ASYNC(half_closes)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_tcp_listen(&self->listener, NULL, "127.0.0.1", 0), 0);
	POLLRT_CALL(self->connect, pollrt_tcp_connect, .address = "127.0.0.1",
		    .port = (uint16_t)pollrt_tcp_port(self->listener));
	assert_int_equal(self->connect.status, 0);
	POLLRT_AWAIT(pollrt_tcp_accept(self->listener, &self->conn, &self->status, cx));
	assert_int_equal(self->status, 0);
	assert_int_equal(pollrt_peer_address(self->conn, &self->address), 0);
	assert_int_equal(pollrt_address_port(&self->address), pollrt_tcp_port(self->connect.io));

	/* One direction ends, the other goes on. */
	assert_int_equal(pollrt_shutdown_write(self->connect.io), 0);
	POLLRT_AWAIT(pollrt_read(self->conn, self->bytes, 4, &self->n, cx));
	assert_int_equal(self->n, 0);
	POLLRT_AWAIT(pollrt_write(self->conn, "last", 4, &self->n, cx));
	POLLRT_AWAIT(pollrt_read(self->connect.io, self->bytes, 4, &self->n, cx));
	assert_int_equal(self->n, 4);

	/* A peer that is gone without a word. */
	setsockopt(pollrt_io_fd(self->conn), SOL_SOCKET, SO_LINGER,
		   &(struct linger){.l_onoff = 1, .l_linger = 0}, sizeof(struct linger));
	pollrt_io_close(self->conn);
	POLLRT_AWAIT(pollrt_read(self->connect.io, self->bytes, 4, &self->n, cx));
	assert_int_equal(self->n, -ECONNRESET);
	pollrt_io_close(self->connect.io);
	pollrt_io_close(self->listener);
	POLLRT_END();
}

static void a_connection_ends_in_each_direction_or_at_once(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);

		pollrt_block_on(io.rt, half_closes, &(struct half_closes){0});
		helper_io_end(&io);
	}
}

/* A socket whose queue of connections is full: further attempts get no answer. */
struct deaf {
	int listener;
	int fillers[8];
	uint16_t port;
};

static struct deaf deaf_open(void)
{
	struct sockaddr_in address;
	struct deaf deaf;

	deaf.listener = bind_socket(&address);
	assert_int_equal(listen(deaf.listener, 0), 0);
	deaf.port = ntohs(address.sin_port);
	for (unsigned int i = 0; i < 8; i++) {
		deaf.fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(deaf.fillers[i], (struct sockaddr *)&address, sizeof(address));
	}
	/* It holds one: from then on it is full. */
	assert_int_equal(poll(&(struct pollfd){.fd = deaf.listener, .events = POLLIN}, 1, -1), 1);
	return deaf;
}

static void deaf_close(const struct deaf *deaf)
{
	for (unsigned int i = 0; i < 8; i++)
		close(deaf->fillers[i]);
	close(deaf->listener);
}

struct gives_up {
	struct pollrt_async async;
	uint16_t port;
	struct pollrt_tcp_connect connect;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(gives_up)
{
	POLLRT_BEGIN();
	self->connect = (struct pollrt_tcp_connect){.address = "127.0.0.1", .port = self->port};
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(20), pollrt_tcp_connect(&self->connect, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	assert_null(self->connect.io);
	POLLRT_END();
}

static void a_connect_that_is_dropped_closes_its_socket(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct deaf deaf = deaf_open();

		pollrt_block_on(io.rt, gives_up, &(struct gives_up){.port = deaf.port});
		deaf_close(&deaf);
		helper_io_end(&io);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_echo_on_workers),
		cmocka_unit_test(connections_echo_on_one_thread),
		cmocka_unit_test(connections_echo_over_ipv6),
		cmocka_unit_test(connecting_to_a_closed_port_is_refused),
		cmocka_unit_test(a_connection_ends_in_each_direction_or_at_once),
		cmocka_unit_test(a_connect_that_is_dropped_closes_its_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
