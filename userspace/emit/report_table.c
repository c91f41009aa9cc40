// SPDX-License-Identifier: MIT
/* The report for people: head, warnings, sections, and what tracing cost. */
#include "emit/report_table.h"

#include <errno.h>
#include <stdlib.h>

#include "emit/names.h"
#include "emit/table.h"
#include "util/text.h"

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* " · pollrt 0.1.0 · 2 workers" */
static void put_source(FILE *line, const struct model_source *source)
{
	char *runtime = text_escape(source->runtime, ""),
	     *version = text_escape(source->version, "");

	if (runtime && version)
		fprintf(line, " · %s%s%s · %u worker%s", runtime, *version ? " " : "", version,
			source->workers, plural(source->workers));
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
				put_source(line, &model->sources[i]);
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

static void print_sampling(const struct table *table)
{
	const struct model_capture *capture = &table->model->capture;
	char text[160], since[64] = "";

	if (capture->sampled_since_ns)
		snprintf(since, sizeof(since), " (since +%s)",
			 text_duration(capture->sampled_since_ns).s);
	snprintf(text, sizeof(text),
		 "estimated: one poll in %u was timed; times are scaled, polls counted%s",
		 capture->sampled_one_in, since);
	table_wrap(table, GRID_YELLOW, 0, TABLE_INDENT, text);
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
		print_sampling(table);
}

static void warn(const struct table *table, const char *text)
{
	grid_put(&table->out, GRID_YELLOW, "! ");
	table_wrap(table, GRID_YELLOW, TABLE_INDENT, TABLE_INDENT, text);
}

/* "1,234 events lost (poll 1,200, offcpu 34)" */
static void warn_lost(const struct table *table)
{
	const struct model_capture *capture = &table->model->capture;
	char text[1024];
	size_t used;

	used = snprintf(text, sizeof(text), "%s event%s lost", text_grouped(capture->events_lost).s,
			plural(capture->events_lost));
	for (size_t i = 0; i < capture->nlost && used < sizeof(text) - 64; i++)
		used += snprintf(text + used, sizeof(text) - used, "%s%s %s", i ? ", " : " (",
				 emit_event_name(capture->lost[i].type),
				 text_grouped(capture->lost[i].count).s);
	if (capture->nlost)
		snprintf(text + used, sizeof(text) - used, ")");
	warn(table, text);
}

struct uncertainty {
	char text[160]; /* "" if all is certain */
	bool slight;    /* too little to matter */
};

/* Measured by the time that tasks were polled or waited for it: they may be idle without end. */
static struct uncertainty uncertainty_of(const struct model *model)
{
	uint64_t uncertain = model->capture.uncertain_ns, whole = 0;
	struct uncertainty found = {.text = ""};

	for (size_t i = 0; i < model->ntypes; i++)
		whole += model->types[i].times.polling_ns + model->types[i].times.scheduled_ns;
	found.slight = uncertain < whole / 1000;
	/* Where much was lost it may be time of idle tasks, too, and more than the whole. */
	if (uncertain && uncertain < whole)
		snprintf(found.text, sizeof(found.text),
			 "%s of the tasks' time is uncertain (%s of polling + sched)",
			 text_duration(uncertain).s, text_share(uncertain, whole).s);
	else if (uncertain)
		snprintf(found.text, sizeof(found.text),
			 "%s of the tasks' time is uncertain (more than polling + sched)",
			 text_duration(uncertain).s);
	return found;
}

/* Also of types that were not asked for. */
static bool has_polls(const struct model *model)
{
	for (size_t i = 0; i < model->ntypes; i++) {
		if (model->types[i].polls)
			return true;
	}
	for (size_t i = 0; i < model->nworkers; i++) {
		if (model->workers[i].polls)
			return true;
	}
	return false;
}

static void warn_idle(const struct table *table)
{
	const struct model *model = table->model;

	for (size_t i = 0; i < model->nsources; i++) {
		if (model->sources[i].capabilities & EVENT_CAN_BLOCK_ON)
			continue;
		warn(table, "No task was polled in this time: futures given to block_on, main's of "
			    "#[tokio::main] among them, are not tasks and show no probe");
		return;
	}
	warn(table, "No task was polled in this time");
}

static void print_warnings(const struct table *table)
{
	const struct model_capture *capture = &table->model->capture;
	const struct uncertainty uncertainty = uncertainty_of(table->model);
	bool uncertain = *uncertainty.text && !uncertainty.slight;
	bool idle = table->model->nsources && !has_polls(table->model);
	bool any = idle || capture->events_lost || uncertain || capture->nested_polls ||
		   !capture->end_reason;
	char text[160];

	if (!any)
		return;
	fputc('\n', table->out.file);
	if (!capture->end_reason)
		warn(table, "The recording is cut: it shows the time up to its last event");
	if (idle)
		warn_idle(table);
	if (capture->events_lost)
		warn_lost(table);
	if (uncertain)
		warn(table, uncertainty.text);
	if (capture->nested_polls) {
		snprintf(text, sizeof(text),
			 "%s poll%s inside another: types may sum to more than worker time",
			 text_grouped(capture->nested_polls).s,
			 capture->nested_polls == 1 ? " ran" : "s ran");
		warn(table, text);
	}
}

static void print_line(const struct table *table, const char *text)
{
	fprintf(table->out.file, "%*s", TABLE_INDENT, "");
	table_wrap(table, GRID_PLAIN, TABLE_INDENT, TABLE_INDENT, text);
}

/* "97 of 12,345 stacks end before their thread's start: unknown code 90, damaged stack 7" */
static void print_unwound(const struct table *table)
{
	const struct model_capture *capture = &table->model->capture;
	uint64_t early = capture->unwound_stacks - capture->unwound_ends[STACK_WHOLE];
	const char *before = ": ";
	char text[512];
	size_t used;

	if (!early)
		return;
	used = snprintf(text, sizeof(text), "%s of %s stack%s end%s before their thread's start",
			text_grouped(early).s, text_grouped(capture->unwound_stacks).s,
			plural(capture->unwound_stacks), early == 1 ? "s" : "");
	for (int end = STACK_WHOLE + 1; end < STACK_ENDS && used < sizeof(text) - 64; end++) {
		if (!capture->unwound_ends[end])
			continue;
		used += snprintf(text + used, sizeof(text) - used, "%s%s %s", before,
				 stack_end_text(end), text_grouped(capture->unwound_ends[end]).s);
		before = ", ";
	}
	print_line(table, text);
}

static void print_tracing(const struct table *table)
{
	const struct model *model = table->model;
	const struct model_capture *capture = &model->capture;
	const struct uncertainty uncertainty = uncertainty_of(model);
	uint64_t observed = 0, ran = 0;
	char text[200];
	size_t used;

	for (size_t i = 0; i < model->nworkers; i++) {
		observed += model->workers[i].observed_ns;
		ran += model->workers[i].on_cpu_ns;
	}
	table_heading(table, "Tracing", "");
	used = snprintf(text, sizeof(text), "%s event%s", text_grouped(capture->events).s,
			plural(capture->events));
	if (capture->probe_overhead_ns)
		used += snprintf(text + used, sizeof(text) - used, " · probes took about %s",
				 text_duration(capture->probe_overhead_ns).s);
	if (capture->probe_overhead_ns && observed)
		used += snprintf(text + used, sizeof(text) - used, ", %s of the workers' time",
				 text_share(capture->probe_overhead_ns, observed).s);
	if (capture->probe_overhead_ns && observed && ran)
		snprintf(text + used, sizeof(text) - used, ", %s of their CPU time",
			 text_share(capture->probe_overhead_ns, ran).s);
	print_line(table, text);
	if (*uncertainty.text && uncertainty.slight)
		print_line(table, uncertainty.text);
	print_unwound(table);
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
