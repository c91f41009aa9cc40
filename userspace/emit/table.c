// SPDX-License-Identifier: MIT
/* What the report's sections have in common. */
#include "emit/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "emit/names.h"
#include "util/text.h"

void table_heading(const struct table *table, const char *heading, const char *note)
{
	fputc('\n', table->out.file);
	grid_put(&table->out, GRID_BOLD, heading);
	if (*note) {
		fputs("  ", table->out.file);
		grid_put(&table->out, GRID_DIM, note);
	}
	fputc('\n', table->out.file);
}

/* How much of text fits `room` columns: up to a space, or else its first word. */
static size_t line_length(const char *text, size_t room)
{
	size_t length = strcspn(text, " "), next = length;
	size_t width = 0, measured = 0;

	for (;;) {
		char *part = strndup(text + measured, next - measured);

		width += part ? text_width(part) : 0;
		measured = next;
		free(part);
		if (width > room)
			return length;
		length = next;
		if (!text[next])
			return length;
		next += 1 + strcspn(text + next + 1, " ");
	}
}

void table_wrap(const struct table *table, enum grid_style style, unsigned used, unsigned indent,
		const char *text)
{
	while (*text) {
		size_t room = used < table->options.width ? table->options.width - used : 0;
		size_t length = line_length(text, room);
		char *line = strndup(text, length);

		if (line)
			grid_put(&table->out, style, line);
		free(line);
		text += length;
		if (!*text)
			break;
		text++;
		fprintf(table->out.file, "\n%*s", (int)indent, "");
		used = indent;
	}
	fputc('\n', table->out.file);
}

void table_note(const struct table *table, const char *format, ...)
{
	char *text;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	fprintf(table->out.file, "%*s", TABLE_INDENT, "");
	table_wrap(table, GRID_DIM, TABLE_INDENT, TABLE_INDENT, text);
	free(text);
}

void table_foreign(const struct table *table, enum grid_style style, const char *text)
{
	char *harmless = text_escape(text, "");

	if (!harmless)
		return;
	grid_put(&table->out, style, harmless);
	free(harmless);
}

void table_duration(struct grid *grid, enum grid_style style, uint64_t ns)
{
	grid_cell(grid, style, ns ? text_duration(ns).s : NULL);
}

void table_unknown(struct grid *grid, unsigned cells)
{
	while (cells--)
		grid_cell(grid, GRID_DIM, "n/a");
}

void table_count(struct grid *grid, enum grid_style style, uint64_t count)
{
	grid_cell(grid, style, count ? text_count(count).s : NULL);
}

void table_pid(struct grid *grid, const struct model *model, uint32_t source)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", model->processes[model->sources[source].process].pid);
	grid_cell(grid, GRID_PLAIN, emit_target(model) ? NULL : pid);
}

void table_location(const struct table *table, struct grid *grid, const char *location)
{
	const char *slash = strrchr(location, '/');

	grid_cell(grid, GRID_DIM, slash && !table->options.verbose ? slash + 1 : location);
}

const char *table_location_head(const struct table *table, const char *spawned)
{
	const struct model *model = table->model;

	for (size_t i = 0; i < model->nsources; i++) {
		if (model->sources[i].capabilities & EVENT_CAN_SPAWN)
			return spawned;
	}
	return model->nsources ? "defined at" : spawned;
}

void table_task_id(struct grid *grid, uint64_t id)
{
	char text[32];

	snprintf(text, sizeof(text), "#%llu", (unsigned long long)id);
	grid_cell(grid, GRID_PLAIN, text);
}

void table_full(const struct table *table, const struct model_full *full)
{
	for (size_t i = 0; table->options.verbose && i < full->count; i++) {
		char *text = text_escape(full->types[i], "");

		fprintf(table->out.file, "%*s", 2 * TABLE_INDENT, "");
		if (text)
			table_wrap(table, GRID_DIM, 2 * TABLE_INDENT, 2 * TABLE_INDENT, text);
		free(text);
	}
}

int table_print_grid(const struct table *table, struct grid *grid, const char *heading,
		     const char *note)
{
	int err = grid ? grid_layout(grid, table->options.width, TABLE_INDENT) : -ENOMEM;

	if (!err) {
		table_heading(table, heading, note);
		grid_print(grid, &table->out);
	}
	grid_free(grid);
	return err;
}
