/* SPDX-License-Identifier: MIT */
/*
 * I/O: descriptors, TCP, UDP, Unix sockets, pipes, files, buffers and signals.
 *
 * A line at a time, from whoever connects, back to them:
 *
 *	struct upcase {
 *		struct pollrt_async async;
 *		struct pollrt_io *io;
 *		char buffer[4096];
 *		struct pollrt_reader reader;
 *		char *line;
 *		ssize_t n;
 *		struct pollrt_write_all write;
 *	};
 *
 *	static POLLRT_ASYNC(upcase)
 *	{
 *		POLLRT_BEGIN();
 *		self->reader = (struct pollrt_reader){
 *			.io = self->io, .buffer = self->buffer, .size = sizeof(self->buffer)};
 *		for (;;) {
 *			POLLRT_AWAIT(pollrt_reader_until(&self->reader, '\n', &self->line,
 *							 &self->n, cx));
 *			if (self->n <= 0)
 *				break;
 *			for (ssize_t i = 0; i < self->n; i++)
 *				self->line[i] = (char)toupper(self->line[i]);
 *			POLLRT_CALL(self->write, pollrt_write_all, .io = self->io,
 *				    .buffer = self->line, .size = (size_t)self->n);
 *			if (self->write.status)
 *				break;
 *		}
 *		POLLRT_END();
 *	}
 *
 * Of one descriptor, one task at a time may await reading (or accepting), and one writing (or
 * connecting). Operations take what they need on every poll, so their arguments must be fields of
 * `self` or computed anew. Results are counts or negative errno. An operation that is dropped has
 * had no effect, unless its comment says otherwise, and leaves nothing behind: its task is not woken
 * for it any more.
 */
#ifndef POLLRT_IO_H
#define POLLRT_IO_H

#include <netinet/in.h>

#include "pollrt.h"

/* ---- descriptors ---------------------------------------------------------------------------- */

/** A descriptor that the driver of a runtime watches. */
struct pollrt_io;

/**
 * Watches @fd, any descriptor that epoll can watch, and takes it over, making it non-blocking.
 * @rt NULL: the current runtime. Returns 0, or a negative errno: then @fd stays the caller's, as it
 * was.
 */
int pollrt_io_open(struct pollrt_io **io, struct pollrt_runtime *rt, int fd);

/**
 * Closes the descriptor, on any thread. No task may be awaiting it, nor use it afterwards: who reads
 * it owns it, or is ended first. NULL is legal.
 */
void pollrt_io_close(struct pollrt_io *io);

/** The descriptor, for calls that do not block; it is not to be closed. */
int pollrt_io_fd(const struct pollrt_io *io);

/** Ready with *@n bytes read (0: end of file), or -errno in it. */
enum pollrt_poll pollrt_read(struct pollrt_io *io, void *buffer, size_t size, ssize_t *n,
			     struct pollrt_cx *cx);

/**
 * Ready with *@n bytes written, at least 1 unless @size is 0, or -errno in it; -EPIPE, never a
 * signal, if a socket's or a pipe's other end is gone.
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

/* ---- addresses ------------------------------------------------------------------------------ */

/** An IPv4 or IPv6 address with a port. */
struct pollrt_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/**
 * From numbers, as "127.0.0.1" or "::1". No names: to look them up blocks, as getaddrinfo(3) does,
 * and is a job for pollrt_spawn_blocking(). Returns 0 or -EINVAL.
 */
int pollrt_address_parse(struct pollrt_address *address, const char *text, uint16_t port);

/** Writes it without the port into @text, of at least INET6_ADDRSTRLEN bytes; returns @text. */
const char *pollrt_address_text(const struct pollrt_address *address, char *text, size_t size);
uint16_t pollrt_address_port(const struct pollrt_address *address);

/**
 * The address of a TCP or UDP socket, or of the one that it is connected to. Returns 0 or a
 * negative errno, -EAFNOSUPPORT for other sockets.
 */
int pollrt_local_address(const struct pollrt_io *io, struct pollrt_address *address);
int pollrt_peer_address(const struct pollrt_io *io, struct pollrt_address *address);

/* ---- sockets -------------------------------------------------------------------------------- */

/** The stream's end: the peer reads end of file. Returns 0 or a negative errno. */
int pollrt_shutdown_write(struct pollrt_io *io);

/**
 * Listens on @address, IPv4 or IPv6 as in pollrt_address_parse(), @port 0 for any. IPv6 addresses
 * take no IPv4 connections. Returns 0 or a negative errno.
 */
int pollrt_tcp_listen(struct pollrt_io **io, struct pollrt_runtime *rt, const char *address,
		      uint16_t port);

/** The local port of a TCP or UDP socket, in host order, or a negative errno. */
int pollrt_tcp_port(const struct pollrt_io *io);

/** Ready with a connection in *@conn and *@status 0, or -errno in it. */
enum pollrt_poll pollrt_tcp_accept(struct pollrt_io *listener, struct pollrt_io **conn, int *status,
				   struct pollrt_cx *cx);

