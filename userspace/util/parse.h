/* SPDX-License-Identifier: MIT */
/* Quantities as people type them. */
#ifndef POLLSCOPE_UTIL_PARSE_H
#define POLLSCOPE_UTIL_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* "500ms", "1.5s", "2m", "10us", "1h"; only 0 goes without a unit. Nanoseconds; false: not such a text. */
bool parse_duration(const char *text, uint64_t *ns);

/* "8M", "512K", "1G", "4096": bytes, in powers of 1024. */
bool parse_size(const char *text, uint64_t *bytes);

/* A whole decimal number up to max. */
bool parse_number(const char *text, uint64_t max, uint64_t *number);

#endif
