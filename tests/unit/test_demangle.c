// SPDX-License-Identifier: MIT
// links: symbolize -liberty
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/demangle.h"

static const char *const names[][2] = {
	/* C */
	{"main", "main"},
	{"_start", "_start"},
	{"__libc_start_main", "__libc_start_main"},
	{"work.cold", "work"},
	{"work.constprop.0", "work"},
	{"work.part.3.isra.0.cold", "work"},
	{"work.llvm.1234567890", "work"},
	{"work.lto_priv.0", "work"},
	{"nanosleep@@GLIBC_2.2.5", "nanosleep"},
	{"partition.partial", "partition.partial"},
	{"", ""},
	/* C++ */
	{"_ZN3foo3barEi", "foo::bar"},
	{"_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back"},
	{"_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()"},
	{"_ZN3foo3barEi.cold", "foo::bar"},
	{"_ZN3foo3barEi.isra.0", "foo::bar"},
	{"_ZN3FooC1Ev", "Foo::Foo"},
	{"_ZThn8_N3Foo3barEv", "non-virtual thunk to Foo::bar()"},
	/* Rust, legacy */
	{"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"},
	{"_ZN4demo11handle_conn28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE",
	 "demo::handle_conn::{{closure}}"},
	{"_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar"
	 "17h930b740aa94f1d3aE",
	 "<Test + 'static as foo::Bar<Test>>::bar"},
	{"_ZN4demo4poll17h0123456789abcdefE.llvm.9876543210", "demo::poll"},
	{"_ZN51_$LT$demo..part..One$u20$as$u20$demo..cold..Two$GT$3run17h0123456789abcdefE",
	 "<demo::part::One as demo::cold::Two>::run"},
	/* Rust, v0 */
	{"_RNvC6_123foo3bar", "123foo::bar"},
	{"_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate",
	 "<std::path::PathBuf>::new"},
	{"_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}"},
	{"_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>"},
	{"_RNvC6_123foo3bar.llvm.42", "123foo::bar"},
	/* not quite mangled */
	{"_Z", "_Z"},
	{"_R", "_R"},
	{"_ZN3foo", "_ZN3foo"},
	{"_ZZZZZZ", "_ZZZZZZ"},
	{"_RNvC6_123fo", "_RNvC6_123fo"},
	{".cold", ".cold"},
	{"@", "@"},
};

static void names_are_as_in_the_source(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *name = demangle(names[i][0]);

		assert_non_null(name);
		if (strcmp(name, names[i][1]))
			fail_msg("%s: `%s`, not `%s`", names[i][0], name, names[i][1]);
		free(name);
	}
}

/* Each tuple is two of the one before: 2^60 names in 200 bytes. */
static void a_name_that_doubles_is_cut(void **state)
{
	char mangled[4096] = "_RINvC1a1b", *name;
	size_t before = strlen("_RINvC1a1b") - 2;

	(void)state;
	strcat(mangled, "TuuE");
	for (int i = 0; i < 60; i++) {
		char reference[32], *to = reference + sizeof(reference) - 1;
		size_t at = before, here = strlen(mangled) - 2;

		*to = '\0';
		*--to = '_';
		for (at = at - 1;; at = at / 62 - 1) {
			*--to = "0123456789abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[at % 62];
			if (at < 62)
				break;
		}
		strcat(mangled, "TB");
		strcat(mangled, to);
		strcat(mangled, "B");
		strcat(mangled, to);
		strcat(mangled, "E");
		before = here;
	}
	strcat(mangled, "E");
	name = demangle(mangled);
	assert_non_null(name);
	assert_memory_equal(name, "a::b::<", 7);
	assert_in_range(strlen(name), 1000, 5000);
	free(name);
}

static void a_very_long_name_is_cut(void **state)
{
	size_t n = 1 << 20;
	char *mangled = malloc(n + 1), *name;

	(void)state;
	memset(mangled, 'P', n);
	memcpy(mangled, "_Z1f", 4);
	mangled[n] = '\0';
	name = demangle(mangled);
	assert_int_equal(strlen(name), 4095);
	assert_memory_equal(name, mangled, 4095);
	free(name);
	free(mangled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_in_the_source),
		cmocka_unit_test(a_name_that_doubles_is_cut),
		cmocka_unit_test(a_very_long_name_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
