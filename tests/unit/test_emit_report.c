// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* The report on a terminal. */
#include "emit/sort.h"
#include "tables.h"
#include "util/text.h"

static void check_table(const char *name, const struct table_options *options)
{
	const struct model model = sample_model();
	char *text = table_of(&model, options);

	golden_check(name, text);
	free(text);
}

static void assert_fits(char *text, unsigned width)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (text_width(line) > width)
			fail_msg("%zu columns in %u: %s", text_width(line), width, line);
	}
}

static void sample_model_keeps_the_identities(void **state)
{
	const struct model model = sample_model();

	(void)state;
	for (size_t i = 0; i < model.ntypes; i++) {
		const struct model_times *times = &model.types[i].times;
		uint64_t blocked = 0;

		for (size_t k = 0; k < model.types[i].ncauses; k++)
			blocked += model.types[i].causes[k].total_ns;
		assert_int_equal(times->lifetime_ns,
				 times->scheduled_ns + times->polling_ns + times->idle_ns);
		assert_int_equal(times->polling_ns,
				 times->on_cpu_ns + times->runqueue_ns + times->blocked_ns);
		assert_int_equal(times->blocked_ns, blocked);
	}
}

static void table_at_140_columns(void **state)
{
	(void)state;
	check_table("report-140.txt", &(struct table_options){.width = 140});
}

static void table_at_80_columns_drops_columns(void **state)
{
	(void)state;
	check_table("report-80.txt", &(struct table_options){.width = 80});
}

static void verbose_table_has_stacks_and_tasks(void **state)
{
	(void)state;
	check_table("report-verbose.txt", &(struct table_options){.width = 100, .verbose = true});
}

static void coloured_table(void **state)
{
	(void)state;
	check_table("report-color.txt", &(struct table_options){.width = 80, .color = true});
}

static void table_fits_every_width_from_60(void **state)
{
	const struct model model = sample_model();

	(void)state;
	for (unsigned width = 60; width <= 200; width++) {
		char *text =
			table_of(&model, &(struct table_options){.width = width, .verbose = true});

		assert_fits(text, width);
		free(text);
	}
}

static void empty_model_has_no_empty_sections(void **state)
{
	const struct model model = {
		.capture = {.end_reason = EVENT_END_DURATION, .duration_ns = 1}};
	char *text = table_of(&model, &(struct table_options){.verbose = true});

	(void)state;
	assert_null(strstr(text, "Workers"));
	assert_null(strstr(text, "Task types"));
	assert_null(strstr(text, "Slowest"));
	assert_null(strstr(text, "Blocking pool"));
	assert_null(strstr(text, "!"));
	free(text);
}

/* The line of a poll in the section of the slowest. */
static char *poll_line(uint64_t on_cpu_ns, uint64_t runqueue_ns, uint64_t blocked_ns)
{
	struct model_slow_poll poll = sample_slowest[0];
	struct model model = sample_model();
	char *text, *line;

	poll.on_cpu_ns = on_cpu_ns;
	poll.runqueue_ns = runqueue_ns;
	poll.blocked_ns = blocked_ns;
	model.slowest = &poll;
	model.nslowest = 1;
	text = table_of(&model, &(struct table_options){0});
	line = strstr(text, "+3.21s");
	line = strndup(line, strcspn(line, "\n"));
	free(text);
	return line;
}

static void slow_poll_names_its_largest_part(void **state)
{
	static const struct {
		uint64_t on_cpu_ns, runqueue_ns, blocked_ns;
		const char *part;
	} cases[] = {{1 * MS, 13 * MS, 359000, "  run queue"},
		     {13 * MS, 1 * MS, 359000, "  on cpu"},
		     {1 * MS, 359000, 13 * MS, "  fdatasync"}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *line =
			poll_line(cases[i].on_cpu_ns, cases[i].runqueue_ns, cases[i].blocked_ns);

		assert_string_equal(line + strlen(line) - strlen(cases[i].part), cases[i].part);
		free(line);
	}
}

