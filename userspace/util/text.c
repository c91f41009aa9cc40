// SPDX-License-Identifier: MIT
#include "util/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ELLIPSIS "…"
#define TEXT_BOTH_ENDS 12

/* value / unit with three digits, or more where there are more before the point. */
static struct text_short scaled(uint64_t value, uint64_t unit, const char *name)
{
	struct text_short text;
	unsigned power = 100;
	uint64_t digits;
	int decimals;

	for (decimals = 2;; decimals--, power /= 10) {
		digits = (uint64_t)(((__uint128_t)value * power + unit / 2) / unit);
		if (digits < 1000 || !decimals)
			break;
	}
	if (decimals)
		snprintf(text.s, sizeof(text.s), "%u.%0*u%s", (unsigned)digits / power, decimals,
			 (unsigned)digits % power, name);
	else
		snprintf(text.s, sizeof(text.s), "%llu%s", (unsigned long long)digits, name);
	return text;
}

/* Two units, the lesser with two digits. */
static struct text_short paired(uint64_t value, uint64_t unit, char name, uint64_t lesser,
				char lesser_name)
{
	struct text_short text;

	snprintf(text.s, sizeof(text.s), "%llu%c%02llu%c", (unsigned long long)(value / unit), name,
		 (unsigned long long)(value % unit / lesser), lesser_name);
	return text;
}

struct text_short text_duration(uint64_t ns)
{
	uint64_t seconds = ns / 1000000000;
	struct text_short text;

	if (ns < 1000) {
		snprintf(text.s, sizeof(text.s), ns ? "%uns" : "%u", (unsigned)ns);
		return text;
	}
	if (ns < 999500)
		return scaled(ns, 1000, "µs");
	if (ns < 999500000)
		return scaled(ns, 1000000, "ms");
	if (ns < 59950000000)
		return scaled(ns, 1000000000, "s");
	seconds += ns % 1000000000 >= 500000000;
	if (seconds < 3600)
		return paired(seconds, 60, 'm', 1, 's');
	if (seconds < 86400)
		return paired(seconds, 3600, 'h', 60, 'm');
	return paired(seconds, 86400, 'd', 3600, 'h');
}

struct text_short text_count(uint64_t count)
{
	struct text_short text;

	if (count < 100000) {
		snprintf(text.s, sizeof(text.s), "%u", (unsigned)count);
		return text;
	}
	if (count < 999500)
		return scaled(count, 1000, "k");
	if (count < 999500000)
		return scaled(count, 1000000, "M");
	if (count < 999500000000)
		return scaled(count, 1000000000, "G");
	return scaled(count, 1000000000000, "T");
}

struct text_short text_grouped(uint64_t count)
{
	struct text_short text;
	char digits[24];
	size_t length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count), n = 0;

	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			text.s[n++] = ',';
		text.s[n++] = digits[i];
	}
	text.s[n] = '\0';
	return text;
}

struct text_short text_bytes(uint64_t bytes)
{
	static const char *const names[] = {" KiB", " MiB", " GiB", " TiB"};
	struct text_short text;
	uint64_t unit = 1024;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(text.s, sizeof(text.s), "%u B", (unsigned)bytes);
		return text;
	}
	while (i < 3 && bytes / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	return scaled(bytes, unit, names[i]);
}

struct text_short text_share(uint64_t part, uint64_t whole)
{
	double share = whole ? 100.0 * (double)part / (double)whole : 0;
	struct text_short text;

	if (!part || !whole)
		snprintf(text.s, sizeof(text.s), "0%%");
	else if (share < 0.1)
		snprintf(text.s, sizeof(text.s), "<0.1%%");
	else if (part == whole)
		snprintf(text.s, sizeof(text.s), "100%%");
	else
		snprintf(text.s, sizeof(text.s), "%.1f%%", share);
	return text;
}

struct text_short text_date(uint64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	struct text_short text;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) ||
	    !strftime(text.s, sizeof(text.s), "%Y-%m-%d %H:%M:%S UTC", &tm))
		snprintf(text.s, sizeof(text.s), "?");
	return text;
}

