// SPDX-License-Identifier: MIT
/* The report's heart: task types, what blocked them beneath. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emit/awaits.h"
#include "emit/quality.h"
#include "emit/sort.h"
#include "emit/table.h"
#include "util/text.h"

#define CAUSES_ABRIDGED 5
#define LEGEND "sched waits for a worker, run queue for a CPU"

enum { COLUMN_TYPE, COLUMN_LOCATION };

static const struct grid_column type_columns[] = {
	[COLUMN_TYPE] = {"", "type", GRID_NAME, 0, 16, false},
	[COLUMN_LOCATION] = {"", "spawned at", GRID_TAIL, 8, 12, false},
	{"", "pid", GRID_RIGHT, 0, 0, false},
	{"", "tasks", GRID_RIGHT, 7, 0, false},
	{"", "alive", GRID_RIGHT, 10, 0, false},
	{"", "polls", GRID_RIGHT, 4, 0, false},
	{"", "polling", GRID_RIGHT, 0, 0, false},
	{"", "on cpu", GRID_RIGHT, 0, 0, false},
	{"run", "queue", GRID_RIGHT, 1, 0, false},
	{"", "blocked", GRID_RIGHT, 0, 0, false},
	{"", "sched", GRID_RIGHT, 3, 0, false},
	{"sched", "p99", GRID_RIGHT, 2, 0, false},
	{"poll", "p50", GRID_RIGHT, 9, 0, false},
	{"poll", "p99", GRID_RIGHT, 5, 0, false},
	{"poll", "max", GRID_RIGHT, 6, 0, false},
};

static const struct grid_column cause_columns[] = {
	{.over = "", .head = "", .align = GRID_LEFT, .joined = true},            /* branch */
	{.over = "", .head = "", .align = GRID_LEFT, .flexible = 12},            /* cause */
	{.over = "", .head = "", .align = GRID_LEFT, .drop = 3, .flexible = 12}, /* target */
	{.over = "", .head = "", .align = GRID_RIGHT},                           /* total */
	{.over = "", .head = "", .align = GRID_RIGHT},            /* share of polling */
	{.over = "", .head = "", .align = GRID_RIGHT, .drop = 2}, /* sleeps */
	{.over = "", .head = "", .align = GRID_RIGHT, .drop = 1}, /* longest */
};

static void add_type(struct grid *grid, const struct table *table, const struct model_type *type)
{
	const struct model_times *times = &type->times;

	grid_row(grid);
	grid_cell(grid, GRID_CYAN, type->name);
	table_location(table, grid, type->location);
	table_pid(grid, table->model, type->source);
	if (table->model->capture.estimated) {
		table_unknown(grid, 2);
	} else {
		table_count(grid, GRID_PLAIN, type->tasks);
		table_count(grid, GRID_PLAIN, type->alive);
	}
	table_count(grid, GRID_PLAIN, type->polls);
	if (type->untimed) {
		table_unknown(grid, 9);
		return;
	}
	table_duration(grid, GRID_BOLD, times->polling_ns);
	table_duration(grid, GRID_GREEN, times->on_cpu_ns);
	table_duration(grid, GRID_YELLOW, times->runqueue_ns);
	table_duration(grid, GRID_RED, times->blocked_ns);
	if (type->has_scheduled) {
		table_duration(grid, GRID_BOLD, times->scheduled_ns);
		table_duration(grid, GRID_PLAIN, type->scheduled_wait_ns.p99);
	} else {
		table_unknown(grid, 2);
	}
	table_duration(grid, GRID_PLAIN, type->poll_ns.p50);
	table_duration(grid, GRID_PLAIN, type->poll_ns.p99);
	table_duration(grid, GRID_PLAIN, type->poll_ns.max);
}

/* Those that took any time: they come first. */
static size_t lasting_causes(const struct model_type *type)
{
	size_t n = type->ncauses;

	while (n && !type->causes[n - 1].total_ns)
		n--;
	return n;
}

static size_t shown_causes(const struct table *table, size_t ncauses)
{
	/* A line that says "1 more" would be as long as the one more. */
	if (table->options.verbose || ncauses <= CAUSES_ABRIDGED + 1)
		return ncauses;
	return CAUSES_ABRIDGED;
}

static void add_cause_row(struct grid *grid, bool last, const struct model_cause *cause,
			  uint64_t polling_ns)
{
	char count[64] = "", max[64] = "";

	if (cause->count)
		snprintf(count, sizeof(count), "%s sleep%s", text_count(cause->count).s,
			 cause->count == 1 ? " " : "s");
	if (cause->max_ns)
		snprintf(max, sizeof(max), "max %s", text_duration(cause->max_ns).s);
	grid_row(grid);
	grid_cell(grid, GRID_DIM, last ? "└" : "├");
	grid_cell(grid, GRID_RED, cause->cause);
	grid_cell(grid, GRID_PLAIN, cause->target);
	grid_cell(grid, GRID_PLAIN, text_duration(cause->total_ns).s);
	grid_cell(grid, GRID_BOLD, text_share(cause->total_ns, polling_ns).s);
	grid_cell(grid, GRID_DIM, count);
	grid_cell(grid, GRID_DIM, max);
}

