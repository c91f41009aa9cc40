// SPDX-License-Identifier: MIT
// links: unwind symbolize core util -ldw -lelf -liberty
/*
 * Tables of .eh_frame written by hand: what compilers rarely write, and what nobody should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fixtures/unwind_image.h"
#include "unwind/rules.h"
#include "unwind/table.h"

static struct unwind_rules *rules;
static struct unwind_table *table;

static int set_up(void **state)
{
	(void)state;
	rules = unwind_rules_new();
	table = NULL;
	return !rules;
}

static int tear_down(void **state)
{
	(void)state;
	unwind_table_free(table);
	unwind_rules_free(rules);
	return 0;
}

static void build_of(const struct unwind_image *image, uint16_t machine, uint64_t entry)
{
	struct elf_file *elf = image_open(image->bytes, image->size, machine, entry);

	assert_non_null(elf);
	assert_int_equal(unwind_table_new(elf, rules, &table), 0);
	assert_int_equal(table->base, IMAGE_BASE);
	elf_file_close(elf);
}

static void build(const struct unwind_image *image)
{
	build_of(image, EM_X86_64, 0);
}

static const struct unwind_rule *rule_at(uint64_t offset)
{
	uint32_t n, rule = unwind_table_find(table, IMAGE_BASE + offset);
	const struct unwind_rule *list = unwind_rules_list(rules, &n);

	assert_true(rule < n);
	return &list[rule];
}

#define PROGRAM(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define USUAL_CIE(image) image_cie(image, "z", PROGRAM(IMAGE_USUAL))

/* One function at 0x100, 0x100 long, under the usual CIE. */
#define BUILD_ONE(...)                                                                             \
	do {                                                                                       \
		struct unwind_image one = {.size = 0};                                             \
		size_t its_cie = USUAL_CIE(&one);                                                  \
                                                                                                   \
		image_fde(&one, its_cie, 0x100, 0x100, PROGRAM(__VA_ARGS__));                      \
		build(&one);                                                                       \
	} while (0)

static void check_cfa(uint64_t offset, uint8_t cfa, int32_t cfa_offset)
{
	const struct unwind_rule *rule = rule_at(offset);

	assert_int_equal(rule->cfa, cfa);
	assert_int_equal(rule->cfa_offset, cfa_offset);
	assert_int_equal(rule->ra, UNWIND_SAVED_CFA);
	assert_int_equal(rule->ra_offset, -8);
}

static void check_end(uint64_t offset, enum unwind_end end)
{
	assert_int_equal(rule_at(offset)->cfa, UNWIND_CFA_NONE);
	assert_int_equal(rule_at(offset)->end, end);
}

static void a_prologue_changes_the_rule(void **state)
{
	(void)state;
	/* push %rbp; mov %rsp, %rbp; ...; leave */
	BUILD_ONE(DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16, DW_CFA_offset | 6, 2,
		  DW_CFA_advance_loc | 3, DW_CFA_def_cfa_register, 6, DW_CFA_advance_loc1, 0x80,
		  DW_CFA_def_cfa, 7, 8);
	check_end(0xff, UNWIND_END_NO_RULE);
	check_cfa(0x100, UNWIND_CFA_SP, 8);
	assert_int_equal(rule_at(0x100)->bp, UNWIND_SAVED_KEPT);
	check_cfa(0x101, UNWIND_CFA_SP, 16);
	assert_int_equal(rule_at(0x101)->bp, UNWIND_SAVED_CFA);
	assert_int_equal(rule_at(0x101)->bp_offset, -16);
	check_cfa(0x104, UNWIND_CFA_BP, 16);
	check_cfa(0x183, UNWIND_CFA_BP, 16);
	check_cfa(0x184, UNWIND_CFA_SP, 8);
	check_cfa(0x1ff, UNWIND_CFA_SP, 8);
	check_end(0x200, UNWIND_END_NO_RULE);
	assert_int_equal(table->nrows, 6);
}

