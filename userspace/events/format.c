// SPDX-License-Identifier: MIT
#include "events/format.h"

#include <libiberty/libiberty.h>
#include <string.h>

#include "events/recording.h"

/* Neither is text, so that a file that went through a change of line ends is known at once. */
static const uint8_t file_magic[8] = {0x89, 'P', 'S', 'R', '\r', '\n', 0x1a, '\n'};
const uint8_t format_chunk_magic[FORMAT_MAGIC_BYTES] = {0xc7, 'P', 'S', 0x01};

static uint8_t *put(uint8_t *at, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		*at++ = (uint8_t)(value >> 8 * i);
	return at;
}

static uint64_t get(const uint8_t **at, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t) * (*at)++ << 8 * i;
	return value;
}

static uint32_t checksum(const uint8_t *bytes, int size)
{
	return xcrc32(bytes, size, 0xffffffff);
}

void format_write_file(uint8_t bytes[FORMAT_FILE_BYTES])
{
	uint8_t *at = bytes + sizeof(file_magic);

	memcpy(bytes, file_magic, sizeof(file_magic));
	at = put(at, RECORDING_MAJOR, 2);
	at = put(at, RECORDING_MINOR, 2);
	put(at, checksum(bytes, FORMAT_FILE_BYTES - 4), 4);
}

bool format_read_file(const uint8_t bytes[FORMAT_FILE_BYTES], uint16_t *major, uint16_t *minor)
{
	const uint8_t *at = bytes + sizeof(file_magic);

	*major = (uint16_t)get(&at, 2);
	*minor = (uint16_t)get(&at, 2);
	return !memcmp(bytes, file_magic, sizeof(file_magic)) &&
	       get(&at, 4) == checksum(bytes, FORMAT_FILE_BYTES - 4);
}

void format_write_chunk(uint8_t bytes[FORMAT_CHUNK_BYTES], const struct format_chunk *chunk)
{
	uint8_t *at = bytes + FORMAT_MAGIC_BYTES + 4;

	memcpy(bytes, format_chunk_magic, FORMAT_MAGIC_BYTES);
	at = put(at, chunk->type, 2);
	at = put(at, 0, 2);
	at = put(at, chunk->number, 4);
	at = put(at, chunk->size, 8);
	at = put(at, chunk->raw_size, 8);
	at = put(at, chunk->events, 8);
	at = put(at, chunk->first_time, 8);
	put(at, chunk->last_time, 8);
	put(bytes + FORMAT_MAGIC_BYTES, checksum(bytes + 8, FORMAT_CHUNK_BYTES - 8), 4);
}

bool format_read_chunk(const uint8_t bytes[FORMAT_CHUNK_BYTES], struct format_chunk *chunk)
{
	const uint8_t *at = bytes + FORMAT_MAGIC_BYTES;

	if (memcmp(bytes, format_chunk_magic, FORMAT_MAGIC_BYTES) ||
	    get(&at, 4) != checksum(bytes + 8, FORMAT_CHUNK_BYTES - 8))
		return false;
	chunk->type = (uint16_t)get(&at, 2);
	get(&at, 2);
	chunk->number = (uint32_t)get(&at, 4);
	chunk->size = get(&at, 8);
	chunk->raw_size = get(&at, 8);
	chunk->events = get(&at, 8);
	chunk->first_time = get(&at, 8);
	chunk->last_time = get(&at, 8);
	return chunk->size <= CHUNK_MAX_BYTES && chunk->raw_size <= CHUNK_MAX_BYTES &&
	       (chunk->type != FORMAT_EVENTS || chunk->events <= CHUNK_MAX_EVENTS);
}
