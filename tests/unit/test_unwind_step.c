// SPDX-License-Identifier: MIT
/* One step, by each way that a rule has to say where the caller is, and by each way that it ends. */
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A stack from STACK on, whose words are what is `memory`. */
#define STACK 0x7000
#define WORDS 8

static int unwind_read(void *memory, __u64 address, __u64 *word)
{
	const uint64_t *words = memory;

	if (address < STACK || address % 8 || address >= STACK + 8 * WORDS)
		return -1;
	*word = words[(address - STACK) / 8];
	return 0;
}

#include "bpf/unwind_step.h"

#define BACK 0x401234 /* a return address */

/* A function that has pushed nothing: its return address is at sp. */
static const struct unwind_rule leaf = {
	.cfa = UNWIND_CFA_SP,
	.cfa_offset = 8,
	.ra = UNWIND_SAVED_CFA,
	.ra_offset = -8,
};

static struct unwind_regs regs_at(uint64_t sp, uint64_t bp)
{
	return (struct unwind_regs){.pc = 0x400100, .sp = sp, .bp = bp};
}

static void a_leaf_has_its_return_address_on_top(void **state)
{
	uint64_t words[WORDS] = {BACK};
	struct unwind_regs regs = regs_at(STACK, 5);

	(void)state;
	assert_int_equal(unwind_step(words, &leaf, &regs), UNWIND_GOES_ON);
	assert_int_equal(regs.pc, BACK);
	assert_int_equal(regs.sp, STACK + 8);
	assert_int_equal(regs.bp, 5);
	assert_int_equal(regs.called, 1);
	assert_int_equal(unwind_lookup_pc(&regs), BACK - 1);
}

static void a_frame_pointer_leads_to_the_caller(void **state)
{
	const struct unwind_rule rule = {
		.cfa = UNWIND_CFA_BP,
		.cfa_offset = 16,
		.ra = UNWIND_SAVED_CFA,
		.ra_offset = -8,
		.bp = UNWIND_SAVED_CFA,
		.bp_offset = -16,
	};
	uint64_t words[WORDS] = {0, 0, 0x7777, BACK};
	struct unwind_regs regs = regs_at(STACK, STACK + 16);

	(void)state;
	assert_int_equal(unwind_step(words, &rule, &regs), UNWIND_GOES_ON);
	assert_int_equal(regs.pc, BACK);
	assert_int_equal(regs.sp, STACK + 32);
	assert_int_equal(regs.bp, 0x7777);
}

static void a_cfa_can_be_stored(void **state)
{
	const struct unwind_rule rule = {
		.cfa = UNWIND_CFA_BP_DEREF,
		.cfa_offset = -8,
		.ra = UNWIND_SAVED_CFA,
		.ra_offset = -8,
		.bp = UNWIND_SAVED_BP,
	};
	uint64_t words[WORDS] = {0, STACK + 40, 0x7777, 0, BACK, BACK + 1};
	struct unwind_regs regs = regs_at(STACK, STACK + 16);
	struct unwind_rule above = rule;

	(void)state;
	assert_int_equal(unwind_step(words, &rule, &regs), UNWIND_GOES_ON);
	assert_int_equal(regs.pc, BACK);
	assert_int_equal(regs.sp, STACK + 40);
	assert_int_equal(regs.bp, 0x7777);

	above.cfa = UNWIND_CFA_SP_DEREF;
	above.cfa_offset = 8;
	above.cfa_arg = 8;
	regs = regs_at(STACK, STACK + 16);
	assert_int_equal(unwind_step(words, &above, &regs), UNWIND_GOES_ON);
	assert_int_equal(regs.pc, BACK + 1);
	assert_int_equal(regs.sp, STACK + 48);
}

