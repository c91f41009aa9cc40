// SPDX-License-Identifier: MIT
#include <errno.h>
#include <sys/uio.h>

#include "io/address.h"
#include "io/io.h"
#include "io/socket.h"

int pollrt_udp_bind(struct pollrt_io **io, struct pollrt_runtime *rt, const char *text,
		    uint16_t port)
{
	struct pollrt_address address;
	int err;

	err = pollrt_address_parse(&address, text, port);
	if (err)
		return err;
	return io_adopt(io, rt, socket_bind(SOCK_DGRAM, &address.any, address_size(&address)));
}

int pollrt_udp_connect(struct pollrt_io *io, const struct pollrt_address *to)
{
	return connect(io->fd, &to->any, address_size(to)) ? -errno : 0;
}

static ssize_t attempt_send(struct pollrt_io *io, void *message, bool *drained)
{
	ssize_t n = sendmsg(io->fd, message, MSG_NOSIGNAL);

	(void)drained;
	return n < 0 ? -errno : n;
}

enum pollrt_poll pollrt_udp_send_to(struct pollrt_io *io, const void *buffer, size_t size,
				    const struct pollrt_address *to, ssize_t *n,
				    struct pollrt_cx *cx)
{
	struct iovec from = {.iov_base = (void *)buffer, .iov_len = size};
	struct msghdr message = {.msg_name = (void *)&to->any,
				 .msg_namelen = address_size(to),
				 .msg_iov = &from,
				 .msg_iovlen = 1};

	return io_attempt(io, IO_WRITE, attempt_send, &message, n, cx);
}

static ssize_t attempt_receive(struct pollrt_io *io, void *message, bool *drained)
{
	ssize_t n = recvmsg(io->fd, message, 0);

	(void)drained;
	return n < 0 ? -errno : n;
}

enum pollrt_poll pollrt_udp_recv_from(struct pollrt_io *io, void *buffer, size_t size,
				      struct pollrt_address *from, ssize_t *n, struct pollrt_cx *cx)
{
	struct iovec to = {.iov_base = buffer, .iov_len = size};
	struct msghdr message = {
		.msg_name = from, .msg_namelen = sizeof(*from), .msg_iov = &to, .msg_iovlen = 1};

	return io_attempt(io, IO_READ, attempt_receive, &message, n, cx);
}
