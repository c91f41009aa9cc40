/* SPDX-License-Identifier: MIT */
/*
 * Reading bytes that nobody vouches for, in order, as the encodings of DWARF need it. A read beyond the
 * end gives 0 and leaves the reader bad, for good: what was read is checked once, behind the last read.
 */
#ifndef POLLSCOPE_UTIL_READER_H
#define POLLSCOPE_UTIL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What is left to read. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static inline size_t reader_left(const struct reader *r)
{
	return r->end - r->at;
}

static inline void reader_fail(struct reader *r)
{
	r->bad = true;
	r->at = r->end;
}

/* An unsigned number of n bytes, at most 8, little-endian as we are. */
static inline uint64_t reader_bytes(struct reader *r, size_t n)
{
	uint64_t value = 0;

	if (reader_left(r) < n) {
		reader_fail(r);
		return 0;
	}
	memcpy(&value, r->at, n);
	r->at += n;
	return value;
}

static inline void reader_skip(struct reader *r, uint64_t n)
{
	if (reader_left(r) < n)
		reader_fail(r);
	else
		r->at += n;
}

/* The next n bytes, as a reader of their own; they are skipped. */
static inline struct reader reader_part(struct reader *r, uint64_t n)
{
	struct reader part = *r;

	reader_skip(r, n);
	part.bad = r->bad;
	part.end = r->at;
	if (part.bad)
		part.at = part.end;
	return part;
}

/* LEB128; bits beyond 64 are dropped. */
static inline uint64_t reader_leb(struct reader *r, bool is_signed)
{
	unsigned int shift = 0;
	uint64_t value = 0;
	uint8_t byte;

	do {
		byte = reader_bytes(r, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && shift < 64 && byte & 0x40)
		value |= ~0ULL << shift;
	return value;
}

static inline uint64_t reader_uleb(struct reader *r)
{
	return reader_leb(r, false);
}

static inline int64_t reader_sleb(struct reader *r)
{
	return reader_leb(r, true);
}

#endif