size_t text_decode(const char *s, uint32_t *character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)s[0];
	size_t length = first < 0x80   ? 1
			: first < 0xc2 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
			: first < 0xf5 ? 4
				       : 0;
	uint32_t c;

	if (!first || !length)
		return 0;
	c = length == 1 ? first : first & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*character = c;
	return length;
}

char *text_utf8(const char *s)
{
	char *copy = malloc(3 * strlen(s) + 1), *out = copy;
	uint32_t c;

	if (!copy)
		return NULL;
	while (*s) {
		size_t length = text_decode(s, &c);

		memcpy(out, length ? s : "\xef\xbf\xbd", length ? length : 3);
		out += length ? length : 3;
		s += length ? length : 1;
	}
	*out = '\0';
	return copy;
}

struct text_range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct text_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

/* Controls, marks that reorder or break lines, tags, and what XML has no form for. */
static bool is_harmful(uint32_t c)
{
	static const struct text_range harmful[] = {
		{0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},
		{0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
		{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};

	return in_ranges(c, harmful, sizeof(harmful) / sizeof(harmful[0])) ||
	       (c & 0xfffe) == 0xfffe;
}

char *text_escape(const char *s, const char *also)
{
	/* At most four bytes for one: \xHH; \uHHHH stands for two bytes or more, \UHHHHHHHH for
	 * four. */
	char *copy = malloc(4 * strlen(s) + 1), *out = copy;
	uint32_t c;

	if (!copy)
		return NULL;
	while (*s) {
		size_t length = text_decode(s, &c);

		if (!length)
			out += sprintf(out, "\\x%02x", (unsigned char)*s);
		else if (c < 0x80 && (is_harmful(c) || strchr(also, (int)c)))
			out += sprintf(out, "\\x%02x", (unsigned)c);
		else if (is_harmful(c))
			out += sprintf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)c);
		else
			out = (char *)memcpy(out, s, length) + length;
		s += length ? length : 1;
	}
	*out = '\0';
	return copy;
}

static size_t character_width(uint32_t c)
{
	static const struct text_range none[] = {
		{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},     {0x610, 0x61a},
		{0x64b, 0x65f},   {0x200b, 0x200f}, {0x2060, 0x2064},   {0x20d0, 0x20ff},
		{0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
	};
	static const struct text_range wide[] = {
		{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97f},
		{0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
		{0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
		{0x20000, 0x3fffd},
	};

	if (in_ranges(c, none, sizeof(none) / sizeof(none[0])))
		return 0;
	return in_ranges(c, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
}

/* Length and width of what s, not at its end, begins with. */
static size_t step(const char *s, size_t *width)
{
	uint32_t c;
	size_t length = text_decode(s, &c);

	*width = length ? character_width(c) : 1;
	return length ? length : 1;
}

size_t text_width(const char *s)
{
	size_t width = 0, one;

	while (*s) {
		s += step(s, &one);
		width += one;
	}
	return width;
}

char *text_shorten(const char *s, size_t columns)
{
	size_t width = text_width(s), head, skipped, used = 0, one;
	const char *tail;
	char *copy;

	if (width <= columns)
		return strdup(s);
	if (!columns)
		return strdup("");
	head = columns < TEXT_BOTH_ENDS ? columns - 1 : (columns - 1) / 2;
	skipped = width - (columns - 1 - head);
	copy = malloc(strlen(s) + sizeof(ELLIPSIS));
	if (!copy)
		return NULL;
	for (tail = s; *tail; used += one) {
		size_t length = step(tail, &one);

		if (used + one > head)
			break;
		tail += length;
	}
	memcpy(copy, s, tail - s);
	strcpy(copy + (tail - s), ELLIPSIS);
	while (*tail && used < skipped) {
		tail += step(tail, &one);
		used += one;
	}
	return strcat(copy, tail);
}
