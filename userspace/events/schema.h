/* SPDX-License-Identifier: MIT */
/*
 * The fields of every event, once: how a recording stores them, and what of an event has to be
 * copied for it to outlive the call that it came with. To add a field or an event to recordings add
 * its line to schema.c; fields and types are known by their number, so both are append-only.
 */
#ifndef POLLSCOPE_EVENTS_SCHEMA_H
#define POLLSCOPE_EVENTS_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

/*
 * How a field becomes one unsigned number (or a few) in its column, where small ones are cheap.
 * Differences are modulo 2^64 of the sign-extended values, "signed" ones zigzag-encoded: 0, -1, 1,
 * -2 become 0, 1, 2, 3. Of "wide" numbers the lowest byte goes into a second column: it is noise,
 * what is above it is not. An event is like another one of the same type; fields behind a stack
 * compare to the last event with the same stack. Dictionaries are those of the chunk (chunk.h),
 * predictions those of predict.h.
 */
enum field_coding {
	FIELD_TIME = 1,    /* wide: since the event before this one, of any type */
	FIELD_DELTA = 2,   /* signed difference to this field in the last event like this one */
	FIELD_FLAG = 3,    /* 0 or 1 */
	FIELD_TID = 4,     /* index of a thread */
	FIELD_AGE = 5,     /* wide: how long before the event's time */
	FIELD_START = 6,   /* wide, signed: since the last boundary between polls on this thread */
	FIELD_AFTER = 7,   /* wide: signed difference to the field before it */
	FIELD_TASK = 8,    /* wide: 0: as predicted; else 1 + index of a task */
	FIELD_CURRENT = 9, /* task this thread polls: 0, 1: as predicted; 2: none; else 3 + index */
	FIELD_KIND = 10,   /* of the task before it: 0: as last seen; else 1 + index of a kind */
	FIELD_TEXT = 11,   /* index of a string, as FIELD_DELTA */
	FIELD_STACK = 12,  /* index of a stack */
	FIELD_SYMBOL = 13, /* count; for each frame index of function, index of file, 1 + line */
	FIELD_DEPTH = 14,  /* signed difference to the last such field on this thread, less one */
	FIELD_WORKER = 15, /* signed difference to the last such field on this thread */
	FIELD_BLOCKED = 16,  /* signed difference to what off-CPU events on this thread add up to */
	FIELD_RUNQUEUE = 17, /* likewise */
	/* Fields that a format's later version adds must be right where they are missing, and predict nothing
	 * that older readers follow. */
	FIELD_LATER_TEXT = 18, /* 0: ""; else 1 + index of a string */
};

struct field {
	const char *name;
	uint16_t offset; /* in struct event */
	uint8_t size;    /* of a number: 1, 2, 4 or 8 bytes */
	uint8_t coding;  /* enum field_coding */
};

/* The first fields of all events. */
enum { FIELD_OF_TIME, FIELD_OF_TID, FIELD_OF_SOURCE, FIELD_OF_FLAGS, SCHEMA_COMMON_FIELDS };

#define SCHEMA_MAX_FIELDS 24

struct schema {
	const char *name;
	uint8_t nfields;
	struct field fields[SCHEMA_MAX_FIELDS]; /* a field's index is its number in recordings */
};

/* Returns NULL for a type that this version does not know. */
const struct schema *schema_of(uint8_t event_type);

/* Bytes that schema_copy needs beyond struct event. */
size_t schema_extra_size(const struct event *event);

/*
 * Copies *event to *to, and what it points to into the schema_extra_size() bytes at `extra`, which
 * is aligned to 8.
 */
void schema_copy(struct event *to, void *extra, const struct event *event);

#endif
