// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* The report as a page. What its script does is tested in a browser: test_browser.c. */
#include "emit/html.h"
#include "golden.h"
#include "markup.h"
#include "sample_model.h"
#include "util/text.h"

#define HOSTILE                                                                                    \
	"</script><script>alert(1)</script><!--\"'&amp;<img src=x onerror=\"a()\">\x01\n\xff"

static char *print_page(const struct model *model, const char *sort)
{
	struct flame *flame = flame_new(model, FLAME_WALL, FLAME_BY_TYPE);
	struct golden_stream stream;

	assert_non_null(flame);
	assert_int_equal(emit_html(model, flame, sort, golden_open(&stream)), 0);
	flame_free(flame);
	return golden_close(&stream);
}

static void cut(char *page, const char *open, const char *close)
{
	char *end;

	while ((page = strstr(page, open))) {
		end = strstr(page, close);
		assert_non_null(end);
		memmove(page, end + strlen(close), strlen(end + strlen(close)) + 1);
	}
}

/* Style, scripts and the flame, which has a golden file of its own. */
static void cut_own_text(char *page)
{
	cut(page, "<![CDATA[", "]]>");
	cut(page, "<style>\n", "</style>");
	cut(page, "<script>\n", "</script>");
}

static size_t occurrences(const char *text, const char *needle)
{
	size_t n = 0;

	for (; (text = strstr(text, needle)); text += strlen(needle))
		n++;
	return n;
}

static void page(void **state)
{
	const struct model model = sample_model();
	char *text = print_page(&model, NULL);

	(void)state;
	cut_own_text(text);
	assert_well_formed(MARKUP_HTML, text);
	cut(text, "<svg xmlns", "</svg>");
	golden_check("report.html", text);
	free(text);
}

static void nothing_outside_is_referred_to(void **state)
{
	const struct model model = sample_model();
	char *text = print_page(&model, NULL);

	(void)state;
	assert_non_null(strstr(text, "default-src 'none'"));
	assert_null(strstr(text, "url("));
	assert_null(strstr(text, "@import"));
	assert_null(strstr(text, " src="));
	assert_null(strstr(text, "<link"));
	assert_int_equal(occurrences(text, "href=\""), occurrences(text, "href=\"#"));
	/* The namespaces of SVG and of its search box. */
	assert_int_equal(occurrences(text, "://"), 2);
	free(text);
}

static void hostile_names_stay_text(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	struct model_cause causes[COUNT(sample_handle_causes)];
	struct model_worker workers[COUNT(sample_workers)];
	struct model_job job = sample_jobs[0];
	struct model_slow_poll slow = sample_slowest[0];
	struct model_process process = sample_processes[0];
	struct model_source source = sample_sources[0];
	char *text, *full[] = {HOSTILE};

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	memcpy(causes, sample_handle_causes, sizeof(causes));
	memcpy(workers, sample_workers, sizeof(workers));
	types[0].name = types[0].location = causes[0].cause = causes[0].target = HOSTILE;
	types[0].causes = causes;
	types[0].full.types = full;
	types[0].full.count = 1;
	workers[0].name = job.name = job.location = slow.cause = HOSTILE;
	process.comm = process.command_line = source.runtime = source.version = HOSTILE;
	process.quota = (struct model_quota){.cgroup = HOSTILE, .periods = 4, .throttled = 1};
	model.types = types;
	model.workers = workers;
	model.jobs = &job;
	model.slowest = &slow;
	model.nslowest = 1;
	model.processes = &process;
	model.sources = &source;
	model.capture.kernel = model.capture.arch = HOSTILE;
	model.capture.tool_version = model.capture.command_line = HOSTILE;
	text = print_page(&model, NULL);
	cut_own_text(text);
	assert_well_formed(MARKUP_HTML, text);
	assert_int_equal(occurrences(text, "<script"), 1); /* the flame's */
	assert_null(strstr(text, "<!--"));
	assert_null(strstr(text, "<img"));
	assert_true(occurrences(text, "&lt;!--&quot;'&amp;amp;&lt;img") > 15);
	assert_non_null(strstr(text, "<p class=\"note\">Throttled in 25.0% of 4 periods, "));
	free(text);
}

static void empty_capture_is_a_page(void **state)
{
	const struct model model = {.capture = {.kernel = "",
						.arch = "",
						.tool_version = "",
						.command_line = "",
						.end_reason = EVENT_END_DURATION}};
	char *text = print_page(&model, NULL);

	(void)state;
	cut_own_text(text);
	assert_well_formed(MARKUP_HTML, text);
	assert_non_null(strstr(text, "<li>Nothing: no task was polled.</li>"));
	assert_non_null(strstr(text, "The capture holds no such time."));
	assert_null(strstr(text, "<table>"));
	free(text);
}

