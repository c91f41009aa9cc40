/* SPDX-License-Identifier: MIT */
/*
 * Call frame instructions, run for what a step needs: the canonical frame address, the frame pointer, the
 * return address and rbx, which some canonical frame addresses count from (DWARF 5, 6.4.2).
 */
#ifndef POLLSCOPE_UNWIND_CFI_H
#define POLLSCOPE_UNWIND_CFI_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/unwind.h"
#include "unwind/eh_frame.h"

/* DWARF's numbers of registers; CFI_NO_REG: there is none. */
struct cfi_machine {
	uint8_t sp;
	uint8_t bp;
	uint8_t bx;
	uint8_t pc; /* as expressions name it */
	uint8_t lr; /* where calls leave the return address */
};
#define CFI_NO_REG 0xff

/* Where the canonical frame address is. */
struct cfi_cfa {
	uint8_t by;   /* enum unwind_cfa; NONE: reg + offset */
	uint16_t arg; /* unwind_rule's cfa_arg */
	bool beyond;  /* a rule that tables do not hold */
	uint64_t reg;
	int64_t offset;
};

/* What is known of a caller's register. */
enum cfi_known {
	CFI_UNSET = 0, /* nothing was said */
	CFI_SAME = 1,
	CFI_UNDEFINED = 2, /* of the return address: there is no caller */
	CFI_SAVED = 3,
	CFI_BEYOND = 4,
};

struct cfi_column {
	uint8_t known; /* enum cfi_known */
	uint8_t saved; /* enum unwind_saved, where CFI_SAVED */
	int64_t offset;
};

struct cfi_state {
	struct cfi_cfa cfa;
	struct cfi_column bp, bx, ra;
};

/* Gets each row in address order; an error ends the run. */
struct cfi_rows {
	int (*add)(void *context, uint64_t address, const struct unwind_rule *rule);
	void *context;
};

/* cfi_machine() - by e_machine; NULL: not one of ours. */
const struct cfi_machine *cfi_machine(uint16_t machine);

/* cfi_initial() - the state that a CIE's instructions set up. Whether they are sound. */
bool cfi_initial(const struct cfi_machine *machine, const struct eh_frame *frame,
		 const struct eh_cie *cie, struct cfi_state *initial);

/*
 * cfi_run() - the rows of an entry, from its start; from instructions on that are not sound, up to `end`,
 * the rule is UNWIND_END_RULE. Time is linear in the instructions' bytes. Returns 0 or the rows' error.
 */
int cfi_run(const struct cfi_machine *machine, const struct eh_frame *frame,
	    const struct eh_cie *cie, const struct cfi_state *initial, const struct eh_fde *fde,
	    const struct cfi_rows *rows);

/* cfi_cfa_expression() - what computes the CFA (DW_CFA_def_cfa_expression). */
struct cfi_cfa cfi_cfa_expression(const struct cfi_machine *machine, struct reader expression);

/* cfi_column_expression() - what computes where a register is saved (DW_CFA_expression). */
struct cfi_column cfi_column_expression(const struct cfi_machine *machine,
					struct reader expression);

/* cfi_rule() - a state as a step's rule. */
struct unwind_rule cfi_rule(const struct cfi_machine *machine, const struct eh_cie *cie,
			    const struct cfi_state *state);

#endif
