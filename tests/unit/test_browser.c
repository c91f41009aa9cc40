// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/*
 * Pages and pictures in a real browser, headless: sorted, searched, hovered and zoomed by the
 * scripts in tests/unit/browser/, at a phone's and a desktop's width, light and dark. Each script
 * leaves its verdict in the document, which the browser prints.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "emit/html.h"
#include "emit/svg.h"
#include "golden.h"
#include "sample_model.h"

#define HOSTILE "<img src=x onerror=\"hacked=1\"></b>'&amp;"
#define POLLS 40
#define MANY 60
#define NAME_LENGTH 400
#define DARK "--blink-settings=preferredColorScheme=0"

static const char *const browsers[] = {"chromium", "chromium-browser", "google-chrome"};

struct browser {
	const char *name;
	char folder[64];
};

static int find_browser(void **state)
{
	static struct browser browser;
	char command[128];

	for (size_t i = 0; i < COUNT(browsers) && !browser.name; i++) {
		snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", browsers[i]);
		if (!system(command))
			browser.name = browsers[i];
	}
	strcpy(browser.folder, "/tmp/pollscope-browser-XXXXXX");
	if (!mkdtemp(browser.folder))
		return -1;
	*state = &browser;
	return 0;
}

static int remove_folder(void **state)
{
	const struct browser *browser = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", browser->folder);
	return system(command);
}

/* Returns the document after its scripts, "" if the browser failed; to be freed. */
static char *run(const struct browser *browser, const char *file, const char *options)
{
	char command[1024], path[128];
	int status;

	snprintf(path, sizeof(path), "%s/dom", browser->folder);
	snprintf(command, sizeof(command),
		 "HOME=%s timeout 100 %s --headless --no-sandbox --disable-gpu --hide-scrollbars "
		 "--disable-dev-shm-usage --user-data-dir=%s/profile --virtual-time-budget=5000 %s "
		 "--dump-dom file://%s/%s >%s 2>%s/log",
		 browser->folder, browser->name, browser->folder, options, browser->folder, file,
		 path, browser->folder);
	status = system(command);
	if (status)
		fail_msg("status %d of %s", status, command);
	return golden_read(path);
}

struct page {
	const char *name, *script;
	const char *end; /* the script stands before it, in these */
	const char *open, *close;
};

static const struct page report_page = {"report.html", "report.js", "</body>", "<script>\n",
					"</script>"};
static const struct page extreme_page = {"extreme.html", "extremes.js", "</body>", "<script>\n",
					 "</script>"};
static const struct page flame_page = {"flame.svg", "flame.js", "</svg>", "<script><![CDATA[\n",
				       "]]></script>"};

/* Opens the document with the script in it, and expects the verdict "passed". */
static void drive(void **state, const struct page *page, const char *document, const char *options)
{
	const struct browser *browser = *state;
	char path[256], *script, *dom;
	const char *at = NULL;
	FILE *file;

	for (const char *next = document; (next = strstr(next, page->end)); next++)
		at = next;
	assert_non_null(at);
	snprintf(path, sizeof(path), "tests/unit/browser/%s", page->script);
	script = golden_read(path);
	assert_true(*script);
	snprintf(path, sizeof(path), "%s/%s", browser->folder, page->name);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%.*s%s%s%s%s", (int)(at - document), document, page->open, script,
		page->close, at);
	fclose(file);
	dom = run(browser, page->name, options);
	if (!strstr(dom, " data-verdict=\"passed\"")) {
		at = strstr(dom, " data-verdict=");
		fail_msg("%s: %.200s", options, at ? at : "no verdict");
	}
	free(dom);
	free(script);
}

static bool is_there(void **state)
{
	const struct browser *browser = *state;

	if (browser->name)
		return true;
	print_message("skipped: there is no chromium, chromium-browser or google-chrome in PATH\n");
	return false;
}

/* The sample, with enough slow polls to be abridged, and a name that is markup. */
static struct flame *make_model(struct model *model)
{
	static struct model_type types[COUNT(sample_types)];
	static struct model_slow_poll slowest[POLLS];
	struct flame *flame;

	*model = sample_model();
	memcpy(types, sample_types, sizeof(types));
	types[2].name = HOSTILE;
	for (size_t i = 0; i < POLLS; i++) {
		slowest[i] = sample_slowest[i < 3 ? i : 2];
		slowest[i].start_ns += i * MS;
	}
	model->types = types;
	model->slowest = slowest;
	model->nslowest = POLLS;
	flame = flame_new(model, FLAME_WALL, FLAME_BY_TYPE);
	assert_non_null(flame);
	return flame;
}

