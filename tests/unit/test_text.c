// SPDX-License-Identifier: MIT
// links: util
/* Units, escaping, and widths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void durations_have_three_digits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{0, "0"},
		{1, "1ns"},
		{999, "999ns"},
		{1000, "1.00µs"},
		{9994, "9.99µs"},
		{9995, "10.0µs"},
		{99949, "99.9µs"},
		{99950, "100µs"},
		{999499, "999µs"},
		{999500, "1.00ms"},
		{12345678, "12.3ms"},
		{999499999, "999ms"},
		{999500000, "1.00s"},
		{59949999999, "59.9s"},
		{59950000000, "1m00s"},
		{62000000000, "1m02s"},
		{3599499999999, "59m59s"},
		{3599500000000, "1h00m"},
		{86400000000000, "1d00h"},
		{UINT64_MAX, "213503d23h"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(text_duration(cases[i].ns).s, cases[i].text);
}

static void counts_are_whole_below_100000(void **state)
{
	(void)state;
	assert_string_equal(text_count(0).s, "0");
	assert_string_equal(text_count(99999).s, "99999");
	assert_string_equal(text_count(100000).s, "100k");
	assert_string_equal(text_count(999499).s, "999k");
	assert_string_equal(text_count(999500).s, "1.00M");
	assert_string_equal(text_count(1234567890).s, "1.23G");
	assert_string_equal(text_count(UINT64_MAX).s, "18446744T");
}

static void digits_are_grouped_by_three(void **state)
{
	(void)state;
	assert_string_equal(text_grouped(0).s, "0");
	assert_string_equal(text_grouped(999).s, "999");
	assert_string_equal(text_grouped(1000).s, "1,000");
	assert_string_equal(text_grouped(UINT64_MAX).s, "18,446,744,073,709,551,615");
}

static void bytes_scale_by_1024(void **state)
{
	(void)state;
	assert_string_equal(text_bytes(0).s, "0 B");
	assert_string_equal(text_bytes(1023).s, "1023 B");
	assert_string_equal(text_bytes(1536).s, "1.50 KiB");
	assert_string_equal(text_bytes(5 << 20).s, "5.00 MiB");
	assert_string_equal(text_bytes(UINT64_MAX).s, "16777216 TiB");
}

static void shares_never_round_something_to_nothing(void **state)
{
	(void)state;
	assert_string_equal(text_share(0, 100).s, "0%");
	assert_string_equal(text_share(5, 0).s, "0%");
	assert_string_equal(text_share(1, 1000000).s, "<0.1%");
	assert_string_equal(text_share(67, 100000).s, "<0.1%");
	assert_string_equal(text_share(1, 3).s, "33.3%");
	assert_string_equal(text_share(7, 7).s, "100%");
}

static void dates_are_utc(void **state)
{
	(void)state;
	assert_string_equal(text_date(0).s, "1970-01-01 00:00:00 UTC");
	assert_string_equal(text_date(1738324800999999999).s, "2025-01-31 12:00:00 UTC");
}

static void decode_refuses_what_rfc_3629_does(void **state)
{
	static const char *const invalid[] = {
		"",
		"\x80",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc3",
		"\xe0\x80\x80",
		"\xe2\x82",
		"\xed\xa0\x80",
		"\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
	};
	uint32_t character;

	(void)state;
	for (size_t i = 0; i < COUNT(invalid); i++)
		assert_int_equal(text_decode(invalid[i], &character), 0);
	assert_int_equal(text_decode("é", &character), 2);
	assert_int_equal(character, 0xe9);
	assert_int_equal(text_decode("…x", &character), 3);
	assert_int_equal(character, 0x2026);
	assert_int_equal(text_decode("\xf4\x8f\xbf\xbf", &character), 4);
	assert_int_equal(character, 0x10ffff);
}

static void assert_escape(const char *s, const char *also, const char *expected)
{
	char *text = text_escape(s, also);

	assert_string_equal(text, expected);
	free(text);
}

static void escape_makes_text_harmless(void **state)
{
	(void)state;
	assert_escape("plain — ünï 漢", "", "plain — ünï 漢");
	assert_escape("a\033[2J\n\x7f", "", "a\\x1b[2J\\x0a\\x7f");
	assert_escape("\xc2\x85", "", "\\u0085");
	assert_escape("\xe2\x80\xae"
		      "evil",
		      "", "\\u202eevil");
	assert_escape("\xf3\xa0\x81\x81", "", "\\U000e0041");
	assert_escape("\xef\xbf\xbf", "", "\\uffff");
	assert_escape("\xff\xc3", "", "\\xff\\xc3");
	assert_escape("a;b\\c", ";\\", "a\\x3bb\\x5cc");
}

static void utf8_replaces_invalid_bytes(void **state)
{
	char *text = text_utf8("a\xff\xc3(\n漢\xe2\x82");

	(void)state;
	assert_string_equal(text, "a\uFFFD\uFFFD(\n漢\uFFFD\uFFFD");
	free(text);
}

static void width_counts_columns(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("µs…"), 3);
	assert_int_equal(text_width("漢字"), 4);
	assert_int_equal(text_width("e\xcc\x81"), 1);
	assert_int_equal(text_width("\xff\xff"), 2);
}

static void shorten_cuts_the_middle_or_of_short_ones_the_end(void **state)
{
	static const struct {
		const char *s;
		size_t columns;
		const char *text;
	} cases[] = {
		{"abcdefghijklmnop", 16, "abcdefghijklmnop"},
		{"abcdefghijklmnop", 13, "abcdef…klmnop"},
		{"abcdefghijklmnop", 12, "abcde…klmnop"},
		{"abcdefghijklmnop", 11, "abcdefghij…"},
		{"abc", 2, "a…"},
		{"abc", 1, "…"},
		{"abc", 0, ""},
		{"", 3, ""},
		{"漢字漢字", 5, "漢字…"},
		{"漢字漢字", 4, "漢…"},
		{"漢字漢字漢字漢字", 13, "漢字漢…字漢字"},
		{"漢字漢字漢字漢字", 12, "漢字…字漢字"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = text_shorten(cases[i].s, cases[i].columns);

		assert_string_equal(text, cases[i].text);
		assert_true(text_width(text) <= cases[i].columns);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_three_digits),
		cmocka_unit_test(counts_are_whole_below_100000),
		cmocka_unit_test(digits_are_grouped_by_three),
		cmocka_unit_test(bytes_scale_by_1024),
		cmocka_unit_test(shares_never_round_something_to_nothing),
		cmocka_unit_test(dates_are_utc),
		cmocka_unit_test(decode_refuses_what_rfc_3629_does),
		cmocka_unit_test(escape_makes_text_harmless),
		cmocka_unit_test(utf8_replaces_invalid_bytes),
		cmocka_unit_test(width_counts_columns),
		cmocka_unit_test(shorten_cuts_the_middle_or_of_short_ones_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