static void remembered_states_come_back(void **state)
{
	(void)state;
	BUILD_ONE(DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset, 32, DW_CFA_offset | 6, 2,
		  DW_CFA_remember_state, DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset, 8,
		  DW_CFA_restore | 6, DW_CFA_advance_loc | 4, DW_CFA_restore_state);
	check_cfa(0x104, UNWIND_CFA_SP, 32);
	check_cfa(0x108, UNWIND_CFA_SP, 8);
	assert_int_equal(rule_at(0x108)->bp, UNWIND_SAVED_KEPT);
	check_cfa(0x10c, UNWIND_CFA_SP, 32);
	assert_int_equal(rule_at(0x10c)->bp, UNWIND_SAVED_CFA);
}

static void longer_forms_mean_the_same(void **state)
{
	(void)state;
	BUILD_ONE(DW_CFA_advance_loc2, 4, 0, DW_CFA_def_cfa_sf, 7, 0x7e, DW_CFA_offset_extended, 6,
		  2, DW_CFA_GNU_args_size, 16, DW_CFA_advance_loc4, 4, 0, 0, 0,
		  DW_CFA_def_cfa_offset_sf, 0x7d, DW_CFA_offset_extended_sf, 6, 3,
		  DW_CFA_advance_loc | 4, DW_CFA_GNU_negative_offset_extended, 6, 4,
		  DW_CFA_advance_loc | 4, DW_CFA_restore_extended, 6);
	check_cfa(0x104, UNWIND_CFA_SP, 16);
	assert_int_equal(rule_at(0x104)->bp_offset, -16);
	check_cfa(0x108, UNWIND_CFA_SP, 24);
	assert_int_equal(rule_at(0x108)->bp_offset, -24);
	assert_int_equal(rule_at(0x10c)->bp_offset, 32);
	assert_int_equal(rule_at(0x110)->bp, UNWIND_SAVED_KEPT);
}

static void frames_of_gigabytes_keep_their_size(void **state)
{
	(void)state;
	BUILD_ONE(DW_CFA_def_cfa_offset, 0xff, 0xff, 0xff, 0xff, 7, DW_CFA_advance_loc | 1,
		  DW_CFA_def_cfa_offset, 0x80, 0x80, 0x80, 0x80, 8);
	check_cfa(0x100, UNWIND_CFA_SP, INT32_MAX);
	check_end(0x101, UNWIND_END_RULE);
}

static void no_return_address_is_the_end(void **state)
{
	(void)state;
	BUILD_ONE(DW_CFA_undefined, 16, DW_CFA_advance_loc | 8, DW_CFA_offset | 16, 1);
	check_end(0x100, UNWIND_END_OUTERMOST);
	check_cfa(0x108, UNWIND_CFA_SP, 8);
}

static void registers_that_nobody_keeps_are_beyond(void **state)
{
	(void)state;
	BUILD_ONE(DW_CFA_def_cfa_register, 11, DW_CFA_advance_loc | 4, DW_CFA_def_cfa_register, 7,
		  DW_CFA_register, 16, 11, DW_CFA_advance_loc | 4, DW_CFA_same_value, 16,
		  DW_CFA_advance_loc | 4, DW_CFA_offset | 16, 1, DW_CFA_val_offset, 6, 1);
	check_end(0x100, UNWIND_END_RULE);
	check_end(0x104, UNWIND_END_RULE);
	check_end(0x108, UNWIND_END_RULE);
	check_cfa(0x10c, UNWIND_CFA_SP, 8);
	assert_int_equal(rule_at(0x10c)->bp, UNWIND_SAVED_LOST);
}

