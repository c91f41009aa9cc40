// SPDX-License-Identifier: MIT
#include "attach/sites.h"

#include <errno.h>

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
