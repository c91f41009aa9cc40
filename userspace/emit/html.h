/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_EMIT_HTML_H
#define POLLSCOPE_EMIT_HTML_H

#include <stdio.h>

#include "core/model.h"
#include "emit/flame.h"

/*
 * Prints the report as one self-contained HTML file: what stands out, workers over time, tables of
 * task types, slowest polls, jobs and tasks, and the flame. All of it is there without scripts; they sort, search,
 * fold and zoom. `sort` orders task types (emit/sort.h); NULL: as is the default. Returns 0,
 * -ENOMEM or -EIO.
 */
int emit_html(const struct model *model, const struct flame *flame, const char *sort, FILE *out);

#endif
