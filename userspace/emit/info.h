/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_EMIT_INFO_H
#define POLLSCOPE_EMIT_INFO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/model.h"
#include "emit/report_table.h"

/* What reading a recording showed about the file itself; the rest is in the model. */
struct recording_summary {
	const char *path;
	uint32_t version_major, version_minor;
	uint64_t bytes, raw_bytes; /* stored, decompressed */
	uint64_t chunks;           /* of events, without damage */
	uint64_t damaged_chunks;   /* damaged or missing */
	uint64_t damaged_bytes;
	bool truncated;               /* the end is missing */
	uint64_t events[EVENT_TYPES]; /* by type */
	uint64_t unknown_events;      /* of types that this version does not know; skipped */
	uint64_t unsound_events;      /* with values that cannot be; skipped */
};

/* Prints what a recording holds for people; of options, width, color and verbose count. 0, -ENOMEM,
 * -EIO. */
int emit_info_text(const struct model *model, const struct recording_summary *recording,
		   const struct table_options *options, FILE *out);

/* The same as one JSON document, schema pollscope.info/1. 0, -ENOMEM or -EIO. */
int emit_info_json(const struct model *model, const struct recording_summary *recording, FILE *out);

#endif
