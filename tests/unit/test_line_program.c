// SPDX-License-Identifier: MIT
// links: symbolize util -ldw -lelf -liberty
/* Line number programs that libdw may run, and some that it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "symbolize/line_program.h"

/* Version 4, no files; then what the test adds. */
static const uint8_t head[] = {
	0,  0, 0, 0,                              /* length, filled in */
	4,  0,                                    /* version */
	20, 0, 0, 0,                              /* header length */
	1,  1, 1, 0xfb, 14, 13,                   /* ..., opcode base */
	0,  1, 1, 1,    1,  0,  0, 0, 1, 0, 0, 1, /* lengths of the standard opcodes */
	0,  0,                                    /* no directories, no files */
};

static uint64_t check(const uint8_t *ops, size_t n, size_t missing)
{
	uint8_t section[128];
	uint32_t length = sizeof(head) - 4 + n;

	memcpy(section, head, sizeof(head));
	memcpy(section, &length, sizeof(length));
	memcpy(section + sizeof(head), ops, n);
	return line_program_check(section, sizeof(head) + n - missing, 0);
}

#define CHECK(missing, ...)                                                                        \
	check((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), missing)

#define ADDRESS 0, 9, 2, 0, 0, 0x40, 0, 0, 0, 0, 0

static void standard_program_is_sound(void **state)
{
	(void)state;
	assert_int_equal(CHECK(0, ADDRESS, 3, 0x80, 1, 9, 4, 0, 0, 2, 4, 1, 0x4b, 0, 1, 1),
			 sizeof(head) - 4 + 25);
}

static void program_longer_than_its_section_is_refused(void **state)
{
	(void)state;
	assert_int_equal(CHECK(1, ADDRESS, 0, 1, 1), 0);
}

static void extended_opcode_of_another_length_is_refused(void **state)
{
	(void)state;
	assert_int_equal(CHECK(0, 0, 8, 2, 0, 0, 0x40, 0, 0, 0, 0), 0);
	assert_int_equal(CHECK(0, 0, 2, 1, 1), 0);
	assert_int_equal(CHECK(0, 0, 0, 0), 0);
	assert_int_equal(CHECK(0, 0, 0x90, 1, 1), 0);
}

static void opcodes_that_define_files_or_are_unknown_are_refused(void **state)
{
	(void)state;
	assert_int_equal(CHECK(0, 0, 6, 3, 'a', 0, 0, 0, 0), 0);
	assert_int_equal(CHECK(0, 0, 2, 0x91, 0), 0);
}

static void operand_cut_off_is_refused(void **state)
{
	(void)state;
	assert_int_equal(CHECK(0, 3, 0x80), 0);
	assert_int_equal(CHECK(0, 9, 4), 0);
}

static void offset_outside_of_the_section_is_refused(void **state)
{
	(void)state;
	assert_int_equal(line_program_check(head, sizeof(head), sizeof(head)), 0);
	assert_int_equal(line_program_check(head, sizeof(head), UINT64_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(standard_program_is_sound),
		cmocka_unit_test(program_longer_than_its_section_is_refused),
		cmocka_unit_test(extended_opcode_of_another_length_is_refused),
		cmocka_unit_test(opcodes_that_define_files_or_are_unknown_are_refused),
		cmocka_unit_test(operand_cut_off_is_refused),
		cmocka_unit_test(offset_outside_of_the_section_is_refused),
	};

	return cmocka_run_group_tests_name("line_program", tests, NULL, NULL);
}
