/* SPDX-License-Identifier: MIT */
/* The map of polls that sampling left out. */
#ifndef POLLSCOPE_ATTACH_SKIPPED_H
#define POLLSCOPE_ATTACH_SKIPPED_H

#include <stdint.h>

/* As tracer_skipped(). */
int skipped_each(int map, int (*each)(void *ctx, uint16_t source, uint64_t kind, uint64_t polls),
		 void *ctx);

/* Empties it. */
void skipped_forget(int map);

#endif
