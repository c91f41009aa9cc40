// SPDX-License-Identifier: MIT
#include "server.h"

#include <errno.h>

POLLRT_ASYNC(receive)
{
	POLLRT_BEGIN();
	while (self->used < sizeof(self->message)) {
		POLLRT_AWAIT(pollrt_read(self->io, (char *)&self->message + self->used,
					 sizeof(self->message) - self->used, &self->n, cx));
		if (self->n <= 0) {
			self->status = self->n < 0 ? (int)self->n : -EPIPE;
			POLLRT_RETURN();
		}
		self->used += (size_t)self->n;
	}
	POLLRT_END();
}

POLLRT_ASYNC(reply)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->write, pollrt_write_all, .io = self->io, .buffer = &self->message,
		    .size = sizeof(self->message));
	self->status = self->write.status;
	POLLRT_END();
}

struct accept_conns {
	struct pollrt_async async;
	struct server *server;
	struct pollrt_io *conn;
	int status;
	struct pollrt_sleep pause;
};

static POLLRT_ASYNC(accept_conns)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_AWAIT(
			pollrt_tcp_accept(self->server->listener, &self->conn, &self->status, cx));
		if (self->status) {
			/* Out of descriptors, most likely: some connections have to end first. */
			POLLRT_SLEEP(self->pause, POLLRT_MS(50));
			continue;
		}
		if (self->server->spawn(self->server, self->conn))
			pollrt_io_close(self->conn);
	}
	POLLRT_END();
}

int server_start(struct server *server, struct pollrt_runtime *rt)
{
	int err = pollrt_tcp_listen(&server->listener, rt, "127.0.0.1", 0);

	if (err)
		return err;
	err = pollrt_spawn(rt, NULL, accept_conns, .server = server);
	if (err)
		server_close(server);
	return err;
}

uint16_t server_port(const struct server *server)
{
	return (uint16_t)pollrt_tcp_port(server->listener);
}

void server_close(struct server *server)
{
	pollrt_io_close(server->listener);
	server->listener = NULL;
}
