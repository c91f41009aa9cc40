// SPDX-License-Identifier: MIT
#include "helper_io.h"

/* Sends every datagram back. */
struct echo {
	struct pollrt_async async;
	struct pollrt_io *io;
	char buffer[2048];
	struct pollrt_address from;
	ssize_t n;
};

static void echo_drop(struct echo *self)
{
	pollrt_io_close(self->io);
}

static POLLRT_ASYNC(echo)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_AWAIT(pollrt_udp_recv_from(self->io, self->buffer, sizeof(self->buffer),
						  &self->from, &self->n, cx));
		assert_true(self->n >= 0);
		POLLRT_AWAIT(pollrt_udp_send_to(self->io, self->buffer, (size_t)self->n,
						&self->from, &self->n, cx));
		assert_true(self->n >= 0);
	}
	POLLRT_END();
}

struct client {
	struct pollrt_async async;
	const char *address;
	struct pollrt_address server, from;
	struct pollrt_io *io;
	unsigned int i;
	char sent[1500], got[1500];
	size_t size;
	ssize_t n;
};

static POLLRT_ASYNC(client)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_udp_bind(&self->io, NULL, self->address, 0), 0);
	for (self->i = 0; self->i < 200; self->i++) {
		self->size = self->i * 7;
		memset(self->sent, (int)self->i, self->size);
		POLLRT_AWAIT(pollrt_udp_send_to(self->io, self->sent, self->size, &self->server,
						&self->n, cx));
		assert_int_equal(self->n, self->size);
		POLLRT_AWAIT(pollrt_udp_recv_from(self->io, self->got, sizeof(self->got),
						  &self->from, &self->n, cx));
		assert_int_equal(self->n, self->size);
		assert_memory_equal(self->sent, self->got, self->size);
		assert_int_equal(pollrt_address_port(&self->from),
				 pollrt_address_port(&self->server));
	}
	pollrt_io_close(self->io);
	POLLRT_END();
}

static void echo_at(const char *address)
{
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct client future = {.address = address};
		char text[INET6_ADDRSTRLEN];
		struct pollrt_io *server;
		int err;

		err = pollrt_udp_bind(&server, io.rt, address, 0);
		if (err == -EADDRNOTAVAIL || err == -EAFNOSUPPORT) {
			helper_io_end(&io);
			skip();
		}
		assert_int_equal(err, 0);
		assert_int_equal(pollrt_local_address(server, &future.server), 0);
		assert_string_equal(pollrt_address_text(&future.server, text, sizeof(text)),
				    address);
		pollrt_spawn_drop(io.rt, NULL, echo, echo_drop, .io = server);
		pollrt_block_on(io.rt, client, &future);
		assert_int_equal(future.i, 200);
		helper_io_end(&io);
	}
}

static void datagrams_go_to_and_fro_over_ipv4(void **state)
{
	(void)state;
	echo_at("127.0.0.1");
}

static void datagrams_go_to_and_fro_over_ipv6(void **state)
{
	(void)state;
	echo_at("::1");
}

struct connected {
	struct pollrt_async async;
	struct pollrt_io *a, *b, *stranger;
	struct pollrt_address address_a, address_b, from;
	char buffer[8];
	ssize_t n;
	struct pollrt_timeout timeout;
};

static POLLRT_ASYNC(connected)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_udp_bind(&self->a, NULL, "127.0.0.1", 0), 0);
	assert_int_equal(pollrt_udp_bind(&self->b, NULL, "127.0.0.1", 0), 0);
	assert_int_equal(pollrt_udp_bind(&self->stranger, NULL, "127.0.0.1", 0), 0);
	pollrt_local_address(self->a, &self->address_a);
	pollrt_local_address(self->b, &self->address_b);
	assert_int_equal(pollrt_peer_address(self->a, &self->from), -ENOTCONN);
	assert_int_equal(pollrt_udp_connect(self->a, &self->address_b), 0);
	assert_int_equal(pollrt_peer_address(self->a, &self->from), 0);
	assert_int_equal(pollrt_address_port(&self->from), pollrt_address_port(&self->address_b));

	/* What is dropped has taken nothing, and what a stranger sends does not come in. */
	POLLRT_AWAIT(
		pollrt_udp_send_to(self->stranger, "stranger", 8, &self->address_a, &self->n, cx));
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(5),
			     pollrt_read(self->a, self->buffer, 8, &self->n, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	POLLRT_AWAIT(pollrt_udp_send_to(self->b, "from b", 6, &self->address_a, &self->n, cx));
	POLLRT_AWAIT(pollrt_read(self->a, self->buffer, 8, &self->n, cx));
	assert_int_equal(self->n, 6);
	assert_memory_equal(self->buffer, "from b", 6);

	/* Too long for the buffer, and then an empty one. */
	POLLRT_AWAIT(pollrt_write(self->a, "0123456789", 10, &self->n, cx));
	POLLRT_AWAIT(pollrt_write(self->a, "", 0, &self->n, cx));
	POLLRT_AWAIT(pollrt_udp_recv_from(self->b, self->buffer, 8, &self->from, &self->n, cx));
	assert_int_equal(self->n, 8);
	assert_memory_equal(self->buffer, "01234567", 8);
	POLLRT_AWAIT(pollrt_udp_recv_from(self->b, self->buffer, 8, &self->from, &self->n, cx));
	assert_int_equal(self->n, 0);

	/* Nobody is there any more. */
	pollrt_io_close(self->b);
	POLLRT_AWAIT(pollrt_write(self->a, "x", 1, &self->n, cx));
	assert_int_equal(self->n, 1);
	POLLRT_AWAIT(pollrt_read(self->a, self->buffer, 8, &self->n, cx));
	assert_int_equal(self->n, -ECONNREFUSED);
	pollrt_io_close(self->a);
	pollrt_io_close(self->stranger);
	POLLRT_END();
}

static void a_connected_socket_talks_to_one_peer(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);

		pollrt_block_on(io.rt, connected, &(struct connected){0});
		helper_io_end(&io);
	}
}

static void addresses_are_read_and_written(void **state)
{
	static const char *const good[] = {"0.0.0.0", "192.0.2.1", "::", "2001:db8::1"};
	static const char *const bad[] = {"", "localhost", "1.2.3", "1.2.3.4:5", "[::1]", ":::"};
	struct pollrt_address address;
	char text[INET6_ADDRSTRLEN];

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(pollrt_address_parse(&address, good[i], 50000), 0);
		assert_string_equal(pollrt_address_text(&address, text, sizeof(text)), good[i]);
		assert_int_equal(pollrt_address_port(&address), 50000);
	}
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(pollrt_address_parse(&address, bad[i], 1), -EINVAL);
}

static void an_address_that_is_taken_is_refused(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_CURRENT_THREAD);
	struct pollrt_io *a, *b;
	int port;

	(void)state;
	assert_int_equal(pollrt_udp_bind(&a, io.rt, "127.0.0.1", 0), 0);
	port = pollrt_tcp_port(a);
	assert_int_equal(pollrt_udp_bind(&b, io.rt, "127.0.0.1", (uint16_t)port), -EADDRINUSE);
	assert_int_equal(pollrt_udp_bind(&b, io.rt, "nowhere", 0), -EINVAL);
	assert_int_equal(pollrt_udp_bind(&b, NULL, "127.0.0.1", 0), -EINVAL);
	pollrt_io_close(a);
	helper_io_end(&io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_go_to_and_fro_over_ipv4),
		cmocka_unit_test(datagrams_go_to_and_fro_over_ipv6),
		cmocka_unit_test(a_connected_socket_talks_to_one_peer),
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(an_address_that_is_taken_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
