// SPDX-License-Identifier: MIT
// links: symbolize util -ldw -lelf -liberty
/*
 * This program looks up its own addresses, as return addresses that its functions note while they
 * run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "symbolize/elf_cache.h"
#include "symbolize/elf_file.h"
#include "symbolize/kallsyms.h"
#include "symbolize/maps.h"
#include "symbolize/symbolizer.h"

#define PROCESS 3

static uintptr_t noted;
static unsigned int noted_line;

/* Work after a call, so that the call does not become a jump. */
#define STAY() __asm__ volatile("")

__attribute__((noinline)) void note_caller(void)
{
	noted = (uintptr_t)__builtin_return_address(0);
}

static inline __attribute__((always_inline)) void innermost(void)
{
	noted_line = __LINE__ + 1;
	note_caller();
	STAY();
}

static inline __attribute__((always_inline)) void middle(void)
{
	innermost();
}

static __attribute__((noinline)) void holds_inlined(void)
{
	middle();
}

enum { SPLIT_LINE = __LINE__ + 6 };

/* As a function that the compiler split: one of its name is inlined in it. */
void split_part(void) __asm__("split");
extern inline __attribute__((always_inline, gnu_inline)) void split_part(void)
{
	note_caller();
	STAY();
}

void split_rest(void) __asm__("split");
__attribute__((noinline)) void split_rest(void)
{
	split_part();
}

__attribute__((noinline)) void exported_function(void)
{
	note_caller();
	STAY();
}

struct fixture {
	struct elf_cache *cache;
	struct symbolizer *symbolizer;
	struct maps maps;
};

static int setup(void **state)
{
	static struct fixture fixture;
	struct elf_file *file;

	fixture.cache = elf_cache_new();
	fixture.symbolizer = symbolizer_new(NULL);
	assert_int_equal(maps_read(getpid(), &fixture.maps), 0);
	for (size_t i = 0; i < fixture.maps.n; i++) {
		const struct map_entry *map = &fixture.maps.entries[i];

		if (map->vdso)
			file = NULL;
		else
			assert_int_equal(elf_cache_open(fixture.cache, getpid(), map, &file), 0);
		assert_int_equal(symbolizer_add_module(fixture.symbolizer, PROCESS, map, file), 1);
	}
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	symbolizer_free(fixture->symbolizer);
	elf_cache_free(fixture->cache);
	maps_release(&fixture->maps);
	return 0;
}

static struct event_symbol resolve(struct fixture *fixture, uint64_t address, bool is_return)
{
	struct event_symbol symbol;

	assert_int_equal(
		symbolizer_resolve(fixture->symbolizer, PROCESS, address, is_return, &symbol), 0);
	assert_true(symbol.nframes >= 1);
	assert_int_equal(symbol.process, PROCESS);
	assert_int_equal(symbol.address, address);
	return symbol;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void a_function_has_its_name_file_and_line(void **state)
{
	struct event_symbol symbol;

	exported_function();
	symbol = resolve(*state, noted, true);
	assert_int_equal(symbol.nframes, 1);
	assert_string_equal(symbol.frames[0].function, "exported_function");
	assert_string_equal(base_name(symbol.frames[0].file), "test_symbolizer.c");
	assert_true(symbol.frames[0].line > 0);
}

static void a_static_function_is_found_by_its_start(void **state)
{
	struct event_symbol symbol = resolve(*state, (uintptr_t)note_caller, false);

	assert_string_equal(symbol.frames[0].function, "note_caller");
}

static void inlined_functions_come_innermost_first(void **state)
{
	struct event_symbol symbol;

	holds_inlined();
	symbol = resolve(*state, noted, true);
	assert_int_equal(symbol.nframes, 3);
	assert_string_equal(symbol.frames[0].function, "innermost");
	assert_int_equal(symbol.frames[0].line, noted_line);
	assert_string_equal(symbol.frames[1].function, "middle");
	assert_int_equal(symbol.frames[1].line, noted_line + 6);
	assert_string_equal(symbol.frames[2].function, "holds_inlined");
	assert_int_equal(symbol.frames[2].line, noted_line + 11);
	for (int i = 0; i < 3; i++)
		assert_string_equal(base_name(symbol.frames[i].file), "test_symbolizer.c");
}

static void function_inlined_in_itself_is_one_frame(void **state)
{
	struct event_symbol symbol;

	split_rest();
	symbol = resolve(*state, noted, true);
	assert_int_equal(symbol.nframes, 1);
	assert_string_equal(symbol.frames[0].function, "split");
	assert_int_equal(symbol.frames[0].line, SPLIT_LINE);
}

static void a_library_function_is_found(void **state)
{
	struct event_symbol symbol =
		resolve(*state, (uintptr_t)dlsym(RTLD_DEFAULT, "fopen"), false);

	assert_non_null(strstr(symbol.frames[symbol.nframes - 1].function, "fopen"));
}

static void the_vdso_is_read_from_our_own(void **state)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	bool found = false;

