// SPDX-License-Identifier: MIT
// links: attach
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <string.h>

#include "attach/operand.h"

#define LOCATION 0x1000
#define NO OPERAND_NO_REG
#define RIP OPERAND_PC
#define ARM_SP 31

/* Knows one symbol by several spellings that occur in symbol names. */
static int find(void *context, const char *name, uint64_t *vaddr)
{
	(void)context;
	if (strcmp(name, "counter") && strcmp(name, "counter.0") && strcmp(name, "_ZN1a$u20$b..cE"))
		return -1;
	*vaddr = 0x4000;
	return 0;
}

static const struct operand_scope in_pie = {
	.machine = EM_X86_64, .location = LOCATION, .symbol = find};
static const struct operand_scope in_fixed = {
	.machine = EM_X86_64, .location = LOCATION, .symbol = find, .fixed_address = true};
static const struct operand_scope on_arm = {
	.machine = EM_AARCH64, .location = LOCATION, .symbol = find, .fixed_address = true};

struct row {
	const char *text;
	struct operand expected;
};

#define CONST(size_, value_)                                                                       \
	{                                                                                          \
		OPERAND_CONST, NO, NO, 0, size_, {0}, value_                                       \
	}
#define REG(size_, base_)                                                                          \
	{                                                                                          \
		OPERAND_REG, base_, NO, 0, size_, {0}, 0                                           \
	}
#define MEM(size_, base_, value_)                                                                  \
	{                                                                                          \
		OPERAND_MEMORY, base_, NO, 0, size_, {0}, value_                                   \
	}
#define INDEXED(size_, base_, index_, scale_, value_)                                              \
	{                                                                                          \
		OPERAND_MEMORY, base_, index_, scale_, size_, {0}, value_                          \
	}

static const struct row readable[] = {
	/* constants */
	{"4@$5", CONST(4, 5)},
	{"-4@$-5", CONST(-4, -5)},
	{"8@$0x10", CONST(8, 16)},
	{"8@$-0x10", CONST(8, -16)},
	{"4@$010", CONST(4, 8)},
	{"4@$-1", CONST(4, 0xffffffff)},
	{"1@$255", CONST(1, 255)},
	{"-1@$255", CONST(-1, -1)},
	{"8@$18446744073709551615", CONST(8, -1)},
	{"-8@$-9223372036854775808", CONST(-8, INT64_MIN)},
	{"$7", CONST(8, 7)},
	{"8@$2+3", CONST(8, 5)},
	/* registers */
	{"8@%rax", REG(8, 0)},
	{"8@%rdx", REG(8, 1)},
	{"8@%rcx", REG(8, 2)},
	{"8@%rbx", REG(8, 3)},
	{"8@%rsi", REG(8, 4)},
	{"8@%rdi", REG(8, 5)},
	{"8@%rbp", REG(8, 6)},
	{"8@%rsp", REG(8, 7)},
	{"8@%r8", REG(8, 8)},
	{"8@%r9", REG(8, 9)},
	{"8@%r10", REG(8, 10)},
	{"8@%r15", REG(8, 15)},
	{"-4@%eax", REG(-4, 0)},
	{"4@%edi", REG(4, 5)},
	{"2@%ax", REG(2, 0)},
	{"-2@%si", REG(-2, 4)},
	{"1@%al", REG(1, 0)},
	{"1@%sil", REG(1, 4)},
	{"1@%spl", REG(1, 7)},
	{"4@%r8d", REG(4, 8)},
	{"2@%r12w", REG(2, 12)},
	{"1@%r15b", REG(1, 15)},
	{"1@%r9l", REG(1, 9)},
	{"-1@%rax", REG(-1, 0)},
	{"8@%eax", REG(4, 0)},
	{"-8@%ax", REG(-2, 0)},
	{"%ebx", REG(4, 3)},
	/* memory */
	{"4@(%rax)", MEM(4, 0, 0)},
	{"-4@-16(%rbp)", MEM(-4, 6, -16)},
	{"8@0x20(%rsp)", MEM(8, 7, 32)},
	{"8@-0x20(%r13)", MEM(8, 13, -32)},
	{"8@8+8(%rsp)", MEM(8, 7, 16)},
	{"8@24-8(%rsp)", MEM(8, 7, 16)},
	{"8@+8(%rsp)", MEM(8, 7, 8)},
	{"(%r9)", MEM(8, 9, 0)},
	{"8@8(%rax,%rbx,4)", INDEXED(8, 0, 3, 2, 8)},
	{"8@(%rax,%rbx)", INDEXED(8, 0, 3, 0, 0)},
	{"8@(%rax, %rbx, 8)", INDEXED(8, 0, 3, 3, 0)},
	{"1@-1(%r14,%r15,1)", INDEXED(1, 14, 15, 0, -1)},
	{"8@16(,%rax,8)", INDEXED(8, NO, 0, 3, 16)},
	{"8@4096", MEM(8, NO, 4096)},
	/* relative to the probe */
	{"4@counter(%rip)", MEM(4, RIP, 0x4000 - LOCATION)},
	{"4@counter+8(%rip)", MEM(4, RIP, 0x4008 - LOCATION)},
	{"4@8+counter(%rip)", MEM(4, RIP, 0x4008 - LOCATION)},
	{"4@counter-8(%rip)", MEM(4, RIP, 0x3ff8 - LOCATION)},
	{"4@counter.0(%rip)", MEM(4, RIP, 0x4000 - LOCATION)},
	{"4@_ZN1a$u20$b..cE(%rip)", MEM(4, RIP, 0x4000 - LOCATION)},
	{"8@16(%rip)", MEM(8, RIP, 16)},
	{"8@counter", MEM(8, RIP, 0x4000 - LOCATION)},
	{"8@counter+4", MEM(8, RIP, 0x4004 - LOCATION)},
};

