/* SPDX-License-Identifier: MIT */
/* What a line of JSON says of each event: the one table behind lines and schema. Internal to emit. */
#ifndef POLLSCOPE_EMIT_JSONL_FIELDS_H
#define POLLSCOPE_EMIT_JSONL_FIELDS_H

#include <stdint.h>
#include <stdio.h>

#include "core/event.h"

/* How a field is written. Numbers beyond 2^63 are written as that, ids as a string. */
enum jsonl_form {
	JSONL_NUMBER,
	JSONL_NUMBER_OR_NULL, /* null for the largest of its size */
	JSONL_POSITIVE,       /* null for 0 */
	JSONL_SIGNED,         /* null for -1 */
	JSONL_ID,             /* null for EVENT_UNKNOWN */
	JSONL_ID_OR_NULL,     /* for 0 too */
	JSONL_BOOL,
	JSONL_TEXT,
	JSONL_ADDRESS,
	JSONL_ADDRESSES_KERNEL, /* of a struct event_stack */
	JSONL_ADDRESSES_USER,
	JSONL_FRAMES, /* of a struct event_symbol */
	JSONL_EVENT,  /* enum event_type, and the other enums */
	JSONL_END,
	JSONL_CAUSE,
	JSONL_WAKER,
	JSONL_SYSCALL, /* the name of a number */
	JSONL_CAPABILITIES,
	JSONL_FLAGS,
	JSONL_FORMS
};

struct jsonl_field {
	const char *name;
	uint16_t offset; /* in struct event */
	uint8_t size;    /* of a number: 1, 2, 4 or 8 bytes */
	uint8_t form;    /* enum jsonl_form */
	const char *about;
};

/* Of all events. */
#define JSONL_COMMON 3
extern const struct jsonl_field jsonl_common[JSONL_COMMON];

struct jsonl_event {
	const char *about;
	const struct jsonl_field *fields;
	uint8_t nfields;
};

/* By enum event_type; [0] is empty. */
extern const struct jsonl_event jsonl_events[EVENT_TYPES];

/* The JSON Schema of a form. */
const char *jsonl_form_schema(enum jsonl_form form);

/*
 * Writes a field's value. arch: what system calls are named by. Returns 0, or an error where it is not whole; others are
 * the stream's.
 */
int jsonl_value_print(const struct jsonl_field *field, const struct event *event, const char *arch,
		      FILE *out);

#endif
