// SPDX-License-Identifier: MIT
/* Stacks and their weights: each is well formed, and together they are the report's times. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "refusal.h"
#include "report.h"

#define FLAMEGRAPH "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"
/* Each of the few lines of a root may be rounded by one. */
#define ROUNDED 100

static const char *record(struct e2e *e, const char *options, const char *target)
{
	return recording_of_launch(e, "data", options, target);
}

static const char *flame(struct e2e *e, const char *options, const char *path)
{
	struct process *tracer = tracer_run(e, "flame %s %s", options, path);

	tracer_expect(tracer, 0);
	return process_out(tracer);
}

static json_t *report_of(struct e2e *e, const char *path)
{
	json_t *report = tracer_json(tracer_run(e, "report --json %s", path));

	assert_identities(report);
	return report;
}

/* Microseconds of all lines, or of those with this root. Fails unless every line has the format. */
static uint64_t weight(const char *folded, const char *root)
{
	uint64_t sum = 0;
	regex_t line_regex;

	assert_int_equal(regcomp(&line_regex, "^[^;[:cntrl:]]+(;[^;[:cntrl:]]+)* [1-9][0-9]*$",
				 REG_EXTENDED | REG_NOSUB),
			 0);
	assert_true(*folded);
	while (*folded) {
		size_t n = strcspn(folded, "\n");
		char *line = strndup(folded, n);

		assert_int_equal(folded[n], '\n');
		if (regexec(&line_regex, line, 0, NULL, 0))
			fail_msg("not a folded line: %s", line);
		if (!root || (!strncmp(line, root, strlen(root)) && line[strlen(root)] == ';'))
			sum += strtoull(strrchr(line, ' ') + 1, NULL, 10);
		free(line);
		folded += n + 1;
	}
	regfree(&line_regex);
	return sum;
}

static uint64_t report_us(const json_t *report, const char *key)
{
	return (report_sum(report, key) + report_sum_block_on(report, key)) / 1000;
}

static void wall_is_all_time_inside_polls(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "", "causes nanosleep 40");
	const char *folded = flame(e, "", path);
	json_t *report = report_of(e, path), *type = report_type(report, "blocker");

	assert_near(weight(folded, NULL), report_us(report, "polling_ns"), 1);
	assert_near(weight(folded, "blocker"), report_number(type, "polling_ns") / 1000, ROUNDED);
	assert_string_equal(folded, flame(e, "--kind wall --format folded", path));
}

static void offcpu_is_blocked_time_and_run_queue(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "", "causes lock 40");
	const char *folded = flame(e, "--kind offcpu", path);
	json_t *report = report_of(e, path), *type = report_type(report, "blocker");

	assert_near(weight(folded, NULL),
		    report_us(report, "blocked_ns") + report_us(report, "runqueue_ns"), 2);
	assert_near(weight(folded, "blocker"),
		    (report_number(type, "blocked_ns") + report_number(type, "runqueue_ns")) / 1000,
		    ROUNDED);
	assert_non_null(strstr(folded, ";[blocked: futex] "));
	/* The way there: through the program, then the kernel. */
	assert_non_null(strstr(folded, ";worker_run;"));
	assert_non_null(strstr(folded, ";schedule_[k];"));
}

static void oncpu_is_samples_of_what_computes(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "-F 400", "causes cpu 20");
	const char *folded = flame(e, "--kind oncpu", path);
	uint64_t on_cpu =
		report_number(report_type(report_of(e, path), "blocker"), "on_cpu_ns") / 1000;

	assert_non_null(strstr(folded, ";block_cpu"));
	assert_null(strstr(folded, "[blocked"));
	assert_int_equal(weight(folded, NULL) % 2500, 0);
	/* 400 ms, a sample every 2.5 ms, in step with no tick; none while a guest's CPU is taken away. */
	assert_at_most(weight(folded, "blocker"), on_cpu, on_cpu / 2);
	assert_at_most(on_cpu, weight(folded, "blocker"), on_cpu / 4 * 3);
}

/* Tiny polls, mostly probes: the trap and its handler are one frame. */
static void what_probes_cost_is_one_frame(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "-F 1000", "counts yield 2 20 20000");
	const char *folded = flame(e, "--kind oncpu", path);
	uint64_t probes = 0;

	for (const char *line = folded; *line; line += strcspn(line, "\n") + 1) {
		const char *mark = strstr(line, ";[probe] ");

		if (mark && mark < line + strcspn(line, "\n"))
			probes += strtoull(mark + strlen(";[probe] "), NULL, 10);
	}
	assert_true(probes > weight(folded, "yielder") / 10);
	assert_null(strstr(folded, "asm_exc_int3"));
	assert_null(strstr(folded, "_sys_uretprobe"));
}

static void no_samples_are_taken_with_freq_zero(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "-F 0", "causes cpu 3");

	assert_string_equal(flame(e, "--kind oncpu", path), "");
	assert_non_null(strstr(flame(e, "", path), "blocker;[on cpu, not sampled] "));
}

