/* SPDX-License-Identifier: MIT */
/*
 * How a worker sleeps: on the driver if no other thread has it, else on a futex. A token makes an
 * unpark that comes before its park count.
 */
#ifndef POLLRT_PARKER_H
#define POLLRT_PARKER_H

#include <stdatomic.h>
#include <stdint.h>

struct driver;

struct parker {
	_Atomic uint32_t state;
};

void parker_init(struct parker *parker);

/** Sleeps until parker_unpark(), or until the driver had events. */
void parker_park(struct parker *parker, struct driver *driver);
void parker_unpark(struct parker *parker, struct driver *driver);

#endif
