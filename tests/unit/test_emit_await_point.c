// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* Whose code a stack's functions are, where a task waits by them, and how that is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emit/await_point.h"
#include "emit/frames.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum await_code code_of(const char *name, const char *file)
{
	const struct emit_frame frame = {name, file, 0, false, true};

	return await_walk(&(struct await_walk){0}, &frame);
}

static void names_tell_own_code_from_libraries(void **state)
{
	static const char *const libraries[] = {
		/* legacy */
		"tokio::runtime::task::harness::Harness<T,S>::poll",
		"<tokio::io::util::read::Read<R> as core::future::future::Future>::poll",
		"<&mut T as tokio::io::async_read::AsyncRead>::poll_read",
		"<F as core::future::future::Future>::poll",
		"<&mio::net::tcp::stream::TcpStream as std::io::Read>::read",
		"core::ptr::drop_in_place<app::serve::{{closure}}>",
		"<core::panic::unwind_safe::AssertUnwindSafe<F> as "
		"core::ops::function::FnOnce<()>>::call_once",
		"<alloc::boxed::Box<dyn app::Task> as core::future::future::Future>::poll",
		"futures_util::future::select::select",
		"tokio_util::codec::framed::Framed<T,U>::poll_next",
		"<hyper::server::conn::http1::Connection<I,S> as "
		"core::future::future::Future>::poll",
		/* v0 */
		"std::panicking::catch_unwind::<(), app::main::{closure#0}>",
		"<tokio::net::tcp::stream::TcpStream>::connect::<app::Address>::{closure#0}",
		/* C */
		"pollrt_read",
		"pollrt_waker_clone",
	};
	static const char *const own[] = {
		"app::handler::{{closure}}",
		"app::handler::<tokio::net::tcp::stream::TcpStream>::{closure#0}",
		"<truth::Counted<F> as core::future::future::Future>::poll",
		"<app::Wait<tokio::time::sleep::Sleep> as core::future::future::Future>::poll",
		"<T as app::Service>::call",
		"<dyn app::Service as app::Call>::call",
		"<<app::Server as app::Service>::Future as core::future::future::Future>::poll",
		"<app::Server>::accept::{closure#0}",
		"tokiofork::serve",
		"tokio",
		"main",
		"handle_conn",
		"stdlike::run",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(libraries); i++) {
		if (code_of(libraries[i], "") != AWAIT_LIBRARY)
			fail_msg("own: %s", libraries[i]);
	}
	for (size_t i = 0; i < COUNT(own); i++) {
		if (code_of(own[i], "") != AWAIT_OWN)
			fail_msg("not own: %s", own[i]);
	}
}

static void files_tell_own_code_from_libraries(void **state)
{
	static const char *const libraries[] = {
		"/rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/core/src/pin.rs",
		"/home/me/.cargo/registry/src/index.crates.io-6f17d22bba15001f/sqlx-0.7.3/src/a.rs",
		"/usr/share/cargo/registry/tokio-1.24.2/src/time/sleep.rs",
		"/home/me/.cargo/git/checkouts/thing-1/abc/src/lib.rs",
		"/home/me/.rustup/toolchains/x/lib/rustlib/src/rust/library/std/src/rt.rs",
		"library/std/src/rt.rs",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(libraries); i++)
		assert_int_equal(code_of("sqlx::query", libraries[i]), AWAIT_LIBRARY);
	assert_int_equal(code_of("sqlx::query", "/home/me/sqlx/src/query.rs"), AWAIT_OWN);
	assert_int_equal(code_of("app::library::borrow", "src/library/borrow.rs"), AWAIT_OWN);
}

static void what_has_no_name_is_not_known(void **state)
{
	const struct emit_frame unknown = {"app+0x1f", "", 0, false, false};

	(void)state;
	assert_int_equal(await_walk(&(struct await_walk){0}, &unknown), AWAIT_UNNAMED);
	assert_int_equal(code_of("[app+0x2ff13]", ""), AWAIT_UNNAMED);
}

/* Root first. */
static struct await_point find(const char *const *names, size_t n, size_t shared)
{
	struct emit_frame frames[16];