static void report(void **state, const char *options)
{
	struct golden_stream stream;
	struct flame *flame;
	struct model model;
	char *page;

	if (!is_there(state))
		skip();
	flame = make_model(&model);
	assert_int_equal(emit_html(&model, flame, NULL, golden_open(&stream)), 0);
	page = golden_close(&stream);
	drive(state, &report_page, page, options);
	free(page);
	flame_free(flame);
}

static void flame(void **state, const struct model *base, const char *options)
{
	struct golden_stream stream;
	struct flame *flame;
	struct model model;
	char *picture;

	if (!is_there(state))
		skip();
	flame = make_model(&model);
	if (base)
		assert_int_equal(flame_compare(flame, base), 0);
	assert_int_equal(emit_svg(&model, flame, golden_open(&stream)), 0);
	picture = golden_close(&stream);
	drive(state, &flame_page, picture, options);
	free(picture);
	flame_free(flame);
}

static void extreme(void **state, const struct model *model, const char *options)
{
	struct flame *flame = flame_new(model, FLAME_WALL, FLAME_BY_TYPE);
	struct golden_stream stream;
	char *page;

	assert_non_null(flame);
	assert_int_equal(emit_html(model, flame, NULL, golden_open(&stream)), 0);
	page = golden_close(&stream);
	drive(state, &extreme_page, page, options);
	free(page);
	flame_free(flame);
}

static void report_of_nothing_on_a_phone(void **state)
{
	struct model model = sample_model();

	if (!is_there(state))
		skip();
	model.ntypes = model.nworkers = model.nslowest = model.njobs = model.ntasks = 0;
	model.nweights = model.non_cpu = model.nidle = 0;
	extreme(state, &model, "--window-size=390,844");
}

static void report_of_many_workers_and_long_names(void **state)
{
	static struct model_type types[COUNT(sample_types)];
	static struct model_worker workers[MANY];
	static char name[NAME_LENGTH + 1];
	struct model model = sample_model();

	if (!is_there(state))
		skip();
	for (size_t i = 0; i < NAME_LENGTH; i++)
		name[i] = "core::future::Future<Output = Result<"[i % 37];
	memcpy(types, sample_types, sizeof(types));
	types[0].name = name;
	for (size_t i = 0; i < MANY; i++) {
		workers[i] = sample_workers[i % 2];
		workers[i].tid += i;
	}
	model.types = types;
	model.workers = workers;
	model.nworkers = MANY;
	extreme(state, &model, "--window-size=390,844");
	extreme(state, &model, "--window-size=1280,900");
}

static void report_on_a_phone(void **state)
{
	report(state, "--window-size=390,844");
}

static void report_on_a_dark_phone(void **state)
{
	report(state, "--window-size=390,844 " DARK);
}

static void report_on_a_desktop(void **state)
{
	report(state, "--window-size=1280,900");
}

static void report_on_a_dark_desktop(void **state)
{
	report(state, "--window-size=1280,900 " DARK);
}

static void flame_on_a_phone(void **state)
{
	flame(state, NULL, "--window-size=390,844");
}

static void flame_on_a_desktop(void **state)
{
	flame(state, NULL, "--window-size=1280,900");
}

static void comparison_on_a_phone(void **state)
{
	const struct model base = sample_model();

	flame(state, &base, "--window-size=390,844");
}

static void comparison_on_a_dark_desktop(void **state)
{
	const struct model base = sample_model();

	flame(state, &base, "--window-size=1280,900 " DARK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_on_a_phone),
		cmocka_unit_test(report_on_a_dark_phone),
		cmocka_unit_test(report_on_a_desktop),
		cmocka_unit_test(report_on_a_dark_desktop),
		cmocka_unit_test(report_of_nothing_on_a_phone),
		cmocka_unit_test(report_of_many_workers_and_long_names),
		cmocka_unit_test(flame_on_a_phone),
		cmocka_unit_test(flame_on_a_desktop),
		cmocka_unit_test(comparison_on_a_phone),
		cmocka_unit_test(comparison_on_a_dark_desktop),
	};

	return cmocka_run_group_tests(tests, find_browser, remove_folder);
}
