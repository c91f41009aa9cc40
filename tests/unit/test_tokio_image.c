// SPDX-License-Identifier: MIT
// links: tokio core symbolize util -lZydis -ldw -lelf -liberty
/* Pointers of hand-made files, as the dynamic linker would leave them. */
#include "tokio_file.h"

#include <errno.h>

#define FUNCTION (FILE_CODE + 0x10)

static void expect_pointer(const struct tokio_file *f, uint64_t at, uint64_t target)
{
	uint64_t found = 0;

	assert_true(image_pointer(f->image, at + f->base, &found));
	assert_int_equal(found, target + f->base);
}

static void expect_no_pointer(const struct tokio_file *f, uint64_t at)
{
	uint64_t found;

	assert_false(image_pointer(f->image, at + f->base, &found));
}

static void relocated_words_are_pointers(void **state)
{
	uint64_t word;

	(void)state;
	for (enum file_form form = FORM_RELA; form <= FORM_FIXED; form++) {
		struct tokio_file f;

		file_init(&f, form);
		file_pointer(&f, FILE_DATA + 8, FUNCTION);
		file_word(&f, FILE_DATA + 16, FUNCTION);
		file_open(&f);
		expect_pointer(&f, FILE_DATA + 8, FUNCTION);
		assert_true(image_is_code(f.image, FUNCTION + f.base));
		assert_false(image_is_code(f.image, FILE_DATA + f.base));
		expect_no_pointer(&f, FILE_DATA + 24);
		if (form != FORM_FIXED) {
			expect_no_pointer(&f, FILE_DATA + 16);
			assert_false(image_word(f.image, FILE_DATA + 8, &word));
		}
		assert_true(image_word(f.image, FILE_DATA + 16 + f.base, &word));
		assert_int_equal(word, FUNCTION);
		file_close(&f);
	}
}

static void a_bitmap_of_relr_goes_on_behind_the_address(void **state)
{
	struct tokio_file f;

	(void)state;
	file_init(&f, FORM_RELR);
	file_pointer(&f, FILE_DATA, FUNCTION);
	file_word(&f, FILE_RELOCATIONS + 8, 0x5 << 1 | 1);  /* words 0 and 2 behind it */
	file_word(&f, FILE_RELOCATIONS + 16, 0x1 << 1 | 1); /* 63 words on, the first */
	f.nrelocations += 2;
	for (size_t i = 1; i < 80; i++)
		file_word(&f, FILE_DATA + 8 * i, FUNCTION);
	file_open(&f);
	expect_pointer(&f, FILE_DATA, FUNCTION);
	expect_pointer(&f, FILE_DATA + 8, FUNCTION);
	expect_no_pointer(&f, FILE_DATA + 16);
	expect_pointer(&f, FILE_DATA + 24, FUNCTION);
	expect_pointer(&f, FILE_DATA + 8 * 64, FUNCTION);
	expect_no_pointer(&f, FILE_DATA + 8 * 65);
	file_close(&f);
}

static void symbols_of_the_file_itself_are_known(void **state)
{
	const Elf64_Sym symbols[] = {
		{0},
		{.st_shndx = 1, .st_value = FUNCTION, .st_info = STT_FUNC},
		{.st_shndx = SHN_UNDEF, .st_value = FUNCTION},
	};
	struct tokio_file f;

	(void)state;
	file_init(&f, FORM_RELA);
	file_put(&f, FILE_TEXT, symbols, sizeof(symbols));
	file_relocation(&f, FILE_DATA, ELF64_R_INFO(1, R_X86_64_GLOB_DAT), 0);
	file_relocation(&f, FILE_DATA + 8, ELF64_R_INFO(1, R_X86_64_64), 4);
	file_relocation(&f, FILE_DATA + 16, ELF64_R_INFO(2, R_X86_64_GLOB_DAT), 0);
	file_relocation(&f, FILE_DATA + 24, ELF64_R_INFO(0x7fffffff, R_X86_64_64), 0);
	file_open(&f);
	expect_pointer(&f, FILE_DATA, FUNCTION);
	expect_pointer(&f, FILE_DATA + 8, FUNCTION + 4);
	expect_no_pointer(&f, FILE_DATA + 16);
	expect_no_pointer(&f, FILE_DATA + 24);
	file_close(&f);
}