static void sched_is_the_time_in_queues(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "-F 0", "queue 50");
	const char *folded = flame(e, "--kind sched", path);
	json_t *report = report_of(e, path);

	assert_near(weight(folded, "waiter"),
		    report_number(report_type(report, "waiter"), "scheduled_ns") / 1000, ROUNDED);
	assert_near(weight(folded, NULL), report_us(report, "scheduled_ns"), 2);
}

static void root_is_what_was_asked_for(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "-F 0", "causes nanosleep 10");
	uint64_t all = weight(flame(e, "", path), NULL);
	const char *by_worker = flame(e, "--by worker", path),
		   *by_task = flame(e, "--by task", path);

	assert_non_null(strstr(by_worker, "pollrt-worker-"));
	assert_near(weight(by_worker, NULL), all, 1);
	assert_non_null(strstr(by_task, "blocker"));
	assert_near(weight(by_task, NULL), all, 1);
	assert_true(strlen(by_task) > strlen(flame(e, "", path)));
}

static void type_and_min_block_choose_stacks(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "-F 0", "causes nanosleep 20");
	const char *folded = flame(e, "--type block*", path);

	assert_true(weight(folded, "blocker") > 0);
	assert_int_equal(weight(folded, NULL), weight(folded, "blocker"));
	assert_non_null(strstr(flame(e, "--kind offcpu", path), "[blocked: clock_nanosleep]"));
	assert_null(strstr(flame(e, "--kind offcpu --min-block 1s", path),
			   "[blocked: clock_nanosleep]"));
}

/* ---- two recordings ---- */

static uint64_t duration_of(struct e2e *e, const char *path)
{
	json_t *report = report_of(e, path);

	return report_number(json_object_get(report, "capture"), "duration_ns");
}

/* Sums the first column of lines with two numbers, and what is left after it is weight()'s. */
static uint64_t take_base(struct e2e *e, const char *folded, const char **rest)
{
	char *kept = e2e_text(e, "%s", folded), *to = kept;
	uint64_t sum = 0;

	for (char *line = kept, *end; *line; line = end + 1) {
		char *last, *first;

		end = strchr(line, '\n');
		assert_non_null(end);
		*end = '\0';
		last = strrchr(line, ' ');
		*last = '\0';
		first = strrchr(line, ' ');
		sum += strtoull(first + 1, NULL, 10);
		if (strcmp(last + 1, "0"))
			to += sprintf(to, "%.*s %s\n", (int)(first - line), line, last + 1);
	}
	*to = '\0';
	*rest = kept;
	return sum;
}

/* Of its off-CPU time, in a second; a recording's own sum is rounded to whole microseconds. */
static void assert_is_rate(struct e2e *e, uint64_t us, const char *path)
{
	double per_second = 1e9 / duration_of(e, path);

	assert_near(us, per_second * weight(flame(e, "--kind offcpu", path), NULL), per_second + 2);
}

static void diff_compares_two_recordings(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *base = recording_of_launch(e, "base", "", "causes nanosleep 40");
	const char *now = record(e, "", "causes pipe 20");
	const char *options = e2e_text(e, "--kind offcpu --diff %s", base), *folded, *svg, *new;
	uint64_t base_us;

	folded = e2e_text(e, "%s", flame(e, options, now));
	base_us = take_base(e, folded, &new);
	assert_is_rate(e, base_us, base);
	assert_is_rate(e, weight(new, NULL), now);
	assert_non_null(strstr(folded, ";[blocked: read] 0 "));
	assert_non_null(strstr(folded, "nanosleep] "));
	svg = flame(e, e2e_text(e, "%s --format svg", options), now);
	assert_non_null(strstr(svg, "Compared per second of capture: "));
	assert_non_null(strstr(svg, "in the base 0: new</title><rect class=\"d6\""));
	/* What only the base has is not drawn. */
	assert_null(strstr(svg, "nanosleep]"));
}

static void recording_does_not_differ_from_itself(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "", "causes nanosleep 20");
	const char *folded = flame(e, e2e_text(e, "--diff %s", path), path), *new;
	uint64_t base_us = take_base(e, folded, &new);
	json_t *document;

	assert_int_equal(base_us, weight(new, NULL));
	document = tracer_json(tracer_run(e, "flame --json --diff %s %s", path, path));
	assert_true(json_equal(json_object_get(document, "capture"),
			       json_object_get(json_object_get(document, "base"), "capture")));
}

static void diff_says_what_it_cannot_compare(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "-F 0", "causes nanosleep 2");
	struct process *tracer = tracer_run(e, "flame --by task --diff %s %s", path, path);

	tracer_expect(tracer, 2);
	assert_non_null(strstr(process_err(tracer), "--by type or worker"));
	tracer = tracer_run(e, "flame --diff %s.missing %s", path, path);
	tracer_expect(tracer, 1);
	assert_non_null(strstr(process_err(tracer), "data.missing: No such file"));
	assert_string_equal(process_out(tracer), "");
}