static const struct row readable_in_fixed[] = {
	{"8@$counter", CONST(8, 0x4000)},
	{"8@$counter+16", CONST(8, 0x4010)},
	{"8@counter(,%rax,8)", INDEXED(8, NO, 0, 3, 0x4000)},
	{"8@counter+8(%rax)", MEM(8, 0, 0x4008)},
	{"8@counter(%rip)", MEM(8, RIP, 0x4000 - LOCATION)},
};

static const char *const unreadable[] = {
	"",
	"8@",
	"@",
	"8@$",
	"8@%",
	"%",
	"$",
	"(",
	"8@(",
	"8@()",
	"8@(%rax",
	"8@(%rax,)",
	"8@(,)",
	/* what the programs cannot read */
	"8f@%xmm0",
	"4f@-8(%rbp)",
	"8@%xmm1",
	"16@%xmm1",
	"1@%ah",
	"1@%dh",
	"8@%rip",
	"8@%fs:16",
	"8@%fs:counter@tpoff",
	"%fs",
	"8@%st(0)",
	"8@%k1",
	/* sizes */
	"3@%rax",
	"0@%rax",
	"16@(%rax)",
	"-@%rax",
	"44@%rax",
	"8 @%rax",
	/* registers that are none */
	"8@%r7",
	"8@%r16",
	"8@%r1",
	"8@%r08",
	"8@%r8x",
	"8@%r8dd",
	"8@%rax2",
	"8@%eaxx",
	"8@%r",
	"8@rax",
	"8@%r15bb",
	/* addresses that are none */
	"8@(%eax)",
	"8@(%rax,%ebx)",
	"8@(%rax,%rsp,2)",
	"8@(%rip,%rax)",
	"8@(%rax,%rip)",
	"8@(%rax,%rbx,3)",
	"8@(%rax,%rbx,16)",
	"8@(%rax,%rbx,0)",
	"8@(%rax,%rbx,4",
	"8@(%rax)x",
	"8@4(%rax)(%rbx)",
	"8@(%rax,4)",
	"8@(,%rax,8,1)",
	"8@(8)(%rax)",
	/* numbers that are none */
	"8@$0x",
	"8@$08",
	"8@$12x",
	"8@$--5",
	"8@$5-",
	"8@1f(%rip)",
	"8@$18446744073709551616",
	"8@$0x10000000000000000",
	"8@-(%rbp)",
	"8@- 8(%rbp)",
	/* symbols */
	"8@unknown(%rip)",
	"8@counter@GOTPCREL(%rip)",
	"8@-counter(%rip)",
	"8@counter+counter(%rip)",
	"8@.LC0(%rip)",
	"8@$counter",
	"8@counter(%rax)",
	"8@counter(,%rax,8)",
};

