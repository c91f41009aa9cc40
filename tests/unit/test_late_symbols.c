// SPDX-License-Identifier: MIT
// links: symbolize core util -ldw -lelf -liberty
/* What passes, what is kept back and what is added, of a recording of this very program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/event.h"
#include "symbolize/elf_file.h"
#include "symbolize/late_symbols.h"
#include "symbolize/maps.h"

#define PROCESS 2
#define TID 7

struct taker {
	struct event_sink sink;
	unsigned int events, symbols, notices;
	char name[64]; /* of the last symbol */
};

__attribute__((noinline)) int landmark_function(int x)
{
	__asm__ volatile("" : "+r"(x));
	return x + 1;
}

static int take(struct event_sink *sink, const struct event *event)
{
	struct taker *taker = (struct taker *)sink;

	taker->events++;
	if (event->type != EVENT_SYMBOL)
		return 0;
	taker->symbols++;
	snprintf(taker->name, sizeof(taker->name), "%s", event->symbol.frames[0].function);
	return 0;
}

static void notice(void *ctx, const char *line)
{
	struct taker *taker = ctx;

	assert_non_null(strstr(line, "not the build that was recorded"));
	taker->notices++;
}

static void pass(struct late_symbols *late, struct event event)
{
	struct event_sink *sink = late_symbols_sink(late);

	assert_int_equal(sink->take(sink, &event), 0);
}

static void pass_symbol(struct late_symbols *late, const char *name)
{
	const struct event_frame frame = {.function = name, .file = ""};

	pass(late, (struct event){.type = EVENT_SYMBOL,
				  .symbol = {.process = PROCESS,
					     .address = (uintptr_t)landmark_function,
					     .nframes = 1,
					     .frames = &frame}});
}

/* A thread of this program that was sampled in landmark_function(). */
static struct late_symbols *begin(struct taker *taker, const char *build_id)
{
	const uint64_t address = (uintptr_t)landmark_function;
	const struct late_symbols_options options = {.notice = notice, .ctx = taker};
	struct late_symbols *late;
	struct elf_file *self;
	struct maps maps;

	*taker = (struct taker){.sink.take = take};
	late = late_symbols_new(&options, &taker->sink);
	assert_non_null(late);
	assert_int_equal(elf_file_open_path("/proc/self/exe", &self), 0);
	assert_int_equal(maps_read(getpid(), &maps), 0);
	for (size_t i = 0; i < maps.n; i++) {
		const struct map_entry *map = &maps.entries[i];

		if (address >= map->start && address < map->end)
			pass(late,
			     (struct event){.type = EVENT_MODULE,
					    .module = {PROCESS, map->start, map->end, map->offset,
						       map->path,
						       build_id ? build_id : self->build_id}});
	}
	maps_release(&maps);
	elf_file_close(self);
	pass(late, (struct event){.type = EVENT_THREAD, .tid = TID, .thread = {PROCESS, 1, ""}});
	pass(late, (struct event){.type = EVENT_SAMPLE,
				  .tid = TID,
				  .source = EVENT_NO_SOURCE,
				  .sample.stack = {&address, 0, 1}});
	assert_int_equal(taker->events, 3);
	return late;
}

static void what_has_no_symbol_gets_one(void **state)
{
	struct taker taker;
	struct late_symbols *late = begin(&taker, NULL);

	(void)state;
	assert_int_equal(late_symbols_finish(late), 0);
	assert_int_equal(taker.symbols, 1);
	assert_string_equal(taker.name, "landmark_function");
	late_symbols_free(late);
}

static void what_was_unknown_is_told_once(void **state)
{
	struct taker taker;
	struct late_symbols *late = begin(&taker, NULL);

	(void)state;
	pass_symbol(late, "[file+0x10]");
	assert_int_equal(taker.symbols, 0);
	assert_int_equal(late_symbols_finish(late), 0);
	assert_int_equal(taker.symbols, 1);
	assert_string_equal(taker.name, "landmark_function");
	late_symbols_free(late);
}

static void recorded_symbol_stays(void **state)
{
	struct taker taker;
	struct late_symbols *late = begin(&taker, NULL);

	(void)state;
	pass_symbol(late, "as recorded");
	assert_int_equal(late_symbols_finish(late), 0);
	assert_int_equal(taker.symbols, 1);
	assert_string_equal(taker.name, "as recorded");
	late_symbols_free(late);
}

static void other_build_is_not_used(void **state)
{
	struct taker taker;
	struct late_symbols *late = begin(&taker, "0123456789abcdef");

	(void)state;
	assert_int_equal(late_symbols_finish(late), 0);
	assert_int_equal(taker.notices, 1);
	assert_int_equal(taker.symbols, 1);
	assert_int_equal(strncmp(taker.name, "[test_late_symbols+0x", 21), 0);
	late_symbols_free(late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_no_symbol_gets_one),
		cmocka_unit_test(what_was_unknown_is_told_once),
		cmocka_unit_test(recorded_symbol_stays),
		cmocka_unit_test(other_build_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
