/* SPDX-License-Identifier: MIT */
/*
 * The fixed parts of a recording, as recording.h describes them, to bytes and back.
 */
#ifndef POLLSCOPE_EVENTS_FORMAT_H
#define POLLSCOPE_EVENTS_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "events/chunk.h"

#define FORMAT_FILE_BYTES 16
#define FORMAT_CHUNK_BYTES 56
#define FORMAT_MAGIC_BYTES 4 /* of a chunk */

enum format_chunk_type { FORMAT_EVENTS = 1, FORMAT_END = 2 };

struct format_chunk {
	uint16_t type; /* enum format_chunk_type */
	uint32_t number;
	uint64_t size;
	uint64_t raw_size;
	uint64_t events;
	uint64_t first_time, last_time;
};

/* What each chunk begins with. */
extern const uint8_t format_chunk_magic[FORMAT_MAGIC_BYTES];

void format_write_file(uint8_t bytes[FORMAT_FILE_BYTES]);

/* Returns false where the bytes are not the header of a recording. */
bool format_read_file(const uint8_t bytes[FORMAT_FILE_BYTES], uint16_t *major, uint16_t *minor);

void format_write_chunk(uint8_t bytes[FORMAT_CHUNK_BYTES], const struct format_chunk *chunk);

/* Returns false where the bytes are not a chunk's header, or its sizes are beyond the limits. */
bool format_read_chunk(const uint8_t bytes[FORMAT_CHUNK_BYTES], struct format_chunk *chunk);

#endif
