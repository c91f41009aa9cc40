/* SPDX-License-Identifier: MIT */
/* What each example's server is built from: it listens, and requests and replies of fixed size. */
#ifndef EXAMPLES_SERVER_H
#define EXAMPLES_SERVER_H

#include "pollrt_io.h"

/** Goes both ways: the reply to a request is the request. */
struct message {
	uint32_t stream; /**< index in the load's streams: what kind of request it is */
	uint32_t number; /**< of the request in its stream */
};

/** A server on a free port of 127.0.0.1. */
struct server {
	/** Spawns a task for a connection, which then owns @conn. Returns 0 or a negative errno. */
	int (*spawn)(struct server *server, struct pollrt_io *conn);
	void *context;              /**< the caller's */
	struct pollrt_io *listener; /**< private */
};

/** Starts accepting, in a task of @rt. Returns 0 or a negative errno. */
int server_start(struct server *server, struct pollrt_runtime *rt);

/** Its port, for clients. */
uint16_t server_port(const struct server *server);

/** Stops listening, once the runtime has been shut down. */
void server_close(struct server *server);

/** Reads the next request of a connection. */
struct receive {
	struct pollrt_async async;
	struct pollrt_io *io;
	struct message message;
	int status; /**< 0, or -errno: -EPIPE once the client is gone */
	size_t used;
	ssize_t n;
};
enum pollrt_poll receive(struct receive *self, struct pollrt_cx *cx);

/** Replies to it. */
struct reply {
	struct pollrt_async async;
	struct pollrt_io *io;
	struct message message;
	int status; /**< 0 or -errno */
	struct pollrt_write_all write;
};
enum pollrt_poll reply(struct reply *self, struct pollrt_cx *cx);

#endif
