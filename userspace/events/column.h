/* SPDX-License-Identifier: MIT */
/*
 * Columns of numbers as bytes, being written and being read. Numbers are LEB128 varints; signed
 * ones are zigzag-encoded first, so that small ones of either sign are short.
 */
#ifndef POLLSCOPE_EVENTS_COLUMN_H
#define POLLSCOPE_EVENTS_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLUMN_VARINT_BYTES 10 /* the longest */

/* All zero is an empty one. */
struct column {
	uint8_t *bytes;
	size_t n, capacity;
};

/* Room for `size` more bytes. Returns false without memory. */
bool column_reserve(struct column *column, size_t size);

/* Returns false without memory. */
bool column_put_bytes(struct column *column, const void *bytes, size_t size);

/* Zeros at the end of a column go without saying: they are what a reader finds behind it. */
void column_trim(struct column *column);

void column_release(struct column *column);

/* Returns the number's size, 0 without memory. */
static inline size_t column_put(struct column *column, uint64_t value)
{
	uint8_t *begin, *at;

	if (__builtin_expect(column->capacity - column->n < COLUMN_VARINT_BYTES, 0) &&
	    !column_reserve(column, COLUMN_VARINT_BYTES))
		return 0;
	begin = at = column->bytes + column->n;
	while (value >= 0x80) {
		*at++ = (uint8_t)value | 0x80;
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	column->n += (size_t)(at - begin);
	return (size_t)(at - begin);
}

static inline uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static inline uint64_t unzigzag(uint64_t value)
{
	return value >> 1 ^ -(value & 1);
}

/* What is left to read of a column. */
struct cursor {
	const uint8_t *at, *end;
};

static inline size_t cursor_left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

/* How many numbers are left, but not more than `most`. */
size_t cursor_count(const struct cursor *cursor, size_t most);

/* cursor_get() for numbers that are long or cut. */
uint64_t cursor_get_long(struct cursor *cursor, bool *bad);

/* The next number; zeros follow the end. *bad is set where a number has no end or is too long. */
static inline uint64_t cursor_get(struct cursor *cursor, bool *bad)
{
	uint64_t value;

	if (cursor->at == cursor->end)
		return 0;
	if (*cursor->at < 0x80)
		return *cursor->at++;
	if (cursor->end - cursor->at < 2 || cursor->at[1] >= 0x80)
		return cursor_get_long(cursor, bad);
	value = (cursor->at[0] & 0x7f) | (uint64_t)cursor->at[1] << 7;
	cursor->at += 2;
	return value;
}

/* A number below a bound, else 0 and *bad. */
static inline uint64_t cursor_get_below(struct cursor *cursor, uint64_t bound, bool *bad)
{
	uint64_t value = cursor_get(cursor, bad);

	if (value < bound)
		return value;
	*bad = true;
	return 0;
}

#endif
