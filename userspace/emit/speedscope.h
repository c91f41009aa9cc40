/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_EMIT_SPEEDSCOPE_H
#define POLLSCOPE_EMIT_SPEEDSCOPE_H

#include <stdio.h>

#include "core/model.h"

/*
 * Writes a file for https://www.speedscope.app: sampled profiles in nanoseconds, first of all time inside polls (FLAME_WALL),
 * then of each task type's, longest first. Stacks in them have no order in time. Returns 0, -ENOMEM or -EIO.
 */
int emit_speedscope(const struct model *model, FILE *out);

#endif
