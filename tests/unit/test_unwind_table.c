// SPDX-License-Identifier: MIT
// links: unwind symbolize core util -ldw -lelf -liberty
/*
 * Tables of real files, each of their rows compared with what libdw makes of the same .eh_frame.
 */
#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolize/elf_file.h"
#include "symbolize/maps.h"
#include "unwind/cfi.h"
#include "unwind/rules.h"
#include "unwind/table.h"

/* A file, its table and libdw's view of it. */
struct subject {
	struct elf_file *elf;
	const struct cfi_machine *machine;
	struct unwind_rules *rules;
	const struct unwind_rule *list;
	struct unwind_table *table;
	Dwarf_CFI *cfi;
	uint64_t entry;
};

static void open_subject(struct subject *s, struct elf_file *elf)
{
	GElf_Ehdr ehdr;
	uint32_t n;

	assert_non_null(gelf_getehdr(elf->elf, &ehdr));
	*s = (struct subject){
		.entry = ehdr.e_entry, .elf = elf, .machine = cfi_machine(elf->machine)};
	s->rules = unwind_rules_new();
	assert_int_equal(unwind_table_new(elf, s->rules, &s->table), 0);
	s->list = unwind_rules_list(s->rules, &n);
	for (uint32_t i = 0; i < s->table->nrows; i++)
		assert_true(s->table->rows[i].rule < n);
	s->cfi = dwarf_getcfi_elf(elf->elf);
	assert_non_null(s->cfi);
}

static void close_subject(struct subject *s)
{
	dwarf_cfi_end(s->cfi);
	unwind_table_free(s->table);
	unwind_rules_free(s->rules);
	elf_file_close(s->elf);
}

static bool is_breg(const Dwarf_Op *op, uint8_t reg, int64_t offset)
{
	uint64_t number = op->atom == DW_OP_bregx ? op->number : op->atom - (uint64_t)DW_OP_breg0;
	int64_t by = op->atom == DW_OP_bregx ? op->number2 : op->number;

	return number == reg && by == offset;
}

/* Whether the rule's CFA is what libdw says: a register and an offset, or what that points to. */
static bool same_cfa(const struct subject *s, const struct unwind_rule *rule, Dwarf_Frame *frame)
{
	uint8_t reg = rule->cfa == UNWIND_CFA_BP || rule->cfa == UNWIND_CFA_BP_DEREF
			      ? s->machine->bp
		      : rule->cfa == UNWIND_CFA_BX ? s->machine->bx
						   : s->machine->sp;
	size_t n, expected = 1;
	Dwarf_Op *ops;

	if (dwarf_frame_cfa(frame, &ops, &n))
		return false;
	if (rule->cfa == UNWIND_CFA_SP_DEREF || rule->cfa == UNWIND_CFA_BP_DEREF)
		expected = rule->cfa_arg ? 3 : 2;
	if (rule->cfa == UNWIND_CFA_PLT)
		expected = 9;
	/* libdw adds to an expression that its value is the result. */
	if (n == expected + 1 && ops[n - 1].atom == DW_OP_stack_value)
		n--;
	return n == expected && (n != 2 || ops[1].atom == DW_OP_deref) &&
	       (n != 3 || (ops[2].atom == DW_OP_plus_uconst && ops[2].number == rule->cfa_arg)) &&
	       is_breg(&ops[0], reg, rule->cfa_offset);
}

/* Whether a register is saved where libdw says. */
static bool same_saved(const struct subject *s, uint8_t saved, int32_t offset, Dwarf_Frame *frame,
		       int reg)
{
	Dwarf_Op *ops, memory[3];
	size_t n;

	if (dwarf_frame_register(frame, reg, memory, &ops, &n))
		return false;
	switch (saved) {
	case UNWIND_SAVED_KEPT:
		/* libdw takes rax for the register that functions keep, and rbx for one that they lose. */
		return !n && (!ops || reg == s->machine->bx);
	case UNWIND_SAVED_CFA:
		return n && n <= 2 && ops[0].atom == DW_OP_call_frame_cfa &&
		       (n == 1 ? !offset
			       : ops[1].atom == DW_OP_plus_uconst &&
					 (int64_t)ops[1].number == offset);
	case UNWIND_SAVED_SP:
		return n == 2 && is_breg(&ops[1], s->machine->sp, offset);
	case UNWIND_SAVED_BP:
		return n == 2 && is_breg(&ops[1], s->machine->bp, offset);
	default:
		return !n && ops == memory;
	}
}