	if (!vdso)
		skip();
	for (uint64_t at = vdso; at < vdso + 0x2000; at += 16) {
		struct event_symbol symbol = resolve(*state, at, false);

		found |= strstr(symbol.frames[0].function, "clock_gettime") != NULL;
	}
	assert_true(found);
	assert_string_equal(resolve(*state, vdso, false).frames[0].function, "[vdso]");
}

/* A file of one segment, which is linked to be elsewhere than it lies in the file. */
static struct elf_file *file_without_functions(uint64_t offset, uint64_t vaddr)
{
	const Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	const Elf64_Phdr segment = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = offset,
		.p_vaddr = vaddr,
		.p_filesz = 0x1000,
		.p_memsz = 0x1000,
	};
	int fd = memfd_create("file", MFD_CLOEXEC);
	struct elf_file *file;

	assert_int_equal(write(fd, &header, sizeof(header)), sizeof(header));
	assert_int_equal(write(fd, &segment, sizeof(segment)), sizeof(segment));
	assert_int_equal(ftruncate(fd, offset + 0x1000), 0);
	assert_int_equal(elf_file_from_fd(fd, "/opt/stripped", &file), 0);
	return file;
}

static void an_address_outside_of_functions_is_what_other_tools_want(void **state)
{
	struct map_entry map = {
		.start = 0x50000, .end = 0x52000, .offset = 0x1000, .path = "/opt/stripped"};
	struct symbolizer *s = symbolizer_new(NULL);
	struct elf_file *file = file_without_functions(0x1000, 0x403000);
	struct event_symbol symbol;

	(void)state;
	assert_int_equal(symbolizer_add_module(s, PROCESS, &map, file), 1);
	assert_int_equal(symbolizer_resolve(s, PROCESS, 0x50123, false, &symbol), 0);
	assert_string_equal(symbol.frames[0].function, "[stripped+0x403123]");
	/* Behind all that the file says is loaded. */
	assert_int_equal(symbolizer_resolve(s, PROCESS, 0x51004, false, &symbol), 0);
	assert_string_equal(symbol.frames[0].function, "[stripped+0x2004]");
	symbolizer_free(s);
	elf_file_close(file);
}

static void an_address_in_a_file_out_of_reach_is_an_offset(void **state)
{
	struct fixture *fixture = *state;
	struct map_entry map = {
		.start = 0x1000, .end = 0x3000, .offset = 0x5000, .path = "/opt/lib\x01na;me.so"};
	struct event_symbol symbol;

	assert_int_equal(symbolizer_add_module(fixture->symbolizer, PROCESS, &map, NULL), 1);
	symbol = resolve(fixture, 0x2010, false);
	assert_string_equal(symbol.frames[0].function, "[lib?na;me.so+0x6010]");
	assert_string_equal(symbol.frames[0].file, "");
	assert_int_equal(symbol.frames[0].line, 0);
	assert_string_equal(resolve(fixture, 0x3000, true).frames[0].function,
			    "[lib?na;me.so+0x6fff]");
	assert_string_equal(resolve(fixture, 0x3000, false).frames[0].function, "[unknown]");
}

static void an_address_outside_of_modules_is_unknown(void **state)
{
	assert_string_equal(resolve(*state, 0, true).frames[0].function, "[unknown]");
	assert_string_equal(resolve(*state, UINT64_MAX, false).frames[0].function, "[unknown]");
}

static void a_process_that_was_not_added_has_no_names(void **state)
{
	struct fixture *fixture = *state;
	struct event_symbol symbol;

	assert_int_equal(symbolizer_resolve(fixture->symbolizer, 1000, 1, false, &symbol), 0);
	assert_string_equal(symbol.frames[0].function, "[unknown]");
}

