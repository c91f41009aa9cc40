// SPDX-License-Identifier: MIT
// links: events util -lzstd -liberty
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "events/order.h"

#define MANY 100000

/* Remembers what it takes: times, and a number that the event carries. */
struct taker {
	struct event_sink sink;
	size_t n;
	uint64_t times[2 * MANY], numbers[2 * MANY];
	size_t fail_at; /* refuses the event of this index, from 1; 0: none */
};

static int take(struct event_sink *sink, const struct event *event)
{
	struct taker *taker = (struct taker *)sink;

	taker->times[taker->n] = event->time;
	taker->numbers[taker->n++] = event->wake.task;
	return taker->n == taker->fail_at ? -ENOSPC : 0;
}

static int set_up(void **state)
{
	struct taker *taker = calloc(1, sizeof(*taker));

	if (!taker)
		return -1;
	taker->sink.take = take;
	*state = taker;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void add(struct order *order, size_t ring, uint64_t time, uint64_t number)
{
	struct event event = {.type = EVENT_WAKE, .time = time, .wake = {.task = number}};

	assert_int_equal(order_add(order, ring, &event), 0);
}

static void drained(struct order *order, size_t nrings, uint64_t clock)
{
	for (size_t i = 0; i < nrings; i++)
		order_drained(order, i, clock);
}

static void assert_numbers(const struct taker *taker, size_t n, ...)
{
	va_list list;

	assert_int_equal(taker->n, n);
	va_start(list, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(taker->numbers[i], va_arg(list, int));
	va_end(list);
}

static void rings_are_merged_by_time(void **state)
{
	struct taker *taker = *state;
	struct order *order = order_new(3);

	add(order, 0, 10, 1);
	add(order, 0, 40, 4);
	add(order, 1, 20, 2);
	add(order, 1, 50, 5);
	add(order, 2, 30, 3);
	drained(order, 3, 100);
	assert_int_equal(order_flush(order, &taker->sink, 0), 0);
	assert_numbers(taker, 5, 1, 2, 3, 4, 5);
	assert_int_equal(order_late(order), 0);
	order_free(order);
}

static void equal_times_keep_the_order_of_rings_then_of_arrival(void **state)
{
	struct taker *taker = *state;
	struct order *order = order_new(2);

	add(order, 1, 10, 3);
	add(order, 1, 10, 4);
	add(order, 0, 10, 1);
	add(order, 0, 10, 2);
	assert_int_equal(order_finish(order, &taker->sink), 0);
	assert_numbers(taker, 4, 1, 2, 3, 4);
	order_free(order);
}

static void what_is_out_of_order_in_a_ring_is_sorted(void **state)
{
	struct taker *taker = *state;
	struct order *order = order_new(1);

	for (int i = 0; i < 20; i++)
		add(order, 0, 100 + (uint64_t)i, 10 + (uint64_t)i);
	add(order, 0, 119, 30);
	add(order, 0, 50, 1);
	assert_int_equal(order_finish(order, &taker->sink), 0);
	assert_int_equal(taker->numbers[0], 1);
	assert_int_equal(taker->numbers[20], 29);
	assert_int_equal(taker->numbers[21], 30);
	assert_int_equal(order_late(order), 0);
	order_free(order);
}

static void nothing_is_delivered_beyond_the_horizon_of_the_slowest_ring(void **state)
{
	struct taker *taker = *state;
	struct order *order = order_new(2);

	add(order, 0, 10, 1);
	add(order, 0, 20, 2);
	add(order, 0, 30, 3);
	order_drained(order, 0, 100);
	assert_int_equal(order_flush(order, &taker->sink, 0), 0);
	assert_int_equal(taker->n, 0);
	order_drained(order, 1, 25);
	assert_int_equal(order_flush(order, &taker->sink, 10), 0);
	assert_numbers(taker, 1, 1);
	assert_int_equal(order_flush(order, &taker->sink, 0), 0);
	assert_numbers(taker, 2, 1, 2);
	assert_int_equal(order_finish(order, &taker->sink), 0);
	assert_numbers(taker, 3, 1, 2, 3);
	order_free(order);
}

static void a_slack_longer_than_the_clock_holds_all_back(void **state)
{
	struct taker *taker = *state;
	struct order *order = order_new(1);

	add(order, 0, 0, 1);
	drained(order, 1, 5);
	assert_int_equal(order_flush(order, &taker->sink, 10), 0);
	assert_int_equal(taker->n, 0);
	order_free(order);
}

static void late_events_come_at_the_next_flush_and_are_counted(void **state)
{
	struct taker *taker = *state;
	struct order *order = order_new(2);

	add(order, 0, 10, 1);
	add(order, 1, 20, 2);
	add(order, 1, 200, 6);
	drained(order, 2, 100);
	assert_int_equal(order_flush(order, &taker->sink, 0), 0);
	add(order, 0, 15, 3);
	add(order, 1, 5, 4);
	add(order, 0, 20, 5); /* equal to the last one delivered: in order */
	assert_int_equal(order_flush(order, &taker->sink, 0), 0);
	assert_numbers(taker, 5, 1, 2, 3, 4, 5);
	assert_int_equal(order_late(order), 2);
	assert_int_equal(order_finish(order, &taker->sink), 0);
	assert_int_equal(taker->numbers[5], 6);
	order_free(order);
}

static void the_latest_time_there_is_does_not_get_stuck(void **state)
{
	struct taker *taker = *state;
	struct order *order = order_new(2);

	add(order, 0, UINT64_MAX, 2);
	add(order, 1, 1, 1);
	drained(order, 2, 100);
	assert_int_equal(order_flush(order, &taker->sink, 0), 0);
	assert_numbers(taker, 1, 1);
	assert_int_equal(order_finish(order, &taker->sink), 0);
	assert_numbers(taker, 2, 1, 2);
	order_free(order);
}

static void the_sinks_error_ends_the_flush_and_loses_one_event(void **state)
{
	struct taker *taker = *state;
	struct order *order = order_new(2);

	add(order, 0, 1, 1);
	add(order, 1, 2, 2);
	add(order, 0, 3, 3);
	taker->fail_at = 2;
	assert_int_equal(order_finish(order, &taker->sink), -ENOSPC);
	assert_numbers(taker, 2, 1, 2);
	assert_int_equal(order_finish(order, &taker->sink), 0);
	assert_numbers(taker, 3, 1, 2, 3);
	order_free(order);
}

static void events_left_behind_are_freed(void **state)
{
	struct order *order = order_new(64);

	(void)state;
	for (uint64_t i = 0; i < MANY; i++)
		add(order, i % 64, i, i);
	order_free(order);
	order_free(NULL);
}

/* Flushed now and then, with rings that lag behind each other. */
static void many_events_over_many_rings_come_sorted(void **state)
{
	struct taker *taker = *state;
	struct order *order = order_new(64);
	uint64_t random = 88172645463325252ull, sum = 0;

	for (uint64_t i = 1; i <= MANY; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		add(order, random % 64, 1000 + 10 * i - random % 200, i);
		sum += i;
		if (i % 777 == 0) {
			drained(order, 64, 1000 + 10 * i);
			assert_int_equal(order_flush(order, &taker->sink, 200), 0);
		}
	}
	assert_int_equal(order_finish(order, &taker->sink), 0);
	assert_int_equal(taker->n, MANY);
	for (size_t i = 0; i < MANY; i++) {
		sum -= taker->numbers[i];
		assert_true(!i || taker->times[i - 1] <= taker->times[i]);
	}
	assert_int_equal(sum, 0);
	assert_int_equal(order_late(order), 0);
	order_free(order);
}

struct text_taker {
	struct event_sink sink;
	int n;
};

static int take_text(struct event_sink *sink, const struct event *event)
{
	struct text_taker *taker = (struct text_taker *)sink;

	switch (taker->n++) {
	case 0:
		assert_string_equal(event->kind.type, "server::handle");
		assert_string_equal(event->kind.file, "");
		break;
	case 1:
		assert_string_equal(event->offcpu.file_name, "journal");
		assert_int_equal(event->offcpu.stack.frames[2], 30);
		break;
	case 2:
		assert_int_equal(event->symbol.nframes, 2);
		assert_string_equal(event->symbol.frames[0].function, "inner");
		assert_string_equal(event->symbol.frames[1].file, "b.c");
		assert_int_equal(event->symbol.frames[1].line, 9);
		break;
	case 3:
		assert_int_equal(strlen(event->process.command_line), 300000);
		assert_string_equal(event->process.exe, "/bin/x");
		break;
	}
	return 0;
}

static void strings_and_frames_outlive_their_giver(void **state)
{
	struct order *order = order_new(1);
	struct text_taker taker = {.sink.take = take_text};
	struct event event = {.type = EVENT_KIND, .time = 1};
	char type[] = "server::handle", name[] = "journal", *line = malloc(300001);
	uint64_t stack[] = {10, 20, 30};
	struct event_frame frames[] = {{"inner", "a.c", 7}, {"outer", "b.c", 9}};

	(void)state;
	memset(line, 'l', 300000);
	line[300000] = '\0';
	event.kind = (struct event_kind){.type = type, .file = "", .full = ""};
	assert_int_equal(order_add(order, 0, &event), 0);
	event = (struct event){.type = EVENT_OFFCPU, .time = 2};
	event.offcpu.file_name = name;
	event.offcpu.stack = (struct event_stack){stack, 1, 2};
	assert_int_equal(order_add(order, 0, &event), 0);
	event = (struct event){.type = EVENT_SYMBOL, .time = 3};
	event.symbol = (struct event_symbol){.nframes = 2, .frames = frames};
	assert_int_equal(order_add(order, 0, &event), 0);
	event = (struct event){.type = EVENT_PROCESS, .time = 4};
	event.process = (struct event_process){.comm = "x", .exe = "/bin/x", .command_line = line};
	assert_int_equal(order_add(order, 0, &event), 0);
	memset(type, 0, sizeof(type));
	memset(name, 0, sizeof(name));
	memset(stack, 0, sizeof(stack));
	memset(frames, 0, sizeof(frames));
	free(line);
	assert_int_equal(order_finish(order, &taker.sink), 0);
	assert_int_equal(taker.n, 4);
	order_free(order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rings_are_merged_by_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(equal_times_keep_the_order_of_rings_then_of_arrival,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_out_of_order_in_a_ring_is_sorted, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			nothing_is_delivered_beyond_the_horizon_of_the_slowest_ring, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_slack_longer_than_the_clock_holds_all_back,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(late_events_come_at_the_next_flush_and_are_counted,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_latest_time_there_is_does_not_get_stuck, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_sinks_error_ends_the_flush_and_loses_one_event,
						set_up, tear_down),
		cmocka_unit_test(events_left_behind_are_freed),
		cmocka_unit_test_setup_teardown(many_events_over_many_rings_come_sorted, set_up,
						tear_down),
		cmocka_unit_test(strings_and_frames_outlive_their_giver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