	assert_true(n <= COUNT(frames));
	for (size_t i = 0; i < n; i++)
		frames[i] = (struct emit_frame){names[i], "", 0, false, true};
	return await_point_find(frames, n, shared);
}

static void point_is_the_innermost_own_function(void **state)
{
	static const char *const rust[] = {
		"tokio::runtime::task::harness::Harness<T,S>::poll",
		"std::panicking::catch_unwind",
		"app::serve::{{closure}}",
		"<tokio::time::timeout::Timeout<T> as core::future::future::Future>::poll",
		"app::read_line::{{closure}}",
		"<core::pin::Pin<P> as core::future::future::Future>::poll",
		"<tokio::io::util::read::Read<R> as core::future::future::Future>::poll",
		"tokio::runtime::io::registration::Registration::poll_ready",
	};
	static const char *const c[] = {"handle_conn", "read_line",  "pollrt_read",
					"io_wait",     "keep_waker", "pollrt_waker_clone"};
	static const char *const block_on[] = {"main",     "pollrt_block_on_kind", "drive",
					       "run_main", "pollrt_sleep",         "sleep_start"};
	struct await_point point;

	(void)state;
	point = find(rust, COUNT(rust), 0);
	assert_int_equal(point.at, 4);
	assert_int_equal(point.leaf, 6);
	point = find(rust, 6, 0);
	assert_int_equal(point.leaf, 5);
	point = find(rust, 5, 0);
	assert_true(point.leaf == AWAIT_NO_FRAME);
	/* Functions of the runtime that are not called so. */
	point = find(c, COUNT(c), 0);
	assert_int_equal(point.at, 1);
	assert_int_equal(point.leaf, 2);
	point = find(block_on, COUNT(block_on), 0);
	assert_int_equal(point.at, 3);
	assert_int_equal(point.leaf, 4);
}

static void librarys_future_that_was_spawned_is_the_point_itself(void **state)
{
	static const char *const names[] = {
		"tokio::runtime::task::raw::poll",
		"std::panicking::catch_unwind",
		"tokio::runtime::task::core::Core<T,S>::poll",
		"<hyper::server::conn::http1::Connection<I,S> as "
		"core::future::future::Future>::poll",
		"<tokio::net::tcp::stream::TcpStream as "
		"tokio::io::async_read::AsyncRead>::poll_read",
	};
	struct await_point point = find(names, COUNT(names), 0);

	(void)state;
	assert_int_equal(point.at, 3);
	assert_int_equal(point.leaf, 4);
	assert_false(point.unnamed);
	assert_int_equal(find(names, 3, 0).at, 2);
}

static void stripped_stack_is_told_by_where_it_parts_from_others(void **state)
{
	static const char *const names[] = {"[app+0x10]", "[app+0x20]", "[app+0x30]", "[app+0x40]"};
	struct await_point point = find(names, COUNT(names), 2);

	(void)state;
	assert_true(point.unnamed);
	assert_int_equal(point.at, 2);
	assert_true(point.leaf == AWAIT_NO_FRAME);
	/* Alone: in what the task's poll function calls. */
	assert_int_equal(find(names, COUNT(names), 0).at, 1);
	assert_int_equal(find(names, COUNT(names), COUNT(names)).at, 3);
	assert_int_equal(find(names, 1, 0).at, 0);
	assert_true(find(names, 0, 0).at == AWAIT_NO_FRAME);
}

/* As with the debug files of the C library, which are often at hand. */
static void thread_that_begins_in_a_named_library_is_no_point(void **state)
{
	static const char *const names[] = {"__clone3",   "start_thread", "[app+0x10]",
					    "[app+0x20]", "[app+0x30]",   "[app+0x40]"};
	static const char *const hyper[] = {
		"__clone3",
		"start_thread",
		"std::sys::pal::unix::thread::Thread::new::thread_start",
		"tokio::runtime::task::raw::poll",
		"<hyper::Connection<I,S> as core::future::future::Future>::poll",
	};
	/* A main() of no name, between code that has one for others to call it. */
	static const char *const alone[] = {"[app+0x1]", "__libc_start_main", "[libc.so.6+0x2]",
					    "[app+0x10]", "[app+0x20]"};
	struct await_point point = find(names, COUNT(names), 4);

	(void)state;
	assert_true(point.unnamed);
	assert_int_equal(point.at, 4);
	point = find(alone, COUNT(alone), 0);
	assert_true(point.unnamed);
	assert_int_equal(point.at, 3);
	/* Alone: below the program's outermost. */
	assert_int_equal(find(names, COUNT(names), 0).at, 3);
	assert_int_equal(find(names, 3, 0).at, 2);
	assert_int_equal(find(hyper, COUNT(hyper), 0).at, 4);
}

