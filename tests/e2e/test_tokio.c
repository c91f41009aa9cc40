// SPDX-License-Identifier: MIT
/*
 * One program with an unmodified Tokio, built in every way in which people build theirs: what its futures
 * are called, and what they do, to the last poll.
 */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "tokio.h"

#define EXACT "--sample 1 -F 0 --buffer 64M --tasks 100000"
#define ATTEMPTS 4

static const char *version_of(const json_t *report)
{
	json_t *runtime = json_object_get(json_object_get(report, "capture"), "runtime");

	assert_string_equal(report_string(runtime, "name"), "tokio");
	return report_string(runtime, "version");
}

/*
 * Neighbours that take this machine's CPUs away come and go: where they hide what a task waits for, it is
 * looked at again.
 */
static json_t *assert_build(struct e2e *e, const char *variant, enum tokio_names names)
{
	const char *command = tokio_command(e, variant, "mix 10");
	json_t *report, *truth;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		report = report_of_launch(e, EXACT, command, &truth);
		assert_tokio_counts(report, truth, names);
		assert_tokio_jobs(report, truth, names);
		assert_tokio_blocked(report, truth, names);
		if (tokio_blocked_is_seen(report, truth, names))
			return report;
	}
	fail_msg("blocked time is missing, %d times", ATTEMPTS);
	return NULL;
}

/* A test for a build. */
#define BUILD(test, variant, names)                                                                \
	static void test(void **state)                                                             \
	{                                                                                          \
		struct e2e *e = e2e_of(state);                                                     \
                                                                                                   \
		assert_non_null(strchr(version_of(assert_build(e, variant, names)), '.'));         \
	}

BUILD(release_build_with_debug_information, "release", TOKIO_NAMED)
BUILD(debug_build, "dev", TOKIO_NAMED)
/* Older compilers' symbols are ambiguous for some. */
BUILD(release_build_with_symbols, "symbols", TOKIO_EITHER)
BUILD(release_build_with_v0_symbols, "v0", TOKIO_NAMED)
BUILD(stripped_build, "stripped", TOKIO_LOCATED)
BUILD(stripped_build_with_a_debug_file, "separate", TOKIO_NAMED)
BUILD(fat_lto_build, "fat", TOKIO_NAMED)
BUILD(stripped_fat_lto_build, "fat-stripped", TOKIO_LOCATED)
BUILD(build_that_aborts_on_panic, "abort", TOKIO_NAMED)
BUILD(build_for_size, "size", TOKIO_NAMED)
BUILD(stripped_static_pie, "static-pie", TOKIO_LOCATED)
BUILD(stripped_executable_at_a_fixed_address, "non-pie", TOKIO_LOCATED)
BUILD(newer_tokio, "new", TOKIO_NAMED)
BUILD(newer_tokio_in_a_stripped_fat_lto_build, "new-fat-stripped", TOKIO_LOCATED)

static void versions_are_told_apart(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *newer = tokio_command(e, "new", "mix 1"), *version;
	json_t *truth, *report;

	report = report_of_launch(e, EXACT, tokio_command(e, "stripped", "mix 1"), &truth);
	version = version_of(report);
	report = report_of_launch(e, EXACT, newer, &truth);
	assert_string_not_equal(version, version_of(report));
}

static void blocked_file_is_named(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *command = tokio_command(e, "stripped", "mix 10");
	json_t *truth, *report = report_of_launch(e, EXACT, command, &truth);
	json_t *future = tokio_future(truth, "mix::blocking::keeps_log");
	const char *name = strrchr(report_string(future, "location"), '/') + 1;
	json_t *cause = report_find_cause(report_type(report, name), "fsync");

	if (!cause) {
		print_message("skipped: fsync of a file in TMPDIR or /tmp never sleeps\n");
		skip();
	}
	assert_non_null(strstr(report_string(cause, "target"),
			       e2e_text(e, "mix-%d.log", (int)report_number(truth, "pid"))));
}

