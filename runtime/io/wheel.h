/* SPDX-License-Identifier: MIT */
/*
 * A hierarchical timing wheel: 6 levels of 64 slots, one tick in the lowest. Level n holds timers
 * that are due 64^n to 64^(n+1) ticks ahead; they move down a level when their slot comes up.
 *
 * Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987; laid out as in Tokio's driver.
 */
#ifndef POLLRT_WHEEL_H
#define POLLRT_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "pollrt.h"

#define WHEEL_LEVELS 6
#define WHEEL_SLOTS 64

LIST_HEAD(timer_list, pollrt_timer);

struct wheel {
	uint64_t elapsed; /**< ticks up to here are done */
	uint64_t occupied[WHEEL_LEVELS];
	struct timer_list slots[WHEEL_LEVELS][WHEEL_SLOTS];
	struct timer_list due;
};

void wheel_init(struct wheel *wheel);

/** Adds @timer at its tick; one that is not after `elapsed` is due at once. */
void wheel_insert(struct wheel *wheel, struct pollrt_timer *timer);
void wheel_remove(struct wheel *wheel, struct pollrt_timer *timer);

/** The tick at which wheel_expire() has to look again; false if the wheel is empty. */
bool wheel_next(const struct wheel *wheel, uint64_t *tick);

/** Takes out one timer that is due at @now, or advances to @now and returns NULL. */
struct pollrt_timer *wheel_expire(struct wheel *wheel, uint64_t now);

#endif
