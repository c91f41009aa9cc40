/* SPDX-License-Identifier: MIT */
/* Which rows of the table of probe sites belong to whom. */
#ifndef POLLSCOPE_ATTACH_SITES_H
#define POLLSCOPE_ATTACH_SITES_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/adapter.h"
#include "bpf/events.h"

/* All zero: none is taken. */
struct sites {
	uint16_t owner[PROBE_SITES]; /* source + 1; 0: free */
};

/*
 * Numbers points from 0 by their sites: those that are the same in all but the point get one row, which a
 * search through the last rows finds. Fills in row of each; returns how many rows there are.
 */
size_t sites_number(const struct probe_point *points, size_t n, uint32_t *row);

/* Takes n rows in a row for a source; returns the first, or -ENOSPC. */
int sites_take(struct sites *sites, uint16_t source, size_t n);

/* Gives all rows of a source back. */
void sites_give_back(struct sites *sites, uint16_t source);

#endif
