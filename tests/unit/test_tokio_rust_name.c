// SPDX-License-Identifier: MIT
// links: tokio util
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokio/rust_name.h"
#include "util/text.h"

/* Types as rustc 1.95 wrote them into programs with Tokio 1.24.2, and their short names. */
static const char *const names[][2] = {
	/* v0 symbols */
	{"app::sleeper::{closure#0}", "app::sleeper"},
	{"app::conn::echo::{closure#0}", "app::conn::echo"},
	{"<app::conn::Server>::serve::{closure#0}", "app::conn::Server::serve"},
	{"<app::conn::Double as app::conn::Handler>::handle::{closure#0}",
	 "app::conn::Double::handle"},
	{"app::gen<alloc::string::String>::{closure#0}", "app::gen<String>"},
	{"app::conn::generic<app::conn::Double>::{closure#0}", "app::conn::generic<Double>"},
	{"app::conn::Countdown", "app::conn::Countdown"},
	{"app::run::{closure#0}::{closure#2}", "app::run::{async block#2}"},
	{"app::run::{closure#0}::{closure#0}", "app::run::{async block#0}"},
	{"app::main::{closure#1}", "app::main::{async block#1}"},
	{"app::main::{closure#0}", "app::main::{async block#0}"},
	{"app::main::{closure#0}::{closure#0}::{closure#0}", "app::main::{async block#0}"},
	{"core::pin::Pin<alloc::boxed::Box<app::sleeper::{closure#0}>>", "app::sleeper"},
	{"core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future<Output = u32> + "
	 "core::marker::Send>>",
	 "dyn Future<Output = u32>"},
	{"tokio::time::timeout::Timeout<app::sleeper::{closure#0}>", "Timeout<app::sleeper>"},
	{"tracing::instrument::Instrumented<app::sleeper::{closure#0}>", "app::sleeper"},
	{"futures_util::future::future::Map<tokio::time::timeout::Timeout<app::work::{closure#0}>, "
	 "app::done::{closure#1}>",
	 "Map<app::work>"},
	{"core::future::poll_fn::PollFn<app::run::{closure#0}::{closure#1}>",
	 "PollFn<app::run::{closure#1}>"},
	{"tokio::runtime::blocking::task::BlockingTask<app::run::{closure#0}::{closure#3}>",
	 "app::run::{closure#3}"},
	{"tokio::runtime::blocking::task::BlockingTask<app::main::{closure#0}>",
	 "app::main::{closure#0}"},
	{"tokio::runtime::blocking::task::BlockingTask<app::named_job>", "app::named_job"},
	{"tokio::runtime::blocking::task::BlockingTask<tokio::fs::read::read<&str>::{closure#0}::"
	 "{closure#0}>",
	 "tokio::fs::read"},
	{"tokio::runtime::blocking::task::BlockingTask<<str as "
	 "tokio::net::addr::sealed::ToSocketAddrsPriv>::to_socket_addrs::{closure#0}>",
	 "str::to_socket_addrs"},
	{"tokio::runtime::blocking::task::BlockingTask<<tokio::runtime::scheduler::multi_thread::"
	 "worker::"
	 "Launch>::launch::{closure#0}>",
	 "tokio::…::scheduler::multi_thread::worker::Launch::launch"},
	/* up to rustc 1.64 */
	{"core::future::from_generator::GenFuture<app::run::{closure#0}::{closure#0}>",
	 "app::run::{async block#0}"},
	/* legacy symbols */
	{"app::sleeper::{{closure}}", "app::sleeper"},
	{"app::run::{{closure}}::{{closure}}", "app::run::{async block}"},
	{"app::main::{{closure}}", "app::main::{async block}"},
	{"app::cli::main::{{closure}}", "app::cli::main"},
	{"<app::conn::Double as app::conn::Handler>::handle::{{closure}}",
	 "app::conn::Double::handle"},
	{"core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future+Output = "
	 "u32+core::marker::Send>>",
	 "dyn Future<Output = u32>"},
	{"tokio::runtime::blocking::task::BlockingTask<app::run::{{closure}}::{{closure}}>",
	 "app::run::{closure}"},
	/* DWARF */
	{"app::sleeper::{async_fn_env#0}", "app::sleeper"},
	{"app::gen::{async_fn_env#0}<u32>", "app::gen<u32>"},
	{"app::conn::{impl#0}::serve::{async_fn_env#0}", "app::conn::serve"},
	{"app::run::{async_fn#0}::{async_block_env#1}", "app::run::{async block#1}"},
	{"app::main::{async_block_env#0}", "app::main::{async block#0}"},
	{"core::pin::Pin<alloc::boxed::Box<(dyn core::future::future::Future<Output=()> + "
	 "core::marker::Send), alloc::alloc::Global>>",
	 "dyn Future<Output = ()>"},
	{"core::pin::Pin<alloc::boxed::Box<core::pin::Pin<alloc::boxed::Box<app::gen::{async_fn_"
	 "env#0}<"
	 "alloc::vec::Vec<u8, alloc::alloc::Global>>, alloc::alloc::Global>>, "
	 "alloc::alloc::Global>>",
	 "app::gen<Vec<u8>>"},
	{"tokio::runtime::blocking::task::BlockingTask<tokio::fs::read::read::{async_fn#0}::"
	 "{closure_env#0}<&str>>",
	 "tokio::fs::read"},
	{"tokio::runtime::blocking::task::BlockingTask<app::main::{closure_env#1}>",
	 "app::main::{closure#1}"},
	{"tokio::runtime::blocking::task::BlockingTask<fn() -> u64>", "fn() -> u64"},
	/* more than one wants to read */
	{"app::relay<alloc::vec::Vec<alloc::collections::BTreeMap<u8, (u8, u16)>>, [u8; 16], &'a "
	 "mut app::T>::"
	 "{closure#0}",
	 "app::relay<Vec<BTreeMap>, [u8; 16], &T>"},
	{"app::relay<app::AVeryVeryLongNameOfAType, app::AnotherVeryLongNameOfAType>::{closure#0}",
	 "app::relay"},
	/* damaged */
	{"", "…"},
	{"<", "…"},
	{"app::relay<alloc::vec::Vec<", "app::relay<alloc::vec::Vec<"},
	{"app::\x1b[2J\xff", "app::?[2J?"},
};

