// SPDX-License-Identifier: MIT
#include "util/utf8.h"

#include <stdint.h>
#include <string.h>

#include "util/text.h"

void utf8_sanitize(char *s)
{
	uint32_t c;

	while (*s) {
		size_t length;

		if (*s >= 0x20 && *s < 0x7f) {
			s++;
			continue;
		}
		length = text_decode(s, &c);
		if (!length || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
			memset(s, '?', length ? length : 1);
			s += length ? length : 1;
			continue;
		}
		s += length;
	}
}

void utf8_copy(char *dst, const char *src, size_t n)
{
	n = strnlen(src, n);
	memcpy(dst, src, n);
	dst[n] = '\0';
	utf8_sanitize(dst);
}
