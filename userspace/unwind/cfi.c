// SPDX-License-Identifier: MIT
#include "unwind/cfi.h"

#include <dwarf.h>

/* States that an entry may have remembered at a time; compilers need two. */
#define REMEMBERED_MAX 16

struct run {
	const struct cfi_machine *machine;
	const struct eh_frame *frame;
	const struct eh_cie *cie;
	const struct cfi_state *initial; /* NULL: it is what is being made */
	struct cfi_state state;
	struct cfi_state remembered[REMEMBERED_MAX];
	uint32_t nremembered;
	uint64_t address;
};

/* The column of a register; NULL: one that no step needs. */
static struct cfi_column *column_of(const struct run *run, struct cfi_state *state, uint64_t reg)
{
	if (reg == run->cie->ra)
		return &state->ra;
	if (reg == run->machine->bp)
		return &state->bp;
	return reg == run->machine->bx ? &state->bx : NULL;
}

static void set_column(struct run *run, uint64_t reg, struct cfi_column value)
{
	struct cfi_column *column = column_of(run, &run->state, reg);

	if (column)
		*column = value;
}

static void set_known(struct run *run, uint64_t reg, enum cfi_known known)
{
	set_column(run, reg, (struct cfi_column){.known = known});
}

/* offset: in units of the CIE's. Wraps as it may: what is too large is no rule. */
static int64_t scaled(const struct run *run, uint64_t offset)
{
	return (int64_t)(offset * (uint64_t)run->cie->data_align);
}

static void set_saved(struct run *run, uint64_t reg, uint64_t offset)
{
	set_column(run, reg,
		   (struct cfi_column){
			   .known = CFI_SAVED,
			   .saved = UNWIND_SAVED_CFA,
			   .offset = scaled(run, offset),
		   });
}

static bool restore(struct run *run, uint64_t reg)
{
	struct cfi_state initial;
	struct cfi_column *column;

	if (!run->initial)
		return false;
	initial = *run->initial;
	column = column_of(run, &initial, reg);
	if (column)
		set_column(run, reg, *column);
	return true;
}

static void set_cfa(struct run *run, uint64_t reg, int64_t offset)
{
	run->state.cfa = (struct cfi_cfa){.reg = reg, .offset = offset};
}

static bool remember(struct run *run)
{
	if (run->nremembered == REMEMBERED_MAX)
		return false;
	run->remembered[run->nremembered++] = run->state;
	return true;
}

static bool recall(struct run *run)
{
	if (!run->nremembered)
		return false;
	run->state = run->remembered[--run->nremembered];
	return true;
}

/* Those that have their first operand in their lower bits. */
static bool run_primary(struct run *run, uint8_t op, struct reader *r)
{
	uint8_t low = op & 0x3f;

	switch (op & 0xc0) {
	case DW_CFA_advance_loc:
		run->address += low * run->cie->code_align;
		return true;
	case DW_CFA_offset:
		set_saved(run, low, reader_uleb(r));
		return true;
	default:
		return restore(run, low);
	}
}

static bool run_advance(struct run *run, uint8_t op, struct reader *r)
{
	switch (op) {
	case DW_CFA_set_loc:
		run->address = eh_frame_address(run->frame, r, run->cie->encoding);
		return true;
	case DW_CFA_advance_loc1:
		run->address += reader_bytes(r, 1) * run->cie->code_align;
		return true;
	case DW_CFA_advance_loc2:
		run->address += reader_bytes(r, 2) * run->cie->code_align;
		return true;
	case DW_CFA_advance_loc4:
		run->address += reader_bytes(r, 4) * run->cie->code_align;
		return true;
	default:
		return false;
	}
}