static void stack_of_a_slow_poll_ends_in_its_largest_part(void **state)
{
	struct model_slow_poll poll = sample_slowest[0];
	struct model model = sample_model();
	char *text;

	(void)state;
	model.slowest = &poll;
	model.nslowest = 1;
	poll.runqueue_ns = poll.blocked_ns + 1;
	text = table_of(&model, &(struct table_options){.verbose = true});
	assert_non_null(strstr(text, "fdatasync\n        do_fsync_[k]\n        schedule_[k]\n"
				     "        [run queue]\n"));
	assert_null(strstr(text, "[blocked"));
	free(text);
	poll.on_cpu_ns = poll.runqueue_ns;
	text = table_of(&model, &(struct table_options){.verbose = true});
	assert_non_null(strstr(text, "        schedule_[k]\n        [on cpu]\n"));
	free(text);
}

static void location_without_room_keeps_its_end(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	char *text;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[0].location = "src/a_very_long_name_of_a_file_ärger_in_it_connection.c:267";
	model.types = types;
	text = table_of(&model, &(struct table_options){.width = 130});
	assert_non_null(strstr(text, "ction.c:267"));
	assert_null(strstr(text, "a_very"));
	free(text);
}

static void name_without_room_keeps_its_last_segments(void **state)
{
	static const struct {
		char *name;
		const char *shown;
	} cases[] = {
		{"a_crate_with_a_long_name::workers::job_worker", "\n  …workers::job_worker "},
		{"a_crate_with_a_long_name::route::{async block}", "\n  …route::{async block} "},
		{"a_crate::Pool<alloc::vec::Vec<u8>, route::A>::serve", "\n  …serve "},
		{"a_crate::a_function_with_a_long_name::{closure}", "\n  …_long_name::{closure} "},
		{"without_any_segments_but_with_a_long_name", "\n  …_but_with_a_long_name "},
	};
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	model.types = types;
	model.nslowest = 0;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text;

		types[0].name = cases[i].name;
		text = table_of(&model, &(struct table_options){.width = 80});
		if (!strstr(text, cases[i].shown))
			fail_msg("%s: %s", cases[i].shown, text);
		free(text);
	}
}

static void column_of_zeros_is_left_out(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	char *text;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	for (size_t i = 0; i < COUNT(types); i++) {
		types[i].times.on_cpu_ns += types[i].times.runqueue_ns;
		types[i].times.runqueue_ns = 0;
	}
	model.types = types;
	model.nslowest = 0;
	text = table_of(&model, &(struct table_options){.width = 140});
	assert_null(strstr(text, "queue  blocked"));
	free(text);
}

static void cause_that_took_no_time_is_left_out(void **state)
{
	struct sample_timeless sample;
	char *text;

	(void)state;
	sample_timeless(&sample);
	text = table_of(&sample.model, &(struct table_options){.width = 140});
	assert_non_null(strstr(text, "├ page-fault"));
	assert_null(strstr(text, "├ unknown"));
	free(text);
}

static void many_workers_are_abridged(void **state)
{
	struct model model = sample_model();
	struct model_worker workers[64];
	char *text;

	(void)state;
	for (size_t i = 0; i < COUNT(workers); i++) {
		workers[i] = sample_workers[0];
		workers[i].tid = 5000 + i;
		workers[i].busy_ns = i * MS;
	}
	model.workers = workers;
	model.nworkers = COUNT(workers);
	text = table_of(&model, &(struct table_options){0});
	assert_non_null(strstr(text, "5063"));
	assert_non_null(strstr(text, "5000"));
	assert_null(strstr(text, "5030"));
	assert_non_null(strstr(text, "56 between them are left out"));
	free(text);
}