static void a_module_is_new_once_and_the_later_one_counts(void **state)
{
	struct fixture *fixture = *state;
	struct map_entry first = {.start = 0x10000, .end = 0x20000, .path = "/first"};
	struct map_entry second = {.start = 0x18000, .end = 0x28000, .path = "/second"};

	assert_int_equal(symbolizer_add_module(fixture->symbolizer, 9, &first, NULL), 1);
	assert_int_equal(symbolizer_add_module(fixture->symbolizer, 9, &first, NULL), 0);
	assert_int_equal(symbolizer_add_module(fixture->symbolizer, 9, &second, NULL), 1);
	assert_int_equal(symbolizer_add_module(fixture->symbolizer, 9, &second, NULL), 0);
	assert_int_equal(symbolizer_add_module(fixture->symbolizer, 8, &second, NULL), 1);
	for (uint64_t at = 0x17fff; at <= 0x18000; at++) {
		struct event_symbol symbol;

		symbolizer_resolve(fixture->symbolizer, 9, at, false, &symbol);
		assert_string_equal(symbol.frames[0].function,
				    at < 0x18000 ? "[first+0x7fff]" : "[second+0x0]");
	}
}

static void a_file_in_the_place_of_another_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct map_entry first = {.start = 0x10000, .end = 0x20000, .path = "/first"};
	struct map_entry beside = {.start = 0x20000, .end = 0x30000, .path = "/beside"};
	struct map_entry over = {.start = 0x18000, .end = 0x28000, .path = "/over"};
	struct symbolizer *s = symbolizer_new(NULL);
	struct elf_file *files[2];

	for (size_t i = 0, n = 0; n < 2; i++)
		if (!fixture->maps.entries[i].vdso &&
		    !elf_cache_open(fixture->cache, getpid(), &fixture->maps.entries[i], &files[n]))
			n++;
	assert_ptr_not_equal(files[0], files[1]);
	assert_int_equal(symbolizer_add_module(s, 0, &first, files[0]), 1);
	assert_int_equal(symbolizer_add_module(s, 0, &beside, files[1]), 1);
	/* Another piece of the same file, and another process. */
	assert_int_equal(symbolizer_add_module(s, 0, &over, files[1]), 1);
	assert_int_equal(symbolizer_add_module(s, 1, &first, files[1]), 1);
	assert_int_equal(symbolizer_add_module(s, 0, &over, files[0]), SYMBOLIZER_REPLACES);
	assert_int_equal(symbolizer_add_module(s, 0, &over, files[0]), 0);
	symbolizer_free(s);
}

static void kernel_addresses_are_the_kernels(void **state)
{
	static const char text[] = "ffffffff81000000 T schedule\nffffffff81000100 t next.isra.0\n";
	struct event_symbol symbol;
	struct kallsyms *kallsyms;
	struct symbolizer *s;
	char path[] = "/tmp/test_symbolizer.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	kallsyms = kallsyms_new(path);
	s = symbolizer_new(kallsyms);
	symbolizer_resolve(s, EVENT_NO_PROCESS, 0xffffffff81000100, true, &symbol);
	assert_string_equal(symbol.frames[0].function, "schedule");
	symbolizer_resolve(s, EVENT_NO_PROCESS, 0xffffffff81000100, false, &symbol);
	assert_string_equal(symbol.frames[0].function, "next");
	symbolizer_resolve(s, EVENT_NO_PROCESS, 0x1000, false, &symbol);
	assert_string_equal(symbol.frames[0].function, "[kernel]");
	assert_int_equal(symbol.nframes, 1);
	symbolizer_free(s);
	kallsyms_free(kallsyms);
	unlink(path);
}

/*
 * A stripped copy of this program in a folder of its own, with its debug file in .debug/ beside it.
 */
static bool make_stripped(const char *folder)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "cd %s && cp /proc/%d/exe whole && mkdir .debug && "
		 "objcopy --only-keep-debug whole .debug/stripped.debug && "
		 "objcopy --strip-all --add-gnu-debuglink=.debug/stripped.debug whole stripped",
		 folder, getpid());
	return system(command) == 0;
}

