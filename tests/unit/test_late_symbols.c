// SPDX-License-Identifier: MIT
// links: symbolize core util -ldw -lelf -liberty
/* What passes, what is kept back and what is added, of a recording of this very program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
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
	char name[64], file[256]; /* of the last symbol */
	uint32_t line;
};

static const unsigned int landmark_line = __LINE__ + 1;
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
	snprintf(taker->file, sizeof(taker->file), "%s", event->symbol.frames[0].file);
	taker->line = event->symbol.frames[0].line;
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

/* What a recording says of this program, where it is not the truth; and where that is read. */
struct recorded {
	const char *build_id, *path, *symfs;
};

/* A thread of this program that was sampled in landmark_function(). */
static struct late_symbols *begin(struct taker *taker, const struct recorded *recorded)
{
	const uint64_t address = (uintptr_t)landmark_function;
	const struct late_symbols_options options = {
		.symfs = recorded->symfs, .notice = notice, .ctx = taker};
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
						       recorded->path ? recorded->path : map->path,
						       recorded->build_id ? recorded->build_id
									  : self->build_id}});
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
	struct late_symbols *late = begin(&taker, &(struct recorded){0});

	(void)state;
	assert_int_equal(late_symbols_finish(late), 0);
	assert_int_equal(taker.symbols, 1);
	assert_string_equal(taker.name, "landmark_function");
	late_symbols_free(late);
}

static void what_was_unknown_is_told_once(void **state)
{
	struct taker taker;
	struct late_symbols *late = begin(&taker, &(struct recorded){0});

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
	struct late_symbols *late = begin(&taker, &(struct recorded){0});

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
	struct late_symbols *late =
		begin(&taker, &(struct recorded){.build_id = "0123456789abcdef"});

	(void)state;
	assert_int_equal(late_symbols_finish(late), 0);
	assert_int_equal(taker.notices, 1);
	assert_int_equal(taker.symbols, 1);
	assert_int_equal(strncmp(taker.name, "[test_late_symbols+0x", 21), 0);
	late_symbols_free(late);
}

/* This program's debug file in a folder, by build id. */
static bool make_debug(const char *folder, const char *how)
{
	struct elf_file *self;
	char command[1024];

	assert_int_equal(elf_file_open_path("/proc/self/exe", &self), 0);
	snprintf(command, sizeof(command),
		 "mkdir -p %s/.build-id/%.2s && %s /proc/%d/exe %s/.build-id/%.2s/%s.debug", folder,
		 self->build_id, how, getpid(), folder, self->build_id, self->build_id + 2);
	elf_file_close(self);
	return !system(command);
}

/* Where the binary is not. */
static void check_stand_in(const char *below, const char *how)
{
	char symfs[] = "/tmp/test_late_symbols.XXXXXX", folder[100];
	const struct recorded recorded = {.path = "/nowhere/program", .symfs = symfs};
	struct late_symbols *late;
	struct taker taker;

	assert_non_null(mkdtemp(symfs));
	snprintf(folder, sizeof(folder), "%s%s", symfs, below);
	if (!make_debug(folder, how))
		skip();
	late = begin(&taker, &recorded);
	assert_int_equal(late_symbols_finish(late), 0);
	late_symbols_free(late);
	snprintf(folder, sizeof(folder), "rm -r %s", symfs);
	assert_int_equal(system(folder), 0);
	assert_int_equal(taker.symbols, 1);
	assert_string_equal(taker.name, "landmark_function");
	assert_non_null(strstr(taker.file, "test_late_symbols.c"));
	assert_in_range(taker.line, landmark_line, landmark_line + 3);
}

static void a_debug_file_stands_in_for_its_binary(void **state)
{
	(void)state;
	check_stand_in("", "objcopy --only-keep-debug");
	check_stand_in("/usr/lib/debug", "objcopy --only-keep-debug");
}

static void a_binary_that_is_kept_by_build_id_is_one_too(void **state)
{
	(void)state;
	check_stand_in("", "cp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_no_symbol_gets_one),
		cmocka_unit_test(what_was_unknown_is_told_once),
		cmocka_unit_test(recorded_symbol_stays),
		cmocka_unit_test(other_build_is_not_used),
		cmocka_unit_test(a_debug_file_stands_in_for_its_binary),
		cmocka_unit_test(a_binary_that_is_kept_by_build_id_is_one_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