static void relocations_out_of_place_change_nothing(void **state)
{
	static const uint64_t places[] = {FILE_CODE, FILE_DATA + 1, FILE_SIZE - 4, FILE_SIZE,
					  UINT64_MAX - 3};
	const uint8_t *bytes;
	struct tokio_file f;

	(void)state;
	file_init(&f, FORM_RELA);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		file_relocation(&f, places[i], R_X86_64_RELATIVE, FUNCTION);
	file_open(&f);
	assert_int_equal(image_bytes(f.image, FILE_CODE, &bytes), FILE_DATA - FILE_CODE);
	assert_int_equal(bytes[0], 0xcc);
	expect_no_pointer(&f, FILE_DATA);
	file_close(&f);
}

static void a_file_ends_where_it_is_cut(void **state)
{
	const uint8_t *bytes;
	struct tokio_file f;

	(void)state;
	file_init(&f, FORM_FIXED);
	assert_int_equal(file_open_bytes(&f, FILE_DATA + 12), 0);
	assert_int_equal(image_new(f.file, &f.image), 0);
	assert_int_equal(image_bytes(f.image, FILE_DATA + f.base, &bytes), 12);
	assert_int_equal(image_bytes(f.image, FILE_DATA + 12 + f.base, &bytes), 0);
	expect_no_pointer(&f, FILE_DATA + 8);
	file_close(&f);
}

static void damaged_files_are_errors(void **state)
{
	struct tokio_file f;

	(void)state;
	/* More relocations than the file has bytes for. */
	file_init(&f, FORM_RELA);
	f.nrelocations = 1 << 20;
	assert_int_equal(file_image(&f), -ENOEXEC);
	file_close(&f);
	/* The same words again and again. */
	file_init(&f, FORM_RELR);
	for (size_t i = 0; i < 150; i++)
		file_word(&f, FILE_RELOCATIONS + 8 * i, i % 2 ? UINT64_MAX : FILE_DATA);
	f.nrelocations = 150;
	assert_int_equal(file_image(&f), -ENOEXEC);
	file_close(&f);
	/* Segments on top of each other. */
	file_init(&f, FORM_RELA);
	file_segment(&f, 2, PT_LOAD, PF_R | PF_W, FILE_CODE, FILE_SIZE);
	assert_int_equal(file_image(&f), -ENOEXEC);
	file_close(&f);
}

static void data_that_may_hold_pointers_is_what_was_relocated(void **state)
{
	struct image_data data;
	struct tokio_file f;

	(void)state;
	file_init(&f, FORM_RELA);
	file_pointer(&f, FILE_DATA + 8, FUNCTION);
	file_open(&f);
	assert_true(image_data(f.image, 0, &data));
	assert_int_equal(data.vaddr, FILE_DATA);
	assert_int_equal(data.nwords, (FILE_SIZE - FILE_DATA) / 8);
	assert_int_equal(data.relocated[0], 2);
	assert_false(image_data(f.image, 1, &data));
	file_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relocated_words_are_pointers),
		cmocka_unit_test(a_bitmap_of_relr_goes_on_behind_the_address),
		cmocka_unit_test(symbols_of_the_file_itself_are_known),
		cmocka_unit_test(relocations_out_of_place_change_nothing),
		cmocka_unit_test(a_file_ends_where_it_is_cut),
		cmocka_unit_test(damaged_files_are_errors),
		cmocka_unit_test(data_that_may_hold_pointers_is_what_was_relocated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
