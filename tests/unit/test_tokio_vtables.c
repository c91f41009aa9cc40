// SPDX-License-Identifier: MIT
// links: tokio core symbolize util -lZydis -ldw -lelf -liberty
/* Task vtables of hand-made files, and what Tokio's versions are told by. */
#include "tokio_file.h"

#include "tokio/layout.h"
#include "tokio/version.h"
#include "tokio/vtables.h"

#define POLL FILE_CODE
#define SCHEDULE (FILE_CODE + 16)
#define SHUTDOWN (FILE_CODE + 96)

static const uint64_t functions[7] = {
	POLL, SCHEDULE, FILE_CODE + 32, FILE_CODE + 48, FILE_CODE + 64, FILE_CODE + 80, SHUTDOWN,
};

static void find(struct tokio_file *f, struct vtables *vtables)
{
	const struct tokio_version newest = {1, 53, 0};

	file_open(f);
	assert_int_equal(vtables_find(f->image, layout_of(&newest), NULL, vtables), 0);
}

static void done(struct tokio_file *f, struct vtables *vtables)
{
	vtables_release(vtables);
	file_close(f);
}

static void vtables_are_found_however_pointers_are_written(void **state)
{
	(void)state;
	for (enum file_form form = FORM_RELA; form <= FORM_FIXED; form++) {
		struct vtables vtables;
		struct tokio_file f;

		file_init(&f, form);
		file_vtable(&f, FILE_DATA + 0x100, functions, 80, 32, 40);
		file_vtable(&f, FILE_DATA + 0x200, functions, 1 << 20, 128, 136);
		find(&f, &vtables);
		assert_int_equal(vtables.n, 2);
		assert_int_equal(vtables.list[0].vaddr, FILE_DATA + 0x100 + f.base);
		assert_int_equal(vtables.list[0].poll, POLL + f.base);
		assert_int_equal(vtables.list[0].schedule, SCHEDULE + f.base);
		assert_int_equal(vtables.list[0].shutdown, SHUTDOWN + f.base);
		assert_int_equal(vtables.list[0].trailer, 80);
		assert_int_equal(vtables.list[0].scheduler, 32);
		assert_int_equal(vtables.list[0].id, 40);
		assert_int_equal(vtables.list[1].id, 136);
		done(&f, &vtables);
	}
}

/* As the linker puts them: one behind the other, and behind other tables of functions. */
static void a_vtable_is_the_end_of_a_row(void **state)
{
	struct vtables vtables;
	struct tokio_file f;

	(void)state;
	file_init(&f, FORM_RELA);
	for (size_t i = 0; i < 5; i++)
		file_pointer(&f, FILE_DATA + 8 * i, SHUTDOWN);
	file_vtable(&f, FILE_DATA + 40, functions, 80, 32, 40);
	file_vtable(&f, FILE_DATA + 120, functions, 88, 32, 32);
	file_word(&f, FILE_DATA + 200, 48); /* with tokio_unstable: the spawn location */
	file_vtable(&f, FILE_DATA + 208, functions, 96, 32, 40);
	find(&f, &vtables);
	assert_int_equal(vtables.n, 3);
	assert_int_equal(vtables.list[0].vaddr, FILE_DATA + 40);
	assert_int_equal(vtables.list[0].poll, POLL);
	assert_int_equal(vtables.list[1].vaddr, FILE_DATA + 120);
	assert_int_equal(vtables.list[2].vaddr, FILE_DATA + 208);
	done(&f, &vtables);
}

static void other_offsets_are_other_tables(void **state)
{
	static const uint64_t offsets[][3] = {
		{80, 24, 40},      /* within the header */
		{80, 520, 528},    /* a scheduler beyond any alignment */
		{80, 32, 104},     /* a scheduler too large */
		{200, 40, 32},     /* an id before it */
		{40, 32, 40},      /* no room for a future */
		{1 << 24, 32, 40}, /* too much of it */
		{84, 32, 40},      /* not aligned */
		{80, 36, 44},      {80, 0, 0},
	};
	struct vtables vtables;
	struct tokio_file f;

	(void)state;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		file_init(&f, FORM_RELA);
		file_vtable(&f, FILE_DATA + 8, functions, offsets[i][0], offsets[i][1],
			    offsets[i][2]);
		find(&f, &vtables);
		assert_int_equal(vtables.n, 0);
		done(&f, &vtables);
	}
}

