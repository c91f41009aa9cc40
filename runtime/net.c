// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context.h"
#include "io.h"

static int parse(struct sockaddr_in *to, const char *address, uint16_t port)
{
	*to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	return inet_pton(AF_INET, address, &to->sin_addr) == 1 ? 0 : -EINVAL;
}

static int make_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* Request and response protocols wait for nothing but the last segment. */
static void set_nodelay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

int pollrt_tcp_listen(struct pollrt_io **io, struct pollrt_runtime *rt, const char *address,
		      uint16_t port)
{
	struct sockaddr_in to;
	int fd, err;

	err = parse(&to, address, port);
	if (err)
		return err;
	fd = make_socket();
	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) || listen(fd, SOMAXCONN)) {
		err = -errno;
		goto close_fd;
	}
	err = pollrt_io_open(io, rt, fd);
	if (err)
		goto close_fd;
	return 0;

close_fd:
	close(fd);
	return err;
}

int pollrt_tcp_port(const struct pollrt_io *io)
{
	struct sockaddr_in name = {0};
	socklen_t size = sizeof(name);

	if (getsockname(io->fd, (struct sockaddr *)&name, &size))
		return -errno;
	return ntohs(name.sin_port);
}

enum pollrt_poll pollrt_tcp_accept(struct pollrt_io *listener, struct pollrt_io **conn, int *status,
				   struct pollrt_cx *cx)
{
	uint64_t events;
	int fd;

	if (!context_budget_left(cx))
		return POLLRT_PENDING;
	while (io_try(listener, IO_READ, cx, &events)) {
		fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		/* A connection that is gone already is not the listener's error. */
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 && errno == EAGAIN) {
			if (io_wait(listener, IO_READ, cx, events))
				break;
			continue;
		}
		context_budget_spend();
		if (fd < 0) {
			*status = -errno;
			return POLLRT_READY;
		}
		set_nodelay(fd);
		*status = pollrt_io_open(conn, listener->rt, fd);
		if (*status)
			close(fd);
		return POLLRT_READY;
	}
	return POLLRT_PENDING;
}

static void connect_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_tcp_connect *self =
		(void *)((char *)cleanup - offsetof(struct pollrt_tcp_connect, cleanup));

	pollrt_io_close(self->io);
	self->io = NULL;
}

static int connect_start(struct pollrt_tcp_connect *self)
{
	struct sockaddr_in to;
	int fd, err;

	err = parse(&to, self->address, self->port);
	if (err)
		return err;
	fd = make_socket();
	if (fd < 0)
		return fd;
	set_nodelay(fd);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS) {
		err = -errno;
		goto close_fd;
	}
	err = pollrt_io_open(&self->io, NULL, fd);
	if (err)
		goto close_fd;
	return 0;

close_fd:
	close(fd);
	return err;
}

/* The outcome of a connect under way: 0, a negative errno, or -EINPROGRESS. */
static int connect_status(int fd)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof(int);
	int err = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size))
		return -errno;
	if (err)
		return -err;
	size = sizeof(peer);
	if (getpeername(fd, (struct sockaddr *)&peer, &size))
		return errno == ENOTCONN ? -EINPROGRESS : -errno;
	return 0;
}

enum pollrt_poll pollrt_tcp_connect(struct pollrt_tcp_connect *self, struct pollrt_cx *cx)
{
	uint64_t events;

	if (!context_budget_left(cx))
		return POLLRT_PENDING;
	if (!self->io) {
		self->status = connect_start(self);
		if (self->status)
			return POLLRT_READY;
		pollrt_defer(cx, &self->cleanup, connect_drop);
	}
	while (io_try(self->io, IO_WRITE, cx, &events)) {
		self->status = connect_status(self->io->fd);
		if (self->status != -EINPROGRESS) {
			context_budget_spend();
			pollrt_undefer(&self->cleanup);
			if (self->status) {
				pollrt_io_close(self->io);
				self->io = NULL;
			}
			return POLLRT_READY;
		}
		if (io_wait(self->io, IO_WRITE, cx, events))
			break;
	}
	return POLLRT_PENDING;
}