/** Connects to @address; @io is the caller's to close once it is ready with @status 0. */
struct pollrt_tcp_connect {
	const char *address;
	uint16_t port;
	struct pollrt_io *io;
	int status; /**< 0 or -errno */
	struct pollrt_cleanup cleanup;
};
enum pollrt_poll pollrt_tcp_connect(struct pollrt_tcp_connect *self, struct pollrt_cx *cx);

/** A UDP socket at @address, @port 0 for any. Returns 0 or a negative errno. */
int pollrt_udp_bind(struct pollrt_io **io, struct pollrt_runtime *rt, const char *address,
		    uint16_t port);

/** From now on pollrt_write() sends to @to, and only what comes from there is received. */
int pollrt_udp_connect(struct pollrt_io *io, const struct pollrt_address *to);

/** Ready with *@n bytes sent in one datagram, or -errno in it. */
enum pollrt_poll pollrt_udp_send_to(struct pollrt_io *io, const void *buffer, size_t size,
				    const struct pollrt_address *to, ssize_t *n,
				    struct pollrt_cx *cx);

/**
 * Ready with the *@n bytes of one datagram, and whence it came, or with -errno in *@n. What does
 * not fit into @size bytes of it is lost.
 */
enum pollrt_poll pollrt_udp_recv_from(struct pollrt_io *io, void *buffer, size_t size,
				      struct pollrt_address *from, ssize_t *n,
				      struct pollrt_cx *cx);

/*
 * The path of a Unix socket that begins with '@' is a name in the abstract namespace. Others become
 * files, which stay until the caller unlinks them. -ENAMETOOLONG: more than 107 bytes.
 */

/** Listens on @path, a stream. Returns 0 or a negative errno. */
int pollrt_unix_listen(struct pollrt_io **io, struct pollrt_runtime *rt, const char *path);

/** As pollrt_tcp_accept(). */
enum pollrt_poll pollrt_unix_accept(struct pollrt_io *listener, struct pollrt_io **conn,
				    int *status, struct pollrt_cx *cx);

/**
 * Connects a stream to @path; that is not waited for. Returns 0 or a negative errno, -EAGAIN if too
 * many connections wait to be accepted there.
 */
int pollrt_unix_connect(struct pollrt_io **io, struct pollrt_runtime *rt, const char *path);

/** Two connected sockets of @type, SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM. */
int pollrt_unix_pair(struct pollrt_io *pair[2], struct pollrt_runtime *rt, int type);

/**
 * A socket for datagrams, at @path unless that is NULL, and connected to @peer unless that is NULL:
 * a pollrt_read() or pollrt_write() is then one datagram.
 */
int pollrt_unix_datagram(struct pollrt_io **io, struct pollrt_runtime *rt, const char *path,
			 const char *peer);

/** Both ends of a pipe. Returns 0 or a negative errno. */
int pollrt_pipe(struct pollrt_io **reader, struct pollrt_io **writer, struct pollrt_runtime *rt);

/* ---- files ---------------------------------------------------------------------------------- */
/*
 * Operations run on the blocking pool, one job each. The job has a buffer and a reference on the
 * file of its own: the caller's buffer is read before the first poll returns and written only in a
 * poll, so that a dropped operation leaves nothing behind that could touch it. Dropped while its
 * job waits for a thread, an operation has no effect; later its job goes on to its end, and a write
 * has its effect all the same. At shutdown, operations that wait end with -ECANCELED.
 *
 * Reads and writes say where in the file, and there is no file position: operations of several
 * tasks do not disturb each other.
 */
struct pollrt_file;
struct file_job;

/** What files' operations have in common; private. */
struct pollrt_file_op {
	struct file_job *job;
	struct pollrt_join join;
	struct pollrt_cleanup cleanup;
};

/** As open(2), with O_CLOEXEC; @file is the caller's to close once it is ready with @status 0. */
struct pollrt_file_open {
	const char *path;
	int flags;
	mode_t mode;
	struct pollrt_file *file;
	int status; /**< 0 or -errno */
	struct pollrt_file_op op;
};
enum pollrt_poll pollrt_file_open(struct pollrt_file_open *self, struct pollrt_cx *cx);

/** Closes it, once no job uses it any more. NULL is legal. */
void pollrt_file_close(struct pollrt_file *file);

/** Its descriptor, as pollrt_io_fd(). */
int pollrt_file_fd(const struct pollrt_file *file);

/** Reads up to @size bytes at @offset; fewer only at the end of the file, or before an error. */
struct pollrt_file_read {
	struct pollrt_file *file;
	void *buffer;
	size_t size;
	uint64_t offset;
	ssize_t n; /**< bytes, 0 at the end of the file, or -errno */
	struct pollrt_file_op op;
};
enum pollrt_poll pollrt_file_read(struct pollrt_file_read *self, struct pollrt_cx *cx);

/** Writes @size bytes at @offset, or at the end of a file opened with O_APPEND. */
struct pollrt_file_write {
	struct pollrt_file *file;
	const void *buffer;
	size_t size;
	uint64_t offset;
	ssize_t n; /**< bytes, fewer than asked for only before an error, or -errno */
	struct pollrt_file_op op;
};
enum pollrt_poll pollrt_file_write(struct pollrt_file_write *self, struct pollrt_cx *cx);