static void a_stripped_file_uses_its_debug_file(void **state)
{
	char folder[] = "/tmp/test_symbolizer.XXXXXX", path[64];
	struct fixture *fixture = *state;
	struct event_symbol symbol;
	struct map_entry map = {0};
	struct symbolizer *s;
	struct elf_file *file;

	assert_non_null(mkdtemp(folder));
	if (!make_stripped(folder))
		skip();
	holds_inlined();
	for (size_t i = 0; i < fixture->maps.n; i++) {
		if (noted >= fixture->maps.entries[i].start && noted < fixture->maps.entries[i].end)
			map = fixture->maps.entries[i];
	}
	snprintf(path, sizeof(path), "%s/stripped", folder);
	assert_int_equal(elf_file_open_path(path, &file), 0);
	s = symbolizer_new(NULL);
	assert_int_equal(symbolizer_add_module(s, 0, &map, file), 1);
	assert_int_equal(symbolizer_resolve(s, 0, noted, true, &symbol), 0);
	assert_int_equal(symbol.nframes, 3);
	assert_string_equal(symbol.frames[0].function, "innermost");
	assert_string_equal(symbol.frames[2].function, "holds_inlined");
	symbolizer_free(s);
	elf_file_close(file);
	snprintf(path, sizeof(path), "rm -r %s", folder);
	assert_int_equal(system(path), 0);
}

/* Those of files that could not be opened leave half of the room to the others. */
static void mappings_of_a_process_are_limited(void **state)
{
	struct fixture *fixture = *state;
	struct symbolizer *s = symbolizer_new(NULL);
	struct map_entry map = {.path = "/many"};
	struct elf_file *file;

	assert_int_equal(elf_cache_open(fixture->cache, getpid(), &fixture->maps.entries[0], &file),
			 0);
	for (uint64_t i = 1; i <= SYMBOLIZER_MAPPINGS_MAX + 1; i++) {
		map.start = i << 12;
		map.end = map.start + 4096;
		assert_int_equal(symbolizer_add_module(s, 0, &map, NULL),
				 i <= SYMBOLIZER_MAPPINGS_MAX / 2 ? 1 : -ENOSPC);
		if (i > SYMBOLIZER_MAPPINGS_MAX / 2)
			assert_int_equal(symbolizer_add_module(s, 0, &map, file),
					 i <= SYMBOLIZER_MAPPINGS_MAX ? 1 : -ENOSPC);
	}
	map.start = 4096;
	map.end = 8192;
	assert_int_equal(symbolizer_add_module(s, 0, &map, NULL), 0);
	assert_int_equal(symbolizer_add_module(s, 1, &map, NULL), 1);
	symbolizer_free(s);
}

static void thousands_of_addresses_take_no_time(void **state)
{
	struct fixture *fixture = *state;
	struct timespec start, end;
	size_t n = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (size_t i = 0; i < fixture->maps.n; i++) {
		const struct map_entry *map = &fixture->maps.entries[i];
		uint64_t step = (map->end - map->start) / 500 + 1;

		for (uint64_t at = map->start; at < map->end; at += step, n++)
			resolve(fixture, at, false);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	print_message("%zu addresses in %ld ms\n", n,
		      (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000);
	assert_true(n > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_has_its_name_file_and_line),
		cmocka_unit_test(a_static_function_is_found_by_its_start),
		cmocka_unit_test(inlined_functions_come_innermost_first),
		cmocka_unit_test(function_inlined_in_itself_is_one_frame),
		cmocka_unit_test(a_library_function_is_found),
		cmocka_unit_test(the_vdso_is_read_from_our_own),
		cmocka_unit_test(an_address_outside_of_functions_is_what_other_tools_want),
		cmocka_unit_test(an_address_in_a_file_out_of_reach_is_an_offset),
		cmocka_unit_test(an_address_outside_of_modules_is_unknown),
		cmocka_unit_test(a_process_that_was_not_added_has_no_names),
		cmocka_unit_test(a_module_is_new_once_and_the_later_one_counts),
		cmocka_unit_test(a_file_in_the_place_of_another_is_told),
		cmocka_unit_test(kernel_addresses_are_the_kernels),
		cmocka_unit_test(a_stripped_file_uses_its_debug_file),
		cmocka_unit_test(mappings_of_a_process_are_limited),
		cmocka_unit_test(thousands_of_addresses_take_no_time),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
