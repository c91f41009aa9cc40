/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What differs between processors: registers and their DWARF numbers, how functions are called and return, what
 * a probe puts into the code.
 */
#ifndef POLLSCOPE_ARCH_BPF_H
#define POLLSCOPE_ARCH_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include "events.h"
#include "unwind.h"

/* Reads at a constant offset of the context, each its own instruction: clang would merge plain C loads
 * into one with a variable offset, which the verifier refuses. */
#define REG_CASE(number, offset)                                                                   \
	case number:                                                                               \
		asm volatile("%0 = *(u64 *)(%1 + " #offset ")" : "=r"(v) : "r"(ctx));              \
		break

#if defined(__TARGET_ARCH_x86)

/* System V ABI AMD64, 3.2.3 and figure 3.36 */
#define ARCH_ARGUMENT 5      /* DWARF's number of the first argument's register */
#define ARCH_SP 7            /* of the stack pointer */
#define ARCH_RETURN_BYTES 8  /* that a return takes off the stack */
#define ARCH_RETURN_PUSHES 3 /* registers that the code that return probes return to pushes */

static __always_inline u64 arch_register(struct pt_regs *ctx, u8 number)
{
	u64 v = 0;

	switch (number) {
		REG_CASE(0, 80);  /* rax */
		REG_CASE(1, 96);  /* rdx */
		REG_CASE(2, 88);  /* rcx */
		REG_CASE(3, 40);  /* rbx */
		REG_CASE(4, 104); /* rsi */
		REG_CASE(5, 112); /* rdi */
		REG_CASE(6, 32);  /* rbp */
		REG_CASE(7, 152); /* rsp */
		REG_CASE(8, 72);
		REG_CASE(9, 64);
		REG_CASE(10, 56);
		REG_CASE(11, 48);
		REG_CASE(12, 24);
		REG_CASE(13, 16);
		REG_CASE(14, 8);
		REG_CASE(15, 0);
		REG_CASE(OPERAND_PC, 128);
	}
	return v;
}

static __always_inline void arch_unwind_regs(const struct pt_regs *regs, struct unwind_regs *at)
{
	at->pc = regs->ip;
	at->sp = regs->sp;
	at->bp = regs->bp;
	at->bx = regs->bx;
}

/* Number of the system call that a thread is in; negative: none. */
static __always_inline s32 arch_syscall(const struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline u64 arch_syscall_argument(const struct pt_regs *regs)
{
	return regs->di;
}

/* By how many bytes a thread that has run into a breakpoint just now is behind it. */
static __always_inline u32 arch_behind_breakpoint(u64 pc)
{
	u8 instruction;

	return !bpf_probe_read_user(&instruction, 1, (void *)pc - 1) && instruction == 0xcc;
}

#elif defined(__TARGET_ARCH_arm64)

/* Procedure Call Standard for the Arm 64-bit Architecture, 6; DWARF for the same, 4.1 */
#define ARCH_ARGUMENT 0
#define ARCH_SP 31
#define ARCH_RETURN_BYTES 0
#define ARCH_RETURN_PUSHES 0

static __always_inline u64 arch_register(struct pt_regs *ctx, u8 number)
{
	u64 v = 0;

	switch (number) {
		REG_CASE(0, 0);
		REG_CASE(1, 8);
		REG_CASE(2, 16);
		REG_CASE(3, 24);
		REG_CASE(4, 32);
		REG_CASE(5, 40);
		REG_CASE(6, 48);
		REG_CASE(7, 56);
		REG_CASE(8, 64);
		REG_CASE(9, 72);
		REG_CASE(10, 80);
		REG_CASE(11, 88);
		REG_CASE(12, 96);
		REG_CASE(13, 104);
		REG_CASE(14, 112);
		REG_CASE(15, 120);
		REG_CASE(16, 128);
		REG_CASE(17, 136);
		REG_CASE(18, 144);
		REG_CASE(19, 152);
		REG_CASE(20, 160);
		REG_CASE(21, 168);
		REG_CASE(22, 176);
		REG_CASE(23, 184);
		REG_CASE(24, 192);
		REG_CASE(25, 200);
		REG_CASE(26, 208);
		REG_CASE(27, 216);
		REG_CASE(28, 224);
		REG_CASE(29, 232);
		REG_CASE(30, 240);
		REG_CASE(31, 248); /* sp */
		REG_CASE(OPERAND_PC, 256);
	}
	return v;
}

static __always_inline void arch_unwind_regs(const struct pt_regs *regs, struct unwind_regs *at)
{
	at->pc = regs->pc;
	at->sp = regs->sp;
	at->bp = regs->regs[29];
	at->lr = regs->regs[30];
}

static __always_inline s32 arch_syscall(const struct pt_regs *regs)
{
	return regs->syscallno;
}

/* x0 may be the result already. */
static __always_inline u64 arch_syscall_argument(const struct pt_regs *regs)
{
	return regs->orig_x0;
}

static __always_inline u32 arch_behind_breakpoint(u64 pc)
{
	return 0;
}

#else
#error "registers of this architecture are not known"
#endif

#endif