static bool same_rule(const struct subject *s, const struct unwind_rule *rule, Dwarf_Frame *frame)
{
	Dwarf_Op *ops, memory[3];
	bool is_signal;
	size_t n;
	int ra = dwarf_frame_info(frame, NULL, NULL, &is_signal);

	if (rule->end == UNWIND_END_OUTERMOST)
		return !dwarf_frame_register(frame, ra, memory, &ops, &n) && !n && ops == memory;
	return rule->signal == is_signal && same_cfa(s, rule, frame) &&
	       same_saved(s, rule->ra, rule->ra_offset, frame, ra) &&
	       same_saved(s, rule->bp, rule->bp_offset, frame, s->machine->bp) &&
	       (s->machine->bx == CFI_NO_REG ||
		same_saved(s, rule->bx, rule->bx_offset, frame, s->machine->bx));
}

/* At the first byte of each row and at the last. Some few rules are beyond tables: counted. */
static void check_row(const struct subject *s, uint32_t i, uint32_t *beyond)
{
	const struct unwind_table *t = s->table;
	uint64_t start = t->base + t->rows[i].offset;
	uint64_t last = i + 1 < t->nrows ? t->base + t->rows[i + 1].offset - 1 : start;
	const struct unwind_rule *rule = &s->list[t->rows[i].rule];
	Dwarf_Frame *frame;

	if (dwarf_cfi_addrframe(s->cfi, start, &frame)) {
		assert_true(rule->end == UNWIND_END_NO_RULE || start == s->entry);
		return;
	}
	if (rule->end == UNWIND_END_RULE)
		++*beyond;
	else if (!same_rule(s, rule, frame))
		fail_msg("%s: another rule at %#lx", s->elf->path, (unsigned long)start);
	free(frame);
	/* None there: padding. */
	if (rule->end != UNWIND_END_RULE && !dwarf_cfi_addrframe(s->cfi, last, &frame)) {
		if (!same_rule(s, rule, frame))
			fail_msg("%s: another rule at %#lx", s->elf->path, (unsigned long)last);
		free(frame);
	}
}

static void check_file(struct elf_file *elf, uint32_t rows_min)
{
	struct subject s;
	uint32_t beyond = 0;

	open_subject(&s, elf);
	assert_true(s.table->nrows >= rows_min);
	assert_int_equal(s.table->rows[0].offset, 0);
	for (uint32_t i = 0; i < s.table->nrows; i++) {
		if (i)
			assert_true(s.table->rows[i].offset > s.table->rows[i - 1].offset);
		check_row(&s, i, &beyond);
	}
	assert_true(beyond <= s.table->nrows / 100);
	close_subject(&s);
}

/* The file behind the mapping of an address. */
static struct elf_file *file_of(const void *address)
{
	struct elf_file *elf = NULL;
	struct maps maps;

	assert_int_equal(maps_read(getpid(), &maps), 0);
	for (size_t i = 0; i < maps.n; i++)
		if ((uintptr_t)address >= maps.entries[i].start &&
		    (uintptr_t)address < maps.entries[i].end)
			assert_int_equal(elf_file_open(getpid(), &maps.entries[i], &elf), 0);
	maps_release(&maps);
	assert_non_null(elf);
	return elf;
}

static void the_table_of_a_program_is_as_libdw_has_it(void **state)
{
	(void)state;
	check_file(file_of(check_file), 100);
}

static void the_table_of_libc_is_as_libdw_has_it(void **state)
{
	Dl_info info;

	(void)state;
	assert_true(dladdr(dlsym(RTLD_NEXT, "qsort"), &info));
	check_file(file_of(info.dli_saddr), 5000);
}