/* The names of all types and jobs that are not known. */
static json_t *unknown_names(const json_t *report)
{
	static const char *const lists[] = {"task_types", "blocking_jobs"};
	json_t *names = json_object(), *entry;
	size_t i;

	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		json_array_foreach (json_object_get(report, lists[k]), i, entry) {
			const char *name = report_string(entry, "name");

			if (!strncmp(name, "[unknown", strlen("[unknown")))
				json_object_set_new(names, name, json_true());
		}
	}
	return names;
}

static void what_has_no_name_is_told_apart_by_its_vtable(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *command = tokio_command(e, "stripped", "mix 10");
	json_t *truth, *names = unknown_names(report_of_launch(e, EXACT, command, &truth)), *is;
	const char *name;

	/* A boxed future, one that people wrote themselves, and two jobs. */
	assert_int_equal(json_object_size(names), 4);
	json_object_foreach (names, name, is)
		assert_int_equal(strncmp(name, "[unknown 0x", strlen("[unknown 0x")), 0);
	/* And by the same in another run. */
	assert_true(json_equal(names, unknown_names(report_of_launch(e, EXACT, command, &truth))));
}

static void full_types_are_told_beside_short_names(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *command = tokio_command(e, "release", "mix 1");
	json_t *truth, *report = report_of_launch(e, EXACT, command, &truth);
	json_t *type = report_type(report, "mix::shapes::generic<String>");
	json_t *full = json_array_get(json_object_get(type, "full_types"), 0);

	assert_non_null(full);
	assert_non_null(strstr(json_string_value(full), "alloc::string::String"));
}

static void aborted_before_their_first_poll_are_never_polled(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *command = tokio_command(e, "release", "mix 10");
	json_t *truth, *report = report_of_launch(e, EXACT, command, &truth);
	json_t *type = report_find_type(report, "mix::ends::never_polled");

	if (type) {
		assert_int_equal(report_number(type, "polls"), 0);
		assert_int_equal(report_number(type, "tasks"), 10);
		assert_int_equal(report_number(type, "alive"), 0);
	}
}

static void sampled_polls_are_counted_exactly(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *command = tokio_command(e, "stripped", "mix 30");
	json_t *truth, *report, *future;
	size_t i;

	report = report_of_launch(e, "--sample 4 -F 0 --buffer 64M", command, &truth);
	assert_nothing_lost(report);
	assert_true(json_is_true(json_object_get(json_object_get(report, "capture"), "estimated")));
	assert_int_equal(report_sum(report, "polls"), tokio_sum(truth, "polls"));
	json_array_foreach (json_object_get(truth, "types"), i, future) {
		const char *name = report_string(future, "name");
		uint64_t polls = tokio_reported(report, truth, name, TOKIO_LOCATED, "polls");

		/* Those without a place in the source are not told apart. */
		if (polls)
			assert_int_equal(polls, report_number(future, "polls"));
	}
	assert_true(tokio_reported(report, truth, "mix::messages::yields", TOKIO_LOCATED, "polls"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(release_build_with_debug_information),
		e2e_test(debug_build),
		e2e_test(release_build_with_symbols),
		e2e_test(release_build_with_v0_symbols),
		e2e_test(stripped_build),
		e2e_test(stripped_build_with_a_debug_file),
		e2e_test(fat_lto_build),
		e2e_test(stripped_fat_lto_build),
		e2e_test(build_that_aborts_on_panic),
		e2e_test(build_for_size),
		e2e_test(stripped_static_pie),
		e2e_test(stripped_executable_at_a_fixed_address),
		e2e_test(newer_tokio),
		e2e_test(newer_tokio_in_a_stripped_fat_lto_build),
		e2e_test(versions_are_told_apart),
		e2e_test(blocked_file_is_named),
		e2e_test(what_has_no_name_is_told_apart_by_its_vtable),
		e2e_test(full_types_are_told_beside_short_names),
		e2e_test(aborted_before_their_first_poll_are_never_polled),
		e2e_test(sampled_polls_are_counted_exactly),
	};

	return cmocka_run_group_tests_name("tokio", tests, NULL, NULL);
}