static const struct row readable_on_arm[] = {
	/* constants */
	{"4@5", CONST(4, 5)},
	{"-4@-5", CONST(-4, -5)},
	{"8@#0x10", CONST(8, 16)},
	{"-8@#-16", CONST(-8, -16)},
	{"1@255", CONST(1, 255)},
	{"-1@255", CONST(-1, -1)},
	{"7", CONST(8, 7)},
	/* registers */
	{"8@x0", REG(8, 0)},
	{"8@x9", REG(8, 9)},
	{"-8@x30", REG(-8, 30)},
	{"8@sp", REG(8, ARM_SP)},
	{"4@w19", REG(4, 19)},
	{"-4@x4", REG(-4, 4)},
	{"8@w4", REG(4, 4)},
	{"x21", REG(8, 21)},
	/* memory */
	{"4@[x0]", MEM(4, 0, 0)},
	{"-4@[sp, 12]", MEM(-4, ARM_SP, 12)},
	{"8@[sp,#96]", MEM(8, ARM_SP, 96)},
	{"8@[x29, -16]", MEM(8, 29, -16)},
	{"8@[x29, #-0x20]", MEM(8, 29, -32)},
	{"8@[ x1 ]", MEM(8, 1, 0)},
	{"8@[x1, x2]", INDEXED(8, 1, 2, 0, 0)},
	{"8@[x1, x2, lsl 3]", INDEXED(8, 1, 2, 3, 0)},
	{"2@[sp, x30, lsl #1]", INDEXED(2, ARM_SP, 30, 1, 0)},
};

static const char *const unreadable_on_arm[] = {
	"",
	"8@",
	"8@#",
	"8@-",
	"8@%rax",
	"8@$5",
	"8@(x0)",
	/* what the programs cannot read */
	"8f@d0",
	"8@d0",
	"8@xzr",
	"8@pc",
	"8@counter",
	"8@[x0, #:lo12:counter]",
	/* registers that are none */
	"8@x31",
	"8@x01",
	"8@x100",
	"8@x",
	"8@w1x",
	"8@x0x",
	"8@wsp",
	/* addresses that are none */
	"8@[]",
	"8@[x0",
	"8@[w0]",
	"8@[5]",
	"8@[x0,]",
	"8@[x0, w1]",
	"8@[x0, w1, sxtw 3]",
	"8@[x0, x1, sxtx]",
	"8@[x0, sp]",
	"8@[x0, x1, lsl 4]",
	"8@[x0, x1, lsl]",
	"8@[x0, x1, x2]",
	"8@[x0, 8, lsl 3]",
	"8@[x0, 8]!",
	"8@[x0], 8",
	"8@[x0]x",
};

static void check(const struct row *rows, size_t n, const struct operand_scope *scope)
{
	struct operand operand;

	for (size_t i = 0; i < n; i++) {
		if (!operand_parse(rows[i].text, scope, &operand) ||
		    memcmp(&operand, &rows[i].expected, sizeof(operand)))
			fail_msg("%s: class %d base %d index %d scale %d size %d value %lld",
				 rows[i].text, operand.class, operand.base, operand.index,
				 operand.scale, operand.size, (long long)operand.value);
	}
}

static void every_form_is_decoded(void **state)
{
	(void)state;
	check(readable, sizeof(readable) / sizeof(readable[0]), &in_pie);
}

static void absolute_symbols_are_known_in_fixed_files_only(void **state)
{
	(void)state;
	check(readable_in_fixed, sizeof(readable_in_fixed) / sizeof(readable_in_fixed[0]),
	      &in_fixed);
}

static void every_form_on_arm_is_decoded(void **state)
{
	(void)state;
	check(readable_on_arm, sizeof(readable_on_arm) / sizeof(readable_on_arm[0]), &on_arm);
}

