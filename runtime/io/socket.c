// SPDX-License-Identifier: MIT
#include "io/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "io/io.h"

int socket_make(int family, int type)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int socket_bind(int type, const struct sockaddr *address, socklen_t size)
{
	bool stream = type == SOCK_STREAM;
	int fd, err;

	fd = socket_make(address->sa_family, type);
	if (fd < 0)
		return fd;
	/* A server that starts again finds connections of the one before still ending. */
	if (stream && address->sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	/* So that what is listened on does not depend on a setting of the machine. */
	if (address->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
	if (bind(fd, address, size) || (stream && listen(fd, SOMAXCONN))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static ssize_t attempt_accept(struct pollrt_io *io, void *unused, bool *drained)
{
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)unused, (void)drained;
	if (fd >= 0)
		return fd;
	/* A connection that is gone already is not the listener's error. */
	return errno == ECONNABORTED ? -EINTR : -errno;
}

enum pollrt_poll socket_accept(struct pollrt_io *listener, struct pollrt_io **conn, int *status,
			       struct pollrt_cx *cx)
{
	ssize_t fd;

	if (io_attempt(listener, IO_READ, attempt_accept, NULL, &fd, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	*status = io_adopt(conn, listener->rt, (int)fd);
	return POLLRT_READY;
}
