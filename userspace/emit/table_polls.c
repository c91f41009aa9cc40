// SPDX-License-Identifier: MIT
/* The report's single things: the slowest polls, jobs of blocking pools, tasks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emit/frames.h"
#include "emit/names.h"
#include "emit/table.h"
#include "util/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct grid_column poll_columns[] = {
	{"", "at", GRID_RIGHT, 3, 0, false},          {"", "type", GRID_NAME, 0, 14, false},
	{"", "pid", GRID_RIGHT, 0, 0, false},         {"", "task", GRID_RIGHT, 2, 0, false},
	{"", "took", GRID_RIGHT, 0, 0, false},        {"", "on cpu", GRID_RIGHT, 0, 0, false},
	{"run", "queue", GRID_RIGHT, 1, 0, false},    {"", "blocked", GRID_RIGHT, 0, 0, false},
	{"largest", "part", GRID_LEFT, 0, 10, false},
};

static const char *cause_of(const struct model_slow_poll *poll)
{
	return poll->cause ? poll->cause : "unknown";
}

/* What the poll was long for, and in which colour. */
static const char *largest_part(const struct model_slow_poll *poll, enum grid_style *style)
{
	switch (model_poll_largest(poll)) {
	case MODEL_LARGEST_BLOCKED:
		*style = GRID_RED;
		return cause_of(poll);
	case MODEL_LARGEST_RUNQUEUE:
		*style = GRID_YELLOW;
		return "run queue";
	default:
		*style = GRID_GREEN;
		return "on cpu";
	}
}

static void add_poll(struct grid *grid, const struct model *model,
		     const struct model_slow_poll *poll)
{
	const struct model_type *type = &model->types[poll->type];
	enum grid_style style;
	const char *part = largest_part(poll, &style);
	char at[40], took[40];

	snprintf(at, sizeof(at), "+%s", text_duration(poll->start_ns).s);
	snprintf(took, sizeof(took), "%s%s", poll->in_progress ? "≥" : "",
		 text_duration(poll->poll_ns).s);
	grid_row(grid);
	grid_cell(grid, GRID_DIM, at);
	grid_cell(grid, GRID_CYAN, type->name);
	table_pid(grid, model, type->source);
	table_task_id(grid, poll->task);
	grid_cell(grid, GRID_BOLD, took);
	table_duration(grid, GRID_GREEN, poll->on_cpu_ns);
	table_duration(grid, GRID_YELLOW, poll->runqueue_ns);
	table_duration(grid, GRID_RED, poll->blocked_ns);
	grid_cell(grid, style, part);
}

static int print_frame(void *context, const struct emit_frame *frame)
{
	const struct table *table = context;

	fprintf(table->out.file, "%*s", 4 * TABLE_INDENT, "");
	table_foreign(table, frame->kernel ? GRID_DIM : GRID_PLAIN, frame->name);
	if (*frame->file) {
		fputs("  ", table->out.file);
		table_foreign(table, GRID_DIM, frame->file);
		if (frame->line)
			fprintf(table->out.file, ":%u", frame->line);
	}
	fputc('\n', table->out.file);
	return 0;
}

/* Where the poll spent its largest part: it ends as in flames. */
static int print_stack(const struct table *table, const struct model_slow_poll *poll)
{
	bool blocked = model_poll_largest(poll) == MODEL_LARGEST_BLOCKED;
	struct table context = *table;
	enum grid_style style;
	const char *part = largest_part(poll, &style);
	char *leaf;
	int err;

	if (poll->stack == MODEL_NO_STACK)
		return 0;
	err = emit_frames_visit(table->model, poll->stack, print_frame, &context);
	if (err)
		return err;
	if (asprintf(&leaf, blocked ? "[blocked: %s]" : "[%s]", part) < 0)
		return -ENOMEM;
	fprintf(table->out.file, "%*s", 4 * TABLE_INDENT, "");
	table_foreign(table, style, leaf);
	fputc('\n', table->out.file);
	free(leaf);
	return 0;
}

int table_slowest(const struct table *table)
{
	const struct model *model = table->model;
	size_t n = model->nslowest < table->options.polls ? model->nslowest : table->options.polls;
	struct grid *grid;
	bool open = false;
	int err;

	if (!n)
		return 0;
	grid = grid_new(poll_columns, COUNT(poll_columns));
	if (!grid)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		add_poll(grid, model, &model->slowest[i]);
		open |= model->slowest[i].in_progress;
	}
	err = grid_layout(grid, table->options.width, TABLE_INDENT);
	if (!err) {
		table_heading(table, "Slowest polls", open ? "≥ had not ended" : "");
		grid_print_head(grid, &table->out);
	}
	for (size_t i = 0; !err && i < n; i++) {
		grid_print_row(grid, i, &table->out);
		if (table->options.verbose)
			err = print_stack(table, &model->slowest[i]);
	}
	grid_free(grid);
	return err;
}

enum { JOB_COLUMN_LOCATION = 1 };

