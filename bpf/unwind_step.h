/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One step of unwinding a user stack, from a frame to its caller's. The same code runs in BPF programs and
 * natively, so that it is tested without a kernel. A walk:
 *
 *	frame = regs.pc
 *	module = unwind_find_module(modules, unwind_lookup_pc(&regs))
 *	rule = unwind_find_rule(chunk of module, ..., unwind_lookup_pc(&regs) - base of module)
 *	end = unwind_step(memory, rule, &regs), and again while it is UNWIND_GOES_ON
 *
 * A walk is bounded by its number of frames, and addresses are followed by unwind_read() only. Who includes
 * this defines that before: it reads a word of the thread's memory, and returns non-zero where there is none.
 *
 *	static int unwind_read(void *memory, __u64 address, __u64 *word);
 */
#ifndef POLLSCOPE_BPF_UNWIND_STEP_H
#define POLLSCOPE_BPF_UNWIND_STEP_H

#include "unwind.h"

/* Addresses of code hold a signature in their upper bits, where the processor can sign them. */
static __always_inline __u64 unwind_code_address(__u64 word)
{
#if defined(__aarch64__) || defined(__TARGET_ARCH_arm64)
	return word & ((1ULL << 48) - 1);
#else
	return word;
#endif
}

static __always_inline __u64 unwind_saved_at(__u8 saved, __s32 offset, __u64 cfa,
					     const struct unwind_regs *regs)
{
	__u64 from = saved == UNWIND_SAVED_CFA  ? cfa
		     : saved == UNWIND_SAVED_SP ? regs->sp
						: regs->bp;

	return from + (__s64)offset;
}

/* The register that a CFA counts from. 0, or how the walk ends. */
static __always_inline int unwind_cfa_register(void *memory, __u8 by,
					       const struct unwind_regs *regs, __u64 *value)
{
	if (by == UNWIND_CFA_BP || by == UNWIND_CFA_BP_DEREF) {
		*value = regs->bp;
		return regs->bp_lost ? UNWIND_END_RULE : UNWIND_GOES_ON;
	}
	if (by != UNWIND_CFA_BX) {
		*value = regs->sp;
		return UNWIND_GOES_ON;
	}
	if (regs->bx_is == UNWIND_BX_LOST)
		return UNWIND_END_RULE;
	*value = regs->bx;
	if (regs->bx_is == UNWIND_BX_SAVED && unwind_read(memory, regs->bx, value))
		return UNWIND_END_READ;
	return UNWIND_GOES_ON;
}

/* 0 and the CFA, else how the walk ends. */
static __always_inline int unwind_cfa_of(void *memory, const struct unwind_rule *rule,
					 const struct unwind_regs *regs, __u64 *cfa)
{
	__u8 by = rule->cfa;
	int end;

	if (by == UNWIND_CFA_NONE)
		return rule->end ? rule->end : UNWIND_END_NO_RULE;
	end = unwind_cfa_register(memory, by, regs, cfa);
	if (end)
		return end;
	*cfa += (__s64)rule->cfa_offset;
	if (by == UNWIND_CFA_PLT && (regs->pc & 15) >= rule->cfa_arg)
		*cfa += 8;
	if (by == UNWIND_CFA_SP_DEREF || by == UNWIND_CFA_BP_DEREF) {
		if (unwind_read(memory, *cfa, cfa))
			return UNWIND_END_READ;
		*cfa += rule->cfa_arg;
	}
	/* A handler may run on a stack of its own, anywhere. */
	if (!rule->signal && *cfa <= regs->sp && (*cfa < regs->sp || regs->called))
		return UNWIND_END_BACKWARDS;
	return UNWIND_GOES_ON;
}

/* Where bx is, in the caller. */
static __always_inline void unwind_bx(const struct unwind_rule *rule, __u64 cfa,
				      struct unwind_regs *regs)
{
	if (rule->bx == UNWIND_SAVED_KEPT)
		return;
	if (rule->bx == UNWIND_SAVED_LOST || (rule->bx == UNWIND_SAVED_BP && regs->bp_lost)) {
		regs->bx_is = UNWIND_BX_LOST;
		return;
	}
	regs->bx = unwind_saved_at(rule->bx, rule->bx_offset, cfa, regs);
	regs->bx_is = UNWIND_BX_SAVED;
}

/*
 * unwind_step() - from a frame to its caller's, by the rule for unwind_lookup_pc(). `memory` is handed on to
 * unwind_read(). UNWIND_GOES_ON and *regs are the caller's; else how the walk ended, and they are of no use.
 */
static __always_inline int unwind_step(void *memory, const struct unwind_rule *rule,
				       struct unwind_regs *regs)
{
	__u64 cfa = 0, pc, bp = regs->bp;
	int end = unwind_cfa_of(memory, rule, regs, &cfa);

	if (end)
		return end;
	if (regs->bp_lost && (rule->ra == UNWIND_SAVED_BP || rule->bp == UNWIND_SAVED_BP))
		return UNWIND_END_RULE;
	if (rule->ra == UNWIND_SAVED_KEPT) {
		if (regs->called)
			return UNWIND_END_RULE;
		pc = regs->lr;
	} else if (unwind_read(memory, unwind_saved_at(rule->ra, rule->ra_offset, cfa, regs),
			       &pc)) {
		return UNWIND_END_READ;
	}
	unwind_bx(rule, cfa, regs);
	if (rule->bp == UNWIND_SAVED_LOST) {
		regs->bp_lost = 1;
	} else if (rule->bp != UNWIND_SAVED_KEPT) {
		if (unwind_read(memory, unwind_saved_at(rule->bp, rule->bp_offset, cfa, regs), &bp))
			return UNWIND_END_READ;
		regs->bp_lost = 0;
	}
	regs->pc = unwind_code_address(pc);
	regs->sp = cfa;
	regs->bp = bp;
	regs->called = !rule->signal;
	/* What starts a thread or a coroutine by hand leaves no other sign. */
	return regs->pc ? UNWIND_GOES_ON : UNWIND_END_OUTERMOST;
}

#endif