static void types_become_short_names(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *name = rust_name_short(rust_span_of(names[i][0]));

		assert_non_null(name);
		if (strcmp(name, names[i][1])) {
			print_error("%s:\n  %s, not\n  %s\n", names[i][0], name, names[i][1]);
			wrong++;
		}
		free(name);
	}
	assert_int_equal(wrong, 0);
}

/* Every name cut off anywhere, and nested deeply: no crash, and never too wide. */
static void any_bytes_become_a_name_of_bounded_width(void **state)
{
	static const char *const nests[] = {
		"Pin<", "A<&", "(", "[", "<", "dyn A<", "a<b::{closure#0},"};
	char deep[4000], *name;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (size_t n = 0; n <= strlen(names[i][0]); n++) {
			for (size_t start = 0; start < n; start += 7) {
				name = rust_name_short(
					(struct rust_span){names[i][0] + start, n - start});
				assert_non_null(name);
				assert_true(text_width(name) <= RUST_NAME_COLUMNS);
				free(name);
			}
		}
	}
	for (size_t i = 0; i < sizeof(nests) / sizeof(nests[0]); i++) {
		for (size_t n = 0; n < sizeof(deep); n++)
			deep[n] = nests[i][n % strlen(nests[i])];
		name = rust_name_short((struct rust_span){deep, sizeof(deep)});
		assert_true(text_width(name) <= RUST_NAME_COLUMNS);
		free(name);
	}
}

static void arguments_of_functions_are_found(void **state)
{
	static const char *const functions[] = {
		"tokio::runtime::task::raw::poll::<app::a::{closure#0}, alloc::sync::Arc<T>>",
		"poll<app::a::{closure#0}, alloc::sync::Arc<T>>",
	};
	struct rust_span argument;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_true(rust_path_argument(rust_span_of(functions[i]), 0, &argument));
		assert_true(rust_span_is(argument, "app::a::{closure#0}"));
		assert_true(rust_path_argument(rust_span_of(functions[i]), 1, &argument));
		assert_true(rust_span_is(argument, "alloc::sync::Arc<T>"));
		assert_false(rust_path_argument(rust_span_of(functions[i]), 2, &argument));
		assert_true(rust_path_ends(rust_span_of(functions[i]), "poll"));
	}
	assert_true(rust_path_ends(rust_span_of(functions[0]), "task::raw::poll"));
	assert_false(rust_path_ends(rust_span_of(functions[1]), "raw::poll"));
	assert_false(rust_path_ends(rust_span_of("a::raw::poll::b"), "raw::poll"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_become_short_names),
		cmocka_unit_test(any_bytes_become_a_name_of_bounded_width),
		cmocka_unit_test(arguments_of_functions_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
