// SPDX-License-Identifier: MIT
// links: attach tokio symbolize core util -lZydis -ldw -lelf -lzstd -liberty
/*
 * This program has the notes of several runtimes, each under a provider's name of its own. They are never
 * run, only scanned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "attach/adapter.h"
#include "core/event.h"
#include "symbolize/elf_file.h"
#include "tests/fixtures/note.h"

/* DWARF's numbers of the registers that arguments are passed in. */
enum { RDX = 1, RCX = 2, RSI = 4, RDI = 5, R8 = 8 };

#define ONE "8@%%rdi"
#define TWO "8@%%rdi 1@%%sil"
#define THREE "-8@%%rdi -8@%%rsi -8@%%rdx"
#define START "8@%%rdi 1@%%sil 8@%%rdx 8@%%rcx"
#define PLACE "8@%%rdi 8@%%rsi 4@%%edx 4@%%ecx"
#define DETAILS "8@%%rdi 8@%%rsi 8@%%rdx 4@%%ecx 4@%%r8d"

NOTE_SEMAPHORE(details_semaphore);

#define TOKIO(provider)                                                                            \
	NOTE(provider, "task-start", NOTE_NO_SEMAPHORE, START);                                    \
	NOTE(provider, "task-details", "details_semaphore", DETAILS);                              \
	NOTE(provider, "task-terminate", NOTE_NO_SEMAPHORE, TWO);                                  \
	NOTE(provider, "waker-clone", NOTE_NO_SEMAPHORE, ONE);                                     \
	NOTE(provider, "waker-drop", NOTE_NO_SEMAPHORE, ONE);                                      \
	NOTE(provider, "waker-wake", NOTE_NO_SEMAPHORE, ONE);                                      \
	NOTE(provider, "trace-root", NOTE_NO_SEMAPHORE, "")

#define TOKIO_POLL(provider)                                                                       \
	NOTE(provider, "task-poll-start", NOTE_NO_SEMAPHORE, ONE);                                 \
	NOTE(provider, "task-poll-end", NOTE_NO_SEMAPHORE, ONE)

#define TOKIO_DTRACE(provider)                                                                     \
	NOTE(provider, "task-spawn", NOTE_NO_SEMAPHORE, PLACE);                                    \
	NOTE(provider, "task-poll-start", NOTE_NO_SEMAPHORE, PLACE);                               \
	NOTE(provider, "task-poll-end", NOTE_NO_SEMAPHORE, PLACE);                                 \
	NOTE(provider, "task-terminate", NOTE_NO_SEMAPHORE, PLACE);                                \
	NOTE(provider, "worker-thread-start", NOTE_NO_SEMAPHORE, "");                              \
	NOTE(provider, "worker-thread-stop", NOTE_NO_SEMAPHORE, "");                               \
	NOTE(provider, "worker-thread-park", NOTE_NO_SEMAPHORE, "");                               \
	NOTE(provider, "worker-thread-unpark", NOTE_NO_SEMAPHORE, "")

#define TOKIO2CHROME(provider)                                                                     \
	NOTE(provider, "task_start", NOTE_NO_SEMAPHORE, ONE);                                      \
	NOTE(provider, "task_finish", NOTE_NO_SEMAPHORE, ONE);                                     \
	NOTE(provider, "task_schedule_start", NOTE_NO_SEMAPHORE, ONE);                             \
	NOTE(provider, "task_poll_begin", NOTE_NO_SEMAPHORE, ONE);                                 \
	NOTE(provider, "task_poll_end", NOTE_NO_SEMAPHORE, THREE);                                 \
	NOTE(provider, "task_blocking_begin", NOTE_NO_SEMAPHORE, "");                              \
	NOTE(provider, "task_blocking_end", NOTE_NO_SEMAPHORE, "")

#define POLLRT_POLL(provider)                                                                      \
	NOTE(provider, "task_poll_start", NOTE_NO_SEMAPHORE, PLACE);                               \
	NOTE(provider, "task_poll_end", NOTE_NO_SEMAPHORE, TWO)

static __attribute__((used)) void notes(void)
{
	TOKIO("pull_request");
	TOKIO_POLL("pull_request");
	TOKIO_POLL("pull_request");
	TOKIO_DTRACE("library");
	TOKIO2CHROME("fork");
	POLLRT_POLL("adopter");
	TOKIO("both");
	TOKIO_DTRACE("both");
	TOKIO_POLL("both");
	TOKIO("unpolled");
	TOKIO("half");
	POLLRT_POLL("half");
	NOTE("unreadable", "task-poll-start", NOTE_NO_SEMAPHORE, "8@%%xmm0");
	NOTE("unreadable", "task-poll-end", NOTE_NO_SEMAPHORE, ONE);
	NOTE("unreadable", "waker-wake", NOTE_NO_SEMAPHORE, "8@%%xmm0");
}

