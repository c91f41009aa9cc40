// SPDX-License-Identifier: MIT
/* The report for people: head, warnings, sections, and what tracing cost. */
#include "emit/report_table.h"

#include <errno.h>
#include <stdlib.h>

#include "emit/quality.h"
#include "emit/table.h"
#include "util/text.h"

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* " · pollrt 0.1.0 · 2 workers on 4 CPUs"; without a word of workers where none was seen */
static void put_source(FILE *line, const struct model_source *source, uint32_t ncpus)
{
	char *runtime = text_escape(source->runtime, ""),
	     *version = text_escape(source->version, "");

	if (runtime && version)
		fprintf(line, " · %s%s%s", runtime, *version ? " " : "", version);
	if (runtime && version && source->workers)
		fprintf(line, " · %u worker%s", source->workers, plural(source->workers));
	if (runtime && version && source->workers && ncpus)
		fprintf(line, " on %u CPU%s", ncpus, plural(ncpus));
	free(runtime);
	free(version);
}

static void print_process(const struct table *table, size_t index)
{
	const struct model *model = table->model;
	const struct model_process *process = &model->processes[index];
	char *comm = text_escape(process->comm, ""), *text = NULL;
	size_t length = 0;
	FILE *line = open_memstream(&text, &length);

	if (comm && line) {
		fprintf(line, " · pid %u", process->pid);
		for (size_t i = 0; i < model->nsources; i++) {
			if (model->sources[i].process == index)
				put_source(line, &model->sources[i], model->capture.ncpus);
		}
		if (process->exited)
			fputs(" · exited", line);
	}
	if (line)
		fclose(line);
	if (comm && text) {
		grid_put(&table->out, GRID_BOLD, comm);
		table_wrap(table, GRID_PLAIN, (unsigned)text_width(comm), TABLE_INDENT, text);
	}
	free(comm);
	free(text);
}

static bool has_source(const struct model *model, size_t process)
{
	for (size_t i = 0; i < model->nsources; i++) {
		if (model->sources[i].process == process)
			return true;
	}
	return false;
}

static void print_head(const struct table *table)
{
	const struct model *model = table->model;
	const struct model_capture *capture = &model->capture;
	uint64_t polls = 0, tasks = 0;
	char text[200], of_tasks[64] = "";

	/* A shell that became the program is not worth a line. */
	for (size_t i = 0; i < model->nprocesses; i++) {
		if (!model->nsources || has_source(model, i))
			print_process(table, i);
	}
	for (size_t i = 0; i < model->ntypes; i++) {
		polls += model->types[i].polls;
		tasks += model->types[i].tasks;
	}
	if (!capture->estimated)
		snprintf(of_tasks, sizeof(of_tasks), " of %s task%s", text_grouped(tasks).s,
			 plural(tasks));
	snprintf(text, sizeof(text), "%s from %s · %s poll%s%s",
		 text_duration(capture->duration_ns).s, text_date(capture->start_unix_ns).s,
		 text_grouped(polls).s, plural(polls), of_tasks);
	table_wrap(table, GRID_PLAIN, 0, TABLE_INDENT, text);
	if (capture->estimated)
		table_wrap(table, GRID_YELLOW, 0, TABLE_INDENT, quality_sampling(model).s);
}

struct warning_list {
	const struct table *table;
	bool any;
};

static void print_warning(void *context, const char *text)
{
	struct warning_list *list = context;

	if (!list->any)
		fputc('\n', list->table->out.file);
	list->any = true;
	grid_put(&list->table->out, GRID_YELLOW, "! ");
	table_wrap(list->table, GRID_YELLOW, TABLE_INDENT, TABLE_INDENT, text);
}

static void print_warnings(const struct table *table)
{
	struct warning_list list = {.table = table};

	quality_warnings(table->model, print_warning, &list);
}

static void print_line(const struct table *table, const char *text)
{
	fprintf(table->out.file, "%*s", TABLE_INDENT, "");
	table_wrap(table, GRID_PLAIN, TABLE_INDENT, TABLE_INDENT, text);
}

static void print_tracing(const struct table *table)
{
	const struct model *model = table->model;
	const struct model_capture *capture = &model->capture;
	const struct quality_uncertainty uncertainty = quality_uncertainty(model);
	const struct quality_text unwound = quality_unwound(model);

	table_heading(table, "Tracing", "");
	print_line(table, quality_cost(model).s);
	if (*uncertainty.text && uncertainty.slight)
		print_line(table, uncertainty.text);
	if (*unwound.s)
		print_line(table, unwound.s);
	if (!table->options.verbose)
		return;
	if (capture->unmatched_wakes)
		table_note(table, "%s polls without a wake seen",
			   text_grouped(capture->unmatched_wakes).s);
	if (capture->redundant_wakes)
		table_note(table, "%s redundant wakes", text_grouped(capture->redundant_wakes).s);
	if (capture->late)
		table_note(table, "%s events out of order", text_grouped(capture->late).s);
	if (capture->truncated_stacks)
		table_note(table, "%s stacks cut", text_grouped(capture->truncated_stacks).s);
}

int emit_report_table(const struct model *model, const struct table_options *options, FILE *out)
{
	struct table table = {.model = model, .options = *options, .out = {out, options->color}};
	int err;

	if (!table.options.width)
		table.options.width = TABLE_WIDTH_FREE;
	if (table.options.width < 60)
		table.options.width = 60;
	if (!table.options.types && !options->verbose)
		table.options.types = 20;
	if (!table.options.polls)
		table.options.polls = 10;
	if (!table.options.tasks)
		table.options.tasks = 20;

	print_head(&table);
	print_warnings(&table);
	err = table_workers(&table);
	if (!err)
		err = table_types(&table);
	if (!err)
		err = table_slowest(&table);
	if (!err)
		err = table_jobs(&table);
	if (!err)
		err = table_tasks(&table);
	if (!err)
		print_tracing(&table);
	if (!err && ferror(out))
		err = -EIO;
	return err;
}
