/* SPDX-License-Identifier: MIT */
/* The report's sections. Internal to emit. */
#ifndef POLLSCOPE_EMIT_TABLE_H
#define POLLSCOPE_EMIT_TABLE_H

#include "core/model.h"
#include "emit/grid.h"
#include "emit/report_table.h"

#define TABLE_INDENT 2

struct emit_awaits;

struct table {
	const struct model *model;
	struct table_options options; /* defaults filled in */
	struct grid_output out;
};

/* Each prints one section with its heading, or nothing if there is nothing to say. 0 or -ENOMEM. */
int table_workers(const struct table *table);
int table_types(const struct table *table);
int table_slowest(const struct table *table);
int table_jobs(const struct table *table);
int table_tasks(const struct table *table);

/*
 * Where tasks of a type wait: rows of a grid made for them, below those of the type's causes. Returns how many
 * were added. NULL without memory.
 */
struct grid *table_awaits_new(void);
size_t table_awaits_add(struct grid *grid, const struct table *table,
			const struct emit_awaits *awaits);

/* An empty line, a heading, and what it needs to know, dim; note may be "". */
void table_heading(const struct table *table, const char *heading, const char *note);

/* A dim line under a section; format is printf's, what it prints must be harmless. */
void table_note(const struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Ends a line of which `used` columns are taken with text, which must be harmless, and breaks it
 * where the terminal does; what follows is indented by `indent`.
 */
void table_wrap(const struct table *table, enum grid_style style, unsigned used, unsigned indent,
		const char *text);

/* Prints text of a target, harmless, in a style. */
void table_foreign(const struct table *table, enum grid_style style, const char *text);

/* A cell with a duration, a count or a share; nothing if it is 0. Cells with what is not known. */
void table_duration(struct grid *grid, enum grid_style style, uint64_t ns);
void table_unknown(struct grid *grid, unsigned cells);
void table_count(struct grid *grid, enum grid_style style, uint64_t count);

/* The pid column's cell: nothing while all types share a process. */
void table_pid(struct grid *grid, const struct model *model, uint32_t source);

/* "file:line"; without the file's folders, unless verbose. */
void table_location(const struct table *table, struct grid *grid, const char *location);

/* What its column is called: `spawned`; where no spawn is seen it is where the future is defined. */
const char *table_location_head(const struct table *table, const char *spawned);

/* "#17" */
void table_task_id(struct grid *grid, uint64_t id);

/* With -v, under a line: the full types of what has a short name. */
void table_full(const struct table *table, const struct model_full *full);

/* Lays out, prints heading and grid, frees it. 0 or -ENOMEM; NULL is -ENOMEM. */
int table_print_grid(const struct table *table, struct grid *grid, const char *heading,
		     const char *note);

#endif