static int setup(void **state)
{
	return elf_file_open_path("/proc/self/exe", (struct elf_file **)state);
}

static int teardown(void **state)
{
	elf_file_close(*state);
	return 0;
}

static struct probe_plan scan(void **state, const struct adapter *adapter, const char *provider)
{
	struct probe_plan plan;

	assert_int_equal(adapter->scan(*state, provider, &plan), 0);
	return plan;
}

static size_t count_points(const struct probe_plan *plan, enum probe_program program, uint8_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->npoints; i++)
		n += plan->points[i].program == program && plan->points[i].site.type == type;
	return n;
}

static const struct probe_point *find_point(const struct probe_plan *plan, uint8_t type,
					    enum site_kind kind)
{
	for (size_t i = 0; i < plan->npoints; i++)
		if (plan->points[i].site.type == type && plan->points[i].site.kind == kind)
			return &plan->points[i];
	fail_msg("no point of type %d", type);
	return NULL;
}

static void assert_argument(const struct probe_point *point, size_t i, uint8_t base, int8_t size)
{
	assert_int_equal(point->site.arg[i].class, OPERAND_REG);
	assert_int_equal(point->site.arg[i].base, base);
	assert_int_equal(point->site.arg[i].size, size);
}

static void assert_no_argument(const struct probe_point *point, size_t i)
{
	assert_int_equal(point->site.arg[i].class, OPERAND_NONE);
}

static void probes_of_tokios_pull_request_are_known(void **state)
{
	struct probe_plan plan = scan(state, &adapter_tokio_usdt, "pull_request");
	const struct probe_point *point;

	assert_string_equal(plan.runtime, "tokio");
	assert_true(probe_plan_complete(&plan));
	assert_int_equal(plan.npoints, 9);
	assert_int_equal(count_points(&plan, PROBE_POLL_START, WIRE_POLL), 2);
	assert_int_equal(count_points(&plan, PROBE_POLL_END, WIRE_POLL), 2);
	assert_int_equal(count_points(&plan, PROBE_WAKE, WIRE_WAKE), 1);
	assert_int_equal(count_points(&plan, PROBE_AWAIT, WIRE_AWAIT), 1);
	assert_argument(find_point(&plan, WIRE_AWAIT, KIND_NONE), 0, RDI, 8);
	assert_true(plan.capabilities & EVENT_CAN_WAKE);
	assert_true(plan.capabilities & EVENT_CAN_AWAIT);

	point = find_point(&plan, WIRE_SPAWN, KIND_NONE);
	assert_argument(point, 0, RDI, 8);
	assert_no_argument(point, 1);
	assert_argument(point, 3, RSI, 1);
	assert_int_equal(point->semaphore_offset, 0);

	point = find_point(&plan, WIRE_SPAWN, KIND_TEXT_ONCE);
	assert_argument(point, 0, RDI, 8);
	assert_argument(point, KIND_TEXT_FILE, RDX, 8);
	assert_argument(point, KIND_TEXT_LINE, RCX, 4);
	assert_argument(point, KIND_TEXT_NAME, RSI, 8);
	assert_int_not_equal(point->semaphore_offset, 0);

	point = find_point(&plan, WIRE_TERMINATE, KIND_OF_TASK);
	assert_argument(point, 1, RSI, 1);
	assert_no_argument(point, 2);
	probe_plan_release(&plan);
}

static void probes_of_tokio_dtrace_are_known(void **state)
{
	struct probe_plan plan = scan(state, &adapter_tokio_usdt, "library");
	const struct probe_point *point = find_point(&plan, WIRE_POLL, KIND_TEXT);

	assert_true(probe_plan_complete(&plan));
	assert_int_equal(plan.npoints, 6);
	assert_int_equal(point->program, PROBE_POLL_START);
	assert_argument(point, KIND_TEXT_FILE, RSI, 8);
	assert_argument(point, KIND_TEXT_LINE, RDX, 4);
	assert_no_argument(point, KIND_TEXT_NAME);
	/* A file's address is no reason why it ended. */
	assert_no_argument(find_point(&plan, WIRE_TERMINATE, KIND_NONE), 1);
	/* The end has no flag either. */
	assert_no_argument(find_point(&plan, WIRE_POLL, KIND_NONE), 1);
	assert_false(plan.capabilities & (EVENT_CAN_WAKE | EVENT_CAN_WORKER | EVENT_CAN_AWAIT));
	assert_true(plan.capabilities & EVENT_CAN_PARK);
	probe_plan_release(&plan);
}

