/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_EMIT_REPORT_JSON_H
#define POLLSCOPE_EMIT_REPORT_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "core/model.h"

/*
 * Prints the report as one JSON document, schema pollscope.report/1. `sort` orders the task types
 * (emit/sort.h; NULL: as the model has them). Returns 0, -ENOMEM or -EIO.
 */
int emit_report_json(const struct model *model, const char *sort, FILE *out);

/* The "capture" object that every document has. NULL without memory. */
json_t *emit_capture_json(const struct model *model);

#endif