static void rbx_is_kept_for_frames_that_count_from_it(void **state)
{
	(void)state;
	/* push %rbx; mov %rsp, %rbx; and $-64, %rsp; ...; mov (%rbx), %rbx */
	BUILD_ONE(DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16, DW_CFA_offset | 3, 2,
		  DW_CFA_advance_loc | 3, DW_CFA_def_cfa_register, 3, DW_CFA_advance_loc1, 0x80,
		  DW_CFA_def_cfa, 7, 8, DW_CFA_restore | 3, DW_CFA_advance_loc | 4,
		  DW_CFA_undefined, 3, DW_CFA_advance_loc | 4, DW_CFA_def_cfa_expression, 3,
		  DW_OP_breg3, 8, DW_OP_deref);
	assert_int_equal(rule_at(0x100)->bx, UNWIND_SAVED_KEPT);
	check_cfa(0x101, UNWIND_CFA_SP, 16);
	assert_int_equal(rule_at(0x101)->bx, UNWIND_SAVED_CFA);
	assert_int_equal(rule_at(0x101)->bx_offset, -16);
	check_cfa(0x104, UNWIND_CFA_BX, 16);
	check_cfa(0x184, UNWIND_CFA_SP, 8);
	assert_int_equal(rule_at(0x184)->bx, UNWIND_SAVED_KEPT);
	assert_int_equal(rule_at(0x188)->bx, UNWIND_SAVED_LOST);
	check_end(0x18c, UNWIND_END_RULE);
}

static void known_expressions_are_rules(void **state)
{
	(void)state;
	BUILD_ONE(DW_CFA_def_cfa_expression, 3, DW_OP_breg6, 0x70, DW_OP_deref, DW_CFA_expression,
		  6, 2, DW_OP_breg6, 0, DW_CFA_advance_loc | 4, DW_CFA_def_cfa_expression, 6,
		  DW_OP_breg7, 0xc0, 0, DW_OP_deref, DW_OP_plus_uconst, 8, DW_CFA_advance_loc | 4,
		  DW_CFA_def_cfa_expression, 11, DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15,
		  DW_OP_and, DW_OP_lit9, DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus,
		  DW_CFA_advance_loc | 4, DW_CFA_def_cfa_expression, 4, DW_OP_bregx, 7, 24, 0);
	check_cfa(0x100, UNWIND_CFA_BP_DEREF, -16);
	assert_int_equal(rule_at(0x100)->bp, UNWIND_SAVED_BP);
	check_cfa(0x104, UNWIND_CFA_SP_DEREF, 64);
	assert_int_equal(rule_at(0x104)->cfa_arg, 8);
	check_cfa(0x108, UNWIND_CFA_PLT, 8);
	assert_int_equal(rule_at(0x108)->cfa_arg, 9);
	check_end(0x10c, UNWIND_END_RULE);
}

static void other_expressions_are_beyond(void **state)
{
	(void)state;
	BUILD_ONE(DW_CFA_def_cfa_expression, 4, DW_OP_breg7, 8, DW_OP_deref, DW_OP_deref,
		  DW_CFA_advance_loc | 4, DW_CFA_def_cfa_expression, 0, DW_CFA_advance_loc | 4,
		  DW_CFA_def_cfa_expression, 2, DW_OP_breg7, 0x80, DW_CFA_advance_loc | 4,
		  DW_CFA_def_cfa, 7, 8, DW_CFA_expression, 16, 2, DW_OP_breg3, 0);
	for (uint64_t at = 0x100; at < 0x110; at += 4)
		check_end(at, UNWIND_END_RULE);
}

static void unknown_instructions_end_what_is_known(void **state)
{
	(void)state;
	BUILD_ONE(DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset, 16, DW_CFA_advance_loc | 4,
		  DW_CFA_def_cfa_offset, 24, 0x3f, DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset,
		  8);
	check_cfa(0x104, UNWIND_CFA_SP, 16);
	check_end(0x108, UNWIND_END_RULE);
	check_end(0x1ff, UNWIND_END_RULE);
	check_end(0x200, UNWIND_END_NO_RULE);
}

static void instructions_cut_off_end_what_is_known(void **state)
{
	(void)state;
	BUILD_ONE(DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset, 16, DW_CFA_advance_loc4, 8, 0);
	check_cfa(0x100, UNWIND_CFA_SP, 8);
	check_end(0x104, UNWIND_END_RULE);
}

static void states_are_not_recalled_that_were_not_remembered(void **state)
{
	uint8_t program[40];

	(void)state;
	BUILD_ONE(DW_CFA_advance_loc | 4, DW_CFA_restore_state);
	check_end(0x104, UNWIND_END_RULE);
	unwind_table_free(table);

	/* Nor are more remembered than there is room for. */
	struct unwind_image image = {.size = 0};
	size_t cie = USUAL_CIE(&image);

	memset(program, DW_CFA_remember_state, sizeof(program));
	image_fde(&image, cie, 0x100, 0x100, program, sizeof(program));
	build(&image);
	check_end(0x100, UNWIND_END_RULE);
}

