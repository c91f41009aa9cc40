// SPDX-License-Identifier: MIT
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "io/address.h"
#include "io/io.h"
#include "io/socket.h"

/* Request and response protocols wait for nothing but the last segment. */
static void set_nodelay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

int pollrt_tcp_listen(struct pollrt_io **io, struct pollrt_runtime *rt, const char *text,
		      uint16_t port)
{
	struct pollrt_address address;
	int err;

	err = pollrt_address_parse(&address, text, port);
	if (err)
		return err;
	return io_adopt(io, rt, socket_bind(SOCK_STREAM, &address.any, address_size(&address)));
}

int pollrt_tcp_port(const struct pollrt_io *io)
{
	struct pollrt_address address;
	int err;

	err = pollrt_local_address(io, &address);
	return err ? err : pollrt_address_port(&address);
}

enum pollrt_poll pollrt_tcp_accept(struct pollrt_io *listener, struct pollrt_io **conn, int *status,
				   struct pollrt_cx *cx)
{
	if (socket_accept(listener, conn, status, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	if (!*status)
		set_nodelay((*conn)->fd);
	return POLLRT_READY;
}

static void connect_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_tcp_connect *self =
		POLLRT_CONTAINER_OF(cleanup, struct pollrt_tcp_connect, cleanup);

	pollrt_io_close(self->io);
	self->io = NULL;
}

static int connect_start(struct pollrt_tcp_connect *self)
{
	struct pollrt_address to;
	int fd, err;

	err = pollrt_address_parse(&to, self->address, self->port);
	if (err)
		return err;
	fd = socket_make(to.any.sa_family, SOCK_STREAM);
	if (fd < 0)
		return fd;
	set_nodelay(fd);
	if (connect(fd, &to.any, address_size(&to)) && errno != EINPROGRESS) {
		err = -errno;
		close(fd);
		return err;
	}
	return io_adopt(&self->io, NULL, fd);
}

/* The outcome of a connect under way: 0 or a negative errno; -EAGAIN if it is still under way. */
static ssize_t attempt_connect(struct pollrt_io *io, void *unused, bool *drained)
{
	struct pollrt_address peer;
	socklen_t size = sizeof(int);
	int err = 0;

	(void)unused, (void)drained;
	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &err, &size))
		return -errno;
	if (err)
		return -err;
	err = pollrt_peer_address(io, &peer);
	return err == -ENOTCONN ? -EAGAIN : err;
}

enum pollrt_poll pollrt_tcp_connect(struct pollrt_tcp_connect *self, struct pollrt_cx *cx)
{
	ssize_t status;

	if (!self->io) {
		self->status = connect_start(self);
		if (self->status)
			return POLLRT_READY;
		pollrt_defer(cx, &self->cleanup, connect_drop);
	}
	if (io_attempt(self->io, IO_WRITE, attempt_connect, NULL, &status, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	self->status = (int)status;
	pollrt_undefer(&self->cleanup);
	if (self->status)
		connect_drop(&self->cleanup);
	return POLLRT_READY;
}

int pollrt_shutdown_write(struct pollrt_io *io)
{
	return shutdown(io->fd, SHUT_WR) ? -errno : 0;
}