static void quota_that_stops_a_target_is_told(void **state)
{
	struct model model = sample_model();
	struct model_source sources[] = {sample_sources[0], sample_sources[0]};
	struct model_process processes[] = {sample_processes[0], sample_processes[0]};
	struct model_process process = sample_processes[0];
	char *text;

	(void)state;
	model.processes = &process;
	model.nprocesses = 1;
	process.quota = (struct model_quota){
		.cgroup = "/pod\x1b[2J", .quota_ns = 50 * MS, .period_ns = 100 * MS, .periods = 40};
	text = table_of(&model, &(struct table_options){0});
	assert_null(strstr(text, "cgroup"));
	free(text);
	process.quota.throttled = 10;
	process.quota.throttled_ns = 1230 * MS;
	text = table_of(&model, &(struct table_options){.width = 200});
	assert_non_null(strstr(text,
			       "throttled in 25.0% of 40 periods, for 1.23s in sum over CPUs: "
			       "cgroup /pod\\x1b[2J may use 50.0ms of CPU time in each 100ms"));
	assert_null(strstr(text, ": throttled"));
	free(text);
	/* Of several each has its own. */
	sources[1].process = 1;
	model.sources = sources;
	model.processes = processes;
	model.nsources = model.nprocesses = 2;
	processes[0] = process;
	processes[1].pid = 77;
	processes[1].quota = process.quota;
	text = table_of(&model, &(struct table_options){.width = 200});
	assert_non_null(strstr(text, "pid 4242: throttled in 25.0%"));
	assert_non_null(strstr(text, "pid 77: throttled in 25.0%"));
	free(text);
}

static void worker_that_was_not_measured_is_not_called_busy(void **state)
{
	struct model model = sample_model();
	struct model_worker worker = sample_unmeasured_worker();
	char *text, *line;

	(void)state;
	model.workers = &worker;
	model.nworkers = 1;
	text = table_of(&model, &(struct table_options){.width = 140});
	line = strstr(text, "pollrt-worker-0");
	line[strcspn(line, "\n")] = '\0';
	assert_null(strchr(line, '%'));
	assert_null(strstr(line, "█"));
	assert_non_null(strstr(line, "n/a"));
	assert_string_equal(strstr(line, "512k"), "512k     n/a     n/a");
	assert_null(strstr(line + strlen(line) + 1, "of their CPU time"));
	free(text);
}

static void namesakes_show_their_location(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	char *text;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[2].name = types[0].name;
	model.types = types;
	text = table_of(&model, &(struct table_options){.width = 80});
	assert_non_null(strstr(text, "server.c:120"));
	assert_non_null(strstr(text, "server.c:88"));
	assert_null(strstr(text, "main.c:20"));
	free(text);
}

static void hostile_names_stay_on_their_line(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	char *text;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[0].name = "\033]0;pwned\a\r\nevil\xff\xe2\x80\xae";
	types[0].location = "\t\v";
	model.types = types;
	text = table_of(&model, &(struct table_options){.width = 200, .verbose = true});
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\r'));
	assert_null(strchr(text, '\a'));
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_non_null(strstr(text, "\\x1b]0;pwned\\x07\\x0d\\x0aevil\\xff\\u202e"));
	free(text);
}

