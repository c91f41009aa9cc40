/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_EMIT_REPORT_TABLE_H
#define POLLSCOPE_EMIT_REPORT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "core/model.h"

#define TABLE_WIDTH_FREE 400 /* columns where no terminal limits them: ordinary names are whole */

/* How the report looks on a terminal. Zero everywhere is a sound default. */
struct table_options {
	unsigned width;   /* columns; 0: TABLE_WIDTH_FREE; fewer than 60 are taken as 60 */
	bool color;       /* ANSI escape sequences */
	bool verbose;     /* stacks, single tasks, and nothing abridged */
	const char *sort; /* of task types (emit/sort.h); NULL: polling time */
	unsigned types;   /* task types at most; 0: 20, verbose: all */
	unsigned polls;   /* slowest polls at most; 0: 10 */
	unsigned tasks;   /* single tasks at most, verbose only; 0: 20 */
};

/* Prints the report for people, UTF-8. Returns 0, -ENOMEM or -EIO. */
int emit_report_table(const struct model *model, const struct table_options *options, FILE *out);

#endif
