/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_EMIT_FLAME_JSON_H
#define POLLSCOPE_EMIT_FLAME_JSON_H

#include <stdio.h>

#include "core/model.h"
#include "emit/flame.h"

/*
 * Prints a flame as one JSON document, schema pollscope.flame/1: {"capture", "total_ns", "stacks": [{"frames":
 * root first, "ns"}]}. A comparison adds "base": {"capture", "total_ns"}, and to each stack "base_ns".
 * Returns 0, -ENOMEM or -EIO.
 */
int emit_flame_json(const struct model *model, const struct flame *flame, FILE *out);

#endif
