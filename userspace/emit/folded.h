/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_EMIT_FOLDED_H
#define POLLSCOPE_EMIT_FOLDED_H

#include <stdio.h>

#include "emit/flame.h"

/*
 * Prints folded stacks, "root;frame;…;leaf N", sorted bytewise. N is in microseconds, rounded once
 * over the whole flame by largest remainder; stacks that come to 0 are left out. A comparison has two
 * numbers, of the base and its own, in microseconds a second of capture: as differential flame graphs
 * are made from. Returns 0, -ENOMEM or -EIO.
 */
int emit_folded(const struct flame *flame, FILE *out);

#endif