static void locations_do_not_go_back(void **state)
{
	(void)state;
	BUILD_ONE(DW_CFA_advance_loc | 16, DW_CFA_def_cfa_offset, 16, DW_CFA_set_loc, 0x04, 0x01,
		  0x40, 0, 0, 0, 0, 0, DW_CFA_def_cfa_offset, 24);
	check_cfa(0x100, UNWIND_CFA_SP, 8);
	check_end(0x110, UNWIND_END_RULE);
}

static void functions_are_sorted_and_what_is_between_is_unknown(void **state)
{
	struct unwind_image image = {.size = 0};
	size_t cie = USUAL_CIE(&image);

	(void)state;
	image_fde(&image, cie, 0x500, 0x10, PROGRAM(DW_CFA_def_cfa_offset, 48));
	image_fde(&image, cie, 0x100, 0x18, PROGRAM(DW_CFA_def_cfa_offset, 16));
	image_fde(&image, cie, 0x120, 0x10, PROGRAM(DW_CFA_def_cfa_offset, 32));
	build(&image);
	check_end(0, UNWIND_END_NO_RULE);
	check_cfa(0x100, UNWIND_CFA_SP, 16);
	check_cfa(0x11f, UNWIND_CFA_SP, 16); /* padding */
	check_cfa(0x120, UNWIND_CFA_SP, 32);
	check_end(0x130, UNWIND_END_NO_RULE);
	check_cfa(0x500, UNWIND_CFA_SP, 48);
	check_end(0x510, UNWIND_END_NO_RULE);
	assert_int_equal(table->nrows, 6);
}

static void functions_that_overlap_are_cut(void **state)
{
	struct unwind_image image = {.size = 0};
	size_t cie = USUAL_CIE(&image);

	(void)state;
	image_fde(&image, cie, 0x100, UINT64_MAX / 2, PROGRAM(DW_CFA_def_cfa_offset, 16));
	image_fde(&image, cie, 0x200, 0x100, PROGRAM(DW_CFA_def_cfa_offset, 32));
	image_fde(&image, cie, 0x200, 0x100, PROGRAM(DW_CFA_def_cfa_offset, 32));
	image_fde(&image, cie, 0x280, 0x10, PROGRAM(DW_CFA_def_cfa_offset, 48));
	build(&image);
	check_cfa(0x1ff, UNWIND_CFA_SP, 16);
	check_cfa(0x27f, UNWIND_CFA_SP, 32);
	check_cfa(0x28f, UNWIND_CFA_SP, 48);
	check_end(0x290, UNWIND_END_NO_RULE);
}

static void functions_out_of_reach_are_left_out(void **state)
{
	struct unwind_image image = {.size = 0};
	size_t cie = USUAL_CIE(&image);

	(void)state;
	image_fde(&image, cie, -0x100, 0x10, PROGRAM(DW_CFA_nop));
	image_fde(&image, cie, 1ULL << 32, 0x10, PROGRAM(DW_CFA_nop));
	image_fde(&image, cie, -IMAGE_BASE - 0x10ULL, 0x20, PROGRAM(DW_CFA_nop));
	image_fde(&image, cie, 0x100, 0, PROGRAM(DW_CFA_nop));
	build(&image);
	assert_int_equal(table->nrows, 1);
}