static const struct grid_column job_columns[] = {
	{"", "kind", GRID_NAME, 0, 16, false},
	[JOB_COLUMN_LOCATION] = {"", "queued at", GRID_TAIL, 8, 12, false},
	{"", "pid", GRID_RIGHT, 0, 0, false},
	{"", "jobs", GRID_RIGHT, 0, 0, false},
	{"", "running", GRID_RIGHT, 4, 0, false},
	{"", "ran", GRID_RIGHT, 0, 0, false},
	{"run", "p50", GRID_RIGHT, 6, 0, false},
	{"run", "p99", GRID_RIGHT, 3, 0, false},
	{"run", "max", GRID_RIGHT, 5, 0, false},
	{"", "waited", GRID_RIGHT, 0, 0, false},
	{"wait", "p50", GRID_RIGHT, 7, 0, false},
	{"wait", "p99", GRID_RIGHT, 1, 0, false},
	{"wait", "max", GRID_RIGHT, 2, 0, false},
};

static void add_job(struct grid *grid, const struct table *table, const struct model_job *job)
{
	grid_row(grid);
	grid_cell(grid, GRID_CYAN, job->name);
	table_location(table, grid, job->location);
	table_pid(grid, table->model, job->source);
	table_count(grid, GRID_PLAIN, job->jobs);
	table_count(grid, GRID_PLAIN, job->running);
	table_duration(grid, GRID_BOLD, job->run_ns);
	table_duration(grid, GRID_PLAIN, job->run.p50);
	table_duration(grid, GRID_PLAIN, job->run.p99);
	table_duration(grid, GRID_PLAIN, job->run.max);
	if (!job->has_wait)
		return;
	table_duration(grid, GRID_BOLD, job->queued_ns);
	table_duration(grid, GRID_PLAIN, job->wait_ns.p50);
	table_duration(grid, GRID_PLAIN, job->wait_ns.p99);
	table_duration(grid, GRID_PLAIN, job->wait_ns.max);
}

int table_jobs(const struct table *table)
{
	const struct model *model = table->model;
	struct grid_column columns[COUNT(job_columns)];
	struct grid *grid;
	int err;

	if (!model->njobs)
		return 0;
	memcpy(columns, job_columns, sizeof(columns));
	columns[JOB_COLUMN_LOCATION].head = table_location_head(table, "queued at");
	grid = grid_new(columns, COUNT(columns));
	if (!grid)
		return -ENOMEM;
	for (size_t i = 0; i < model->njobs; i++)
		add_job(grid, table, &model->jobs[i]);
	err = grid_layout(grid, table->options.width, TABLE_INDENT);
	if (!err) {
		table_heading(table, "Blocking pool", "");
		grid_print_head(grid, &table->out);
	}
	for (size_t i = 0; !err && i < model->njobs; i++) {
		grid_print_row(grid, i, &table->out);
		table_full(table, &model->jobs[i].full);
	}
	grid_free(grid);
	return err;
}

static const struct grid_column task_columns[] = {
	{"", "task", GRID_RIGHT, 0, 0, false},        {"", "type", GRID_NAME, 0, 14, false},
	{"", "pid", GRID_RIGHT, 0, 0, false},         {"", "state", GRID_LEFT, 2, 0, false},
	{"", "since", GRID_RIGHT, 4, 0, false},       {"", "polls", GRID_RIGHT, 1, 0, false},
	{"longest", "poll", GRID_RIGHT, 0, 0, false}, {"", "polling", GRID_RIGHT, 0, 0, false},
	{"", "on cpu", GRID_RIGHT, 6, 0, false},      {"run", "queue", GRID_RIGHT, 7, 0, false},
	{"", "blocked", GRID_RIGHT, 5, 0, false},     {"", "sched", GRID_RIGHT, 3, 0, false},
	{"", "idle", GRID_RIGHT, 8, 0, false},        {"", "lifetime", GRID_RIGHT, 9, 0, false},
};

static void add_task(struct grid *grid, const struct model *model, const struct model_task *task)
{
	const struct model_type *type = &model->types[task->type];

	grid_row(grid);
	table_task_id(grid, task->id);
	grid_cell(grid, GRID_CYAN, type->name);
	table_pid(grid, model, type->source);
	grid_cell(grid, GRID_PLAIN, emit_state_name(task->state));
	table_duration(grid, GRID_PLAIN, task->in_progress_ns);
	table_count(grid, GRID_PLAIN, task->polls);
	table_duration(grid, GRID_BOLD, task->max_poll_ns);
	table_duration(grid, GRID_BOLD, task->times.polling_ns);
	table_duration(grid, GRID_GREEN, task->times.on_cpu_ns);
	table_duration(grid, GRID_YELLOW, task->times.runqueue_ns);
	table_duration(grid, GRID_RED, task->times.blocked_ns);
	if (type->has_scheduled)
		table_duration(grid, GRID_PLAIN, task->times.scheduled_ns);
	else
		table_unknown(grid, 1);
	table_duration(grid, GRID_PLAIN, task->times.idle_ns);
	table_duration(grid, GRID_PLAIN, task->times.lifetime_ns);
}

int table_tasks(const struct table *table)
{
	const struct model *model = table->model;
	size_t n = model->ntasks < table->options.tasks ? model->ntasks : table->options.tasks;
	struct grid *grid;

	if (!n || !table->options.verbose)
		return 0;
	grid = grid_new(task_columns, COUNT(task_columns));
	for (size_t i = 0; grid && i < n; i++)
		add_task(grid, model, &model->tasks[i]);
	return table_print_grid(table, grid, "Tasks", "longest poll first");
}
