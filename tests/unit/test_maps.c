// SPDX-License-Identifier: MIT
// links: symbolize
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "symbolize/maps.h"

static void parse(const char *text, size_t size, struct maps *maps)
{
	FILE *in = fmemopen((void *)text, size, "r");

	assert_non_null(in);
	assert_int_equal(maps_parse(in, maps), 0);
	fclose(in);
}

static void executable_file_mappings_are_kept(void **state)
{
	static const char text[] =
		"55d0c0000000-55d0c0002000 r--p 00000000 fe:01 1234    /usr/bin/demo\n"
		"55d0c0002000-55d0c0009000 r-xp 00002000 fe:01 1234    /usr/bin/demo\n"
		"55d0c0009000-55d0c000a000 rw-p 00009000 fe:01 1234    /usr/bin/demo\n"
		"55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0       [heap]\n"
		"7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
		"7f0000002000-7f0000003000 r-xs 00001000 00:2a 18446744073709551615 /with a  "
		"blank\n"
		"7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0       [vdso]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";
	struct maps maps;

	(void)state;
	parse(text, strlen(text), &maps);
	assert_int_equal(maps.n, 3);
	assert_int_equal(maps.entries[0].start, 0x55d0c0002000);
	assert_int_equal(maps.entries[0].end, 0x55d0c0009000);
	assert_int_equal(maps.entries[0].offset, 0x2000);
	assert_int_equal(maps.entries[0].dev, makedev(0xfe, 1));
	assert_int_equal(maps.entries[0].ino, 1234);
	assert_string_equal(maps.entries[0].path, "/usr/bin/demo");
	assert_false(maps.entries[0].deleted || maps.entries[0].vdso);
	assert_string_equal(maps.entries[1].path, "/with a  blank");
	assert_true(maps.entries[1].ino == UINT64_MAX);
	assert_true(maps.entries[2].vdso);
	assert_string_equal(maps.entries[2].path, "[vdso]");
	maps_release(&maps);
	assert_int_equal(maps.n, 0);
}

static void deleted_and_escaped_names_are_undone(void **state)
{
	static const char text[] = "1000-2000 r-xp 00000000 fe:01 1 /tmp/gone (deleted)\n"
				   "2000-3000 r-xp 00000000 fe:01 2 /tmp/two\\012lines\n"
				   "3000-4000 r-xp 00000000 fe:01 3 /tmp/both\\012 (deleted)\n"
				   "4000-5000 r-xp 00000000 fe:01 4 /tmp/back\\slash\\01\n"
				   "5000-6000 r-xp 00000000 00:01 5 /memfd:x (deleted)\n"
				   "6000-7000 r-xp 00000000 00:01 6  (deleted)\n";
	struct maps maps;

	(void)state;
	parse(text, strlen(text), &maps);
	assert_int_equal(maps.n, 5);
	assert_string_equal(maps.entries[0].path, "/tmp/gone");
	assert_true(maps.entries[0].deleted);
	assert_string_equal(maps.entries[1].path, "/tmp/two\nlines");
	assert_false(maps.entries[1].deleted);
	assert_string_equal(maps.entries[2].path, "/tmp/both\n");
	assert_true(maps.entries[2].deleted);
	assert_string_equal(maps.entries[3].path, "/tmp/back\\slash\\01");
	assert_string_equal(maps.entries[4].path, "/memfd:x");
	maps_release(&maps);
}

static void neither_length_nor_number_is_limited(void **state)
{
	size_t lines = 3000, length = 20000, size;
	char *text, *name = malloc(length + 1);
	struct maps maps;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	memset(name, 'n', length);
	name[length] = '\0';
	for (size_t i = 0; i < lines; i++)
		fprintf(out, "%zx-%zx r-xp 00000000 fe:01 7 /%s\n", (i + 1) << 12, (i + 2) << 12,
			i % 100 ? "short" : name);
	fclose(out);
	parse(text, size, &maps);
	assert_int_equal(maps.n, lines);
	assert_int_equal(strlen(maps.entries[100].path), length + 1);
	assert_int_equal(maps.entries[lines - 1].end, (lines + 1) << 12);
	maps_release(&maps);
	free(text);
	free(name);
}

static void what_is_no_mapping_is_skipped(void **state)
{
	static const char text[] = "\n"
				   "nonsense\n"
				   "1000-2000\n"
				   "1000-2000 r-xp 00000000\n"
				   "1000-2000 r-xp 00000000 fe:01 1\n"
				   "1000-2000 rx 00000000 fe:01 1 /short\n"
				   "2000-1000 r-xp 00000000 fe:01 1 /backwards\n"
				   "1000-1000 r-xp 00000000 fe:01 1 /empty\n"
				   "1000-2000 r-xp 00000000 fe:01 1 relative\n"
				   "1000-2000 r-xp 00000000 fe:01 1 /unterminated";
	struct maps maps;

	(void)state;
	parse(text, strlen(text), &maps);
	assert_int_equal(maps.n, 1);
	assert_string_equal(maps.entries[0].path, "/unterminated");
	maps_release(&maps);
}

static void the_own_process_is_read(void **state)
{
	uint64_t here = (uintptr_t)the_own_process_is_read, vdso = getauxval(AT_SYSINFO_EHDR);
	bool found = false, found_vdso = false;
	char exe[PATH_MAX] = "";
	struct maps maps;
	struct stat st;

	(void)state;
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	assert_int_equal(stat(exe, &st), 0);
	assert_int_equal(maps_read(getpid(), &maps), 0);
	for (size_t i = 0; i < maps.n; i++) {
		const struct map_entry *entry = &maps.entries[i];

		found_vdso |= entry->vdso && entry->start == vdso;
		if (here < entry->start || here >= entry->end)
			continue;
		found = true;
		assert_string_equal(entry->path, exe);
		assert_true(entry->ino == st.st_ino);
	}
	assert_true(found);
	assert_true(found_vdso || !vdso);
	maps_release(&maps);
}

static void no_process_is_an_error_and_a_kernel_thread_is_empty(void **state)
{
	struct maps maps;

	(void)state;
	assert_int_equal(maps_read(INT_MAX, &maps), -ENOENT);
	assert_int_equal(maps.n, 0);
	if (geteuid() || maps_read(2, &maps))
		skip();
	maps_release(&maps);
}

static void the_hash_tells_changes(void **state)
{
	struct map_entry entries[] = {
		{.start = 0x1000, .end = 0x2000, .ino = 7},
		{.start = 0x3000, .end = 0x4000, .ino = 8},
	};
	struct maps maps = {entries, 2};
	uint64_t hash = maps_hash(&maps);

	(void)state;
	entries[0].deleted = true;
	assert_true(maps_hash(&maps) == hash);
	entries[1].ino++;
	assert_true(maps_hash(&maps) != hash);
	entries[1].ino--;
	maps.n = 1;
	assert_true(maps_hash(&maps) != hash);
	maps.n = 0;
	assert_true(maps_hash(&maps) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(executable_file_mappings_are_kept),
		cmocka_unit_test(deleted_and_escaped_names_are_undone),
		cmocka_unit_test(neither_length_nor_number_is_limited),
		cmocka_unit_test(what_is_no_mapping_is_skipped),
		cmocka_unit_test(the_own_process_is_read),
		cmocka_unit_test(no_process_is_an_error_and_a_kernel_thread_is_empty),
		cmocka_unit_test(the_hash_tells_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