static void entries_without_a_sound_group_are_left_out(void **state)
{
	struct unwind_image image = {.size = 0};
	size_t unknown = image_cie(&image, "zQ", PROGRAM(IMAGE_USUAL));
	size_t bare = image_cie(&image, "", PROGRAM(IMAGE_USUAL));
	size_t unsound = image_cie(&image, "z", PROGRAM(IMAGE_USUAL, DW_CFA_restore | 6));

	(void)state;
	image_fde(&image, unknown, 0x100, 0x10, PROGRAM(DW_CFA_nop));
	image_fde(&image, bare, 0x200, 0x10, PROGRAM(DW_CFA_def_cfa_offset, 16));
	image_fde(&image, unsound, 0x300, 0x10, PROGRAM(DW_CFA_nop));
	/* The group is an entry. */
	image_fde(&image, unsound + 29, 0x400, 0x10, PROGRAM(DW_CFA_nop));
	build(&image);
	check_end(0x100, UNWIND_END_NO_RULE);
	check_cfa(0x200, UNWIND_CFA_SP, 16);
	check_end(0x300, UNWIND_END_RULE);
	check_end(0x400, UNWIND_END_NO_RULE);
}

static void a_length_beyond_the_section_ends_it(void **state)
{
	struct unwind_image image = {.size = 0};
	size_t cie = USUAL_CIE(&image);

	(void)state;
	image_fde(&image, cie, 0x100, 0x10, PROGRAM(DW_CFA_nop));
	image_put_number(&image, 0xffffff00, 4);
	image_put_number(&image, 0, 4);
	build(&image);
	check_cfa(0x100, UNWIND_CFA_SP, 8);
	assert_int_equal(table->nrows, 3);
}

static void an_entry_of_many_rows_takes_no_longer_for_it(void **state)
{
	const size_t n = 1 << 20;
	struct unwind_image image = {.size = 0};
	size_t cie = USUAL_CIE(&image), begin = image_begin(&image), room;
	struct elf_file *elf;
	uint8_t *bytes;

	(void)state;
	image_put_number(&image, begin - cie, 4);
	image_put_number(&image, IMAGE_BASE, 8);
	image_put_number(&image, 1 << 30, 8);
	image_put_number(&image, 0, 1);
	room = image.size + 3 * n;
	bytes = malloc(room);
	memcpy(bytes, image.bytes, image.size);
	for (size_t i = 0; i < n; i++) {
		uint8_t *at = bytes + image.size + 3 * i;

		at[0] = DW_CFA_advance_loc | 1;
		at[1] = DW_CFA_def_cfa_offset;
		at[2] = 8 + i % 100;
	}
	*(uint32_t *)(bytes + begin - 4) = room - begin;
	elf = image_open(bytes, room, EM_X86_64, 0);
	assert_int_equal(unwind_table_new(elf, rules, &table), 0);
	/* The first changes nothing; behind the last, nothing is known. */
	assert_int_equal(table->nrows, n + 1);
	elf_file_close(elf);
	free(bytes);
}

static void return_addresses_are_in_a_register_on_arm(void **state)
{
	struct unwind_image image = {.size = 0};
	size_t cie = image_cie_of(&image, "zB", 30, PROGRAM(DW_CFA_def_cfa, 31, 0));

	(void)state;
	/* paciasp; stp x29, x30, [sp, #-16]!; mov x29, sp; ...; ldp; autiasp; ret */
	image_fde(&image, cie, 0x100, 0x100,
		  PROGRAM(DW_CFA_advance_loc | 4, DW_CFA_AARCH64_negate_ra_state,
			  DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset, 16, DW_CFA_offset | 29, 2,
			  DW_CFA_offset | 30, 1, DW_CFA_advance_loc | 4, DW_CFA_def_cfa_register,
			  29, DW_CFA_advance_loc | 32, DW_CFA_restore | 30, DW_CFA_restore | 29,
			  DW_CFA_def_cfa, 31, 0));
	build_of(&image, EM_AARCH64, 0);
	for (uint64_t at = 0x100; at <= 0x104; at += 4) {
		assert_int_equal(rule_at(at)->cfa, UNWIND_CFA_SP);
		assert_int_equal(rule_at(at)->cfa_offset, 0);
		assert_int_equal(rule_at(at)->ra, UNWIND_SAVED_KEPT);
	}
	check_cfa(0x108, UNWIND_CFA_SP, 16);
	check_cfa(0x10c, UNWIND_CFA_BP, 16);
	assert_int_equal(rule_at(0x10c)->bp, UNWIND_SAVED_CFA);
	assert_int_equal(rule_at(0x10c)->bp_offset, -16);
	assert_int_equal(rule_at(0x12c)->ra, UNWIND_SAVED_KEPT);
	assert_int_equal(rule_at(0x12c)->bp, UNWIND_SAVED_KEPT);
}