static void quiet_capture_says_that_nothing_stands_out(void **state)
{
	struct model model = sample_model();
	char *text;

	(void)state;
	model.types = &sample_types[2];
	model.ntypes = 1;
	model.nslowest = model.njobs = model.nworkers = 0;
	model.nweights = model.non_cpu = model.nidle = 0;
	text = print_page(&model, NULL);
	assert_non_null(strstr(text, "<li>Nothing inside of polls: none took 1.00ms"));
	free(text);
}

static void waits_that_no_probe_shows_are_told(void **state)
{
	struct model_source source = sample_sources[0];
	struct model model = sample_model();
	char *text = print_page(&model, NULL);

	(void)state;
	assert_null(strstr(text, "sched leaves out"));
	free(text);
	source.capabilities &= ~EVENT_CAN_SPAWN;
	model.sources = &source;
	text = print_page(&model, NULL);
	assert_non_null(strstr(text, "sched leaves out what tasks wait for their first poll"));
	free(text);
}

static void workers_that_were_not_seen_are_told(void **state)
{
	struct model_source source = sample_sources[0];
	struct model model = sample_model();
	char *text;

	(void)state;
	source.workers = 128;
	model.sources = &source;
	text = print_page(&model, NULL);
	assert_non_null(strstr(text, "of the time, 2 of 128 seen"));
	free(text);
	source.workers = 0;
	text = print_page(&model, NULL);
	assert_non_null(strstr(text, "<li>pollrt 0.1.0</li>"));
	assert_non_null(strstr(text, "of the time, 2 in all"));
	free(text);
}

static void several_processes_are_told_apart(void **state)
{
	struct model_process processes[] = {sample_processes[0], sample_processes[0]};
	struct model_source sources[] = {sample_sources[0], sample_sources[0]};
	struct model_worker workers[COUNT(sample_workers)];
	struct model model = sample_model();
	char *text;

	(void)state;
	memcpy(workers, sample_workers, sizeof(workers));
	processes[1].pid = 4343;
	processes[1].quota = (struct model_quota){.cgroup = "/pod", .periods = 4, .throttled = 1};
	sources[1].process = 1;
	sources[1].capabilities &= ~EVENT_CAN_PARK;
	workers[1].source = 1;
	model.processes = processes;
	model.sources = sources;
	model.workers = workers;
	model.nprocesses = model.nsources = 2;
	text = print_page(&model, NULL);
	assert_non_null(strstr(text, "2 processes <small>where their tasks' time went"));
	assert_non_null(strstr(text, "<ul class=\"workers several\""));
	assert_non_null(strstr(text, "tid 4244 of pid 4343<"));
	assert_non_null(strstr(text, "<p class=\"note\">pid 4343: throttled in 25.0% of 4"));
	assert_non_null(strstr(text, "<i class=\"parked\"></i>parked, or in no poll</span>"));
	free(text);
}

static void few_waits_have_no_percentile(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)], *type = types;
	struct model_job job = sample_jobs[0];
	char *text;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	type->polls = 10;
	type->has_scheduled = job.has_wait = true;
	type->scheduled_wait_ns.p99 = type->scheduled_wait_ns.max = 3000 * MS;
	job.jobs = 7;
	job.running = 0;
	job.wait_ns.p99 = job.wait_ns.max = 40 * MS;
	model.types = types;
	model.nslowest = 0;
	model.jobs = &job;
	model.njobs = 1;
	text = print_page(&model, NULL);
	assert_null(strstr(text, "One in 100"));
	assert_non_null(strstr(text, "for a worker, of 10 polls, took <b>3.00s</b>"));
	assert_non_null(strstr(text, "The longest wait of 7 <a href=\"#jobs\">blocking jobs</a>"));
	assert_non_null(strstr(text, "for a thread took <b>40.0ms</b>"));
	free(text);
	type->polls = job.jobs = 100;
	text = print_page(&model, NULL);
	assert_int_equal(occurrences(text, "<li>One in 100"), 2);
	free(text);
}

static void what_stands_out_comes_longest_first(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)], *type = types;
	const char *blocked, *runqueue;
	char *text;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	type->times.runqueue_ns = type->causes->total_ns - 1;
	for (size_t i = 1; i < COUNT(types); i++)
		types[i].times.runqueue_ns = types[i].ncauses = 0;
	model.types = types;
	model.nslowest = 0;
	for (int i = 0; i < 2; i++) {
		text = print_page(&model, NULL);
		blocked = strstr(text, "</a> was blocked <b>");
		runqueue =
			strstr(text, "waiting for a CPU: others ran, or a CPU quota was used up");
		assert_non_null(blocked);
		assert_non_null(runqueue);
		assert_true(i ? runqueue < blocked : blocked < runqueue);
		free(text);
		type->times.runqueue_ns += 2;
	}
}

