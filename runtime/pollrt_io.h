/* SPDX-License-Identifier: MIT */
/*
 * I/O: descriptors and TCP.
 *
 * Of one descriptor, one task at a time may await reading (or accepting), and one writing (or
 * connecting). Operations take what they need on every poll, so their arguments must be fields of
 * `self` or computed anew. Results are counts or negative errno. An operation that is dropped has
 * had no effect, unless its comment says otherwise.
 */
#ifndef POLLRT_IO_H
#define POLLRT_IO_H

#include "pollrt.h"

/* ---- descriptors ---------------------------------------------------------------------------- */

/** A descriptor that the driver of a runtime watches. */
struct pollrt_io;

/**
 * Watches @fd, any descriptor that epoll can watch, and takes it over, making it non-blocking.
 * @rt NULL: the current runtime. Returns 0 or a negative errno; then @fd stays the caller's.
 */
int pollrt_io_open(struct pollrt_io **io, struct pollrt_runtime *rt, int fd);

/** Closes the descriptor. No task may be awaiting it. NULL is legal. */
void pollrt_io_close(struct pollrt_io *io);
int pollrt_io_fd(const struct pollrt_io *io);

/** Ready with *@n bytes read (0: end of file), or -errno in it. */
enum pollrt_poll pollrt_read(struct pollrt_io *io, void *buffer, size_t size, ssize_t *n,
			     struct pollrt_cx *cx);

/**
 * Ready with *@n bytes written, at least 1 unless @size is 0, or -errno in it.
 */
enum pollrt_poll pollrt_write(struct pollrt_io *io, const void *buffer, size_t size, ssize_t *n,
			      struct pollrt_cx *cx);

/** Writes all of @size bytes. If it is dropped, @done of them were. */
struct pollrt_write_all {
	struct pollrt_io *io;
	const void *buffer;
	size_t size;
	size_t done;
	int status; /**< 0 or -errno */
};
enum pollrt_poll pollrt_write_all(struct pollrt_write_all *self, struct pollrt_cx *cx);

/* ---- sockets -------------------------------------------------------------------------------- */

/**
 * Listens on IPv4 @address, @port 0 for any. Returns 0 or a negative errno.
 */
int pollrt_tcp_listen(struct pollrt_io **io, struct pollrt_runtime *rt, const char *address,
		      uint16_t port);

/** The local port of a socket, in host order, or a negative errno. */
int pollrt_tcp_port(const struct pollrt_io *io);

/** Ready with a connection in *@conn and *@status 0, or -errno in it. */
enum pollrt_poll pollrt_tcp_accept(struct pollrt_io *listener, struct pollrt_io **conn, int *status,
				   struct pollrt_cx *cx);

/** Connects to IPv4 @address; @io is the caller's to close once it is ready with @status 0. */
struct pollrt_tcp_connect {
	const char *address;
	uint16_t port;
	struct pollrt_io *io;
	int status; /**< 0 or -errno */
	struct pollrt_cleanup cleanup;
};
enum pollrt_poll pollrt_tcp_connect(struct pollrt_tcp_connect *self, struct pollrt_cx *cx);

#endif
