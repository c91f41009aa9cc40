/* SPDX-License-Identifier: MIT */
/*
 * The I/O and timer driver of a runtime: one epoll instance and one timer wheel. One thread at a
 * time turns it; the lock is only ever tried.
 */
#ifndef POLLRT_DRIVER_H
#define POLLRT_DRIVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/wheel.h"

struct pollrt_io;

struct driver {
	_Atomic bool locked;
	int epoll_fd;
	int event_fd;
	uint64_t start_ns; /**< of tick 0 */

	pthread_mutex_t timer_lock; /**< of what follows */
	struct wheel wheel;
	uint64_t wake_tick; /**< when the thread asleep in the driver wakes; 0: none is */

	pthread_mutex_t release_lock; /**< of what follows */
	struct pollrt_io *released;   /**< closed, but perhaps in events already fetched */
	unsigned int released_count;
	bool closed; /**< nobody turns it any more */
};

/** Returns 0 or a negative errno. */
int driver_init(struct driver *driver);
void driver_fini(struct driver *driver);

bool driver_try_lock(struct driver *driver);
void driver_unlock(struct driver *driver);

/** Wakes the tasks whose timers or descriptors are ready; with the lock. @block: waits for some. */
void driver_turn(struct driver *driver, bool block);

/** Ends a driver_turn() that sleeps, or the next one that would. */
void driver_wake(struct driver *driver);

/** No thread turns it from now on. */
void driver_close(struct driver *driver);

/** Has @io freed when no thread can hold an event of it. */
void driver_release(struct driver *driver, struct pollrt_io *io);

/** Starts @timer, its tick and task set. The task must live until it is stopped or has fired. */
void driver_timer_start(struct driver *driver, struct pollrt_timer *timer);

/** Stops it; afterwards the driver does not touch it. */
void driver_timer_stop(struct driver *driver, struct pollrt_timer *timer);

/** Has it wake @task instead. False: it has just fired, for the other. */
bool driver_timer_retarget(struct driver *driver, struct pollrt_timer *timer,
			   struct pollrt_task *task);

/** Whether it fired; then the driver does not touch it any more. */
bool driver_timer_fired(const struct pollrt_timer *timer);

/** The first tick at which @ns, of pollrt_now_ns(), has passed. */
uint64_t driver_tick_after(const struct driver *driver, uint64_t ns);

#endif
