// SPDX-License-Identifier: MIT
// links: core util
/* What a model says about where it comes from, and its symbols. */
#include "capture.h"

static void symbol(struct capture *capture, uint16_t process, uint64_t address, bool is_return,
		   const char *function)
{
	const struct event_frame frames[] = {
		{.function = function, .file = "a.c", .line = 3},
		{.function = "outer", .file = ""},
	};

	CAPTURE_EVENT(capture, 0, EVENT_SYMBOL,
		      .symbol = {.process = process,
				 .address = address,
				 .is_return = is_return,
				 .nframes = 2,
				 .frames = frames});
}

static void symbols_are_found_by_process_address_and_kind(void **state)
{
	struct capture capture = capture_begin();
	const struct model_symbol *found;
	const struct model *model;

	(void)state;
	capture_process(&capture, 0, 1, 77, 0);
	symbol(&capture, 1, 100, false, "leaf");
	symbol(&capture, 1, 100, true, "caller");
	symbol(&capture, 0, 100, false, "elsewhere");
	symbol(&capture, EVENT_NO_PROCESS, 100, false, "kernel");
	symbol(&capture, 1, 50, false, "early");
	symbol(&capture, 1, 50, false, "again");
	model = capture_end(&capture, 1);
	assert_int_equal(model->nsymbols, 5);
	found = model_symbol(model, 1, 100, false);
	assert_string_equal(found->frames[0].function, "leaf");
	assert_string_equal(found->frames[0].file, "a.c");
	assert_int_equal(found->frames[0].line, 3);
	assert_string_equal(found->frames[1].function, "outer");
	assert_string_equal(model_symbol(model, 1, 100, true)->frames[0].function, "caller");
	assert_string_equal(model_symbol(model, 0, 100, false)->frames[0].function, "elsewhere");
	found = model_symbol(model, EVENT_NO_PROCESS, 100, false);
	assert_string_equal(found->frames[0].function, "kernel");
	assert_null(model_symbol(model, 0, 100, true));
	assert_null(model_symbol(model, 0, 101, false));
	capture_free(&capture);
}

static void empty_model_has_no_symbols(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	assert_null(model_symbol(capture_end(&capture, 1), 0, 0, false));
	capture_free(&capture);
	model_free(NULL);
	correlator_free(NULL);
}

static void capture_says_what_it_was_told(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	CAPTURE_EVENT(&capture, 0, EVENT_MODULE,
		      .module = {.process = 0,
				 .start = 1,
				 .end = 2,
				 .file_offset = 3,
				 .path = "/lib/x",
				 .build_id = "ab"});
	CAPTURE_EVENT(&capture, 0, EVENT_MODULE,
		      .module = {.process = EVENT_NO_PROCESS, .path = "[kernel]", .build_id = ""});
	model = capture_end(&capture, 77);
	assert_int_equal(model->capture.start_ns, CAPTURE_ORIGIN);
	assert_int_equal(model->capture.start_unix_ns, 1);
	assert_int_equal(model->capture.duration_ns, 77);
	assert_int_equal(model->capture.end_reason, EVENT_END_DURATION);
	assert_int_equal(model->capture.ncpus, 2);
	assert_string_equal(model->capture.kernel, "6.1");
	assert_string_equal(model->capture.arch, "x86_64");
	assert_int_equal(model->capture.nlost, 0);
	assert_int_equal(model->nprocesses, 1);
	assert_int_equal(model->processes[0].pid, CAPTURE_PID);
	assert_string_equal(model->processes[0].comm, "app");
	assert_int_equal(model->nsources, 1);
	assert_string_equal(model->sources[0].runtime, "pollrt");
	assert_int_equal(model->nmodules, 2);
	assert_string_equal(model->modules[0].path, "/lib/x");
	assert_int_equal(model->modules[1].process, EVENT_NO_PROCESS);
	capture_free(&capture);
}

static void nothing_at_all_is_a_model(void **state)
{
	const struct correlate_options options = {0};
	struct correlator *correlator = correlator_new(&options);
	struct model *model = correlator_finish(correlator);

	(void)state;
	assert_non_null(model);
	assert_string_equal(model->capture.kernel, "");
	capture_check(model);
	model_free(model);
	correlator_free(correlator);
}

static void source_that_was_never_described_has_a_place(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	capture.source = 300;
	capture_poll(&capture, 10, 20, 1);
	CAPTURE_EVENT(
		&capture, 20, EVENT_SAMPLE,
		.sample = {.task = 1, .stack = {.frames = (const uint64_t[]){1}, .nuser = 1}});
	model = capture_end(&capture, 20);
	assert_int_equal(model->nsources, 2);
	assert_int_equal(model->nprocesses, 2);
	assert_int_equal(model->types[0].source, 1);
	assert_int_equal(model->sources[1].capabilities, 0);
	assert_string_equal(model->sources[1].runtime, "");
	capture_free(&capture);
}

static void last_quota_told_of_a_process_counts(void **state)
{
	struct capture capture = capture_begin();
	const struct model_quota *quota;

	(void)state;
	CAPTURE_EVENT(&capture, 10, EVENT_CPU_QUOTA,
		      .cpu_quota = {.process = 0, .quota_ns = 9, .throttled = 9, .cgroup = "/old"});
	CAPTURE_EVENT(&capture, 20, EVENT_CPU_QUOTA,
		      .cpu_quota = {.process = EVENT_NO_PROCESS, .cgroup = "/nobody's"});
	CAPTURE_EVENT(&capture, 30, EVENT_CPU_QUOTA,
		      .cpu_quota = {.process = 0,
				    .quota_ns = 50,
				    .period_ns = 100,
				    .periods = 7,
				    .throttled = 8,
				    .throttled_ns = 1234,
				    .cgroup = "/new"});
	capture_end(&capture, 100);
	quota = &capture.model->processes[0].quota;
	assert_string_equal(quota->cgroup, "/new");
	assert_int_equal(quota->quota_ns, 50);
	assert_int_equal(quota->period_ns, 100);
	assert_int_equal(quota->periods, 7);
	/* No more than there were. */
	assert_int_equal(quota->throttled, 7);
	assert_int_equal(quota->throttled_ns, 1234);
	capture_free(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbols_are_found_by_process_address_and_kind),
		cmocka_unit_test(empty_model_has_no_symbols),
		cmocka_unit_test(capture_says_what_it_was_told),
		cmocka_unit_test(nothing_at_all_is_a_model),
		cmocka_unit_test(source_that_was_never_described_has_a_place),
		cmocka_unit_test(last_quota_told_of_a_process_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
