// SPDX-License-Identifier: MIT
// links: tokio
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tokio/rust_body.h"

#define JOB "tokio::runtime::blocking::task::BlockingTask<"

/* Functions, as symbols of rustc 1.95 name them, and types by DWARF or a symbol. */
static const struct {
	const char *symbol, *type;
	bool is_body;
} pairs[] = {
	{"app::work::{{closure}}", "app::work::{async_fn_env#0}", true},
	{"app::work::{closure#0}", "app::work::{closure#0}", true},
	{"app::work::{{closure}}", "tokio::time::timeout::Timeout<app::work::{async_fn_env#0}>",
	 true},
	{"app::gen::{{closure}}", "app::gen::{async_fn_env#0}<u32>", true},
	{"app::gen::<u32>::{closure#0}", "app::gen<u32>::{closure#0}", true},
	{"<app::Server>::serve::{closure#0}", "app::{impl#0}::serve::{async_fn_env#0}", true},
	{"app::run::{{closure}}::{{closure}}", JOB "app::run::{async_fn#0}::{closure_env#3}>",
	 true},
	{"app::run::{closure#0}::{closure#3}", JOB "app::run::{closure#0}::{closure#3}>", true},
	{"app::job", JOB "app::job>", true},
	{"<app::Count as core::future::future::Future>::poll", "app::Count", true},
	{"<app::Count as core::future::future::Future>::poll",
	 "core::pin::Pin<alloc::boxed::Box<app::Count, alloc::alloc::Global>>", true},

	{"app::run::{closure#0}::{closure#2}", JOB "app::run::{closure#0}::{closure#3}>", false},
	{"app::run::{{closure}}", JOB "app::run::{async_fn#0}::{closure_env#3}>", false},
	{"app::run", "app::run::{async_fn_env#0}", false},
	{"app::work::{{closure}}", "app::homework::{async_fn_env#0}", false},
	{"app::work::{{closure}}", "app::work_more::{async_fn_env#0}", false},
	{"core::work::{{closure}}", "app::work::{async_fn_env#0}", false},
	{"<" JOB "app::job> as core::future::future::Future>::poll", JOB "app::job>", false},
	{"<app::Count as app::Other>::poll", "app::Count", false},
	{"work", "app::work", false},
	{"", "app::work", false},
	{"app::work", "", false},
};

static void bodies_are_told_by_name(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (rust_body_of(rust_span_of(pairs[i].symbol), rust_span_of(pairs[i].type)) ==
		    pairs[i].is_body)
			continue;
		print_error("%s of %s\n", pairs[i].symbol, pairs[i].type);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void cut_names_do_no_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (size_t n = 0; n <= strlen(pairs[i].type); n++)
			for (size_t m = 0; m <= strlen(pairs[i].symbol); m++)
				rust_body_of((struct rust_span){pairs[i].symbol, m},
					     (struct rust_span){pairs[i].type, n});
}

static void code_of_the_runtime_is_no_body(void **state)
{
	static const struct {
		const char *symbol;
		bool is_body;
	} symbols[] = {
		{"app::work::{{closure}}", true},
		{"<app::Server>::serve::{closure#0}", true},
		{"tokio::sync::mutex::Mutex<T>::lock::{{closure}}", true},
		{"tokio::runtime::task::core::Core<T,S>::poll::{{closure}}", false},
		{"core::ops::function::FnOnce::call_once::{{closure}}", false},
		{"app::work", false},
		{"{{closure}}", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		assert_int_equal(rust_body_is(rust_span_of(symbols[i].symbol)), symbols[i].is_body);
}

static void names_are_those_in_symbols(void **state)
{
	static const char *const names[][2] = {
		{"app::work::{async_fn_env#0}", "work"},
		{"app::gen::{async_fn_env#0}<alloc::vec::Vec<u8>>", "gen"},
		{"tokio::time::timeout::Timeout<app::work::{closure#0}>", "work"},
		{JOB "app::job>", "job"},
		{"core::pin::Pin<alloc::boxed::Box<app::Count, alloc::alloc::Global>>", "Count"},
		{"app::Buffer<u8>", "Buffer"},
	};
	struct rust_span name;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(rust_body_name(rust_span_of(names[i][0]), &name));
		assert_true(rust_span_is(name, names[i][1]));
	}
	assert_false(rust_body_name(rust_span_of("core::pin::Pin<alloc::boxed::Box<(dyn "
						 "core::future::future::Future<Output=()>)>>"),
				    &name));
	assert_false(rust_body_name(rust_span_of(JOB "fn() -> u64>"), &name));
	assert_false(rust_body_name(rust_span_of(""), &name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_told_by_name),
		cmocka_unit_test(cut_names_do_no_harm),
		cmocka_unit_test(code_of_the_runtime_is_no_body),
		cmocka_unit_test(names_are_those_in_symbols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
