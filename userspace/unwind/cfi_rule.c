// SPDX-License-Identifier: MIT
/* What call frame instructions have said, as rules; and the few expressions that occur. */
#include <dwarf.h>
#include <elf.h>
#include <stddef.h>

#include "unwind/cfi.h"

const struct cfi_machine *cfi_machine(uint16_t machine)
{
	/* System V ABI, AMD64, figure 3.36; DWARF for the Arm 64-bit Architecture, 4.1 */
	static const struct cfi_machine x86_64 = {
		.sp = 7,
		.bp = 6,
		.bx = 3,
		.pc = 16,
		.lr = CFI_NO_REG,
	};
	static const struct cfi_machine aarch64 = {
		.sp = 31,
		.bp = 29,
		.bx = CFI_NO_REG,
		.pc = CFI_NO_REG,
		.lr = 30,
	};

	switch (machine) {
	case EM_X86_64:
		return &x86_64;
	case EM_AARCH64:
		return &aarch64;
	default:
		return NULL;
	}
}

/* A register's value plus an offset. */
static bool read_breg(struct reader *r, uint64_t *reg, int64_t *offset)
{
	uint8_t op = reader_bytes(r, 1);

	if (op >= DW_OP_breg0 && op <= DW_OP_breg31)
		*reg = op - DW_OP_breg0;
	else if (op == DW_OP_bregx)
		*reg = reader_uleb(r);
	else
		return false;
	*offset = reader_sleb(r);
	return !r->bad;
}

/* Behind `sp + offset`, what linkers say of lazy PLT entries: + ((pc & 15) >= n) << 3. */
static bool read_plt(const struct cfi_machine *machine, struct reader *r, uint16_t *n)
{
	static const uint8_t tail[] = {DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus};
	uint64_t reg;
	int64_t offset;
	uint8_t op;

	if (!read_breg(r, &reg, &offset) || reg != machine->pc || offset)
		return false;
	if (reader_bytes(r, 1) != DW_OP_lit15 || reader_bytes(r, 1) != DW_OP_and)
		return false;
	op = reader_bytes(r, 1);
	if (op < DW_OP_lit0 || op > DW_OP_lit31)
		return false;
	*n = op - DW_OP_lit0;
	return reader_left(r) == sizeof(tail) && !memcmp(r->at, tail, sizeof(tail));
}

/* Behind an address, that what is there, perhaps plus a number, is the result. */
static bool read_deref(struct reader *r, uint16_t *add)
{
	struct reader rest = *r;
	uint64_t n = 0;

	if (reader_bytes(&rest, 1) != DW_OP_deref)
		return false;
	if (reader_left(&rest)) {
		if (reader_bytes(&rest, 1) != DW_OP_plus_uconst)
			return false;
		n = reader_uleb(&rest);
	}
	*add = n;
	return !rest.bad && !reader_left(&rest) && n <= UINT16_MAX;
}

struct cfi_cfa cfi_cfa_expression(const struct cfi_machine *machine, struct reader r)
{
	struct cfi_cfa cfa = {.by = UNWIND_CFA_NONE};

	if (!read_breg(&r, &cfa.reg, &cfa.offset))
		cfa.beyond = true;
	else if (!reader_left(&r))
		;
	else if (cfa.reg == machine->bp && read_deref(&r, &cfa.arg))
		cfa.by = UNWIND_CFA_BP_DEREF;
	else if (cfa.reg == machine->sp && read_deref(&r, &cfa.arg))
		cfa.by = UNWIND_CFA_SP_DEREF;
	else if (cfa.reg == machine->sp && read_plt(machine, &r, &cfa.arg))
		cfa.by = UNWIND_CFA_PLT;
	else
		cfa.beyond = true;
	return cfa;
}

struct cfi_column cfi_column_expression(const struct cfi_machine *machine, struct reader r)
{
	struct cfi_column column = {.known = CFI_BEYOND};
	uint64_t reg;

	if (!read_breg(&r, &reg, &column.offset) || reader_left(&r))
		return column;
	if (reg != machine->sp && reg != machine->bp)
		return column;
	column.known = CFI_SAVED;
	column.saved = reg == machine->sp ? UNWIND_SAVED_SP : UNWIND_SAVED_BP;
	return column;
}

static bool fits(int64_t offset)
{
	return offset == (int32_t)offset;
}

static bool set_cfa(const struct cfi_machine *machine, const struct cfi_cfa *cfa,
		    struct unwind_rule *rule)
{
	if (cfa->beyond || !fits(cfa->offset))
		return false;
	rule->cfa = cfa->by;
	if (cfa->by == UNWIND_CFA_NONE)
		rule->cfa = cfa->reg == machine->sp   ? UNWIND_CFA_SP
			    : cfa->reg == machine->bp ? UNWIND_CFA_BP
			    : cfa->reg == machine->bx ? UNWIND_CFA_BX
						      : UNWIND_CFA_NONE;
	rule->cfa_offset = cfa->offset;
	rule->cfa_arg = cfa->arg;
	return rule->cfa != UNWIND_CFA_NONE;
}

static bool set_ra(const struct cfi_machine *machine, const struct eh_cie *cie,
		   const struct cfi_column *ra, struct unwind_rule *rule)
{
	if (ra->known == CFI_UNSET || ra->known == CFI_SAME) {
		rule->ra = UNWIND_SAVED_KEPT;
		return cie->ra == machine->lr;
	}
	rule->ra = ra->saved;
	rule->ra_offset = ra->offset;
	return ra->known == CFI_SAVED && fits(ra->offset);
}

/* Of a register that functions keep for their callers: enum unwind_saved, and the offset. */
static uint8_t kept_register(const struct cfi_column *column, int32_t *offset)
{
	if (column->known == CFI_UNSET || column->known == CFI_SAME)
		return UNWIND_SAVED_KEPT;
	if (column->known != CFI_SAVED || !fits(column->offset))
		return UNWIND_SAVED_LOST;
	*offset = column->offset;
	return column->saved;
}

struct unwind_rule cfi_rule(const struct cfi_machine *machine, const struct eh_cie *cie,
			    const struct cfi_state *state)
{
	struct unwind_rule rule = {.signal = cie->is_signal};

	if (state->ra.known == CFI_UNDEFINED)
		return (struct unwind_rule){.end = UNWIND_END_OUTERMOST};
	if (!set_cfa(machine, &state->cfa, &rule) || !set_ra(machine, cie, &state->ra, &rule))
		return (struct unwind_rule){.end = UNWIND_END_RULE};
	rule.bp = kept_register(&state->bp, &rule.bp_offset);
	rule.bx = kept_register(&state->bx, &rule.bx_offset);
	return rule;
}
