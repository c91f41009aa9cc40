// SPDX-License-Identifier: MIT
/* The report's workers: how busy each was, as a bar. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emit/names.h"
#include "emit/sort.h"
#include "emit/table.h"
#include "util/text.h"

#define BAR_MOST 32
#define ABRIDGED 16 /* more workers than this are shown by their extremes */

static const struct grid_column columns[] = {
	{"", "", GRID_LEFT, 0, 12, false},       {"", "pid", GRID_RIGHT, 4, 0, false},
	{"", "tid", GRID_RIGHT, 5, 0, false},    {"", "", GRID_LEFT, 0, 0, false},
	{"", "busy", GRID_RIGHT, 0, 0, false},   {"", "polls", GRID_RIGHT, 1, 0, false},
	{"", "on cpu", GRID_RIGHT, 2, 0, false}, {"", "parked", GRID_RIGHT, 3, 0, false},
};

/* Parts are whole characters; what rounding leaves goes to the parked end. */
static void make_bar(char *bar, unsigned length, const struct model_worker *worker)
{
	uint64_t whole = worker->observed_ns ? worker->observed_ns : 1;
	uint64_t busy = worker->busy_ns < whole ? worker->busy_ns : whole;
	uint64_t ran = worker->on_cpu_ns < busy ? worker->on_cpu_ns : busy;
	unsigned busy_end = (unsigned)((double)busy / (double)whole * length + 0.5);
	unsigned ran_end = (unsigned)((double)ran / (double)whole * length + 0.5);

	*bar = '\0';
	for (unsigned i = 0; i < length; i++)
		bar = stpcpy(bar, i < ran_end ? "█" : i < busy_end ? "▒" : "·");
}

static void put_time(struct grid *grid, enum grid_style style, uint64_t ns, bool known)
{
	if (known)
		table_duration(grid, style, ns);
	else
		table_unknown(grid, 1);
}

static void add_worker(struct grid *grid, const struct table *table,
		       const struct model_worker *worker)
{
	unsigned length = table->options.width >= 100  ? BAR_MOST
			  : table->options.width >= 80 ? 24
						       : 12;
	char bar[3 * BAR_MOST + 1], tid[16];

	*bar = '\0';
	if (worker->has_busy && worker->has_on_cpu)
		make_bar(bar, length, worker);
	snprintf(tid, sizeof(tid), "%u", worker->tid);
	grid_row(grid);
	grid_cell(grid, GRID_PLAIN, worker->name);
	table_pid(grid, table->model, worker->source);
	grid_cell(grid, GRID_DIM, tid);
	grid_cell(grid, GRID_BAR, bar);
	if (worker->has_busy)
		grid_cell(grid, GRID_BOLD, text_share(worker->busy_ns, worker->observed_ns).s);
	else
		table_unknown(grid, 1);
	table_count(grid, GRID_PLAIN, worker->polls);
	put_time(grid, GRID_PLAIN, worker->on_cpu_ns, worker->has_on_cpu);
	put_time(grid, GRID_DIM, worker->parked_ns, worker->has_busy);
}

/* All in the model's order; or, of many, the busiest and the idlest four. Returns the number left
 * out. */
static size_t add_workers(struct grid *grid, const struct table *table,
			  const struct model_worker **workers)
{
	size_t n = table->model->nworkers, left_out;

	if (n <= ABRIDGED || table->options.verbose) {
		for (size_t i = 0; i < n; i++)
			add_worker(grid, table, workers[i]);
		return 0;
	}
	emit_sort_workers(workers, n);
	left_out = n - 8;
	for (size_t i = 0; i < n; i++) {
		if (i < 4 || i >= n - 4)
			add_worker(grid, table, workers[i]);
	}
	return left_out;
}

/* What looks like too few CPUs, and is too small a quota. */
static void note_quotas(const struct table *table)
{
	const struct model *model = table->model;

	for (size_t i = 0; i < model->nprocesses; i++) {
		const struct model_process *process = &model->processes[i];
		const struct model_quota *quota = &process->quota;
		char *cgroup = quota->throttled ? text_escape(quota->cgroup, "") : NULL;
		char which[24] = "";

		if (!cgroup)
			continue;
		if (!emit_target(model))
			snprintf(which, sizeof(which), "pid %u: ", process->pid);
		table_note(table,
			   "%sthrottled in %s of %s periods, for %s in sum over CPUs: cgroup %s "
			   "may use %s of CPU time in each %s",
			   which, text_share(quota->throttled, quota->periods).s,
			   text_grouped(quota->periods).s, text_duration(quota->throttled_ns).s,
			   cgroup, text_duration(quota->quota_ns).s,
			   text_duration(quota->period_ns).s);
		free(cgroup);
	}
}

int table_workers(const struct table *table)
{
	const struct model *model = table->model;
	const struct model_worker **workers;
	size_t left_out;
	struct grid *grid;
	int err = -ENOMEM;

	if (!model->nworkers)
		return 0;
	workers = calloc(model->nworkers, sizeof(*workers));
	grid = grid_new(columns, sizeof(columns) / sizeof(columns[0]));
	if (workers && grid) {
		for (size_t i = 0; i < model->nworkers; i++)
			workers[i] = &model->workers[i];
		left_out = add_workers(grid, table, workers);
		err = table_print_grid(table, grid, "Workers",
				       "█ on cpu  ▒ busy, off cpu  · parked");
		grid = NULL;
		if (!err)
			note_quotas(table);
		if (!err && left_out)
			table_note(table,
				   "the busiest and the idlest; %zu between them are left out",
				   left_out);
	}
	grid_free(grid);
	free(workers);
	return err;
}
