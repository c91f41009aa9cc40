// SPDX-License-Identifier: MIT
// links: events
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "events/restart.h"

struct taker {
	struct event_sink sink;
	int32_t syscall;
};

static int take(struct event_sink *sink, const struct event *event)
{
	((struct taker *)sink)->syscall = event->offcpu.syscall;
	return event->flags ? -ENOSPC : 0;
}

/* The system call that a sleep is passed on with. */
static int32_t passed(struct restart *restart, uint32_t tid, int32_t syscall)
{
	struct event event = {.type = EVENT_OFFCPU, .tid = tid, .offcpu = {.syscall = syscall}};

	assert_int_equal(restart->sink.take(&restart->sink, &event), 0);
	assert_int_equal(event.offcpu.syscall, syscall);
	return ((struct taker *)restart->next)->syscall;
}

static void a_restart_is_charged_to_the_threads_last_call(void **state)
{
	struct taker taker = {.sink = {take}};
	struct restart restart;

	(void)state;
	restart_init(&restart, &taker.sink);
	assert_int_equal(passed(&restart, 7, SYS_nanosleep), SYS_nanosleep);
	assert_int_equal(passed(&restart, 8, SYS_read), SYS_read);
	assert_int_equal(passed(&restart, 7, SYS_restart_syscall), SYS_nanosleep);
	assert_int_equal(passed(&restart, 7, SYS_restart_syscall), SYS_nanosleep);
	assert_int_equal(passed(&restart, 8, SYS_restart_syscall), SYS_read);
}

static void a_restart_of_an_unknown_call_stays_what_it_is(void **state)
{
	struct taker taker = {.sink = {take}};
	struct restart restart;

	(void)state;
	restart_init(&restart, &taker.sink);
	assert_int_equal(passed(&restart, 7, SYS_restart_syscall), SYS_restart_syscall);
	assert_int_equal(passed(&restart, 7, SYS_read), SYS_read);
	assert_int_equal(passed(&restart, 7 + RESTART_THREADS, SYS_restart_syscall),
			 SYS_restart_syscall);
}

static void sleeps_outside_of_calls_are_not_remembered(void **state)
{
	struct taker taker = {.sink = {take}};
	struct restart restart;

	(void)state;
	restart_init(&restart, &taker.sink);
	assert_int_equal(passed(&restart, 7, SYS_nanosleep), SYS_nanosleep);
	assert_int_equal(passed(&restart, 7, -1), -1);
	assert_int_equal(passed(&restart, 7, SYS_restart_syscall), SYS_nanosleep);
}

static void errors_come_back(void **state)
{
	struct taker taker = {.sink = {take}};
	struct event event = {.type = EVENT_POLL, .flags = 1};
	struct restart restart;

	(void)state;
	restart_init(&restart, &taker.sink);
	assert_int_equal(restart.sink.take(&restart.sink, &event), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restart_is_charged_to_the_threads_last_call),
		cmocka_unit_test(a_restart_of_an_unknown_call_stays_what_it_is),
		cmocka_unit_test(sleeps_outside_of_calls_are_not_remembered),
		cmocka_unit_test(errors_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
