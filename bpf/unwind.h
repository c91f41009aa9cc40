/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Unwinding a user stack by tables made from .eh_frame: what the tables look like, and one step by them.
 *
 * Userspace turns each ELF file's .eh_frame into rows, one for each change of rule in address order, and
 * puts the rows of all files into chunks. A process has a list of modules: its mappings, cut where a chunk
 * ends. A step looks up the module of an address there, the rule in the module's part of one chunk, and
 * applies the rule to the registers.
 *
 * Both sides include this, so that a step is tested without a kernel. Each defines __u8 ... __u64,
 * __s32 and __s64 before. It also defines how a word of the stack is read, for unwind_step() (non-zero: it cannot be):
 *
 *	static int unwind_read(void *memory, __u64 address, __u64 *word);
 *
 * What tables say comes from files that a target chose: indices are masked or checked, a walk is bounded by
 * its number of frames, and only unwind_read() follows addresses.
 */
#ifndef POLLSCOPE_BPF_UNWIND_H
#define POLLSCOPE_BPF_UNWIND_H

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define UNWIND_CHUNK_SHIFT 15
#define UNWIND_CHUNK_ROWS (1u << UNWIND_CHUNK_SHIFT)
#define UNWIND_CHUNKS 4096 /* of all files; 134 million rows, 1 GiB */
#define UNWIND_RULES 65536 /* of all files; distinct ones */
#define UNWIND_MODULES_SHIFT 11
#define UNWIND_MODULES (1u << UNWIND_MODULES_SHIFT) /* of one process */

/* How a walk ended, or that it has not. Values are append-only. */
enum unwind_end {
	UNWIND_GOES_ON = 0,
	UNWIND_END_OUTERMOST = 1, /* there is no caller: the stack is whole */
	UNWIND_END_FULL = 2,      /* more frames than there is room for */
	UNWIND_END_NO_MODULE = 3, /* an address in no file: JIT code, or nonsense */
	UNWIND_END_NO_RULE = 4,   /* code of a file that .eh_frame says nothing about */
	UNWIND_END_RULE = 5,      /* what .eh_frame says needs more than these tables hold */
	UNWIND_END_READ = 6,      /* the stack's memory could not be read */
	UNWIND_END_BACKWARDS = 7, /* the caller's frame would not be above its callee's */
	UNWIND_END_NO_TABLE = 8,  /* the tables are not there (any more) */
	UNWIND_ENDS = 9,          /* one past the last: bound of counters */
};

/* The canonical frame address (CFA): the stack pointer in the caller, behind the call. */
enum unwind_cfa {
	UNWIND_CFA_NONE = 0,     /* the walk ends here, by `end` */
	UNWIND_CFA_SP = 1,       /* sp + cfa_offset */
	UNWIND_CFA_BP = 2,       /* bp + cfa_offset */
	UNWIND_CFA_SP_DEREF = 3, /* *(sp + cfa_offset): signal frames */
	UNWIND_CFA_BP_DEREF = 4, /* *(bp + cfa_offset): frames realigned on the stack */
	UNWIND_CFA_PLT = 5,      /* sp + cfa_offset, + 8 where (pc & 15) >= plt */
};

/* Where a register of the caller is. */
enum unwind_saved {
	UNWIND_SAVED_KEPT = 0, /* it has not changed; of the return address: in lr */
	UNWIND_SAVED_CFA = 1,  /* *(CFA + offset) */
	UNWIND_SAVED_SP = 2,   /* *(sp + offset) */
	UNWIND_SAVED_BP = 3,   /* *(bp + offset) */
	UNWIND_SAVED_LOST = 4, /* not known. Of bp only: frames that need it end the walk */
};

/* Rules of whatever file that are always there. */
#define UNWIND_RULE_UNKNOWN 0   /* UNWIND_END_NO_RULE */
#define UNWIND_RULE_OUTERMOST 1 /* UNWIND_END_OUTERMOST */
#define UNWIND_RULE_BEYOND 2    /* UNWIND_END_RULE */

/* The step from an address to its caller. Distinct ones of all files are in one array. */
struct unwind_rule {
	__u8 cfa;    /* enum unwind_cfa */
	__u8 bp;     /* enum unwind_saved */
	__u8 ra;     /* enum unwind_saved of the return address */
	__u8 end;    /* enum unwind_end, of UNWIND_CFA_NONE */
	__u8 plt;    /* of UNWIND_CFA_PLT */
	__u8 signal; /* 1: interrupted code follows, whose address is not behind a call */
	__u16 pad;
	__s32 cfa_offset;
	__s32 bp_offset;
	__s32 ra_offset;
};

/* From this address on, up to the next row's, that rule. */
struct unwind_row {
	__u32 offset; /* from the module's base */
	__u32 rule;   /* index */
};

struct unwind_chunk {
	struct unwind_row rows[UNWIND_CHUNK_ROWS];
};

/* A range of a process's addresses whose rows are in one chunk. The first row is not above `start`. */
struct unwind_module {
	__u64 start, end; /* end exclusive */
	__u64 base;       /* address that rows' offsets count from */
	__u32 chunk;      /* index */
	__u32 first;      /* row in the chunk */
	__u32 nrows;      /* at least 1 */
	__u32 pad;
};

