// SPDX-License-Identifier: MIT
/* Reads and writes of whatever kind of descriptor. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/io.h"
#include "io/pipe.h"

static ssize_t attempt_read(struct pollrt_io *io, void *argument, bool *drained)
{
	const struct iovec *to = argument;
	ssize_t n;

	/* Of a socket it is the shorter way through the kernel. */
	if (io->type == IO_STREAM || io->type == IO_SOCKET)
		n = recv(io->fd, to->iov_base, to->iov_len, 0);
	else
		n = read(io->fd, to->iov_base, to->iov_len);
	/* A stream that had less than was asked for has nothing left. */
	*drained = io->type == IO_STREAM && n > 0 && (size_t)n < to->iov_len;
	return n < 0 ? -errno : n;
}

enum pollrt_poll pollrt_read(struct pollrt_io *io, void *buffer, size_t size, ssize_t *n,
			     struct pollrt_cx *cx)
{
	struct iovec to = {.iov_base = buffer, .iov_len = size};

	return io_attempt(io, IO_READ, attempt_read, &to, n, cx);
}

/* A peer that is gone is an error of the write, not a signal. */
static ssize_t attempt_write(struct pollrt_io *io, void *argument, bool *drained)
{
	const struct iovec *from = argument;
	ssize_t n;

	(void)drained;
	if (io->type == IO_PIPE)
		return pipe_write(io->fd, from->iov_base, from->iov_len);
	if (io->type != IO_OTHER)
		n = send(io->fd, from->iov_base, from->iov_len, MSG_NOSIGNAL);
	else
		n = write(io->fd, from->iov_base, from->iov_len);
	return n < 0 ? -errno : n;
}

enum pollrt_poll pollrt_write(struct pollrt_io *io, const void *buffer, size_t size, ssize_t *n,
			      struct pollrt_cx *cx)
{
	struct iovec from = {.iov_base = (void *)buffer, .iov_len = size};

	return io_attempt(io, IO_WRITE, attempt_write, &from, n, cx);
}

enum pollrt_poll pollrt_write_all(struct pollrt_write_all *self, struct pollrt_cx *cx)
{
	ssize_t n;

	self->status = 0;
	while (self->done < self->size) {
		if (pollrt_write(self->io, (const char *)self->buffer + self->done,
				 self->size - self->done, &n, cx) == POLLRT_PENDING)
			return POLLRT_PENDING;
		if (n < 0) {
			self->status = (int)n;
			break;
		}
		self->done += (size_t)n;
	}
	return POLLRT_READY;
}