static void other_registers_of_return_addresses_are_beyond(void **state)
{
	struct unwind_image image = {.size = 0};
	size_t cie = image_cie_of(&image, "z", 15, PROGRAM(DW_CFA_def_cfa, 31, 0));

	(void)state;
	image_fde(&image, cie, 0x100, 0x100, PROGRAM(DW_CFA_nop));
	build_of(&image, EM_AARCH64, 0);
	check_end(0x100, UNWIND_END_RULE);
}

static void where_a_program_starts_is_the_end(void **state)
{
	struct unwind_image image = {.size = 0};
	size_t cie = USUAL_CIE(&image);

	(void)state;
	image_fde(&image, cie, 0x100, 0x100, PROGRAM(DW_CFA_nop));
	build_of(&image, EM_X86_64, IMAGE_BASE + 0x80);
	check_end(0x7f, UNWIND_END_NO_RULE);
	check_end(0x80, UNWIND_END_OUTERMOST);
	check_end(0xff, UNWIND_END_OUTERMOST);
	check_cfa(0x100, UNWIND_CFA_SP, 8);
	check_end(0x200, UNWIND_END_NO_RULE);
	assert_int_equal(table->nrows, 4);
	unwind_table_free(table);

	build_of(&image, EM_X86_64, IMAGE_BASE + 0x200);
	check_end(0x200, UNWIND_END_OUTERMOST);
	unwind_table_free(table);

	/* .eh_frame knows better. */
	build_of(&image, EM_X86_64, IMAGE_BASE + 0x180);
	check_cfa(0x180, UNWIND_CFA_SP, 8);
	unwind_table_free(table);

	build_of(&image, EM_X86_64, IMAGE_BASE - 1);
	assert_int_equal(table->nrows, 3);
}

static void a_file_cannot_take_all_rules(void **state)
{
	struct unwind_rule rule = {.cfa = UNWIND_CFA_SP};
	uint32_t n;

	(void)state;
	unwind_rules_list(rules, &n);
	assert_int_equal(unwind_rules_index(rules, &rule, n), UNWIND_RULE_BEYOND);
	assert_int_equal(unwind_rules_index(rules, &rule, n + 1), n);
	assert_int_equal(unwind_rules_index(rules, &rule, n), n);
	for (uint32_t i = n + 1; i < UNWIND_RULES; i++) {
		rule.cfa_offset = i;
		assert_int_equal(unwind_rules_index(rules, &rule, UNWIND_RULES), i);
	}
	rule.cfa_offset = -1;
	assert_int_equal(unwind_rules_index(rules, &rule, UINT32_MAX), UNWIND_RULE_BEYOND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_prologue_changes_the_rule),
		TEST(remembered_states_come_back),
		TEST(longer_forms_mean_the_same),
		TEST(frames_of_gigabytes_keep_their_size),
		TEST(no_return_address_is_the_end),
		TEST(registers_that_nobody_keeps_are_beyond),
		TEST(rbx_is_kept_for_frames_that_count_from_it),
		TEST(known_expressions_are_rules),
		TEST(other_expressions_are_beyond),
		TEST(unknown_instructions_end_what_is_known),
		TEST(instructions_cut_off_end_what_is_known),
		TEST(states_are_not_recalled_that_were_not_remembered),
		TEST(locations_do_not_go_back),
		TEST(functions_are_sorted_and_what_is_between_is_unknown),
		TEST(functions_that_overlap_are_cut),
		TEST(functions_out_of_reach_are_left_out),
		TEST(entries_without_a_sound_group_are_left_out),
		TEST(a_length_beyond_the_section_ends_it),
		TEST(an_entry_of_many_rows_takes_no_longer_for_it),
		TEST(return_addresses_are_in_a_register_on_arm),
		TEST(other_registers_of_return_addresses_are_beyond),
		TEST(where_a_program_starts_is_the_end),
		TEST(a_file_cannot_take_all_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
