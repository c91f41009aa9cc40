/* SPDX-License-Identifier: MIT */
/*
 * Events from several rings into one sequence in time order.
 *
 * Each ring is nearly sorted. What is delivered lies before the horizon: the earliest clock, over
 * all rings, that was read before a ring was found drained, less a slack for those that take the
 * time and are preempted before they write. Events of equal time come in the order of their rings,
 * and within a ring as they were added. What still comes too late is delivered at the next flush
 * and counted.
 *
 * Events that userspace makes have a ring of their own, so that they fall into place.
 */
#ifndef POLLSCOPE_EVENTS_ORDER_H
#define POLLSCOPE_EVENTS_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

struct order;

/* Returns NULL without memory. */
struct order *order_new(size_t nrings);
void order_free(struct order *order);

/* Adds a copy of the event, strings and frames included. Returns 0 or -ENOMEM. */
int order_add(struct order *order, size_t ring, const struct event *event);

/* All that the ring held when the clock (CLOCK_MONOTONIC ns) was clock_before has been added. */
void order_drained(struct order *order, size_t ring, uint64_t clock_before);

/*
 * Delivers everything before the horizon. A ring that was never drained holds all back. Returns 0
 * or the sink's error; the event that the sink refused is not delivered again.
 */
int order_flush(struct order *order, struct event_sink *sink, uint64_t slack_ns);

/* Delivers everything. */
int order_finish(struct order *order, struct event_sink *sink);

/* Events delivered behind a later one. */
uint64_t order_late(const struct order *order);

#endif
