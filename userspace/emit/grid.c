// SPDX-License-Identifier: MIT
#include "emit/grid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define GAP 2

struct grid_cell {
	char *text; /* escaped; NULL: nothing */
	enum grid_style style;
};

struct grid {
	const struct grid_column *columns;
	size_t ncolumns;
	struct grid_cell *cells; /* row by row */
	size_t nrows, capacity, next;
	unsigned *widths;   /* 0: not printed */
	unsigned *naturals; /* what the columns would like to have; 0: they hold nothing */
	unsigned indent;
	int err;
};

struct grid *grid_new(const struct grid_column *columns, size_t ncolumns)
{
	struct grid *grid = calloc(1, sizeof(*grid));

	if (!grid)
		return NULL;
	grid->columns = columns;
	grid->ncolumns = ncolumns;
	grid->widths = calloc(2 * ncolumns, sizeof(*grid->widths));
	if (!grid->widths) {
		free(grid);
		return NULL;
	}
	grid->naturals = grid->widths + ncolumns;
	return grid;
}

void grid_free(struct grid *grid)
{
	if (!grid)
		return;
	for (size_t i = 0; i < grid->nrows * grid->ncolumns; i++)
		free(grid->cells[i].text);
	free(grid->cells);
	free(grid->widths);
	free(grid);
}

void grid_row(struct grid *grid)
{
	if (grid->nrows == grid->capacity) {
		size_t capacity = grid->capacity ? 2 * grid->capacity : 16;
		void *cells =
			reallocarray(grid->cells, capacity, grid->ncolumns * sizeof(*grid->cells));

		if (!cells) {
			grid->err = -ENOMEM;
			grid->next = grid->ncolumns;
			return;
		}
		grid->cells = cells;
		grid->capacity = capacity;
	}
	memset(grid->cells + grid->nrows * grid->ncolumns, 0,
	       grid->ncolumns * sizeof(*grid->cells));
	grid->nrows++;
	grid->next = 0;
}

void grid_cell(struct grid *grid, enum grid_style style, const char *text)
{
	struct grid_cell *cell;

	if (!grid->nrows || grid->next == grid->ncolumns)
		return;
	cell = &grid->cells[(grid->nrows - 1) * grid->ncolumns + grid->next++];
	if (!text || !*text)
		return;
	cell->style = style;
	cell->text = text_escape(text, "");
	if (!cell->text)
		grid->err = -ENOMEM;
}

static unsigned natural_width(const struct grid *grid, size_t column)
{
	size_t width = 0, over = text_width(grid->columns[column].over);
	size_t head = text_width(grid->columns[column].head);

	for (size_t row = 0; row < grid->nrows; row++) {
		const char *text = grid->cells[row * grid->ncolumns + column].text;
		size_t cell = text ? text_width(text) : 0;

		width = cell > width ? cell : width;
	}
	if (!width)
		return 0;
	width = over > width ? over : width;
	return (unsigned)(head > width ? head : width);
}

static unsigned gap_after(const struct grid *grid, size_t column)
{
	return grid->columns[column].joined ? 1 : GAP;
}

static unsigned used_width(const struct grid *grid)
{
	unsigned used = grid->indent, gap = 0;

	for (size_t i = 0; i < grid->ncolumns; i++) {
		if (!grid->widths[i])
			continue;
		used += gap + grid->widths[i];
		gap = gap_after(grid, i);
	}
	return used;
}

/* Returns whether there was a column to drop. */
static bool drop_one(struct grid *grid)
{
	size_t found = grid->ncolumns;

	for (size_t i = 0; i < grid->ncolumns; i++) {
		if (grid->widths[i] && grid->columns[i].drop &&
		    (found == grid->ncolumns || grid->columns[i].drop > grid->columns[found].drop))
			found = i;
	}
	if (found == grid->ncolumns)
		return false;
	grid->widths[found] = 0;
	return true;
}

int grid_layout(struct grid *grid, unsigned width, unsigned indent)
{
	bool grown = true;

	grid->indent = indent;
	for (size_t i = 0; i < grid->ncolumns; i++) {
		unsigned least = grid->columns[i].flexible, natural = natural_width(grid, i);

		grid->naturals[i] = natural;
		grid->widths[i] = least && natural > least ? least : natural;
	}
	while (used_width(grid) > width && drop_one(grid))
		;
	/* What is left over goes to the columns that had to be cut, evenly. */
	while (grown) {
		grown = false;
		for (size_t i = 0; i < grid->ncolumns && used_width(grid) < width; i++) {
			if (grid->widths[i] && grid->widths[i] < grid->naturals[i]) {
				grid->widths[i]++;
				grown = true;
			}
		}
	}
	return grid->err;
}

bool grid_shows(const struct grid *grid, size_t column)
{
	return grid->widths[column] != 0;
}