/** As fsync(2), or with @data_only fdatasync(2). */
struct pollrt_file_sync {
	struct pollrt_file *file;
	bool data_only;
	int status; /**< 0 or -errno */
	struct pollrt_file_op op;
};
enum pollrt_poll pollrt_file_sync(struct pollrt_file_sync *self, struct pollrt_cx *cx);

/* ---- buffers -------------------------------------------------------------------------------- */

/**
 * Reads @io, or @file from @offset on, through @buffer, which is the caller's. What was read and
 * not yet consumed stays there, also when an operation is dropped.
 */
struct pollrt_reader {
	struct pollrt_io *io;
	struct pollrt_file *file;
	uint64_t offset; /**< of what will be read into the buffer next */
	char *buffer;
	size_t size;    /**< bytes in @buffer, at least 2: of a line it holds one less */
	size_t start;   /**< private: what is read and not consumed begins here */
	size_t end;     /**< private: and ends here */
	size_t scanned; /**< private: up to where it has no delimiter */
	struct pollrt_file_read read; /**< private */
};

/** As pollrt_read(), of what is in the buffer if there is something. */
enum pollrt_poll pollrt_reader_read(struct pollrt_reader *reader, void *buffer, size_t size,
				    ssize_t *n, struct pollrt_cx *cx);

/**
 * Ready with *@n bytes at *@data, up to and with @delimiter; they are in the reader's buffer and
 * valid until its next use. The last ones before the end of file may lack the delimiter. *@n is 0
 * at the end of file, -EMSGSIZE if there is no delimiter in @size - 1 bytes, which then remain to
 * be read in another way, or -errno.
 */
enum pollrt_poll pollrt_reader_until(struct pollrt_reader *reader, char delimiter, char **data,
				     ssize_t *n, struct pollrt_cx *cx);

/**
 * Ready with a line of *@n bytes at *@line, as above, without "\n" or "\r\n" and ended by a null
 * byte. At the end of file *@line is NULL and *@n 0.
 */
enum pollrt_poll pollrt_reader_line(struct pollrt_reader *reader, char **line, ssize_t *n,
				    struct pollrt_cx *cx);

/** Reads exactly @size bytes. If it is dropped, @done of them are in @buffer. */
struct pollrt_reader_exact {
	struct pollrt_reader *reader;
	void *buffer;
	size_t size;
	size_t done;
	int status; /**< 0, -ENODATA if the file ended before, or -errno */
};
enum pollrt_poll pollrt_reader_exact(struct pollrt_reader_exact *self, struct pollrt_cx *cx);

/**
 * Writes to @io, or to @file from @offset on, through @buffer, which is the caller's. What is not
 * flushed stays there. A dropped flush may have written some of it, and writes it again at the same
 * place; so that does not go together with O_APPEND.
 */
struct pollrt_writer {
	struct pollrt_io *io;
	struct pollrt_file *file;
	uint64_t offset; /**< of what will be flushed next */
	char *buffer;
	size_t size;                    /**< bytes in @buffer, at least 1 */
	size_t start;                   /**< private: what is not flushed begins here */
	size_t end;                     /**< private: and ends here */
	struct pollrt_file_write write; /**< private */
};

/** Puts @size bytes into the buffer, flushing it as needed. If it is dropped, @done of them are. */
struct pollrt_writer_put {
	struct pollrt_writer *writer;
	const void *data;
	size_t size;
	size_t done;
	int status; /**< 0 or -errno */
};
enum pollrt_poll pollrt_writer_put(struct pollrt_writer_put *self, struct pollrt_cx *cx);

/** Ready when the buffer is empty, and *@status 0, or with -errno in it. Can be tried again. */
enum pollrt_poll pollrt_writer_flush(struct pollrt_writer *writer, int *status,
				     struct pollrt_cx *cx);

/* ---- signals -------------------------------------------------------------------------------- */

/** Listens for a signal. */
struct pollrt_signal;

/**
 * Listens for @signum on @rt (NULL: the current runtime). Any number may listen for a signal, in
 * whatever runtimes, and each is told. Signals that come before they are awaited count as one.
 *
 * While there is a listener the signal has a handler of pollrt's (SA_RESTART) instead of what was
 * set; with the last one that is set again. The handler runs on any thread that does not block the
 * signal: at least one must not. Threads of a runtime have the mask of the thread that made it, and
 * calls that do not restart may fail with EINTR on all of them. A child process made by fork() has
 * the handler, but tells nobody.
 *
 * Returns 0, -EINVAL for a signal that cannot be caught or is a fault of the thread that it hits,
 * or a negative errno.
 */
int pollrt_signal_open(struct pollrt_signal **signal, struct pollrt_runtime *rt, int signum);

/** Stops to listen. No task may be awaiting it. NULL is legal. */
void pollrt_signal_close(struct pollrt_signal *signal);

/** Ready if the signal has come since it was last ready; *@status is 0 or -errno. */
enum pollrt_poll pollrt_signal_wait(struct pollrt_signal *signal, int *status,
				    struct pollrt_cx *cx);

#endif