static void probes_of_tokio2chrome_are_known(void **state)
{
	struct probe_plan plan = scan(state, &adapter_tokio_usdt, "fork");

	assert_true(probe_plan_complete(&plan));
	assert_int_equal(plan.npoints, 4);
	assert_int_equal(count_points(&plan, PROBE_WAKE, WIRE_WAKE), 1);
	assert_int_equal(count_points(&plan, PROBE_SIGNAL, WIRE_SPAWN), 0);
	assert_int_equal(count_points(&plan, PROBE_SIGNAL, WIRE_TERMINATE), 1);
	for (size_t i = 0; i < plan.npoints; i++)
		if (plan.points[i].program == PROBE_POLL_END)
			assert_argument(&plan.points[i], 1, RSI, -8);
	probe_plan_release(&plan);
}

static void runtime_is_told_by_its_contract_whatever_the_provider(void **state)
{
	static const char *const tokios[] = {"pull_request", "library", "fork", "both"};
	struct probe_plan plan;

	for (size_t i = 0; i < sizeof(tokios) / sizeof(tokios[0]); i++) {
		plan = scan(state, &adapter_pollrt, tokios[i]);
		assert_int_equal(plan.npoints, 0);
		probe_plan_release(&plan);
	}
	plan = scan(state, &adapter_pollrt, "adopter");
	assert_true(probe_plan_complete(&plan));
	assert_string_equal(plan.runtime, "pollrt");
	assert_argument(find_point(&plan, WIRE_POLL, KIND_STATIC), 1, RSI, 8);
	probe_plan_release(&plan);
	plan = scan(state, &adapter_tokio_usdt, "adopter");
	assert_int_equal(plan.npoints, 0);
	probe_plan_release(&plan);
}

static void no_poll_is_seen_through_two_contracts(void **state)
{
	struct probe_plan plan = scan(state, &adapter_tokio_usdt, "both");

	assert_int_equal(plan.npoints, 7);
	assert_int_equal(count_points(&plan, PROBE_POLL_START, WIRE_POLL), 1);
	assert_int_equal(find_point(&plan, WIRE_POLL, KIND_OF_TASK)->program, PROBE_POLL_START);
	assert_true(plan.capabilities & EVENT_CAN_WAKE);
	probe_plan_release(&plan);
}

static void contract_with_polls_comes_before_one_without(void **state)
{
	struct probe_plan plan = scan(state, &adapter_pollrt, "half");

	assert_true(probe_plan_complete(&plan));
	assert_int_equal(plan.npoints, 4); /* they agree on task_terminate and waker_clone */
	probe_plan_release(&plan);
	plan = scan(state, &adapter_tokio_usdt, "unpolled");
	assert_false(probe_plan_complete(&plan));
	assert_int_equal(plan.npoints, 5);
	probe_plan_release(&plan);
}

static void points_whose_task_cannot_be_read_are_left_out(void **state)
{
	struct probe_plan plan = scan(state, &adapter_tokio_usdt, "unreadable");

	assert_false(probe_plan_complete(&plan));
	assert_int_equal(plan.unreadable, 2);
	assert_int_equal(plan.npoints, 1);
	probe_plan_release(&plan);
}

static void nothing_is_found_of_a_provider_that_is_not_there(void **state)
{
	struct probe_plan plan = scan(state, &adapter_tokio_usdt, NULL);

	assert_int_equal(plan.npoints, 0);
	probe_plan_release(&plan);
	plan = scan(state, &adapter_pollrt, "nobody");
	assert_int_equal(plan.npoints, 0);
	probe_plan_release(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probes_of_tokios_pull_request_are_known),
		cmocka_unit_test(probes_of_tokio_dtrace_are_known),
		cmocka_unit_test(probes_of_tokio2chrome_are_known),
		cmocka_unit_test(runtime_is_told_by_its_contract_whatever_the_provider),
		cmocka_unit_test(no_poll_is_seen_through_two_contracts),
		cmocka_unit_test(contract_with_polls_comes_before_one_without),
		cmocka_unit_test(points_whose_task_cannot_be_read_are_left_out),
		cmocka_unit_test(nothing_is_found_of_a_provider_that_is_not_there),
	};

	return cmocka_run_group_tests_name("usdt_contract", tests, setup, teardown);
}
