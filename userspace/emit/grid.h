/* SPDX-License-Identifier: MIT */
/*
 * Tables that fit a terminal: columns as wide as what they hold, dropped by priority where the line
 * is too short for all of them, and not there at all where they hold nothing.
 *
 * A grid is filled row by row, laid out once, then printed line by line, so that other lines can
 * stand between its rows. Out of memory is remembered and told by grid_layout().
 */
#ifndef POLLSCOPE_EMIT_GRID_H
#define POLLSCOPE_EMIT_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum grid_style {
	GRID_PLAIN,
	GRID_DIM,
	GRID_BOLD,
	GRID_RED,
	GRID_YELLOW,
	GRID_GREEN,
	GRID_CYAN,
	GRID_BAR, /* made of █ ▒ ·: each part has its own colour */
};

/* Where to print, and whether with colours (ANSI escape sequences). */
struct grid_output {
	FILE *file;
	bool color;
};

enum grid_alignment {
	GRID_RIGHT,
	GRID_LEFT,
	GRID_TAIL, /* left, and cut at its start */
	GRID_NAME, /* likewise, to last segments of a path like a::b if they fit */
};

struct grid_column {
	const char *over, *head; /* two lines of heading; "" for none */
	enum grid_alignment align;
	unsigned drop;     /* the greatest goes first; 0: never */
	unsigned flexible; /* may be cut down to this many terminal columns; 0: never cut */
	bool joined;       /* only one space to the next column */
};

struct grid;

/* columns must outlive the grid. NULL without memory; grid_free(NULL) is fine. */
struct grid *grid_new(const struct grid_column *columns, size_t ncolumns);
void grid_free(struct grid *grid);

void grid_row(struct grid *grid);

/* The row's next cell; text may be anything (it is escaped), "" or NULL says that there is nothing
 * to show. */
void grid_cell(struct grid *grid, enum grid_style style, const char *text);

/*
 * Decides what fits lines of `width` terminal columns, of which `indent` stay empty at the left.
 * Returns 0 or -ENOMEM.
 */
int grid_layout(struct grid *grid, unsigned width, unsigned indent);

/* After layout: is the column printed? */
bool grid_shows(const struct grid *grid, size_t column);

void grid_print_head(const struct grid *grid, const struct grid_output *out);
void grid_print_row(const struct grid *grid, size_t row, const struct grid_output *out);

/* Head and all rows. */
void grid_print(const struct grid *grid, const struct grid_output *out);

/* Prints text, which must be harmless, in a style. */
void grid_put(const struct grid_output *out, enum grid_style style, const char *text);

#endif