static void the_table_of_the_loader_is_as_libdw_has_it(void **state)
{
	(void)state;
	check_file(file_of((const void *)_r_debug.r_brk), 500);
}

static void the_table_of_the_kernels_image_is_as_libdw_has_it(void **state)
{
	struct elf_file *vdso;

	(void)state;
	if (elf_file_open_vdso(&vdso))
		skip();
	check_file(vdso, 5);
}

static void the_table_of_a_static_program_is_as_libdw_has_it(void **state)
{
	struct elf_file *elf;

	(void)state;
	if (elf_file_open_path("/sbin/ldconfig", &elf))
		skip();
	check_file(elf, 1000);
}

/* This program, with its header as `change` leaves it. */
static struct elf_file *changed_self(void (*change)(Elf64_Ehdr *header))
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = memfd_create("changed", MFD_CLOEXEC);
	struct elf_file *elf;
	Elf64_Ehdr header;
	struct stat st;

	assert_int_equal(fstat(in, &st), 0);
	assert_int_equal(sendfile(out, in, NULL, st.st_size), st.st_size);
	close(in);
	assert_int_equal(pread(out, &header, sizeof(header), 0), sizeof(header));
	change(&header);
	assert_int_equal(pwrite(out, &header, sizeof(header), 0), sizeof(header));
	assert_int_equal(elf_file_from_fd(out, "changed", &elf), 0);
	return elf;
}

static struct unwind_table *table_of(struct elf_file *elf, struct unwind_rules *rules)
{
	struct unwind_table *table;

	assert_int_equal(unwind_table_new(elf, rules, &table), 0);
	elf_file_close(elf);
	return table;
}

static void leave(Elf64_Ehdr *header)
{
	(void)header;
}

static void forget_sections(Elf64_Ehdr *header)
{
	header->e_shoff = header->e_shnum = header->e_shstrndx = 0;
}

static void forget_everything(Elf64_Ehdr *header)
{
	forget_sections(header);
	header->e_phnum = header->e_entry = 0;
}

static void be_of_another_machine(Elf64_Ehdr *header)
{
	header->e_entry = 0;
	header->e_machine = EM_S390;
}

static void a_file_without_sections_has_the_same_table(void **state)
{
	struct unwind_rules *rules = unwind_rules_new();
	struct unwind_table *whole = table_of(changed_self(leave), rules);
	struct unwind_table *part = table_of(changed_self(forget_sections), rules);

	(void)state;
	assert_int_equal(part->nrows, whole->nrows);
	assert_memory_equal(part->rows, whole->rows, whole->nrows * sizeof(*whole->rows));
	unwind_table_free(part);
	unwind_table_free(whole);
	unwind_rules_free(rules);
}

static void nothing_is_known_of_other_files(void **state)
{
	void (*const changes[])(Elf64_Ehdr *) = {forget_everything, be_of_another_machine};
	struct unwind_rules *rules = unwind_rules_new();

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct unwind_table *table = table_of(changed_self(changes[i]), rules);

		assert_int_equal(table->nrows, 1);
		assert_int_equal(table->rows[0].offset, 0);
		assert_int_equal(table->rows[0].rule, UNWIND_RULE_UNKNOWN);
		assert_int_equal(unwind_table_find(table, UINT64_MAX), UNWIND_RULE_UNKNOWN);
		assert_int_equal(unwind_table_find(table, 0), UNWIND_RULE_UNKNOWN);
		unwind_table_free(table);
	}
	unwind_rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_a_program_is_as_libdw_has_it),
		cmocka_unit_test(the_table_of_libc_is_as_libdw_has_it),
		cmocka_unit_test(the_table_of_the_loader_is_as_libdw_has_it),
		cmocka_unit_test(the_table_of_the_kernels_image_is_as_libdw_has_it),
		cmocka_unit_test(the_table_of_a_static_program_is_as_libdw_has_it),
		cmocka_unit_test(a_file_without_sections_has_the_same_table),
		cmocka_unit_test(nothing_is_known_of_other_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
