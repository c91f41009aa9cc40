/* SPDX-License-Identifier: MIT */
/*
 * The payload of a recording's chunk: some events, each (event type, field) in a column of its own,
 * then compressed. Payloads stand alone: dictionaries and predictions start anew in each.
 *
 * A payload is a zstd frame with a content checksum. In it, as varints (LEB128, little end first):
 *
 *	number of columns
 *	for each column		its number, its length in bytes
 *	the columns' bytes, in the same order
 *
 * Columns 0 to 5 are
 *
 *	0 types		one byte for each event, in the order of events
 *	1 threads	dictionary of thread ids: signed differences
 *	2 tasks		dictionary of task ids: likewise; an entry 0 comes before
 *	3 kinds		dictionary of kinds: likewise
 *	4 strings	each ends with a NUL
 *	5 stacks	number of kernel frames, number of user frames, the frames' signed
 *			differences to the frame before, of whatever stack
 *
 * and 256 * event type + field number the fields (schema.h), a number for each event of the type;
 * of wide fields without its lowest byte, and these bytes are the column 128 above it. A column
 * that is missing, or ends early, goes on with zeros, so that what is constant or predicted costs
 * nothing, and fields that were not yet known to the writer can be read. Columns that the reader
 * does not know are ignored; events of a type that it does not know are counted, and move the time
 * on.
 */
#ifndef POLLSCOPE_EVENTS_CHUNK_H
#define POLLSCOPE_EVENTS_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

enum chunk_column {
	CHUNK_TYPES,
	CHUNK_THREADS,
	CHUNK_TASKS,
	CHUNK_KINDS,
	CHUNK_STRINGS,
	CHUNK_STACKS,
	CHUNK_SHARED_COLUMNS,
};

#define CHUNK_LOW_COLUMN 128

#define CHUNK_TARGET_BYTES (512 * 1024)    /* raw, where a chunk is worth writing */
#define CHUNK_MAX_BYTES (16 * 1024 * 1024) /* raw or stored; more is refused */
#define CHUNK_MAX_EVENTS (1024 * 1024)     /* and the same of entries in each dictionary */

/* A payload and what its chunk's header says of it. */
struct chunk {
	const void *payload;
	size_t size;     /* of the payload */
	size_t raw_size; /* decompressed */
	uint32_t events;
	uint64_t first_time, last_time; /* least and greatest; 0 without events */
};

/* ---- writing --------------------------------------------------------------------------------- */

struct chunk_writer;

/* Returns NULL without memory. */
struct chunk_writer *chunk_writer_new(void);
void chunk_writer_free(struct chunk_writer *writer);

/*
 * Adds an event. Strings, stacks and symbols beyond the limits of check.h are cut. Returns 0,
 * -EINVAL for a type without a schema, or -ENOMEM, after which the chunk cannot be finished.
 */
int chunk_writer_add(struct chunk_writer *writer, const struct event *event);

/* Bytes so far, before compression. */
size_t chunk_writer_bytes(const struct chunk_writer *writer);

/*
 * Compresses what was added and begins a new chunk. The payload belongs to the writer and is valid
 * until the next call. Returns 0 or -ENOMEM.
 */
int chunk_writer_finish(struct chunk_writer *writer, struct chunk *chunk);

/* ---- reading --------------------------------------------------------------------------------- */

struct chunk_counts {
	uint64_t events[EVENT_TYPES]; /* delivered, by type */
	uint64_t unknown;             /* of types that this version does not know */
	uint64_t unsound;             /* not delivered: values that cannot be (check.h) */
};

struct chunk_reader;

/* Returns NULL without memory. */
struct chunk_reader *chunk_reader_new(void);
void chunk_reader_free(struct chunk_reader *reader);

/*
 * Gives a chunk's events to the sink and adds to the counts. *damaged is set where the payload is
 * not what its header says; events before the damage have been given then, none if the checksum
 * shows it. Returns 0, -ENOMEM or the sink's error.
 */
int chunk_reader_read(struct chunk_reader *reader, const struct chunk *chunk,
		      struct event_sink *sink, struct chunk_counts *counts, bool *damaged);

#endif
