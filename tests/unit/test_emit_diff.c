// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* Two captures compared: folded lines with two numbers, the document, red and blue. */
#include <jansson.h>

#include "emit/flame_json.h"
#include "emit/folded.h"
#include "emit/svg.h"
#include "golden.h"
#include "sample_model.h"

struct pair {
	struct model model, base;
	struct model_weight weights[COUNT(sample_weights)];
};

/*
 * The base ran twice as long: what weighs the same there has halved. fdatasync did not change,
 * futex is new, waiting in read is gone.
 */
static void pair_make(struct pair *pair)
{
	pair->model = pair->base = sample_model();
	memcpy(pair->weights, sample_weights, sizeof(pair->weights));
	pair->weights[4].ns *= 2;
	pair->weights[5].cause = "read";
	pair->base.weights = pair->weights;
	pair->base.capture.duration_ns *= 2;
	pair->base.capture.start_unix_ns -= 86400000 * MS;
}

static struct flame *compare(const struct model *model, const struct model *base,
			     enum flame_kind kind)
{
	struct flame *flame = flame_new(model, kind, FLAME_BY_TYPE);

	assert_non_null(flame);
	assert_int_equal(flame_compare(flame, base), 0);
	return flame;
}

static char *emitted(const struct model *model, const struct model *base, enum flame_kind kind,
		     int (*emit)(const struct model *, const struct flame *, FILE *))
{
	struct flame *flame = compare(model, base, kind);
	struct golden_stream stream;

	assert_int_equal(emit(model, flame, golden_open(&stream)), 0);
	flame_free(flame);
	return golden_close(&stream);
}

static int folded(const struct model *model, const struct flame *flame, FILE *out)
{
	(void)model;
	return emit_folded(flame, out);
}

/* The sums of both columns. */
static void sum_columns(const char *text, uint64_t sums[2])
{
	sums[0] = sums[1] = 0;
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		const char *number = strchr(line, '\n');
		char *end;

		for (int spaces = 0; spaces < 2; spaces += *number == ' ')
			number--;
		sums[0] += strtoull(number + 1, &end, 10);
		sums[1] += strtoull(end + 1, &end, 10);
		assert_int_equal(*end, '\n');
	}
}

static void lines_have_both_numbers(void **state)
{
	struct pair pair;
	char *text;

	(void)state;
	pair_make(&pair);
	text = emitted(&pair.model, &pair.base, FLAME_OFFCPU, folded);
	golden_check("diff.folded", text);
	free(text);
}

static void columns_sum_to_both_totals_a_second(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair);
	for (enum flame_kind kind = FLAME_WALL; kind <= FLAME_SCHED; kind++) {
		struct flame *now = flame_new(&pair.model, kind, FLAME_BY_TYPE);
		struct flame *then = flame_new(&pair.base, kind, FLAME_BY_TYPE);
		char *text = emitted(&pair.model, &pair.base, kind, folded);
		uint64_t sums[2];

		sum_columns(text, sums);
		assert_int_equal(sums[0], (then->total_ns + 10000) / 20000);
		assert_int_equal(sums[1], (now->total_ns + 5000) / 10000);
		assert_true(now->total_ns && then->total_ns);
		free(text);
		flame_free(now);
		flame_free(then);
	}
}

static void document_adds_the_base(void **state)
{
	struct pair pair;
	struct flame *then;
	json_int_t ns = 0, base_ns = 0;
	json_t *document, *base, *stack;
	char *text;
	size_t i;

	(void)state;
	pair_make(&pair);
	then = flame_new(&pair.base, FLAME_OFFCPU, FLAME_BY_TYPE);
	text = emitted(&pair.model, &pair.base, FLAME_OFFCPU, emit_flame_json);
	document = json_loads(text, 0, NULL);
	json_array_foreach (json_object_get(document, "stacks"), i, stack) {
		ns += json_integer_value(json_object_get(stack, "ns"));
		base_ns += json_integer_value(json_object_get(stack, "base_ns"));
	}
	assert_int_equal(ns, json_integer_value(json_object_get(document, "total_ns")));
	base = json_object_get(document, "base");
	assert_int_equal(base_ns, json_integer_value(json_object_get(base, "total_ns")));
	assert_int_equal(base_ns, then->total_ns);
	assert_non_null(json_object_get(json_object_get(base, "capture"), "duration_ns"));
	json_decref(document);
	free(text);
	flame_free(then);
}

/* The CSS class of the first box with this name, whose title ends in `change`. */
static char class_of(const char *svg, const char *name, const char *change)
{
	char title[128];
	const char *at, *end;

	snprintf(title, sizeof(title), "<title>%s\n", name);
	at = strstr(svg, title);
	if (!at)
		return '\0';
	end = strstr(at, "</title><rect class=\"d");
	assert_non_null(end);
	assert_memory_equal(end - strlen(change), change, strlen(change));
	return end[strlen("</title><rect class=\"d")];
}

static void what_grew_is_red_and_what_shrank_blue(void **state)
{
	struct pair pair;
	char *svg;

	(void)state;
	pair_make(&pair);
	svg = emitted(&pair.model, &pair.base, FLAME_OFFCPU, emit_svg);
	assert_int_equal(class_of(svg, "[blocked: fdatasync]",
				  "a second: 190ms, in the base 190ms: the same"),
			 '3');
	assert_int_equal(class_of(svg, "[blocked: futex]", "a second: 5.00ms, in the base 0: new"),
			 '6');
	assert_int_equal(class_of(svg, "[blocked: pwrite64]",
				  "a second: 40.0ms, in the base 20.0ms: +20.0ms, +100.0%"),
			 '6');
	/* Only in the base. */
	assert_null(strstr(svg, "[blocked: read]"));
	assert_non_null(strstr(svg, "gone, so not drawn: 2.50ms of the base"));
	free(svg);
	svg = emitted(&pair.base, &pair.model, FLAME_OFFCPU, emit_svg);
	assert_int_equal(class_of(svg, "[blocked: pwrite64]",
				  "a second: 20.0ms, in the base 40.0ms: −20.0ms, −50.0%"),
			 '0');
	free(svg);
}

static void nothing_changes_between_a_capture_and_itself(void **state)
{
	const struct model model = sample_model();
	char *svg = emitted(&model, &model, FLAME_WALL, emit_svg),
	     *nodes = strstr(svg, "<g class=\"f\"");

	(void)state;
	for (char *at = nodes; (at = strstr(at, "<rect class=\"d")); at++)
		assert_int_equal(at[strlen("<rect class=\"d")], '3');
	assert_non_null(strstr(svg, "gone, so not drawn: 0 of the base"));
	free(svg);
}

static void one_may_be_empty(void **state)
{
	const struct model model = sample_model(), empty = {.capture.duration_ns = 1};
	char *text = emitted(&empty, &model, FLAME_WALL, emit_svg);

	(void)state;
	assert_non_null(strstr(text, "The capture holds no such time."));
	assert_non_null(strstr(text, "gone, so not drawn: 875ms of the base"));
	free(text);
	text = emitted(&model, &empty, FLAME_WALL, emit_svg);
	assert_int_equal(class_of(text, "all", "a second: 875ms, in the base 0: new"), '6');
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_both_numbers),
		cmocka_unit_test(columns_sum_to_both_totals_a_second),
		cmocka_unit_test(document_adds_the_base),
		cmocka_unit_test(what_grew_is_red_and_what_shrank_blue),
		cmocka_unit_test(nothing_changes_between_a_capture_and_itself),
		cmocka_unit_test(one_may_be_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
