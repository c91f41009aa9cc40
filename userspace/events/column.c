// SPDX-License-Identifier: MIT
#include "events/column.h"

#include <stdlib.h>
#include <string.h>

bool column_reserve(struct column *column, size_t size)
{
	size_t capacity = column->capacity ? column->capacity : 256;
	uint8_t *bytes;

	if (column->capacity - column->n >= size)
		return true;
	while (capacity - column->n < size)
		capacity *= 2;
	bytes = realloc(column->bytes, capacity);
	if (!bytes)
		return false;
	column->bytes = bytes;
	column->capacity = capacity;
	return true;
}

bool column_put_bytes(struct column *column, const void *bytes, size_t size)
{
	if (!column_reserve(column, size))
		return false;
	if (size)
		memcpy(column->bytes + column->n, bytes, size);
	column->n += size;
	return true;
}

void column_trim(struct column *column)
{
	while (column->n && !column->bytes[column->n - 1])
		column->n--;
}

void column_release(struct column *column)
{
	free(column->bytes);
}

size_t cursor_count(const struct cursor *cursor, size_t most)
{
	size_t n = 0;

	/* The bytes that end a number. */
	for (const uint8_t *at = cursor->at; at < cursor->end; at++)
		n += *at < 0x80;
	return n < most ? n : most;
}

uint64_t cursor_get_long(struct cursor *cursor, bool *bad)
{
	const uint8_t *at = cursor->at;
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64 && at < cursor->end; shift += 7) {
		uint8_t byte = *at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			cursor->at = at;
			return value;
		}
	}
	*bad = true;
	cursor->at = cursor->end;
	return 0;
}