static void a_signal_frame_leads_to_the_address_itself(void **state)
{
	const struct unwind_rule rule = {
		.cfa = UNWIND_CFA_SP_DEREF,
		.cfa_offset = 0,
		.ra = UNWIND_SAVED_SP,
		.ra_offset = 8,
		.bp = UNWIND_SAVED_SP,
		.bp_offset = 16,
		.signal = 1,
	};
	/* The handler runs above what it has interrupted. */
	uint64_t words[WORDS] = {STACK - 0x1000, BACK, 0x7777};
	struct unwind_regs regs = regs_at(STACK, 0);

	(void)state;
	regs.called = 1;
	assert_int_equal(unwind_step(words, &rule, &regs), UNWIND_GOES_ON);
	assert_int_equal(regs.pc, BACK);
	assert_int_equal(regs.sp, STACK - 0x1000);
	assert_int_equal(regs.bp, 0x7777);
	assert_int_equal(unwind_lookup_pc(&regs), BACK);
}

static void a_lazy_entry_has_pushed_from_some_byte_on(void **state)
{
	const struct unwind_rule rule = {
		.cfa = UNWIND_CFA_PLT,
		.cfa_offset = 8,
		.cfa_arg = 11,
		.ra = UNWIND_SAVED_CFA,
		.ra_offset = -8,
	};
	uint64_t words[WORDS] = {1, 2};

	(void)state;
	for (uint64_t byte = 0; byte < 16; byte++) {
		struct unwind_regs regs = regs_at(STACK, 0);

		regs.pc += byte;
		assert_int_equal(unwind_step(words, &rule, &regs), UNWIND_GOES_ON);
		assert_int_equal(regs.pc, byte < 11 ? 1 : 2);
	}
}

static void a_link_register_is_the_leafs_alone(void **state)
{
	const struct unwind_rule rule = {.cfa = UNWIND_CFA_SP, .ra = UNWIND_SAVED_KEPT};
	uint64_t words[WORDS] = {0};
	struct unwind_regs regs = regs_at(STACK, 0);

	(void)state;
	regs.lr = BACK;
	assert_int_equal(unwind_step(words, &rule, &regs), UNWIND_GOES_ON);
	assert_int_equal(regs.pc, BACK);
	assert_int_equal(regs.sp, STACK);
	/* Who has called has it overwritten. */
	assert_int_not_equal(unwind_step(words, &rule, &regs), UNWIND_GOES_ON);
}

static void a_lost_frame_pointer_ends_what_needs_it(void **state)
{
	struct unwind_rule loses = leaf, needs = leaf, restores = leaf;
	uint64_t words[WORDS] = {BACK, BACK, BACK, BACK};
	struct unwind_regs regs = regs_at(STACK, STACK + 8), lost;

	(void)state;
	loses.bp = UNWIND_SAVED_LOST;
	needs.cfa = UNWIND_CFA_BP;
	restores.bp = UNWIND_SAVED_CFA;
	restores.bp_offset = -8;
	assert_int_equal(unwind_step(words, &loses, &regs), UNWIND_GOES_ON);
	lost = regs;
	assert_int_equal(unwind_step(words, &leaf, &regs), UNWIND_GOES_ON);
	assert_int_equal(unwind_step(words, &needs, &regs), UNWIND_END_RULE);
	needs = leaf;
	needs.bp = UNWIND_SAVED_BP;
	regs = lost;
	assert_int_equal(unwind_step(words, &needs, &regs), UNWIND_END_RULE);
	regs = lost;
	assert_int_equal(unwind_step(words, &restores, &regs), UNWIND_GOES_ON);
	assert_int_equal(regs.bp, BACK);
	assert_int_equal(regs.bp_lost, 0);
}

static void a_saved_rbx_is_read_where_a_frame_needs_it(void **state)
{
	const struct unwind_rule needs = {
		.cfa = UNWIND_CFA_BX,
		.cfa_offset = 16,
		.ra = UNWIND_SAVED_CFA,
		.ra_offset = -8,
		.bx = UNWIND_SAVED_CFA,
		.bx_offset = -16,
	};
	struct unwind_rule saves = leaf;
	uint64_t words[WORDS] = {STACK + 24, BACK, 0, 0x7777, BACK + 1};
	struct unwind_regs regs = regs_at(STACK, 0);

	(void)state;
	/* As it is in the frame itself. */
	regs.bx = STACK + 24;
	assert_int_equal(unwind_step(words, &needs, &regs), UNWIND_GOES_ON);
	assert_int_equal(regs.pc, BACK + 1);
	assert_int_equal(regs.sp, STACK + 40);

	/* Saved by the callee; what is between keeps it. */
	saves.cfa_offset = 16;
	saves.bx = UNWIND_SAVED_CFA;
	saves.bx_offset = -16;
	regs = regs_at(STACK, 0);
	assert_int_equal(unwind_step(words, &saves, &regs), UNWIND_GOES_ON);
	assert_int_equal(unwind_step(words, &needs, &regs), UNWIND_GOES_ON);
	assert_int_equal(regs.pc, BACK + 1);
	assert_int_equal(regs.sp, STACK + 40);

	/* Where it was saved cannot be read. */
	regs = regs_at(STACK, 0);
	saves.bx_offset = -0x1000;
	assert_int_equal(unwind_step(words, &saves, &regs), UNWIND_GOES_ON);
	assert_int_equal(unwind_step(words, &needs, &regs), UNWIND_END_READ);
}