/* All of a process, sorted by address; ranges do not overlap. */
struct unwind_modules {
	__u32 n;
	__u32 pad;
	struct unwind_module list[UNWIND_MODULES];
};

/* Registers, and what is known of them. */
struct unwind_regs {
	__u64 pc;
	__u64 sp;
	__u64 bp;    /* rbp; x29 */
	__u64 lr;    /* x30, where pc was not reached by a return; not on x86-64 */
	__u8 called; /* pc is behind a call (which may be its function's last instruction) */
	__u8 bp_lost;
	__u8 pad[6];
};

/* The address to look up: one inside of the instruction that runs or called. */
static __always_inline __u64 unwind_lookup_pc(const struct unwind_regs *regs)
{
	return regs->pc - (regs->called ? 1 : 0);
}

/*
 * unwind_find_module() - index of the module that holds an address, -1: none does. At most
 * UNWIND_MODULES_SHIFT + 1 loads.
 */
static __always_inline int unwind_find_module(const struct unwind_modules *modules, __u64 pc)
{
	__u32 at = 0, n = modules->n, half;
	int i;

	if (!n || n > UNWIND_MODULES)
		return -1;
	/* The last one that starts at or below pc is one of the n from `at`. */
	for (i = 0; i < UNWIND_MODULES_SHIFT && n > 1; i++) {
		half = n / 2;
		if (modules->list[(at + half) % UNWIND_MODULES].start <= pc)
			at += half;
		n -= half;
	}
	at %= UNWIND_MODULES;
	return pc >= modules->list[at].start && pc < modules->list[at].end ? (int)at : -1;
}

/*
 * unwind_find_rule() - index of the rule for an offset, among the nrows rows from `first` of a chunk.
 */
static __always_inline __u32 unwind_find_rule(const struct unwind_chunk *chunk, __u32 first,
					      __u32 nrows, __u32 offset)
{
	__u32 at = first, n = nrows, half;
	const struct unwind_row *row;
	int i;

	for (i = 0; i < UNWIND_CHUNK_SHIFT && n > 1; i++) {
		half = n / 2;
		if (chunk->rows[(at + half) % UNWIND_CHUNK_ROWS].offset <= offset)
			at += half;
		n -= half;
	}
	row = &chunk->rows[at % UNWIND_CHUNK_ROWS];
	return row->offset <= offset ? row->rule : UNWIND_RULE_UNKNOWN;
}

/* Addresses of code hold a signature in their upper bits, where the processor can sign them. */
static __always_inline __u64 unwind_code_address(__u64 word)
{
#if defined(__aarch64__) || defined(__TARGET_ARCH_arm64)
	return word & ((1ULL << 48) - 1);
#else
	return word;
#endif
}

static __always_inline int unwind_saved_word(void *memory, __u8 saved, __s32 offset, __u64 cfa,
					     const struct unwind_regs *regs, __u64 *word)
{
	__u64 from = saved == UNWIND_SAVED_CFA  ? cfa
		     : saved == UNWIND_SAVED_SP ? regs->sp
						: regs->bp;

	return unwind_read(memory, from + (__s64)offset, word);
}

/* 0 and the CFA, else how the walk ends. */
static __always_inline int unwind_cfa_of(void *memory, const struct unwind_rule *rule,
					 const struct unwind_regs *regs, __u64 *cfa)
{
	__u8 by = rule->cfa;
	int on_bp = by == UNWIND_CFA_BP || by == UNWIND_CFA_BP_DEREF;

	if (by == UNWIND_CFA_NONE)
		return rule->end ? rule->end : UNWIND_END_NO_RULE;
	if (on_bp && regs->bp_lost)
		return UNWIND_END_RULE;
	*cfa = (on_bp ? regs->bp : regs->sp) + (__s64)rule->cfa_offset;
	if (by == UNWIND_CFA_PLT && (regs->pc & 15) >= rule->plt)
		*cfa += 8;
	if ((by == UNWIND_CFA_SP_DEREF || by == UNWIND_CFA_BP_DEREF) &&
	    unwind_read(memory, *cfa, cfa))
		return UNWIND_END_READ;
	/* A handler may run on a stack of its own, anywhere. */
	if (!rule->signal && *cfa <= regs->sp && (*cfa < regs->sp || regs->called))
		return UNWIND_END_BACKWARDS;
	return UNWIND_GOES_ON;
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
	} else if (unwind_saved_word(memory, rule->ra, rule->ra_offset, cfa, regs, &pc)) {
		return UNWIND_END_READ;
	}
	if (rule->bp == UNWIND_SAVED_LOST) {
		regs->bp_lost = 1;
	} else if (rule->bp != UNWIND_SAVED_KEPT) {
		if (unwind_saved_word(memory, rule->bp, rule->bp_offset, cfa, regs, &bp))
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

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct unwind_rule) == 20, "unwind_rule");
_Static_assert(sizeof(struct unwind_row) == 8, "unwind_row");
_Static_assert(sizeof(struct unwind_chunk) == 8 * UNWIND_CHUNK_ROWS, "unwind_chunk");
_Static_assert(sizeof(struct unwind_module) == 40, "unwind_module");
_Static_assert(sizeof(struct unwind_modules) == 8 + 40 * UNWIND_MODULES, "unwind_modules");
#endif

#endif