static void names_are_told_short(void **state)
{
	static const struct {
		const char *name, *expected;
	} names[] = {
		{"handle_conn", "handle_conn"},
		{"app::serve::{{closure}}", "app::serve"},
		{"echo::echo_conn::{{closure}}::{{closure}}", "echo::echo_conn"},
		{"app::serve::{closure#0}::{async_block#1}", "app::serve"},
		{"app::serve::{closure#0}::{closure#1}", "app::serve"},
		{"app::{{closure}}::inner", "app::{{closure}}::inner"},
		{"app::handler::<tokio::net::TcpStream>::{closure#0}", "app::handler"},
		{"app::Journal<alloc::vec::Vec<u8>>::flush::{{closure}}", "app::Journal::flush"},
		{"<tokio::time::sleep::Sleep as core::future::future::Future>::poll",
		 "tokio::time::sleep::Sleep"},
		{"<app::Wait<F> as core::future::future::Future>::poll", "app::Wait"},
		{"<app::Wait<fn() -> F> as core::future::future::Future>::poll_x",
		 "app::Wait::poll_x"},
		{"<&mut T as tokio::io::async_read::AsyncRead>::poll_read",
		 "tokio::io::async_read::AsyncRead::poll_read"},
		{"<app::Server<T>>::accept::{closure#0}", "app::Server::accept"},
		{"app::<impl core::future::future::Future for app::X>::poll", "app::poll"},
		{"", ""},
		{"<", ""},
		{"<a", "a"},
		{"a<", "a"},
		{"{closure#0}", "{closure#0}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char *name = await_point_name(names[i].name);

		assert_string_equal(name, names[i].expected);
		free(name);
	}
}

/* Whatever a program calls its functions. */
static void strange_names_do_no_harm(void **state)
{
	static const char pieces[] = "<<>>::{}-&(as T core::pollrt_ ::{{closure}}";
	struct await_walk walk = {0};
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[64];
		struct emit_frame frame = {text, "", 0, false, true};
		size_t n = 0;
		char *name;

		while (n < sizeof(text) - 1) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			if (!(random >> 59))
				break;
			text[n++] = pieces[(random >> 33) % (sizeof(pieces) - 1)];
		}
		text[n] = '\0';
		name = await_point_name(text);
		assert_true(strlen(name) <= n);
		free(name);
		assert_in_range(await_walk(&walk, &frame), AWAIT_OWN, AWAIT_UNNAMED);
	}
}

/* A recording may hold names of megabytes. */
static void deep_names_take_no_time(void **state)
{
	const size_t n = 1 << 20;
	char *text = malloc(n + 1), *name;

	(void)state;
	assert_non_null(text);
	memset(text, '<', n);
	text[n] = '\0';
	alarm(20);
	assert_int_equal(code_of(text, ""), AWAIT_OWN);
	name = await_point_name(text);
	alarm(0);
	assert_non_null(name);
	free(name);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_tell_own_code_from_libraries),
		cmocka_unit_test(files_tell_own_code_from_libraries),
		cmocka_unit_test(what_has_no_name_is_not_known),
		cmocka_unit_test(point_is_the_innermost_own_function),
		cmocka_unit_test(librarys_future_that_was_spawned_is_the_point_itself),
		cmocka_unit_test(stripped_stack_is_told_by_where_it_parts_from_others),
		cmocka_unit_test(thread_that_begins_in_a_named_library_is_no_point),
		cmocka_unit_test(names_are_told_short),
		cmocka_unit_test(strange_names_do_no_harm),
		cmocka_unit_test(deep_names_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
