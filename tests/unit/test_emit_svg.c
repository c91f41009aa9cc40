// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* The flame graph as a picture. */
#include "emit/svg.h"
#include "golden.h"
#include "markup.h"
#include "sample_model.h"
#include "util/text.h"

static char *draw(const struct model *model, enum flame_kind kind)
{
	struct flame *flame = flame_new(model, kind, FLAME_BY_TYPE);
	struct golden_stream stream;

	assert_non_null(flame);
	assert_int_equal(emit_svg(model, flame, golden_open(&stream)), 0);
	flame_free(flame);
	return golden_close(&stream);
}

/* Cuts style and script out: they are the program's own, and no data is in them. */
static void cut_own_text(char *svg)
{
	char *open, *close;

	while ((open = strstr(svg, "<![CDATA["))) {
		close = strstr(open, "]]>");
		assert_non_null(close);
		memmove(open, close + 3, strlen(close + 3) + 1);
	}
}

static size_t occurrences(const char *text, const char *needle)
{
	size_t n = 0;

	for (; (text = strstr(text, needle)); text += strlen(needle))
		n++;
	return n;
}

static void check_picture(const char *name, enum flame_kind kind)
{
	const struct model model = sample_model();
	char *svg = draw(&model, kind);

	cut_own_text(svg);
	assert_well_formed(MARKUP_XML, svg);
	golden_check(name, svg);
	free(svg);
}

static void picture(void **state)
{
	(void)state;
	check_picture("wall.svg", FLAME_WALL);
}

/* What is awaited has another colour than the code that does. */
static void picture_of_idle_time(void **state)
{
	(void)state;
	check_picture("idle.svg", FLAME_IDLE);
}

static void comparison(void **state)
{
	struct model model = sample_model(), base = sample_model();
	struct model_weight weights[COUNT(sample_weights)];
	struct flame *flame = flame_new(&model, FLAME_OFFCPU, FLAME_BY_TYPE);
	struct golden_stream stream;
	char *svg;

	(void)state;
	memcpy(weights, sample_weights, sizeof(weights));
	weights[4].ns *= 2;
	weights[5].cause = "read";
	weights[8].ns *= 3;
	base.weights = weights;
	base.capture.duration_ns *= 2;
	assert_int_equal(flame_compare(flame, &base), 0);
	assert_int_equal(emit_svg(&model, flame, golden_open(&stream)), 0);
	flame_free(flame);
	svg = golden_close(&stream);
	cut_own_text(svg);
	assert_well_formed(MARKUP_XML, svg);
	golden_check("diff.svg", svg);
	free(svg);
}

static void sampled_time_tells_what_a_sample_is(void **state)
{
	const struct model model = sample_model();
	char *svg = draw(&model, FLAME_ONCPU);

	(void)state;
	assert_non_null(strstr(svg, ">6.07s in all · a sample is 10.1ms · captured for"));
	free(svg);
}

static void every_kind_is_well_formed(void **state)
{
	const struct model model = sample_model();

	(void)state;
	for (enum flame_kind kind = FLAME_WALL; kind <= FLAME_IDLE; kind++) {
		char *svg = draw(&model, kind);

		cut_own_text(svg);
		assert_well_formed(MARKUP_XML, svg);
		free(svg);
	}
}

static void nothing_outside_is_referred_to(void **state)
{
	const struct model model = sample_model();
	char *svg = draw(&model, FLAME_WALL);

	(void)state;
	assert_null(strstr(svg, "href"));
	assert_null(strstr(svg, "url("));
	assert_null(strstr(svg, "@import"));
	/* The namespaces of SVG and of the search box. */
	assert_int_equal(occurrences(svg, "://"), 2);
	free(svg);
}

static void empty_flame_says_so(void **state)
{
	const struct model model = {0};
	char *svg = draw(&model, FLAME_WALL);

	(void)state;
	assert_non_null(strstr(svg, "The capture holds no such time."));
	cut_own_text(svg);
	assert_well_formed(MARKUP_XML, svg);
	free(svg);
}

static void hostile_names_stay_text(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	struct model_process process = sample_processes[0];
	struct model_source source = sample_sources[0];
	char *svg;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[0].name = "</script><script>alert(1)</script>]]>\"'&amp;<!--\x01\n\xff\xef\xbf\xbf";
	types[1].name = "]]><script xlink:href=\"data:\">";
	process.comm = "</title><script>alert(1)</script>";
	source.version = "\" onload=\"alert(1)";
	model.types = types;
	model.processes = &process;
	model.sources = &source;
	svg = draw(&model, FLAME_WALL);
	cut_own_text(svg);
	assert_well_formed(MARKUP_XML, svg);
	assert_int_equal(occurrences(svg, "<script"), 1);
	assert_int_equal(occurrences(svg, "</script"), 1);
	assert_null(strstr(svg, "<!--"));
	assert_non_null(strstr(svg, "&lt;!--\\x01\\x0a\\xff\\uffff"));
	free(svg);
}