static void diff_of_strangers_is_said_to_be_one(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "-F 0", "causes nanosleep 2");
	const char *other = e2e_path(e, "other");
	struct process *tracer = tracer_run(e, "record -q -F 0 -d 500ms -o %s -- %s", other,
					    e2e_target(e, "ticker"));

	tracer_expect(tracer, 0);
	tracer = tracer_run(e, "flame --diff %s %s", other, path);
	tracer_expect(tracer, 0);
	assert_non_null(strstr(process_err(tracer), "are they of the same program?"));
	tracer = tracer_run(e, "flame --diff %s %s", path, path);
	tracer_expect(tracer, 0);
	assert_string_equal(process_err(tracer), "");
}

static void flame_without_stacks_says_why(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "-F 0", "causes nanosleep 2");
	struct process *tracer = tracer_run(e, "flame --kind wall %s", path);

	tracer_expect(tracer, 0);
	assert_null(strstr(process_err(tracer), "no stack"));
	tracer = tracer_run(e, "flame --kind oncpu %s", path);
	tracer_expect(tracer, 0);
	assert_string_equal(process_out(tracer), "");
	assert_one_line(process_err(tracer));
	assert_non_null(strstr(process_err(tracer), "no stack to show"));
}

static void flamegraph_pl_draws_it(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process_options options = {0};
	const char *path = record(e, "", "causes pipe 20"), *folded = flame(e, "", path);
	const char *compared = flame(e, e2e_text(e, "--diff %s", path), path);
	struct process *perl;

	if (access(FLAMEGRAPH, R_OK)) {
		print_message("skipped: no " FLAMEGRAPH " (package libdevel-nytprof-perl)\n");
		skip();
	}
	perl = process_start(e, &options,
			     e2e_text(e, "perl " FLAMEGRAPH " %s",
				      e2e_write(e, "folded", folded, strlen(folded))));
	assert_int_equal(process_wait(perl), 0);
	assert_non_null(strstr(process_out(perl), "<svg"));
	assert_non_null(strstr(process_out(perl), "[blocked: read]"));
	/* It says so where it leaves lines out. */
	assert_null(strstr(process_err(perl), "Ignored"));
	assert_null(strstr(process_out(perl), "ERROR"));
	perl = process_start(e, &options,
			     e2e_text(e, "perl " FLAMEGRAPH " %s",
				      e2e_write(e, "compared", compared, strlen(compared))));
	assert_int_equal(process_wait(perl), 0);
	assert_null(strstr(process_err(perl), "Ignored"));
	assert_non_null(strstr(process_out(perl), "; 0.00%)"));
}

static void svg_is_one_self_contained_file(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "", "causes pipe 20");
	const char *svg = flame(e, "--format svg", path);

	assert_non_null(strstr(svg, "<svg"));
	assert_string_equal(svg + strlen(svg) - strlen("</svg>\n"), "</svg>\n");
	assert_non_null(strstr(svg, "blocker"));
	assert_non_null(strstr(svg, "[blocked: read]"));
	/* Nothing is fetched from elsewhere. */
	assert_null(strstr(svg, "src=\"http"));
	assert_null(strstr(svg, "@import"));
	assert_null(strstr(svg, "href=\"http"));
}

/* ---- views of a report ---- */

static void report_is_sorted_and_limited_as_asked(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = record(e, "-F 0", "counts abort 2 50");
	json_t *report = tracer_json(
		tracer_run(e, "report --json --sort polls --tasks 3 --type *er %s", path));
	json_t *types = json_object_get(report, "task_types"), *type;
	uint64_t last = UINT64_MAX;
	size_t i;

	assert_int_equal(json_array_size(types), 2);
	json_array_foreach (types, i, type) {
		assert_true(report_number(type, "polls") <= last);
		last = report_number(type, "polls");
	}
	assert_int_equal(json_array_size(json_object_get(report, "tasks")), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(wall_is_all_time_inside_polls),
		e2e_test(offcpu_is_blocked_time_and_run_queue),
		e2e_test(oncpu_is_samples_of_what_computes),
		e2e_test(what_probes_cost_is_one_frame),
		e2e_test(no_samples_are_taken_with_freq_zero),
		e2e_test(sched_is_the_time_in_queues),
		e2e_test(root_is_what_was_asked_for),
		e2e_test(type_and_min_block_choose_stacks),
		e2e_test(diff_compares_two_recordings),
		e2e_test(recording_does_not_differ_from_itself),
		e2e_test(diff_of_strangers_is_said_to_be_one),
		e2e_test(diff_says_what_it_cannot_compare),
		e2e_test(flame_without_stacks_says_why),
		e2e_test(flamegraph_pl_draws_it),
		e2e_test(svg_is_one_self_contained_file),
		e2e_test(report_is_sorted_and_limited_as_asked),
	};

	return cmocka_run_group_tests_name("flame", tests, NULL, NULL);
}
