// SPDX-License-Identifier: MIT
/* The report as a page: one file, whose workers over time are the report's polls. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { ON_CPU, RUNQUEUE, BLOCKED, BETWEEN, LAYERS };

static const char *record(struct e2e *e, const char *target)
{
	return recording_of_launch(e, "data", "", target);
}

static char *page_of(struct e2e *e, const char *options, const char *path)
{
	const char *page = e2e_path(e, "page.html");
	struct process *tracer =
		tracer_run(e, "report --format html %s -o %s %s", options, page, path);

	tracer_expect(tracer, 0);
	assert_string_equal(process_out(tracer), "");
	return e2e_file(e, page, NULL);
}

/* Sums a chart's slices, "on cpu,run queue,blocked,between;…", and returns what follows. */
static const char *add_slices(const char *slices, uint64_t sums[LAYERS])
{
	char *end;

	for (;; slices = end + 1) {
		for (int layer = 0; layer < LAYERS; layer++) {
			sums[layer] += strtoull(slices, &end, 10);
			assert_true(end > slices && *end == (layer < BETWEEN ? ',' : *end));
			slices = end + 1;
		}
		if (*end != ';')
			break;
	}
	assert_int_equal(*end, '"');
	return end;
}

static void workers_over_time_are_the_polls(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "causes nanosleep 40");
	const char *page = page_of(e, "", path);
	json_t *report = tracer_json(tracer_run(e, "report --json %s", path));
	uint64_t sums[LAYERS] = {0};

	assert_nothing_lost(report);
	while ((page = strstr(page, "data-slices=\"")))
		page = add_slices(page + strlen("data-slices=\""), sums);
	assert_int_equal(sums[ON_CPU] + sums[RUNQUEUE] + sums[BLOCKED],
			 report_sum(report, "polling_ns") +
				 report_sum_block_on(report, "polling_ns"));
	assert_int_equal(sums[BLOCKED], report_sum(report, "blocked_ns") +
						report_sum_block_on(report, "blocked_ns"));
}

static void page_tells_what_the_report_does(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "causes nanosleep 40");
	const char *page = page_of(e, "", path);

	assert_int_equal(strncmp(page, "<!DOCTYPE html>\n", 16), 0);
	assert_non_null(strstr(page, "<span class=\"name\">blocker</span>"));
	assert_non_null(strstr(page, "<span class=\"cause\">clock_nanosleep</span>"));
	assert_non_null(strstr(page, "[blocked: clock_nanosleep]"));
	assert_non_null(strstr(page, "</html>\n"));
	assert_null(strstr(page, "href=\"http"));
	assert_null(strstr(page_of(e, "--type prepare", path), ">blocker<"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(workers_over_time_are_the_polls),
		e2e_test(page_tells_what_the_report_does),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
