// SPDX-License-Identifier: MIT
#include "util/parse.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

/* A non-negative decimal number and one of the units, the last of which has a NULL name. */
static bool parse_quantity(const char *text, const struct unit *units, uint64_t *value)
{
	double number;
	char *end;

	if (!isdigit((unsigned char)text[0]) || (text[0] == '0' && tolower(text[1]) == 'x'))
		return false;
	number = strtod(text, &end);
	for (; units->name; units++) {
		if (strcasecmp(units->name, end))
			continue;
		number *= units->factor;
		if (!isfinite(number) || number >= 9e18)
			return false;
		*value = number + 0.5;
		return true;
	}
	return false;
}

bool parse_duration(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{"ns", 1},  {"us", 1e3}, {"µs", 1e3},   {"ms", 1e6},
		{"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {NULL, 0},
	};

	if (!strcmp(text, "0")) {
		*ns = 0;
		return true;
	}

	return parse_quantity(text, units, ns);
}

bool parse_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{"", 1},          {"K", 1 << 10}, {"KiB", 1 << 10}, {"M", 1 << 20},
		{"MiB", 1 << 20}, {"G", 1 << 30}, {"GiB", 1 << 30}, {NULL, 0},
	};

	return parse_quantity(text, units, bytes);
}

bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end && *number <= max;
}