/* `last`: nothing follows them. Returns the number of rows added. */
static size_t add_causes(struct grid *grid, const struct table *table,
			 const struct model_type *type, bool last)
{
	size_t ncauses = lasting_causes(type), shown = shown_causes(table, ncauses);
	struct model_cause rest = {0};
	char name[64];

	for (size_t i = 0; i < shown; i++)
		add_cause_row(grid, last && i + 1 == ncauses, &type->causes[i],
			      type->times.polling_ns);
	if (shown == ncauses)
		return shown;
	for (size_t i = shown; i < ncauses; i++) {
		rest.total_ns += type->causes[i].total_ns;
		rest.count += type->causes[i].count;
		if (type->causes[i].max_ns > rest.max_ns)
			rest.max_ns = type->causes[i].max_ns;
	}
	snprintf(name, sizeof(name), "%zu more (-v)", ncauses - shown);
	rest.cause = name;
	add_cause_row(grid, last, &rest, type->times.polling_ns);
	return shown + 1;
}

static bool has_namesake(const struct model *model, size_t index)
{
	for (size_t i = 0; i < model->ntypes; i++) {
		if (i != index && !strcmp(model->types[i].name, model->types[index].name))
			return true;
	}
	return false;
}

/* The location where its column had no room: always with -v, and where names alone would be alike.
 */
static void print_location(const struct table *table, const struct grid *types, size_t index)
{
	const char *location = table->model->types[index].location;

	if (grid_shows(types, COLUMN_LOCATION) || !*location)
		return;
	if (!table->options.verbose && !has_namesake(table->model, index))
		return;
	fprintf(table->out.file, "%*s", 2 * TABLE_INDENT, "");
	table_foreign(table, GRID_DIM, location);
	fputc('\n', table->out.file);
}

/* Below a type. */
struct type_rows {
	size_t ncauses, nawaits;
};

struct types_section {
	struct grid *types, *causes, *awaits;
	const size_t *order;
	struct type_rows *rows; /* of each type shown */
	size_t shown;
};

static int add_rows(struct types_section *section, const struct table *table, size_t at)
{
	const struct model_type *type = &table->model->types[section->order[at]];
	struct type_rows *rows = &section->rows[at];
	struct emit_awaits awaits;
	int err = emit_awaits(table->model, section->order[at], &awaits);

	add_type(section->types, table, type);
	rows->ncauses = add_causes(section->causes, table, type, !awaits.count);
	if (!err)
		rows->nawaits = table_awaits_add(section->awaits, table, &awaits);
	emit_awaits_clear(&awaits);
	return err;
}

static int fill(struct types_section *section, const struct table *table)
{
	int err = 0;

	for (size_t i = 0; !err && i < section->shown; i++)
		err = add_rows(section, table, i);
	if (!err)
		err = grid_layout(section->types, table->options.width, TABLE_INDENT);
	if (!err)
		err = grid_layout(section->causes, table->options.width, 2 * TABLE_INDENT);
	return err ? err : grid_layout(section->awaits, table->options.width, 2 * TABLE_INDENT);
}

static void print(const struct types_section *section, const struct table *table)
{
	const struct model *model = table->model;
	uint64_t rest_ns = 0;
	size_t cause = 0, await = 0;

	grid_print_head(section->types, &table->out);
	for (size_t i = 0; i < section->shown; i++) {
		grid_print_row(section->types, i, &table->out);
		print_location(table, section->types, section->order[i]);
		table_full(table, &model->types[section->order[i]].full);
		for (size_t k = 0; k < section->rows[i].ncauses; k++)
			grid_print_row(section->causes, cause++, &table->out);
		for (size_t k = 0; k < section->rows[i].nawaits; k++)
			grid_print_row(section->awaits, await++, &table->out);
	}
	for (size_t i = section->shown; i < model->ntypes; i++)
		rest_ns += model->types[section->order[i]].times.polling_ns;
	if (section->shown < model->ntypes)
		table_note(table, "%zu more types polled for %s in all (-v shows them)",
			   model->ntypes - section->shown, text_duration(rest_ns).s);
}

int table_types(const struct table *table)
{
	const struct model *model = table->model;
	size_t *order = emit_sort_types(model, table->options.sort);
	const char *unseen = quality_unseen_waits(model);
	size_t shown = table->options.types && table->options.types < model->ntypes
			       ? table->options.types
			       : model->ntypes;
	struct grid_column columns[sizeof(type_columns) / sizeof(type_columns[0])];
	struct types_section section = {
		.causes = grid_new(cause_columns, sizeof(cause_columns) / sizeof(cause_columns[0])),
		.awaits = table_awaits_new(),
		.order = order,
		.rows = calloc(shown + 1, sizeof(*section.rows)),
		.shown = shown,
	};
	char note[128] = LEGEND;
	int err = -ENOMEM;

	memcpy(columns, type_columns, sizeof(columns));
	columns[COLUMN_LOCATION].head = table_location_head(table, "spawned at");
	section.types = grid_new(columns, sizeof(columns) / sizeof(columns[0]));
	if (section.types && section.causes && section.awaits && order && section.rows)
		err = fill(&section, table);
	if (!err && model->ntypes) {
		if (table->options.sort && strcmp(table->options.sort, EMIT_SORT_DEFAULT))
			snprintf(note, sizeof(note), "by %s  " LEGEND, table->options.sort);
		table_heading(table, "Task types", note);
		print(&section, table);
		if (unseen)
			table_note(table, "%s", unseen);
	}
	grid_free(section.types);
	grid_free(section.causes);
	grid_free(section.awaits);
	free(section.rows);
	free(order);
	return err;
}