static void types_come_in_the_order_asked_for(void **state)
{
	const struct model model = sample_model();
	char *text = print_page(&model, "name"), *first, *second;

	(void)state;
	text = memmove(text, strstr(text, "<section id=\"types\""),
		       strlen(strstr(text, "<section id=\"types\"")) + 1);
	assert_non_null(strstr(text, "<th scope=\"col\" aria-sort=\"ascending\">"));
	first = strstr(text, ">accept_loop<");
	second = strstr(text, ">handle_conn<");
	assert_true(first && second && first < second);
	free(text);
}

static void sampled_capture_says_what_its_colours_show(void **state)
{
	struct model model = sample_model();
	char *text, *chart;

	(void)state;
	model.capture.estimated = true;
	model.capture.sampled_one_in = 16;
	model.capture.sampled_since_ns = 2000 * MS;
	text = print_page(&model, NULL);
	assert_non_null(strstr(text, "from +2.00s on that is one in 16"));
	assert_non_null(strstr(text, "estimated: one poll in 16 was timed"));
	assert_null(strstr(text, "of lifetime"));
	assert_non_null(strstr(text, " data-sampled=\"2000000000\""));
	assert_non_null(strstr(text, "between polls, or in a poll that was not timed</span>"));
	/* Before that all of the ground is covered; then what was parked, from the top down. */
	chart = strstr(text, "<div class=\"chart sampled\"");
	assert_non_null(chart);
	assert_non_null(strstr(chart, "<path class=\"parked\" d=\"M0 0V1000H2000V380H3000V100"));
	/* What was busy between polls is drawn only before. */
	assert_non_null(strstr(chart, "<path class=\"between\" d=\"M0 1000H0V380H2000V390"));
	free(text);
}

static void worker_that_was_not_measured_is_not_called_busy(void **state)
{
	struct model model = sample_model();
	struct model_worker worker = sample_unmeasured_worker();
	char *text;

	(void)state;
	model.workers = &worker;
	model.nworkers = 1;
	text = print_page(&model, NULL);
	assert_non_null(strstr(text, "<b>n/a</b> busy <span class=\"at\">on CPU n/a · 512k polls"));
	assert_non_null(strstr(text, "<dt>Workers busy</dt><dd><b>n/a</b>"));
	free(text);
}

/* A slice's parts may claim more than its length only where events lied. */
static void columns_stay_in_their_chart(void **state)
{
	struct model model = sample_model();
	struct model_worker workers[COUNT(sample_workers)];
	struct model_slice slices[COUNT(sample_slices_0)];
	char *text, *chart;

	(void)state;
	memcpy(workers, sample_workers, sizeof(workers));
	for (size_t i = 0; i < COUNT(slices); i++)
		slices[i] = (struct model_slice){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
	workers[0].slices = slices;
	model.workers = workers;
	model.nworkers = 1;
	text = print_page(&model, NULL);
	chart = strstr(
		text,
		"class=\"chart\" data-parks=\"\" data-slices=\"0,0,1000000000,0;0,0,1000000000,0;");
	assert_non_null(chart);
	assert_non_null(strstr(chart, "<path class=\"blocked\" d=\"M0 1000H0V0H10000V1000Z\"/>"));
	free(text);
}

static void full_disk_is_an_error(void **state)
{
	const struct model model = sample_model();
	struct flame *flame = flame_new(&model, FLAME_WALL, FLAME_BY_TYPE);
	FILE *full = golden_full();

	(void)state;
	assert_int_equal(emit_html(&model, flame, NULL, full), -5);
	fclose(full);
	flame_free(flame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page),
		cmocka_unit_test(nothing_outside_is_referred_to),
		cmocka_unit_test(hostile_names_stay_text),
		cmocka_unit_test(empty_capture_is_a_page),
		cmocka_unit_test(quiet_capture_says_that_nothing_stands_out),
		cmocka_unit_test(waits_that_no_probe_shows_are_told),
		cmocka_unit_test(workers_that_were_not_seen_are_told),
		cmocka_unit_test(several_processes_are_told_apart),
		cmocka_unit_test(few_waits_have_no_percentile),
		cmocka_unit_test(what_stands_out_comes_longest_first),
		cmocka_unit_test(types_come_in_the_order_asked_for),
		cmocka_unit_test(sampled_capture_says_what_its_colours_show),
		cmocka_unit_test(worker_that_was_not_measured_is_not_called_busy),
		cmocka_unit_test(columns_stay_in_their_chart),
		cmocka_unit_test(full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