static void boxes_of_a_row_do_not_overlap(void **state)
{
	const struct model model = sample_model();
	char *svg = draw(&model, FLAME_WALL), *at = svg;
	unsigned long long start, value, ends[32] = {0};
	unsigned depth;

	(void)state;
	while ((at = strstr(at, "data-s="))) {
		assert_int_equal(sscanf(at, "data-s=\"%llu\" data-v=\"%llu\" data-d=\"%u\"", &start,
					&value, &depth),
				 3);
		assert_true(depth < COUNT(ends));
		assert_true(start >= ends[depth]);
		ends[depth] = start + value;
		assert_true(!depth || ends[depth] <= ends[depth - 1]);
		at++;
	}
	assert_int_equal(ends[0], 8746 * MS);
	free(svg);
}

static void slivers_are_left_out_and_counted(void **state)
{
	struct model model = sample_model();
	struct model_weight weights[COUNT(sample_weights)];
	char *svg;

	(void)state;
	memcpy(weights, sample_weights, sizeof(weights));
	weights[10].ns = 100;
	weights[10].cause = NULL;
	model.weights = weights;
	svg = draw(&model, FLAME_OFFCPU);
	/* The one function that only this weight has, and its [run queue]. */
	assert_non_null(strstr(
		svg, "2 frames narrower than 0.10 px merged or left out: &lt;0.1% of the time"));
	assert_null(strstr(svg, "libc.so.6"));
	free(svg);
}

/* One type that was blocked for as long by each of so many causes. */
static char *draw_causes(size_t count)
{
	struct model_weight *weights = calloc(count, sizeof(*weights));
	struct model model = sample_model();
	char *svg;

	assert_non_null(weights);
	for (size_t i = 0; i < count; i++) {
		weights[i] = sample_weights[4];
		weights[i].stack = MODEL_NO_STACK;
		assert_true(asprintf(&weights[i].cause, "cause%05zu", i) > 0);
	}
	model.weights = weights;
	model.nweights = count;
	svg = draw(&model, FLAME_OFFCPU);
	for (size_t i = 0; i < count; i++)
		free(weights[i].cause);
	free(weights);
	return svg;
}

static void narrow_siblings_become_one_box(void **state)
{
	char *svg = draw_causes(20000);

	(void)state;
	cut_own_text(svg);
	assert_well_formed(MARKUP_XML, svg);
	assert_int_equal(occurrences(svg, "<g class=\"f\""), 3);
	assert_non_null(strstr(svg, "<title>[20,000 narrower frames]\n10h33m · 100% of all"));
	assert_non_null(
		strstr(svg, "20,000 frames narrower than 0.10 px merged or left out: 100%"));
	free(svg);
}

/* Of those narrower than a pixel. */
static void no_more_frames_are_drawn_than_a_browser_bears(void **state)
{
	char *svg = draw_causes(9000);

	(void)state;
	cut_own_text(svg);
	assert_int_equal(occurrences(svg, "<g class=\"f\""), 9002);
	assert_null(strstr(svg, "narrower"));
	free(svg);
	svg = draw_causes(11000);
	cut_own_text(svg);
	assert_int_equal(occurrences(svg, "<g class=\"f\""), 3);
	assert_non_null(strstr(svg, "11,000 frames narrower than 0.11 px"));
	free(svg);
}

static void full_disk_is_an_error(void **state)
{
	const struct model model = sample_model();
	struct flame *flame = flame_new(&model, FLAME_WALL, FLAME_BY_TYPE);
	FILE *full = golden_full();

	(void)state;
	assert_int_equal(emit_svg(&model, flame, full), -5);
	fclose(full);
	flame_free(flame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(picture),
		cmocka_unit_test(picture_of_idle_time),
		cmocka_unit_test(comparison),
		cmocka_unit_test(sampled_time_tells_what_a_sample_is),
		cmocka_unit_test(every_kind_is_well_formed),
		cmocka_unit_test(nothing_outside_is_referred_to),
		cmocka_unit_test(empty_flame_says_so),
		cmocka_unit_test(hostile_names_stay_text),
		cmocka_unit_test(boxes_of_a_row_do_not_overlap),
		cmocka_unit_test(slivers_are_left_out_and_counted),
		cmocka_unit_test(narrow_siblings_become_one_box),
		cmocka_unit_test(no_more_frames_are_drawn_than_a_browser_bears),
		cmocka_unit_test(full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