static bool run_cfa(struct run *run, uint8_t op, struct reader *r)
{
	uint64_t reg;

	switch (op) {
	case DW_CFA_def_cfa:
		reg = reader_uleb(r);
		set_cfa(run, reg, reader_uleb(r));
		return true;
	case DW_CFA_def_cfa_sf:
		reg = reader_uleb(r);
		set_cfa(run, reg, scaled(run, reader_sleb(r)));
		return true;
	case DW_CFA_def_cfa_register:
		set_cfa(run, reader_uleb(r), run->state.cfa.offset);
		return true;
	case DW_CFA_def_cfa_offset:
		set_cfa(run, run->state.cfa.reg, reader_uleb(r));
		return true;
	case DW_CFA_def_cfa_offset_sf:
		set_cfa(run, run->state.cfa.reg, scaled(run, reader_sleb(r)));
		return true;
	case DW_CFA_def_cfa_expression:
		run->state.cfa = cfi_cfa_expression(run->machine, reader_part(r, reader_uleb(r)));
		return true;
	default:
		return false;
	}
}

static bool run_column(struct run *run, uint8_t op, struct reader *r)
{
	uint64_t reg = reader_uleb(r);

	switch (op) {
	case DW_CFA_offset_extended:
		set_saved(run, reg, reader_uleb(r));
		return true;
	case DW_CFA_offset_extended_sf:
		set_saved(run, reg, reader_sleb(r));
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		set_saved(run, reg, -reader_uleb(r));
		return true;
	case DW_CFA_restore_extended:
		return restore(run, reg);
	case DW_CFA_undefined:
		set_known(run, reg, CFI_UNDEFINED);
		return true;
	case DW_CFA_same_value:
		set_known(run, reg, CFI_SAME);
		return true;
	case DW_CFA_register:
	case DW_CFA_val_offset:
	case DW_CFA_val_offset_sf:
		reader_uleb(r);
		set_known(run, reg, CFI_BEYOND);
		return true;
	case DW_CFA_expression:
		set_column(run, reg,
			   cfi_column_expression(run->machine, reader_part(r, reader_uleb(r))));
		return true;
	case DW_CFA_val_expression:
		reader_skip(r, reader_uleb(r));
		set_known(run, reg, CFI_BEYOND);
		return true;
	default:
		return false;
	}
}

static bool run_op(struct run *run, struct reader *r)
{
	uint8_t op = reader_bytes(r, 1);

	if (op & 0xc0)
		return run_primary(run, op, r);
	switch (op) {
	case DW_CFA_nop:
	case DW_CFA_AARCH64_negate_ra_state:
		return true;
	case DW_CFA_GNU_args_size:
		reader_uleb(r);
		return true;
	case DW_CFA_remember_state:
		return remember(run);
	case DW_CFA_restore_state:
		return recall(run);
	default:
		return run_advance(run, op, r) || run_cfa(run, op, r) || run_column(run, op, r);
	}
}

bool cfi_initial(const struct cfi_machine *machine, const struct eh_frame *frame,
		 const struct eh_cie *cie, struct cfi_state *initial)
{
	struct run run = {.machine = machine, .frame = frame, .cie = cie};
	struct reader r = cie->program;

	while (reader_left(&r))
		if (!run_op(&run, &r))
			return false;
	*initial = run.state;
	return !r.bad;
}

static int add_row(const struct run *run, uint64_t address, const struct cfi_rows *rows)
{
	struct unwind_rule rule = cfi_rule(run->machine, run->cie, &run->state);

	return rows->add(rows->context, address, &rule);
}

int cfi_run(const struct cfi_machine *machine, const struct eh_frame *frame,
	    const struct eh_cie *cie, const struct cfi_state *initial, const struct eh_fde *fde,
	    const struct cfi_rows *rows)
{
	static const struct unwind_rule beyond = {.end = UNWIND_END_RULE};
	struct run run;
	struct reader r = eh_frame_program(frame, fde);
	uint64_t from = fde->start;
	int err = 0;

	run.machine = machine;
	run.frame = frame;
	run.cie = cie;
	run.initial = initial;
	run.state = *initial;
	run.nremembered = 0;
	run.address = from;
	while (!err && reader_left(&r) && from < fde->end) {
		if (!run_op(&run, &r) || r.bad || run.address < from)
			return rows->add(rows->context, from, &beyond);
		if (run.address > from)
			err = add_row(&run, from, rows);
		from = run.address;
	}
	return err || from >= fde->end ? err : add_row(&run, from, rows);
}
