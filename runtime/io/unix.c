// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/io.h"
#include "io/socket.h"

/* Returns the size of the address, or a negative errno. */
static int parse(struct sockaddr_un *address, const char *path)
{
	size_t length = strlen(path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!length)
		return -EINVAL;
	if (length >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memcpy(address->sun_path, path, length);
	if (*path != '@')
		return sizeof(*address);
	/* An abstract name has a null byte before it, none behind it, and no padding. */
	address->sun_path[0] = '\0';
	return (int)(offsetof(struct sockaddr_un, sun_path) + length);
}

static int bind_to(int type, const char *path)
{
	struct sockaddr_un address;
	int size = parse(&address, path);

	if (size < 0)
		return size;
	return socket_bind(type, (struct sockaddr *)&address, (socklen_t)size);
}

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address;
	int size = parse(&address, path);

	if (size < 0)
		return size;
	return connect(fd, (struct sockaddr *)&address, (socklen_t)size) ? -errno : 0;
}

/* Watches @fd, of a socket or an error, once it is connected to @peer. */
static int adopt_connected(struct pollrt_io **io, struct pollrt_runtime *rt, int fd,
			   const char *peer)
{
	int err;

	if (fd < 0)
		return fd;
	err = connect_to(fd, peer);
	if (err) {
		close(fd);
		return err;
	}
	return io_adopt(io, rt, fd);
}

int pollrt_unix_listen(struct pollrt_io **io, struct pollrt_runtime *rt, const char *path)
{
	return io_adopt(io, rt, bind_to(SOCK_STREAM, path));
}

enum pollrt_poll pollrt_unix_accept(struct pollrt_io *listener, struct pollrt_io **conn,
				    int *status, struct pollrt_cx *cx)
{
	return socket_accept(listener, conn, status, cx);
}

int pollrt_unix_connect(struct pollrt_io **io, struct pollrt_runtime *rt, const char *path)
{
	return adopt_connected(io, rt, socket_make(AF_UNIX, SOCK_STREAM), path);
}

int pollrt_unix_pair(struct pollrt_io *pair[2], struct pollrt_runtime *rt, int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds))
		return -errno;
	return io_adopt_pair(&pair[0], &pair[1], rt, fds);
}

int pollrt_unix_datagram(struct pollrt_io **io, struct pollrt_runtime *rt, const char *path,
			 const char *peer)
{
	int fd = path ? bind_to(SOCK_DGRAM, path) : socket_make(AF_UNIX, SOCK_DGRAM);

	return peer ? adopt_connected(io, rt, fd, peer) : io_adopt(io, rt, fd);
}
