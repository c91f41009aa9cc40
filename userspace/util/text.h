/* SPDX-License-Identifier: MIT */
/*
 * Text for people: units scaled, foreign strings made harmless, widths in terminal columns.
 *
 * Strings are NUL-terminated bytes that ought to be UTF-8 and may be anything.
 */
#ifndef POLLSCOPE_UTIL_TEXT_H
#define POLLSCOPE_UTIL_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* A short text by value: text_duration(ns).s lives to the end of the expression. */
struct text_short {
	char s[32];
};

/* Three digits and a unit: "0", "999ns", "12.3µs", "1.23s", then "2m03s", "3h04m", "5d06h". */
struct text_short text_duration(uint64_t ns);

/* As it is below 100000, then three digits: "123k", "1.23M". */
struct text_short text_count(uint64_t count);

/* As it is, digits in groups of three: "1,234,567". */
struct text_short text_grouped(uint64_t count);

/* "512 B", "1.50 KiB", "12.3 MiB". */
struct text_short text_bytes(uint64_t bytes);

/* "0%", "<0.1%", "12.3%", "100%"; "0%" of nothing. */
struct text_short text_share(uint64_t part, uint64_t whole);

/* "2025-01-31 23:59:59 UTC" of nanoseconds since 1970. */
struct text_short text_date(uint64_t unix_ns);

/*
 * Decodes the character that s begins with. Returns its length in bytes, 1 to 4, or 0 where s
 * begins with no valid one or is at its end. Overlong forms and surrogates are not valid (RFC
 * 3629).
 */
size_t text_decode(const char *s, uint32_t *character);

/* Returns a copy in which U+FFFD stands for each invalid byte; to be freed. NULL without memory. */
char *text_utf8(const char *s);

/*
 * Returns a copy that is safe on a terminal, on one line and in XML once escaped for that: invalid
 * bytes, control characters, characters that reorder text and each ASCII character in `also` become
 * \xHH, \uHHHH or \UHHHHHHHH. To be freed; NULL without memory.
 */
char *text_escape(const char *s, const char *also);

/* Terminal columns of s; an invalid byte counts one. */
size_t text_width(const char *s);

/*
 * Returns a copy of at most `columns` terminal columns, with … in the place of what had to be cut:
 * the middle, because what tells long names apart is mostly at their end; below 12 columns the end.
 * To be freed; NULL without memory.
 */
char *text_shorten(const char *s, size_t columns);

#endif
