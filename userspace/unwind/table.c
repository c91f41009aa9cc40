// SPDX-License-Identifier: MIT
#include "unwind/table.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>

#include "core/array.h"
#include "symbolize/elf_file.h"
#include "unwind/cfi.h"
#include "unwind/eh_frame.h"
#include "unwind/rules.h"

/* Less than what functions are aligned to lies between them as padding, where nobody ever is. */
#define PADDING_MAX 16

struct builder {
	struct unwind_table *table;
	size_t capacity;
	struct unwind_rules *rules;
	uint32_t rules_max;
	uint64_t entry; /* address where the program begins; 0: nowhere */
};

static int push(struct builder *b, uint32_t offset, uint32_t rule)
{
	struct unwind_table *t = b->table;
	struct unwind_row *rows;

	if (t->nrows == UNWIND_TABLE_ROWS)
		return -EFBIG;
	rows = array_grow(t->rows, t->nrows, &b->capacity, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	t->rows = rows;
	t->rows[t->nrows++] = (struct unwind_row){.offset = offset, .rule = rule};
	return 0;
}

/* From an address on, that rule; addresses do not fall. */
static int add_row(struct builder *b, uint64_t address, uint32_t rule)
{
	struct unwind_table *t = b->table;
	uint64_t offset = address - b->table->base;

	if (address < t->base || offset > UINT32_MAX)
		return 0;
	if (t->nrows && t->rows[t->nrows - 1].offset == offset)
		t->nrows--;
	if (t->nrows && t->rows[t->nrows - 1].rule == rule)
		return 0;
	return push(b, offset, rule);
}

static int add_rule(void *context, uint64_t address, const struct unwind_rule *rule)
{
	struct builder *b = context;

	return add_row(b, address, unwind_rules_index(b->rules, rule, b->rules_max));
}

/*
 * Code that there is no entry for. Where a program begins is never called: assembly there, as the dynamic
 * loader's, often says nothing.
 */
static int add_gap(struct builder *b, uint64_t start, uint64_t end)
{
	int err = add_row(b, start, UNWIND_RULE_UNKNOWN);

	if (!err && b->entry && b->entry >= start && b->entry < end)
		err = add_row(b, b->entry, UNWIND_RULE_OUTERMOST);
	return err;
}

/* What entries that follow each other mostly share. */
struct group {
	struct eh_cie cie;
	struct cfi_state initial;
	bool sound;
};

static void enter_group(struct group *group, const struct cfi_machine *machine,
			const struct eh_frame *frame, uint32_t offset)
{
	if (group->cie.offset == offset)
		return;
	group->sound = eh_frame_cie(frame, offset, &group->cie) &&
		       cfi_initial(machine, frame, &group->cie, &group->initial);
}

static int add_entries(struct builder *b, const struct cfi_machine *machine,
		       const struct eh_frame *frame, const struct eh_fde *fdes, size_t n)
{
	const struct cfi_rows rows = {.add = add_rule, .context = b};
	struct group group = {.cie.offset = UINT32_MAX};
	uint64_t end = b->table->base;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct eh_fde fde = fdes[i];

		if (i + 1 < n && fde.end > fdes[i + 1].start)
			fde.end = fdes[i + 1].start;
		if (fde.start >= fde.end || fde.start < b->table->base)
			continue;
		enter_group(&group, machine, frame, fde.cie);
		if (fde.start - end >= PADDING_MAX)
			err = add_gap(b, end, fde.start);
		if (!err && group.sound)
			err = cfi_run(machine, frame, &group.cie, &group.initial, &fde, &rows);
		else if (!err)
			err = add_row(b, fde.start, UNWIND_RULE_BEYOND);
		end = fde.end;
	}
	return err ? err : add_gap(b, end, UINT64_MAX);
}

/* Link-time address of the first executable segment, or 0. */
static uint64_t code_start(const struct elf_file *file)
{
	uint64_t start = UINT64_MAX;

	for (size_t i = 0; i < file->nsegments; i++)
		if (file->segments[i].flags & PF_X && file->segments[i].vaddr < start)
			start = file->segments[i].vaddr;
	return start == UINT64_MAX ? 0 : start;
}

static uint64_t entry_of(const struct elf_file *file)
{
	GElf_Ehdr header;

	return gelf_getehdr(file->elf, &header) ? header.e_entry : 0;
}

static int fill(struct builder *b, const struct elf_file *file)
{
	const struct cfi_machine *machine = cfi_machine(file->machine);
	struct eh_frame frame;
	struct eh_fde *fdes;
	size_t n;
	int err = add_row(b, b->table->base, UNWIND_RULE_UNKNOWN);

	if (err || !machine)
		return err;
	err = eh_frame_read(file, &frame);
	if (err)
		return err == -ENOENT || err == -ENOEXEC ? 0 : err;
	err = eh_frame_list(&frame, &fdes, &n);
	if (!err) {
		err = add_entries(b, machine, &frame, fdes, n);
		free(fdes);
	}
	eh_frame_release(&frame);
	return err;
}

int unwind_table_new(const struct elf_file *file, struct unwind_rules *rules,
		     struct unwind_table **out)
{
	struct builder b = {.table = calloc(1, sizeof(*b.table)), .rules = rules};
	struct unwind_row *rows;
	uint32_t n;
	int err;

	*out = NULL;
	if (!b.table)
		return -ENOMEM;
	unwind_rules_list(rules, &n);
	b.rules_max = n + UNWIND_TABLE_RULES;
	b.table->base = code_start(file);
	b.entry = entry_of(file);
	err = fill(&b, file);
	if (err) {
		unwind_table_free(b.table);
		return err;
	}
	rows = reallocarray(b.table->rows, b.table->nrows, sizeof(*rows));
	if (rows)
		b.table->rows = rows;
	*out = b.table;
	return 0;
}

void unwind_table_free(struct unwind_table *table)
{
	if (!table)
		return;
	free(table->rows);
	free(table);
}

uint32_t unwind_table_find(const struct unwind_table *table, uint64_t vaddr)
{
	uint64_t offset = vaddr - table->base;
	uint32_t low = 0, high = table->nrows;

	if (vaddr < table->base || offset > UINT32_MAX)
		return UNWIND_RULE_UNKNOWN;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (table->rows[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return table->rows[low].rule;
}
