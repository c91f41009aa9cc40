/* SPDX-License-Identifier: MIT */
/*
 * What the consumers of events may rely on beyond the types of the fields.
 */
#ifndef POLLSCOPE_EVENTS_CHECK_H
#define POLLSCOPE_EVENTS_CHECK_H

#include <stdbool.h>

#include "core/event.h"

#define EVENT_STACK_FRAMES 1024 /* kernel and user frames of one stack */
#define EVENT_SYMBOL_FRAMES 100 /* inlined functions of one symbol */
#define EVENT_TEXT_BYTES 65536  /* of one string, NUL included */

/*
 * Whether the event's values fit each other: intervals do not end before they begin, off-CPU times
 * fit into their poll, enums hold values that exist, frame counts are within the limits above.
 */
bool event_is_sound(const struct event *event);

#endif
