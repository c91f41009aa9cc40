// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* What a recording holds. */
#include <jansson.h>

#include "emit/info.h"
#include "golden.h"
#include "sample_model.h"

static struct recording_summary sample_summary(void)
{
	return (struct recording_summary){
		.path = "pollscope.data",
		.version_major = 1,
		.bytes = 7 << 20,
		.raw_bytes = 40 << 20,
		.chunks = 31,
		.events = {[EVENT_CAPTURE_START] = 1,
			   [EVENT_CAPTURE_END] = 1,
			   [EVENT_POLL] = 918023,
			   [EVENT_OFFCPU] = 3100,
			   [EVENT_WAKE] = 913444},
	};
}

static char *text_of(const struct model *model, const struct recording_summary *summary)
{
	struct golden_stream stream;

	assert_int_equal(emit_info_text(model, summary, &(struct table_options){.width = 80},
					golden_open(&stream)),
			 0);
	return golden_close(&stream);
}

static void info_text(void **state)
{
	const struct model model = sample_model();
	const struct recording_summary summary = sample_summary();
	char *text = text_of(&model, &summary);

	(void)state;
	golden_check("info.txt", text);
	free(text);
}

static void info_json(void **state)
{
	const struct model model = sample_model();
	const struct recording_summary summary = sample_summary();
	struct golden_stream stream;

	(void)state;
	assert_int_equal(emit_info_json(&model, &summary, golden_open(&stream)), 0);
	golden_check("info.json", golden_close(&stream));
	free(stream.text);
}

static void damage_is_told(void **state)
{
	const struct model model = sample_model();
	struct recording_summary summary = sample_summary();
	char *text;

	(void)state;
	summary.truncated = true;
	summary.damaged_chunks = 2;
	summary.damaged_bytes = 70000;
	text = text_of(&model, &summary);
	assert_non_null(strstr(text, "! The recording is cut"));
	assert_non_null(strstr(text, "! 2 chunks damaged or missing, 68.4 KiB could not be read"));
	free(text);
}

static void cut_recording_names_what_is_missing_at_its_end(void **state)
{
	const struct model model = sample_model();
	struct recording_summary summary = sample_summary();
	char *text;

	(void)state;
	summary.truncated = true;
	summary.damaged_bytes = 4772;
	text = text_of(&model, &summary);
	assert_non_null(strstr(text, "! 4.66 KiB at its end could not be read\n"));
	assert_null(strstr(text, "damaged or missing"));
	free(text);
	summary.damaged_bytes = 0;
	summary.damaged_chunks = 1;
	text = text_of(&model, &summary);
	assert_non_null(strstr(text, "! 1 chunk damaged or missing\n"));
	free(text);
}

static void few_events_have_no_average_size(void **state)
{
	const struct model model = sample_model();
	struct recording_summary summary = sample_summary();
	char *text;

	(void)state;
	memset(summary.events, 0, sizeof(summary.events));
	summary.events[EVENT_CAPTURE_START] = 1;
	summary.chunks = 1;
	summary.bytes = 5000;
	text = text_of(&model, &summary);
	assert_non_null(strstr(text, "Events  1 in 1 chunk\n"));
	free(text);
}

static void how_a_launched_target_ended_is_told(void **state)
{
	const struct recording_summary summary = sample_summary();
	struct model_process process = sample_processes[0];
	struct model model = sample_model();
	static const struct {
		int32_t status;
		const char *text;
	} cases[] = {
		{-1, "exited\n"}, {0x0300, "exited with status 3\n"}, {9, "killed by signal 9\n"}};

	(void)state;
	process.launched = process.exited = true;
	model.processes = &process;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text;

		process.wait_status = cases[i].status;
		text = text_of(&model, &summary);
		assert_non_null(strstr(text, cases[i].text));
		free(text);
	}
}

static void a_recording_of_nothing_is_described(void **state)
{
	const struct recording_summary summary = {.path = "x\033[2J\xff", .truncated = true};
	const struct model model = {0};
	char *text = text_of(&model, &summary);

	(void)state;
	assert_non_null(strstr(text, "x\\x1b[2J\\xff"));
	assert_null(strchr(text, '\033'));
	assert_null(strstr(text, "Events"));
	assert_null(strstr(text, "Modules"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_text),
		cmocka_unit_test(info_json),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(cut_recording_names_what_is_missing_at_its_end),
		cmocka_unit_test(few_events_have_no_average_size),
		cmocka_unit_test(how_a_launched_target_ended_is_told),
		cmocka_unit_test(a_recording_of_nothing_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
