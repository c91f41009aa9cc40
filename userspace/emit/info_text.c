// SPDX-License-Identifier: MIT
#include "emit/info.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "emit/names.h"
#include "emit/table.h"
#include "util/text.h"

#define LABEL 10        /* columns that what stands before a line's text takes */
#define FEW_EVENTS 1000 /* below that sizes are those of the chunks' headers */

/* "label    text", broken where the terminal ends; text may be anything. */
static int line(const struct table *table, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int line(const struct table *table, const char *label, const char *format, ...)
{
	char *text, *harmless = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return -ENOMEM;
	harmless = text_escape(text, "");
	free(text);
	if (!harmless)
		return -ENOMEM;
	grid_put(&table->out, GRID_DIM, label);
	fprintf(table->out.file, "%*s", LABEL - (int)text_width(label), "");
	table_wrap(table, GRID_PLAIN, LABEL, LABEL, harmless);
	free(harmless);
	return 0;
}

static bool known(const char *text)
{
	return text && *text;
}

static const char *end_text(uint32_t reason)
{
	switch (reason) {
	case EVENT_END_DURATION:
		return "";
	case EVENT_END_INTERRUPTED:
		return ", then interrupted";
	case EVENT_END_TARGET_EXITED:
		return ", until the target exited";
	}
	return ", then cut";
}

static int print_capture(const struct table *table, const struct recording_summary *recording)
{
	const struct model_capture *capture = &table->model->capture;
	int err;

	err = line(table, "file", "%s · %s · format %u.%u", recording->path,
		   text_bytes(recording->bytes).s, recording->version_major,
		   recording->version_minor);
	err = err ? err
		  : line(table, "recorded", "%s for %s%s", text_date(capture->start_unix_ns).s,
			 text_duration(capture->duration_ns).s, end_text(capture->end_reason));
	err = err ? err
		  : line(table, "clock", "CLOCK_MONOTONIC from %" PRIu64 ".%09" PRIu64 " s",
			 capture->start_ns / 1000000000, capture->start_ns % 1000000000);
	if (!err && known(capture->command_line))
		err = line(table, "command", "%s", capture->command_line);
	if (!err && known(capture->kernel))
		err = line(table, "system", "Linux %s, %s, %u CPU%s, pollscope %s", capture->kernel,
			   known(capture->arch) ? capture->arch : "?", capture->ncpus,
			   capture->ncpus == 1 ? "" : "s",
			   known(capture->tool_version) ? capture->tool_version : "?");
	if (!err && capture->sample_period_ns)
		err = line(table, "samples", "one each %s of CPU time",
			   text_duration(capture->sample_period_ns).s);
	if (!err && capture->estimated)
		err = line(table, "polls", "one in %u timed, from +%s on", capture->sampled_one_in,
			   text_duration(capture->sampled_since_ns).s);
	return err;
}

/* "exited with status 0", "killed by signal 9" */
static void describe_end(const struct model_process *process, char *text, size_t size)
{
	int status = process->wait_status;

	*text = '\0';
	if (!process->exited)
		return;
	if (status < 0)
		snprintf(text, size, " · exited");
	else if (status & 0x7f)
		snprintf(text, size, " · killed by signal %d", status & 0x7f);
	else
		snprintf(text, size, " · exited with status %d", status >> 8 & 0xff);
}

static int print_source(const struct table *table, const struct model_source *source)
{
	char signals[128] = "";
	const char *name;
	size_t used = 0;

	for (size_t i = 0; (name = emit_capability_name(i)); i++) {
		if ((source->capabilities & EMIT_SIGNALS) >> i & 1)
			used += snprintf(signals + used, sizeof(signals) - used, " %s", name);
	}
	return line(table, "", "%s%s%s · %u worker%s · probes in %s:%s", source->runtime,
		    *source->version ? " " : "", source->version, source->workers,
		    source->workers == 1 ? "" : "s", source->path, signals);
}

static int print_targets(const struct table *table)
{
	const struct model *model = table->model;
	int err = 0;

	for (size_t i = 0; !err && i < model->nprocesses; i++) {
		const struct model_process *process = &model->processes[i];
		char end[64];

		describe_end(process, end, sizeof(end));
		err = line(table, "target", "%s · pid %u%s%s", process->comm, process->pid,
			   process->launched ? " · launched" : "", end);
		if (!err && *process->exe)
			err = line(table, "", "%s", process->exe);
		if (!err && *process->command_line)
			err = line(table, "", "%s", process->command_line);
		for (size_t k = 0; !err && k < model->nsources; k++) {
			if (model->sources[k].process == i)
				err = print_source(table, &model->sources[k]);
		}
	}
	return err;
}

static void warn(const struct table *table, const char *text)
{
	grid_put(&table->out, GRID_YELLOW, "! ");
	table_wrap(table, GRID_YELLOW, TABLE_INDENT, TABLE_INDENT, text);
}

/* "2 chunks damaged or missing, 4.66 KiB could not be read"; either may be nothing. */
static void warn_damage(const struct table *table, const struct recording_summary *recording)
{
	char chunks[80] = "", bytes[80] = "", text[200];

	if (recording->damaged_chunks)
		snprintf(chunks, sizeof(chunks), "%s chunk%s damaged or missing",
			 text_grouped(recording->damaged_chunks).s,
			 recording->damaged_chunks == 1 ? "" : "s");
	if (recording->damaged_bytes)
		snprintf(bytes, sizeof(bytes), "%s%s could not be read",
			 text_bytes(recording->damaged_bytes).s,
			 recording->truncated && !*chunks ? " at its end" : "");
	snprintf(text, sizeof(text), "%s%s%s", chunks, *chunks && *bytes ? ", " : "", bytes);
	warn(table, text);
}

static void print_damage(const struct table *table, const struct recording_summary *recording)
{
	bool damaged = recording->damaged_chunks || recording->damaged_bytes;
	char text[160];

	if (!damaged && !recording->truncated && !recording->unknown_events &&
	    !recording->unsound_events)
		return;
	fputc('\n', table->out.file);
	if (recording->truncated)
		warn(table,
		     "The recording is cut: its writer ended early, or the file was truncated");
	if (damaged)
		warn_damage(table, recording);
	if (recording->unknown_events) {
		snprintf(text, sizeof(text), "%s events of kinds that this version does not know",
			 text_grouped(recording->unknown_events).s);
		warn(table, text);
	}
	if (recording->unsound_events) {
		snprintf(text, sizeof(text), "%s events with values that cannot be",
			 text_grouped(recording->unsound_events).s);
		warn(table, text);
	}
}

static const struct grid_column event_columns[] = {
	{"", "kind", GRID_LEFT, 0, 0, false},
	{"", "stored", GRID_RIGHT, 0, 0, false},
	{"", "lost", GRID_RIGHT, 0, 0, false},
};

static uint64_t lost_of(const struct model_capture *capture, uint32_t type)
{
	for (size_t i = 0; i < capture->nlost; i++) {
		if (capture->lost[i].type == type)
			return capture->lost[i].count;
	}
	return 0;
}

/* "1,234 in 2 chunks, 4.0 bytes each (22.9 before compression)" */
static void describe_events(const struct recording_summary *recording, uint64_t total, char *text,
			    size_t size)
{
	uint64_t bytes = recording->bytes, lost = recording->damaged_bytes;
	size_t used =
		snprintf(text, size, "%s in %s chunk%s", text_grouped(total).s,
			 text_grouped(recording->chunks).s, recording->chunks == 1 ? "" : "s");

	if (total < FEW_EVENTS || bytes < lost)
		return;
	snprintf(text + used, size - used, ", %.1f bytes each (%.1f before compression)",
		 (double)(bytes - lost) / (double)total,
		 (double)recording->raw_bytes / (double)total);
}

static int print_events(const struct table *table, const struct recording_summary *recording)
{
	struct grid *grid = grid_new(event_columns, 3);
	uint64_t total = 0;
	char note[160];

	for (uint32_t type = 0; type < EVENT_TYPES; type++) {
		uint64_t lost = lost_of(&table->model->capture, type);

		total += recording->events[type];
		if (!grid || !(recording->events[type] || lost))
			continue;
		grid_row(grid);
		grid_cell(grid, GRID_PLAIN, emit_event_name(type));
		grid_cell(grid, GRID_PLAIN,
			  recording->events[type] ? text_grouped(recording->events[type]).s : NULL);
		grid_cell(grid, GRID_YELLOW, lost ? text_grouped(lost).s : NULL);
	}
	if (!total) {
		grid_free(grid);
		return grid ? 0 : -ENOMEM;
	}
	describe_events(recording, total, note, sizeof(note));
	return table_print_grid(table, grid, "Events", note);
}

static const struct grid_column module_columns[] = {
	{"", "pid", GRID_RIGHT, 0, 0, false},
	{"", "module", GRID_LEFT, 0, 24, false},
	{"", "build id", GRID_LEFT, 0, 12, false},
};

/* A file is mapped in pieces: one line for those that follow each other. */
static bool same_file(const struct model_module *a, const struct model_module *b)
{
	return a->process == b->process && !strcmp(a->path, b->path) &&
	       !strcmp(a->build_id, b->build_id);
}

static int print_modules(const struct table *table)
{
	const struct model *model = table->model;
	struct grid *grid;
	char note[80], pid[16];

	if (!model->nmodules)
		return 0;
	grid = grid_new(module_columns, 3);
	for (size_t i = 0; grid && i < model->nmodules; i++) {
		const struct model_module *module = &model->modules[i];

		if (i && same_file(module, module - 1))
			continue;
		*pid = '\0';
		if (module->process < model->nprocesses && model->nprocesses > 1)
			snprintf(pid, sizeof(pid), "%u", model->processes[module->process].pid);
		grid_row(grid);
		grid_cell(grid, GRID_PLAIN, pid);
		grid_cell(grid, GRID_PLAIN, module->path);
		grid_cell(grid, GRID_DIM, module->build_id);
	}
	snprintf(note, sizeof(note), "%zu address%s with names", model->nsymbols,
		 model->nsymbols == 1 ? "" : "es");
	return table_print_grid(table, grid, "Modules", note);
}

int emit_info_text(const struct model *model, const struct recording_summary *recording,
		   const struct table_options *options, FILE *out)
{
	struct table table = {.model = model, .options = *options, .out = {out, options->color}};
	int err;

	table.options.width = !options->width       ? TABLE_WIDTH_FREE
			      : options->width < 60 ? 60
						    : options->width;
	err = print_capture(&table, recording);
	err = err ? err : print_targets(&table);
	if (!err)
		print_damage(&table, recording);
	err = err ? err : print_events(&table, recording);
	err = err ? err : print_modules(&table);
	if (!err && ferror(out))
		err = -EIO;
	return err;
}
