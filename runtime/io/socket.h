/* SPDX-License-Identifier: MIT */
/* What sockets of all families have in common. */
#ifndef POLLRT_SOCKET_H
#define POLLRT_SOCKET_H

#include <sys/socket.h>

#include "pollrt_io.h"

/** A socket that does not block. Returns it or a negative errno. */
int socket_make(int family, int type);

/** One that is bound to @address, and if it is a stream listens there. As socket_make(). */
int socket_bind(int type, const struct sockaddr *address, socklen_t size);

/** Ready with a connection in *@conn and *@status 0, or -errno in it. */
enum pollrt_poll socket_accept(struct pollrt_io *listener, struct pollrt_io **conn, int *status,
			       struct pollrt_cx *cx);

#endif
