/* SPDX-License-Identifier: MIT */
/*
 * What event strings must be: UTF-8 without control characters.
 */
#ifndef POLLSCOPE_UTIL_UTF8_H
#define POLLSCOPE_UTIL_UTF8_H

#include <stddef.h>

/*
 * Puts '?' in the place of each byte of s that is invalid or part of a control character (C0, DEL,
 * C1).
 */
void utf8_sanitize(char *s);

/*
 * Copies at most n bytes, up to the first NUL, into dst, which has room for n + 1; sanitizes the
 * copy.
 */
void utf8_copy(char *dst, const char *src, size_t n);

#endif
