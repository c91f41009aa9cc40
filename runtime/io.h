/* SPDX-License-Identifier: MIT */
/* A descriptor watched by the driver, edge-triggered, and who waits for it. */
#ifndef POLLRT_IO_PRIVATE_H
#define POLLRT_IO_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "pollrt_io.h"

enum io_direction {
	IO_READ,
	IO_WRITE,
	IO_DIRECTIONS,
};

struct io_side {
	uint64_t events; /**< readiness events so far */
	bool drained;    /**< the last attempt would have blocked, and no event came since */
	struct pollrt_task *waiter; /**< with a reference, or NULL */
};

struct pollrt_io {
	int fd;
	bool socket;
	struct pollrt_runtime *rt; /**< with a reference */
	pthread_mutex_t lock;      /**< of `sides` */
	struct io_side sides[IO_DIRECTIONS];
	struct pollrt_io *next; /**< in the driver's list of released ones */
};

/** Takes epoll's @events for it, and wakes who waits. */
void io_ready(struct pollrt_io *io, uint32_t events);

/** Whether an attempt may succeed. If false, @cx's task will be woken when it may. */
bool io_try(struct pollrt_io *io, enum io_direction direction, struct pollrt_cx *cx,
	    uint64_t *events);

/** The attempt would have blocked. False: an event came meanwhile, try again; else as io_try(). */
bool io_wait(struct pollrt_io *io, enum io_direction direction, struct pollrt_cx *cx,
	     uint64_t events);

/** Frees a list of closed ones. */
void io_free_list(struct pollrt_io *io);

#endif
