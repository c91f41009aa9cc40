/* SPDX-License-Identifier: MIT */
/*
 * Events as lines of JSON, in the order in which they came: for scripts, jq, databases. What a line holds
 * is told by emit_jsonl_schema(), from the same table.
 */
#ifndef POLLSCOPE_EMIT_JSONL_H
#define POLLSCOPE_EMIT_JSONL_H

#include <stdio.h>

struct export_stream;

/* Holds nothing but the event at hand. NULL without memory. */
struct export_stream *emit_jsonl_open(FILE *out);

/* Prints the JSON Schema of a line. Returns 0, -ENOMEM or -EIO. */
int emit_jsonl_schema(FILE *out);

#endif