static void rows_of_other_things_are_no_vtables(void **state)
{
	uint64_t changed[7];
	struct vtables vtables;
	struct tokio_file f;

	(void)state;
	memcpy(changed, functions, sizeof(changed));
	changed[3] = FILE_TEXT;
	file_init(&f, FORM_RELA);
	file_vtable(&f, FILE_DATA + 8, changed, 80, 32, 40);
	/* A relocated word among the offsets. */
	file_vtable(&f, FILE_DATA + 0x100, functions, 80, 32, 40);
	file_pointer(&f, FILE_DATA + 0x100 + 64, 32);
	/* Cut off by the end of the file. */
	for (size_t i = 0; i < 7; i++)
		file_pointer(&f, FILE_SIZE - 72 + 8 * i, functions[i]);
	file_word(&f, FILE_SIZE - 16, 80);
	file_word(&f, FILE_SIZE - 8, 32);
	find(&f, &vtables);
	assert_int_equal(vtables.n, 0);
	done(&f, &vtables);
}

static void expect_version(const char *text, unsigned int major, unsigned int minor,
			   unsigned int patch)
{
	struct tokio_version version;
	struct tokio_file f;

	file_init(&f, FORM_RELA);
	file_text(&f, FILE_TEXT, text);
	file_open(&f);
	version = version_find(f.image);
	assert_int_equal(version.major, major);
	assert_int_equal(version.minor, minor);
	assert_int_equal(version.patch, patch);
	file_close(&f);
}

static void versions_are_read_off_the_paths_of_sources(void **state)
{
	(void)state;
	expect_version("x.rs/usr/share/cargo/registry/tokio-1.24.2/src/runtime/x.rs", 1, 24, 2);
	expect_version("/root/.cargo/registry/src/index-0/tokio-1.53.1/src/lib.rs", 1, 53, 1);
	expect_version("/tokio-0.2.25/src/x.rs/tokio-1.13.1/src/x.rs/tokio-1.9.0/src/", 1, 13, 1);
	expect_version("git/checkouts/tokio-0123456789abcdef/0123456/tokio/src/lib.rs", 0, 0, 0);
	expect_version("/tokio-1.24.2/src/signal-hook-tokio-2.3.1/src/lib.rs", 1, 24, 2);
	expect_version("/tokio-util-0.7.1/src/codec.rs/tokio-1.2/src/tokio-1.2.3-src", 0, 0, 0);
	expect_version("/tokio-99999999999999999999.1.1/src/tokio-1.20", 0, 0, 0);
}

static void layouts_are_those_of_the_releases(void **state)
{
	static const struct tokio_version unknown = {0}, before = {1, 12, 0}, other = {0, 3, 7},
					  first = {1, 13, 0}, last = {1, 20, 6},
					  offset = {1, 21, 2}, now = {1, 23, 0},
					  future = {1, 999, 0}, next = {2, 0, 0};

	(void)state;
	assert_null(layout_of(&before));
	assert_null(layout_of(&other));
	assert_int_equal(layout_of(&first)->npointers, 6);
	assert_int_equal(layout_of(&first)->header_vtable, 32);
	assert_int_equal(layout_of(&last)->npointers, 8);
	assert_int_equal(layout_of(&last)->id_word, LAYOUT_NONE);
	assert_int_equal(layout_of(&offset)->header_vtable, 16);
	assert_true(layout_of(&offset)->named);
	assert_false(layout_of(&now)->named);
	assert_int_equal(layout_of(&now)->id_word, 2);
	assert_ptr_equal(layout_of(&unknown), layout_of(&now));
	assert_ptr_equal(layout_of(&future), layout_of(&now));
	assert_ptr_equal(layout_of(&next), layout_of(&now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vtables_are_found_however_pointers_are_written),
		cmocka_unit_test(a_vtable_is_the_end_of_a_row),
		cmocka_unit_test(other_offsets_are_other_tables),
		cmocka_unit_test(rows_of_other_things_are_no_vtables),
		cmocka_unit_test(versions_are_read_off_the_paths_of_sources),
		cmocka_unit_test(layouts_are_those_of_the_releases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
