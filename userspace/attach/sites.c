// SPDX-License-Identifier: MIT
#include "attach/sites.h"

#include <errno.h>
#include <string.h>

/* An unmodified Tokio's vtables are thousands, with a few dozen layouts of tasks. */
#define SEARCHED 256

size_t sites_number(const struct probe_point *points, size_t n, uint32_t *row)
{
	uint32_t last[SEARCHED]; /* a point of each of the last rows, by row */
	size_t rows = 0;

	for (size_t i = 0; i < n; i++) {
		size_t first = rows > SEARCHED ? rows - SEARCHED : 0, found = first;

		while (found < rows && memcmp(&points[last[found % SEARCHED]].site, &points[i].site,
					      sizeof(points[i].site)))
			found++;
		if (found == rows)
			last[rows++ % SEARCHED] = i;
		row[i] = found;
	}
	return rows;
}

int sites_take(struct sites *sites, uint16_t source, size_t n)
{
	size_t run = 0, end;

	if (n > PROBE_SITES)
		return -ENOSPC;
	for (end = 0; end < PROBE_SITES && run < n; end++)
		run = sites->owner[end] ? 0 : run + 1;
	if (run < n)
		return -ENOSPC;
	for (size_t i = end - n; i < end; i++)
		sites->owner[i] = source + 1;
	return end - n;
}

void sites_give_back(struct sites *sites, uint16_t source)
{
	for (size_t i = 0; i < PROBE_SITES; i++)
		if (sites->owner[i] == source + 1)
			sites->owner[i] = 0;
}