static void check_unreadable(const char *const *texts, size_t n, const struct operand_scope *scope)
{
	struct operand operand;

	for (size_t i = 0; i < n; i++) {
		if (operand_parse(texts[i], scope, &operand))
			fail_msg("`%s` was read", texts[i]);
		assert_int_equal(operand.class, OPERAND_NONE);
	}
}

static void what_cannot_be_read_is_none(void **state)
{
	(void)state;
	check_unreadable(unreadable, sizeof(unreadable) / sizeof(unreadable[0]), &in_pie);
	check_unreadable(unreadable_on_arm,
			 sizeof(unreadable_on_arm) / sizeof(unreadable_on_arm[0]), &on_arm);
}

static void other_machines_have_no_operands(void **state)
{
	const struct operand_scope other = {.machine = EM_RISCV};
	struct operand operand;

	(void)state;
	assert_false(operand_parse("8@5", &other, &operand));
	assert_false(operand_parse("8@x0", &other, &operand));
	assert_false(operand_parse("8@%rax", &other, &operand));
}

static void symbols_need_someone_who_knows_them(void **state)
{
	const struct operand_scope nobody = {.machine = EM_X86_64, .location = LOCATION};
	struct operand operand;

	(void)state;
	assert_false(operand_parse("4@counter(%rip)", &nobody, &operand));
}

static void arguments_are_split_at_spaces_outside_of_parentheses(void **state)
{
	struct operand operands[OPERAND_ARGS_MAX];

	(void)state;
	assert_int_equal(operand_parse_all("  8@%rdi  -4@$-1\t4@8(%rax, %rbx, 4) ", &in_pie,
					   operands, OPERAND_ARGS_MAX),
			 3);
	assert_int_equal(operands[0].base, 5);
	assert_int_equal(operands[1].value, -1);
	assert_int_equal(operands[2].index, 3);
	assert_int_equal(operand_parse_all("8@x0 -4@[sp, 12] 8@[x1, x2, lsl 3] 4@5", &on_arm,
					   operands, OPERAND_ARGS_MAX),
			 4);
	assert_int_equal(operands[1].value, 12);
	assert_int_equal(operands[2].scale, 3);
	assert_int_equal(operands[3].value, 5);
	assert_int_equal(operand_parse_all("", &in_pie, operands, OPERAND_ARGS_MAX), 0);
}

static void one_bad_argument_spoils_no_other(void **state)
{
	struct operand operands[OPERAND_ARGS_MAX];
	char args[2048];

	(void)state;
	assert_int_equal(operand_parse_all("8@%rdi 8f@%xmm0 1@%ah 4@%esi", &in_pie, operands, 12),
			 4);
	assert_int_equal(operands[0].class, OPERAND_REG);
	assert_int_equal(operands[1].class, OPERAND_NONE);
	assert_int_equal(operands[2].class, OPERAND_NONE);
	assert_int_equal(operands[3].base, 4);

	memset(args, 'x', 1500);
	strcpy(args + 1500, "(%rip) 8@%rsi");
	assert_int_equal(operand_parse_all(args, &in_pie, operands, 12), 2);
	assert_int_equal(operands[0].class, OPERAND_NONE);
	assert_int_equal(operands[1].base, 4);
}

static void no_more_arguments_than_asked_for(void **state)
{
	struct operand operands[3];
	char args[128] = "";

	(void)state;
	for (int i = 0; i < 20; i++)
		strcat(args, "1@$1 ");
	assert_int_equal(operand_parse_all(args, &in_pie, operands, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_decoded),
		cmocka_unit_test(absolute_symbols_are_known_in_fixed_files_only),
		cmocka_unit_test(every_form_on_arm_is_decoded),
		cmocka_unit_test(what_cannot_be_read_is_none),
		cmocka_unit_test(other_machines_have_no_operands),
		cmocka_unit_test(symbols_need_someone_who_knows_them),
		cmocka_unit_test(arguments_are_split_at_spaces_outside_of_parentheses),
		cmocka_unit_test(one_bad_argument_spoils_no_other),
		cmocka_unit_test(no_more_arguments_than_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