static void a_lost_rbx_ends_what_needs_it(void **state)
{
	const struct unwind_rule needs = {.cfa = UNWIND_CFA_BX, .ra = UNWIND_SAVED_CFA};
	struct unwind_rule loses = leaf;
	uint64_t words[WORDS] = {BACK, BACK};
	struct unwind_regs regs = regs_at(STACK, 0);

	(void)state;
	loses.bx = UNWIND_SAVED_LOST;
	assert_int_equal(unwind_step(words, &loses, &regs), UNWIND_GOES_ON);
	assert_int_equal(unwind_step(words, &needs, &regs), UNWIND_END_RULE);

	/* It is where a frame pointer tells that is not known. */
	loses.bx = UNWIND_SAVED_BP;
	regs = regs_at(STACK, 0);
	regs.bp_lost = 1;
	assert_int_equal(unwind_step(words, &loses, &regs), UNWIND_GOES_ON);
	assert_int_equal(unwind_step(words, &needs, &regs), UNWIND_END_RULE);
}

static void ends_tell_why(void **state)
{
	const struct unwind_rule outermost = {.end = UNWIND_END_OUTERMOST}, nonsense = {0};
	struct unwind_rule rule = leaf;
	uint64_t words[WORDS] = {BACK};
	struct unwind_regs regs = regs_at(STACK, 0);

	(void)state;
	assert_int_equal(unwind_step(words, &outermost, &regs), UNWIND_END_OUTERMOST);
	assert_int_equal(unwind_step(words, &nonsense, &regs), UNWIND_END_NO_RULE);
	regs = regs_at(STACK - 8, 0);
	assert_int_equal(unwind_step(words, &leaf, &regs), UNWIND_END_READ);
	rule.cfa = UNWIND_CFA_SP_DEREF;
	rule.cfa_offset = -8;
	regs = regs_at(STACK, 0);
	assert_int_equal(unwind_step(words, &rule, &regs), UNWIND_END_READ);
	rule = leaf;
	rule.bp = UNWIND_SAVED_CFA;
	rule.bp_offset = 1;
	regs = regs_at(STACK, 0);
	assert_int_equal(unwind_step(words, &rule, &regs), UNWIND_END_READ);
	rule = leaf;
	rule.cfa_offset = -8;
	regs = regs_at(STACK + 8, 0);
	assert_int_equal(unwind_step(words, &rule, &regs), UNWIND_END_BACKWARDS);
	/* What starts a coroutine may leave a return address of 0. */
	regs = regs_at(STACK + 8, 0);
	assert_int_equal(unwind_step(words, &leaf, &regs), UNWIND_END_OUTERMOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_has_its_return_address_on_top),
		cmocka_unit_test(a_frame_pointer_leads_to_the_caller),
		cmocka_unit_test(a_cfa_can_be_stored),
		cmocka_unit_test(a_signal_frame_leads_to_the_address_itself),
		cmocka_unit_test(a_lazy_entry_has_pushed_from_some_byte_on),
		cmocka_unit_test(a_link_register_is_the_leafs_alone),
		cmocka_unit_test(a_lost_frame_pointer_ends_what_needs_it),
		cmocka_unit_test(a_saved_rbx_is_read_where_a_frame_needs_it),
		cmocka_unit_test(a_lost_rbx_ends_what_needs_it),
		cmocka_unit_test(ends_tell_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