static void put_bar(const struct grid_output *out, const char *bar)
{
	static const struct {
		const char *part;
		enum grid_style style;
	} parts[] = {{"█", GRID_GREEN}, {"▒", GRID_RED}, {"·", GRID_DIM}};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t length = strlen(parts[i].part);
		const char *end = bar;
		char *run;

		while (!strncmp(end, parts[i].part, length))
			end += length;
		run = strndup(bar, end - bar);
		if (run)
			grid_put(out, parts[i].style, run);
		free(run);
		bar = end;
	}
}

void grid_put(const struct grid_output *out, enum grid_style style, const char *text)
{
	static const char *const codes[] = {
		[GRID_PLAIN] = "",    [GRID_DIM] = "2",    [GRID_BOLD] = "1",  [GRID_RED] = "31",
		[GRID_YELLOW] = "33", [GRID_GREEN] = "32", [GRID_CYAN] = "36",
	};

	if (style == GRID_BAR)
		put_bar(out, text);
	else if (out->color && style != GRID_PLAIN && *text)
		fprintf(out->file, "\033[%sm%s\033[0m", codes[style], text);
	else
		fputs(text, out->file);
}

/* The end of text that fits `columns`, … before it; to be freed. NULL without memory. */
static char *shorten_to_tail(const char *text, size_t columns)
{
	const char *tail = text;
	char *shortened;

	if (text_width(text) <= columns)
		return strdup(text);
	while (*tail && text_width(tail) + 1 > columns) {
		uint32_t character;
		size_t length = text_decode(tail, &character);

		tail += length ? length : 1;
	}
	return asprintf(&shortened, "…%s", tail) < 0 ? NULL : shortened;
}

/* "…job_worker": whole segments, but for those that only say "{closure}". */
static char *shorten_to_segments(const char *name, size_t columns)
{
	size_t width = text_width(name), depth = 0;
	char *shortened;

	for (const char *s = name; width > columns && *s; s++) {
		depth += *s == '<';
		depth -= depth && *s == '>';
		if (depth || strncmp(s, "::", 2) || s[2] == '{' || text_width(s + 2) >= columns)
			continue;
		return asprintf(&shortened, "…%s", s + 2) < 0 ? NULL : shortened;
	}
	return shorten_to_tail(name, columns);
}

static char *shorten(const char *text, enum grid_alignment align, size_t columns)
{
	switch (align) {
	case GRID_NAME:
		return shorten_to_segments(text, columns);
	case GRID_TAIL:
		return shorten_to_tail(text, columns);
	default:
		return text_shorten(text, columns);
	}
}

/* Cells of one line; spaces are held back until something follows them. */
struct grid_line {
	const struct grid *grid;
	const struct grid_output *out;
	unsigned pending;
};

static void put_cell(struct grid_line *line, size_t column, enum grid_style style, const char *text)
{
	unsigned width = line->grid->widths[column], pad;
	enum grid_alignment align = line->grid->columns[column].align;
	char *fitted;

	if (!width)
		return;
	fitted = shorten(text, align, width);
	if (!fitted)
		return;
	pad = width - (unsigned)text_width(fitted);
	if (align == GRID_RIGHT)
		line->pending += pad;
	if (*fitted) {
		fprintf(line->out->file, "%*s", (int)line->pending, "");
		line->pending = 0;
	}
	grid_put(line->out, style, fitted);
	if (align != GRID_RIGHT)
		line->pending += pad;
	line->pending += gap_after(line->grid, column);
	free(fitted);
}

void grid_print_head(const struct grid *grid, const struct grid_output *out)
{
	struct grid_line over = {grid, out, grid->indent}, head = over;
	bool has_over = false, has_head = false;

	for (size_t i = 0; i < grid->ncolumns; i++) {
		has_over |= grid->widths[i] && *grid->columns[i].over;
		has_head |= grid->widths[i] && *grid->columns[i].head;
	}
	for (size_t i = 0; has_over && i < grid->ncolumns; i++)
		put_cell(&over, i, GRID_DIM, grid->columns[i].over);
	if (has_over)
		fputc('\n', out->file);
	for (size_t i = 0; has_head && i < grid->ncolumns; i++)
		put_cell(&head, i, GRID_DIM, grid->columns[i].head);
	if (has_head)
		fputc('\n', out->file);
}

void grid_print_row(const struct grid *grid, size_t row, const struct grid_output *out)
{
	struct grid_line line = {grid, out, grid->indent};

	for (size_t i = 0; i < grid->ncolumns; i++) {
		const struct grid_cell *cell = &grid->cells[row * grid->ncolumns + i];

		if (cell->text)
			put_cell(&line, i, cell->style, cell->text);
		else
			put_cell(&line, i, GRID_DIM,
				 grid->columns[i].align == GRID_RIGHT ? "-" : "");
	}
	fputc('\n', out->file);
}

void grid_print(const struct grid *grid, const struct grid_output *out)
{
	grid_print_head(grid, out);
	for (size_t i = 0; i < grid->nrows; i++)
		grid_print_row(grid, i, out);
}
