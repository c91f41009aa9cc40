/* SPDX-License-Identifier: MIT */
/*
 * The formats of `pollscope export`, for other tools to read. To add one write its file, and add its line
 * to the table in export.c.
 */
#ifndef POLLSCOPE_EMIT_EXPORT_H
#define POLLSCOPE_EMIT_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/event.h"

struct model;

/*
 * A format that is made while the events come. Its sink returns 0, -ENOMEM, or -EIO where the file does
 * not take what is written.
 */
struct export_stream {
	struct event_sink sink; /* first, so that one is the other */
	/* Writes what is still to be written, once all events have come; 0, -ENOMEM or -EIO. */
	int (*finish)(struct export_stream *stream);
	/* Frees the stream, finished or not. */
	void (*free)(struct export_stream *stream);
};

struct export_format {
	const char *name; /* of -f */
	const char *help; /* a few words */
	bool binary;      /* not for a terminal */
	/* What it is made of: a model, returning 0, -ENOMEM or -EIO, or events, NULL without memory. One is set. */
	int (*emit)(const struct model *model, FILE *out);
	struct export_stream *(*open)(FILE *out);
	/* Events again, once it is known what they add up to. The model outlives the stream. */
	struct export_stream *(*open_second)(const struct model *model, FILE *out);
	/* Prints a description of the format; NULL: it is documented elsewhere. As emit(). */
	int (*schema)(FILE *out);
};

/* Ends with a NULL name. */
extern const struct export_format export_formats[];

/* Returns NULL where there is none of this name. */
const struct export_format *export_format_find(const char *name);

#endif