static void sort_key_orders_types(void **state)
{
	const struct model model = sample_model();
	static const struct {
		const char *key;
		size_t first;
	} cases[] = {{"polling_ns", 0}, {"name", 3},    {"poll_ns.p50", 3},
		     {"location", 3},   {"idle_ns", 0}, {"scheduled_wait_ns.p99", 0},
		     {NULL, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t *order = emit_sort_types(&model, cases[i].key);

		assert_int_equal(order[0], cases[i].first);
		free(order);
	}
	for (size_t i = 0; emit_sort_key(i); i++)
		assert_true(emit_sort_key_valid(emit_sort_key(i)));
	assert_false(emit_sort_key_valid("poll"));
	assert_false(emit_sort_key_valid(""));
}

static void equal_types_keep_the_models_order(void **state)
{
	const struct model model = sample_model();
	size_t *order = emit_sort_types(&model, "alive");

	(void)state;
	assert_int_equal(order[1], 1);
	assert_int_equal(order[2], 2);
	assert_int_equal(order[3], 3);
	free(order);
}

static void table_says_what_is_estimated(void **state)
{
	struct model_type types[COUNT(sample_types)];
	struct model model = sample_estimated_model(types);
	char *text = table_of(&model, &(struct table_options){.width = 140});

	(void)state;
	assert_non_null(strstr(text,
			       "\nestimated: one poll in 16 was timed; times are scaled, polls "
			       "counted (since +3.20s)\n"));
	assert_non_null(strstr(strstr(text, "[block_on main]"), "n/a"));
	/* Only tasks of which a poll was timed were seen. */
	assert_non_null(strstr(text, " 918,023 polls\n"));
	assert_non_null(strstr(text, "server.c:120      n/a    n/a   812k"));
	free(text);
	model.capture.sampled_since_ns = 0;
	text = table_of(&model, &(struct table_options){.width = 140});
	assert_non_null(strstr(text, "polls counted\n"));
	free(text);
}

static void full_types_are_there_with_v(void **state)
{
	char *full[] = {"app::echo<TcpStream>", "app::echo<\033UnixStream>"};
	struct model_type types[COUNT(sample_types)];
	struct model model = sample_model();
	char *text;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[2].full = (struct model_full){full, COUNT(full)};
	model.types = types;
	text = table_of(&model, &(struct table_options){.verbose = true});
	assert_non_null(
		strstr(text, "\n    app::echo<TcpStream>\n    app::echo<\\x1bUnixStream>\n"));
	free(text);
	text = table_of(&model, &(struct table_options){0});
	assert_null(strstr(text, "TcpStream"));
	free(text);
}

static void what_is_not_queued_has_no_wait(void **state)
{
	struct model_source source = sample_sources[0];
	struct model_job job = sample_jobs[0];
	struct model model = sample_model();
	char *text;

	(void)state;
	source.capabilities &= ~EVENT_CAN_SPAWN;
	model.sources = &source;
	job.has_wait = false;
	model.jobs = &job;
	text = table_of(&model, &(struct table_options){.width = 140});
	assert_null(strstr(text, "waited"));
	assert_null(strstr(text, "queued at"));
	assert_null(strstr(text, "spawned at"));
	assert_non_null(strstr(text, "defined at"));
	assert_non_null(strstr(text, "sched leaves out what tasks wait for their first poll"));
	free(text);
}

static void full_disk_is_an_error(void **state)
{
	const struct model model = sample_model();
	FILE *full = golden_full();

	(void)state;
	assert_int_equal(emit_report_table(&model, &(struct table_options){0}, full), -5);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_model_keeps_the_identities),
		cmocka_unit_test(table_at_140_columns),
		cmocka_unit_test(table_at_80_columns_drops_columns),
		cmocka_unit_test(verbose_table_has_stacks_and_tasks),
		cmocka_unit_test(coloured_table),
		cmocka_unit_test(table_fits_every_width_from_60),
		cmocka_unit_test(empty_model_has_no_empty_sections),
		cmocka_unit_test(slow_poll_names_its_largest_part),
		cmocka_unit_test(stack_of_a_slow_poll_ends_in_its_largest_part),
		cmocka_unit_test(location_without_room_keeps_its_end),
		cmocka_unit_test(name_without_room_keeps_its_last_segments),
		cmocka_unit_test(column_of_zeros_is_left_out),
		cmocka_unit_test(cause_that_took_no_time_is_left_out),
		cmocka_unit_test(many_workers_are_abridged),
		cmocka_unit_test(quota_that_stops_a_target_is_told),
		cmocka_unit_test(worker_that_was_not_measured_is_not_called_busy),
		cmocka_unit_test(namesakes_show_their_location),
		cmocka_unit_test(hostile_names_stay_on_their_line),
		cmocka_unit_test(sort_key_orders_types),
		cmocka_unit_test(equal_types_keep_the_models_order),
		cmocka_unit_test(table_says_what_is_estimated),
		cmocka_unit_test(full_types_are_there_with_v),
		cmocka_unit_test(what_is_not_queued_has_no_wait),
		cmocka_unit_test(full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
