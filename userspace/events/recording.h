/* SPDX-License-Identifier: MIT */
/*
 * Recordings: events in a file, to be replayed as if they were live.
 *
 * A file is a header and then chunks, written one after the other and never changed; each stands
 * alone. All numbers are little-endian.
 *
 *	file header	u8[8] magic, u16 major, u16 minor, u32 CRC of the 12 bytes before
 *	chunk header	u32 magic, u32 CRC of the 48 bytes behind it,
 *			u16 type (1 events, 2 end), u16 0, u32 number of the chunk, from 0,
 *			u64 payload size, u64 raw size, u64 events, u64 first time, u64 last time
 *	payload		chunk.h
 *
 * CRC is CRC-32 as libiberty's xcrc32 has it, from 0xffffffff. The end chunk has no payload: it
 * tells a recording that is complete from one that is cut, because its writer was killed or its
 * disk was full; its events are those of the whole recording. Within a major version, readers skip
 * chunk types, columns and event types that they do not know.
 *
 * Nothing in a file is trusted. A chunk that is damaged or missing is skipped and counted, the next
 * one found by its magic. A reader holds at most CHUNK_MAX_BYTES of stored and of raw bytes, and a
 * small multiple of it in dictionaries.
 *
 * Minor versions: 1 added sampling, skipped, kind.full, overhead.skip_ns and terminate.kind; and
 * the flag EVENT_UNWOUND, with marks in stacks (core/stack_end.h). 2 added await
 * and overhead.await_ns.
 */
#ifndef POLLSCOPE_EVENTS_RECORDING_H
#define POLLSCOPE_EVENTS_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"

#define RECORDING_MAJOR 1
#define RECORDING_MINOR 2

/* ---- writing --------------------------------------------------------------------------------- */

struct recording_writer;

/*
 * Creates the file, or replaces what it held, and writes the header. Returns 0 or a negative errno;
 * what a failed call created is removed.
 */
int recording_writer_open(const char *path, struct recording_writer **writer);

/* The same on an open file or pipe, of which the writer takes possession, also where it fails. */
int recording_writer_open_fd(int fd, struct recording_writer **writer);

/*
 * Where events go. Chunks are written when they are large enough. take() returns 0 or what
 * prevented a chunk from being written: -ENOSPC, -EPIPE (ignore SIGPIPE), -EIO, -ENOMEM, ... From
 * then on nothing is written and all calls return that error; of the chunk that failed nothing is
 * left where the file can be shortened.
 */
struct event_sink *recording_writer_sink(struct recording_writer *writer);

/* Writes what is held as a chunk, now. What is before it survives the writer's death. */
int recording_writer_flush(struct recording_writer *writer);

/* Bytes written so far. */
uint64_t recording_writer_bytes(const struct recording_writer *writer);

/* Flushes, writes the end, closes, and frees the writer in any case; NULL is fine. */
int recording_writer_close(struct recording_writer *writer);

/* ---- reading --------------------------------------------------------------------------------- */

struct recording_stats {
	uint16_t major, minor;
	uint64_t bytes;          /* read */
	uint64_t raw_bytes;      /* decompressed */
	uint64_t chunks;         /* of events, without damage */
	uint64_t damaged_chunks; /* damaged, or missing between two others */
	uint64_t damaged_bytes;  /* that belong to no chunk that could be read */
	bool cut; /* the end is missing: the writer died, or the file was truncated */
	uint64_t events[EVENT_TYPES];   /* by type */
	uint64_t unknown_events;        /* of types that this version does not know; skipped */
	uint64_t unsound_events;        /* with values that cannot be; skipped */
	uint64_t first_time, last_time; /* of events in chunks that could be read; 0: none */
};

struct recording;

/*
 * Opens a recording; a pipe will do. Returns 0 or a negative errno: -EBADMSG where it is none or
 * its header is damaged, -ENOTSUP where its version is newer than RECORDING_MAJOR, -ENOMEM, or what
 * open(2) and read(2) say. *major is the file's major version, 0 where that could not be read.
 */
int recording_open(const char *path, struct recording **recording, uint16_t *major);

/*
 * Gives all events to the sink, in the order in which they were taken. Returns 0 at the end of the
 * file, whatever was damaged, or the sink's error, or what read(2) says. Call it once.
 */
int recording_read(struct recording *recording, struct event_sink *sink);

/* What was found; complete once everything was read. Lives as long as the recording. */
const struct recording_stats *recording_stats(const struct recording *recording);

void recording_close(struct recording *recording);

#endif
