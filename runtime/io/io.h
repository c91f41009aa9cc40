/* SPDX-License-Identifier: MIT */
/* A descriptor watched by the driver, edge-triggered, and who waits for it. */
#ifndef POLLRT_IO_PRIVATE_H
#define POLLRT_IO_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pollrt_io.h"

enum io_direction {
	IO_READ,
	IO_WRITE,
	IO_DIRECTIONS,
};

/**
 * An operation that has to wait leaves its task here, and in the scope that it was polled in a
 * cleanup, so that nothing of it is left here once it is dropped.
 */
struct io_side {
	_Atomic uint64_t readiness; /**< see io.c */
	struct pollrt_task *waiter; /**< with a reference, or NULL; under the lock */
	/** In a scope of which `cleanup` is, or NULL. The thread that polls it links and unlinks. */
	_Atomic(struct pollrt_task *) scoped;
	struct pollrt_cleanup cleanup;
	struct pollrt_io *io;
};

/** What reads and writes differ by. */
enum io_type {
	IO_STREAM, /**< a stream socket, of which a short read takes all there is */
	IO_SOCKET, /**< of another type */
	IO_PIPE,
	IO_OTHER,
};

struct pollrt_io {
	int fd;
	enum io_type type;
	struct pollrt_runtime *rt; /**< with a reference */
	pthread_mutex_t lock;
	bool released; /**< freed as soon as it is in no scope; under the lock */
	struct io_side sides[IO_DIRECTIONS];
	struct pollrt_io *next; /**< in the driver's list of released ones */
};

/** Takes epoll's @events for it, and wakes who waits. */
void io_ready(struct pollrt_io *io, uint32_t events);

/**
 * Makes attempts until one would not block. @attempt returns a count or a negative errno: -EAGAIN
 * if it would block, -EINTR to be made again. It may set *@drained if the next one would block.
 */
enum pollrt_poll io_attempt(struct pollrt_io *io, enum io_direction direction,
			    ssize_t (*attempt)(struct pollrt_io *io, void *argument, bool *drained),
			    void *argument, ssize_t *result, struct pollrt_cx *cx);

/** pollrt_io_open(), that closes @fd if it fails, and passes a negative @fd on as the error. */
int io_adopt(struct pollrt_io **io, struct pollrt_runtime *rt, int fd);

/** The same for both ends of something; in *@b there is nothing if it fails. */
int io_adopt_pair(struct pollrt_io **a, struct pollrt_io **b, struct pollrt_runtime *rt,
		  const int fds[2]);

/** Frees a list of closed ones, or has that done by the scopes that they are still in. */
void io_release_list(struct pollrt_io *io);

#endif
