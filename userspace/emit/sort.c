// SPDX-License-Identifier: MIT
#include "emit/sort.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_FIELD(member) offsetof(struct model_type, member)

/* A column is a number or a string of the type; a pid belongs to its source. */
static const struct sort_column {
	const char *key;
	size_t offset;
	enum { SORT_NUMBER, SORT_TEXT, SORT_PID } what;
} columns[] = {
	{"polling_ns", TYPE_FIELD(times.polling_ns), SORT_NUMBER},
	{"lifetime_ns", TYPE_FIELD(times.lifetime_ns), SORT_NUMBER},
	{"scheduled_ns", TYPE_FIELD(times.scheduled_ns), SORT_NUMBER},
	{"on_cpu_ns", TYPE_FIELD(times.on_cpu_ns), SORT_NUMBER},
	{"runqueue_ns", TYPE_FIELD(times.runqueue_ns), SORT_NUMBER},
	{"blocked_ns", TYPE_FIELD(times.blocked_ns), SORT_NUMBER},
	{"idle_ns", TYPE_FIELD(times.idle_ns), SORT_NUMBER},
	{"tasks", TYPE_FIELD(tasks), SORT_NUMBER},
	{"alive", TYPE_FIELD(alive), SORT_NUMBER},
	{"polls", TYPE_FIELD(polls), SORT_NUMBER},
	{"poll_ns.p50", TYPE_FIELD(poll_ns.p50), SORT_NUMBER},
	{"poll_ns.p90", TYPE_FIELD(poll_ns.p90), SORT_NUMBER},
	{"poll_ns.p99", TYPE_FIELD(poll_ns.p99), SORT_NUMBER},
	{"poll_ns.max", TYPE_FIELD(poll_ns.max), SORT_NUMBER},
	{"scheduled_wait_ns.p50", TYPE_FIELD(scheduled_wait_ns.p50), SORT_NUMBER},
	{"scheduled_wait_ns.p90", TYPE_FIELD(scheduled_wait_ns.p90), SORT_NUMBER},
	{"scheduled_wait_ns.p99", TYPE_FIELD(scheduled_wait_ns.p99), SORT_NUMBER},
	{"scheduled_wait_ns.max", TYPE_FIELD(scheduled_wait_ns.max), SORT_NUMBER},
	{"name", TYPE_FIELD(name), SORT_TEXT},
	{"location", TYPE_FIELD(location), SORT_TEXT},
	{"pid", 0, SORT_PID},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

const char *emit_sort_key(size_t i)
{
	return i < COLUMNS ? columns[i].key : NULL;
}

static const struct sort_column *find_column(const char *key)
{
	for (size_t i = 0; key && i < COLUMNS; i++) {
		if (!strcmp(columns[i].key, key))
			return &columns[i];
	}
	return NULL;
}

bool emit_sort_key_valid(const char *key)
{
	return find_column(key) != NULL;
}

struct sort_context {
	const struct model *model;
	const struct sort_column *column;
};

static uint64_t number_of(const struct sort_context *context, const struct model_type *type)
{
	const struct model *model = context->model;
	uint64_t number;

	if (context->column->what == SORT_PID)
		return model->processes[model->sources[type->source].process].pid;
	memcpy(&number, (const char *)type + context->column->offset, sizeof(number));
	return number;
}

static const char *text_of(const struct sort_context *context, const struct model_type *type)
{
	const char *text;

	memcpy(&text, (const char *)type + context->column->offset, sizeof(text));
	return text;
}

static int compare(const void *left, const void *right, void *data)
{
	const struct sort_context *context = data;
	size_t a = *(const size_t *)left, b = *(const size_t *)right;
	const struct model_type *x = &context->model->types[a], *y = &context->model->types[b];
	int order;

	if (context->column->what == SORT_TEXT) {
		order = strcmp(text_of(context, x), text_of(context, y));
	} else {
		uint64_t m = number_of(context, x), n = number_of(context, y);

		order = (m < n) - (m > n);
	}
	return order ? order : (a > b) - (a < b);
}

size_t *emit_sort_types(const struct model *model, const char *key)
{
	const struct sort_column *column = find_column(key);
	struct sort_context context = {model, column ? column : find_column(EMIT_SORT_DEFAULT)};
	size_t *order = calloc(model->ntypes + 1, sizeof(*order));

	if (!order)
		return NULL;
	for (size_t i = 0; i < model->ntypes; i++)
		order[i] = i;
	qsort_r(order, model->ntypes, sizeof(*order), compare, &context);
	return order;
}

static double busy_share(const struct model_worker *worker)
{
	return worker->observed_ns ? (double)worker->busy_ns / (double)worker->observed_ns : 0;
}

static int compare_busy(const void *left, const void *right)
{
	const struct model_worker *a = *(const struct model_worker *const *)left;
	const struct model_worker *b = *(const struct model_worker *const *)right;
	double x = busy_share(a), y = busy_share(b);

	if (x != y)
		return x < y ? 1 : -1;
	return a < b ? -1 : 1;
}

void emit_sort_workers(const struct model_worker **workers, size_t n)
{
	qsort(workers, n, sizeof(*workers), compare_busy);
}
