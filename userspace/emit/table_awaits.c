// SPDX-License-Identifier: MIT
/* The report's idle time by await point, below a type's causes. */
#include "emit/awaits.h"
#include "emit/table.h"
#include "util/text.h"

#define AWAITS_ABRIDGED 3

/* Names cut short say little: rather than that, columns are dropped. */
static const struct grid_column columns[] = {
	{.over = "", .head = "", .align = GRID_LEFT, .joined = true},            /* branch */
	{.over = "", .head = "", .align = GRID_LEFT, .joined = true},            /* "idle at" */
	{.over = "", .head = "", .align = GRID_NAME, .flexible = 16},            /* function */
	{.over = "", .head = "", .align = GRID_TAIL, .drop = 1, .flexible = 20}, /* location */
	{.over = "", .head = "", .align = GRID_LEFT, .drop = 3, .joined = true}, /* "in" */
	{.over = "", .head = "", .align = GRID_NAME, .drop = 2, .flexible = 20}, /* leaf */
	{.over = "", .head = "", .align = GRID_RIGHT},                           /* total */
	{.over = "", .head = "", .align = GRID_RIGHT},                           /* of idle */
	{.over = "", .head = "", .align = GRID_RIGHT, .drop = 4},                /* sampled */
};

struct grid *table_awaits_new(void)
{
	return grid_new(columns, sizeof(columns) / sizeof(columns[0]));
}

static void add_row(struct grid *grid, const struct table *table, bool last, const char *what,
		    const struct emit_awaits *awaits, const struct emit_await *await)
{
	char share[64], count[64];

	snprintf(share, sizeof(share), "%s of idle", emit_await_share(awaits, await).s);
	snprintf(count, sizeof(count), "%s sampled", text_count(await->count).s);
	grid_row(grid);
	grid_cell(grid, GRID_DIM, last ? "└" : "├");
	grid_cell(grid, GRID_DIM, what);
	grid_cell(grid, GRID_PLAIN, await->function);
	table_location(table, grid, await->location);
	grid_cell(grid, GRID_DIM, await->leaf ? "in" : NULL);
	grid_cell(grid, GRID_PLAIN, await->leaf);
	grid_cell(grid, GRID_PLAIN, text_duration(await->idle_ns).s);
	grid_cell(grid, GRID_BOLD, share);
	grid_cell(grid, GRID_DIM, count);
}

static size_t shown_awaits(const struct table *table, size_t count)
{
	/* A line that says "1 more" would be as long as the one more. */
	return table->options.verbose || count <= AWAITS_ABRIDGED + 1 ? count : AWAITS_ABRIDGED;
}

size_t table_awaits_add(struct grid *grid, const struct table *table,
			const struct emit_awaits *awaits)
{
	size_t shown = shown_awaits(table, awaits->count);
	struct emit_await rest;
	char name[64];

	for (size_t i = 0; i < shown; i++)
		add_row(grid, table, i + 1 == awaits->count, "idle at", awaits, &awaits->list[i]);
	if (shown == awaits->count)
		return shown;
	rest = emit_awaits_sum(awaits, shown);
	snprintf(name, sizeof(name), "%zu more (-v)", awaits->count - shown);
	rest.function = name;
	add_row(grid, table, true, "idle at", awaits, &rest);
	return shown + 1;
}
