// SPDX-License-Identifier: MIT
// links: symbolize
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "symbolize/kallsyms.h"

/* A table from text, read by a name of its own. */
static struct kallsyms *table(const char *text, size_t size)
{
	int fd = memfd_create("kallsyms", 0);
	struct kallsyms *kallsyms;
	char path[64];

	assert_int_equal(write(fd, text, size), size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	kallsyms = kallsyms_new(path);
	kallsyms_load(kallsyms);
	close(fd);
	return kallsyms;
}

static const char sample[] = "ffffffff81000000 T _text\n"
			     "ffffffff81000c60 T asm_exc_page_fault\n"
			     "ffffffff81000d00 t local_alias\n"
			     "ffffffff81000d00 T global_name\n"
			     "ffffffff81000e00 D some_data\n"
			     "ffffffff81001000 t after\n"
			     "ffffffffc0300000 t in_module_b\t[b]\n"
			     "ffffffffc0200000 t in_module_a\t[a]\n"
			     "ffffffffc0200010 t handle_mm_fault\t[a]\n";

static void an_address_has_the_name_of_the_symbol_before_it(void **state)
{
	struct kallsyms *k = table(sample, strlen(sample));

	(void)state;
	assert_string_equal(kallsyms_function(k, 0xffffffff81000c60), "asm_exc_page_fault");
	assert_string_equal(kallsyms_function(k, 0xffffffff81000cff), "asm_exc_page_fault");
	assert_string_equal(kallsyms_function(k, 0xffffffff81000d00), "global_name");
	assert_string_equal(kallsyms_function(k, 0xffffffff81000e08), "global_name");
	assert_string_equal(kallsyms_function(k, 0xffffffffc0200004), "in_module_a");
	assert_string_equal(kallsyms_function(k, 0xffffffffc0300004), "in_module_b");
	assert_null(kallsyms_function(k, 0xffffffffc0302000));
	assert_null(kallsyms_function(k, 0xffffffff80ffffff));
	assert_null(kallsyms_function(k, 0));
	kallsyms_free(k);
}

static void a_range_ends_at_the_next_function(void **state)
{
	struct kallsyms *k = table(sample, strlen(sample));
	struct kallsyms_range range;

	(void)state;
	assert_int_equal(kallsyms_range(k, "asm_exc_page_fault", &range), 0);
	assert_int_equal(range.start, 0xffffffff81000c60);
	assert_int_equal(range.end, 0xffffffff81000d00);
	assert_int_equal(kallsyms_range(k, "local_alias", &range), 0);
	assert_int_equal(range.end, 0xffffffff81001000);
	assert_int_equal(kallsyms_range(k, "some_data", &range), -ENOENT);
	kallsyms_free(k);
}

static void fault_handlers_are_those_that_exist(void **state)
{
	struct kallsyms *k = table(sample, strlen(sample));
	struct kallsyms_range ranges[KALLSYMS_FAULT_RANGES_MAX];

	(void)state;
	assert_int_equal(kallsyms_fault_ranges(k, ranges), 2);
	assert_int_equal(ranges[0].start, 0xffffffff81000c60);
	assert_int_equal(ranges[1].start, 0xffffffffc0200010);
	assert_int_equal(ranges[1].end, 0xffffffffc0300000);
	kallsyms_free(k);
}

static void hidden_addresses_are_no_permission(void **state)
{
	static const char hidden[] = "0000000000000000 T _text\n0000000000000000 t x\t[m]\n";
	struct kallsyms *k = table(hidden, strlen(hidden));
	struct kallsyms_range ranges[KALLSYMS_FAULT_RANGES_MAX];

	(void)state;
	assert_int_equal(kallsyms_load(k), -EPERM);
	assert_null(kallsyms_function(k, 0xffffffff81000c60));
	assert_int_equal(kallsyms_fault_ranges(k, ranges), -EPERM);
	kallsyms_free(k);
}

static void a_missing_table_is_an_error_each_time(void **state)
{
	struct kallsyms *k = kallsyms_new("/nonexistent/kallsyms");
	struct kallsyms_range range;

	(void)state;
	assert_int_equal(kallsyms_range(k, "x", &range), -ENOENT);
	assert_int_equal(kallsyms_load(k), -ENOENT);
	assert_null(kallsyms_function(k, 1));
	kallsyms_free(k);
}

static void odd_lines_are_skipped(void **state)
{
	static const char odd[] =
		"\n \nffffffff81000000\nffffffff81000000 T\nffffffff81000000 T \nx y z\n"
		"ffffffff81000010 T good\n\0ffffffff81000020 T hidden\n";
	struct kallsyms *k = table(odd, sizeof(odd));

	(void)state;
	assert_string_equal(kallsyms_function(k, 0xffffffff81000018), "good");
	kallsyms_free(k);
}

static void the_own_kernel_is_read_fast(void **state)
{
	struct kallsyms *k = kallsyms_new(NULL);
	struct kallsyms_range ranges[KALLSYMS_FAULT_RANGES_MAX];
	struct timespec start, end;
	double seconds;
	int err;

	(void)state;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	err = kallsyms_load(k);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	if (err) {
		kallsyms_free(k);
		skip();
	}
	seconds = end.tv_sec - start.tv_sec + 1e-9 * (end.tv_nsec - start.tv_nsec);
	print_message("read in %.0f ms\n", 1e3 * seconds);
	assert_true(seconds < 2);
	assert_true(kallsyms_fault_ranges(k, ranges) > 0);
	kallsyms_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_the_name_of_the_symbol_before_it),
		cmocka_unit_test(a_range_ends_at_the_next_function),
		cmocka_unit_test(fault_handlers_are_those_that_exist),
		cmocka_unit_test(hidden_addresses_are_no_permission),
		cmocka_unit_test(a_missing_table_is_an_error_each_time),
		cmocka_unit_test(odd_lines_are_skipped),
		cmocka_unit_test(the_own_kernel_is_read_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
