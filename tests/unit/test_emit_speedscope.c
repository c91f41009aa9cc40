// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* Files for speedscope: their form, and that their weights are the model's times. */
#include <jansson.h>

#include "emit/speedscope.h"
#include "golden.h"
#include "sample_model.h"

static char *speedscope(const struct model *model)
{
	struct golden_stream stream;

	assert_int_equal(emit_speedscope(model, golden_open(&stream)), 0);
	return golden_close(&stream);
}

static json_t *document_of(const struct model *model)
{
	char *text = speedscope(model);
	json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(document);
	free(text);
	return document;
}

static json_int_t number(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

/* What speedscope's importer relies on. */
static void check_profile(const json_t *profile, size_t nframes)
{
	const json_t *samples = json_object_get(profile, "samples");
	const json_t *weights = json_object_get(profile, "weights");
	json_t *stack, *frame, *weight;
	json_int_t sum = 0;
	size_t i, k;

	assert_string_equal(json_string_value(json_object_get(profile, "type")), "sampled");
	assert_string_equal(json_string_value(json_object_get(profile, "unit")), "nanoseconds");
	assert_int_equal(json_array_size(samples), json_array_size(weights));
	json_array_foreach (samples, i, stack)
		json_array_foreach (stack, k, frame)
			assert_in_range(json_integer_value(frame), 0, nframes - 1);
	json_array_foreach (weights, i, weight)
		sum += json_integer_value(weight);
	assert_int_equal(sum, number(profile, "endValue") - number(profile, "startValue"));
}

static void each_task_type_has_a_profile_of_its_polling(void **state)
{
	const struct model model = sample_model();
	json_t *document = document_of(&model), *profile;
	const json_t *profiles = json_object_get(document, "profiles");
	const json_t *frames = json_object_get(json_object_get(document, "shared"), "frames");
	uint64_t polling = 0;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(profiles), 1 + model.ntypes);
	json_array_foreach (profiles, i, profile) {
		check_profile(profile, json_array_size(frames));
		if (!i)
			continue;
		assert_string_equal(json_string_value(json_object_get(profile, "name")),
				    model.types[i - 1].name);
		assert_int_equal(number(profile, "endValue"), model.types[i - 1].times.polling_ns);
		polling += model.types[i - 1].times.polling_ns;
	}
	assert_int_equal(number(json_array_get(profiles, 0), "endValue"), polling);
	json_decref(document);
}

static void names_are_as_they_were(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	json_t *document, *profile;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[0].name = "handle<[u8; 4], \"\\\">";
	model.types = types;
	document = document_of(&model);
	profile = json_array_get(json_object_get(document, "profiles"), 1);
	assert_string_equal(json_string_value(json_object_get(profile, "name")), types[0].name);
	json_decref(document);
}

static void empty_model_is_a_file_with_nothing_in_it(void **state)
{
	const struct model model = {0};
	json_t *document = document_of(&model);
	const json_t *profiles = json_object_get(document, "profiles");

	(void)state;
	assert_int_equal(json_array_size(profiles), 1);
	check_profile(json_array_get(profiles, 0), 0);
	json_decref(document);
}

static void file_is_as_documented(void **state)
{
	struct model model = sample_model();
	char *text;

	(void)state;
	model.nweights = 6;
	model.non_cpu = 1;
	text = speedscope(&model);
	golden_check("wall.speedscope.json", text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_task_type_has_a_profile_of_its_polling),
		cmocka_unit_test(names_are_as_they_were),
		cmocka_unit_test(empty_model_is_a_file_with_nothing_in_it),
		cmocka_unit_test(file_is_as_documented),
	};

	return cmocka_run_group_tests_name("emit_speedscope", tests, NULL, NULL);
}
