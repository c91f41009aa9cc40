/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Unwinding user stacks by tables made from .eh_frame: what the tables look like, and how they are
 * searched. unwind_step.h walks by them.
 *
 * Userspace turns each ELF file's .eh_frame into rows, one for each change of rule in address order, and
 * puts the rows of all files into chunks. A process has a list of modules: its mappings, cut where a chunk
 * ends. A step looks up the module of an address there, the rule in the module's part of one chunk, and
 * applies the rule to the registers.
 *
 * What they say comes from files that a target chose: indices are masked or checked, loops are bounded.
 *
 * Included by BPF programs and by userspace; each defines __u8 ... __u64 and __s32 before.
 */
#ifndef POLLSCOPE_BPF_UNWIND_H
#define POLLSCOPE_BPF_UNWIND_H

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define UNWIND_CHUNK_WORDS (1u << 16)
#define UNWIND_CHUNKS 4096      /* of all files; 1 GiB, some 250 million rows */
#define UNWIND_PAGE_SHIFT 11    /* bytes of code that an index has an entry for */
#define UNWIND_RULES (1u << 16) /* of all files; distinct ones */
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
	UNWIND_CFA_SP_DEREF = 3, /* *(sp + cfa_offset) + cfa_arg: signal frames, assembly */
	UNWIND_CFA_BP_DEREF = 4, /* *(bp + cfa_offset) + cfa_arg: frames realigned on the stack */
	UNWIND_CFA_PLT = 5,      /* sp + cfa_offset, + 8 where (pc & 15) >= cfa_arg */
	UNWIND_CFA_BX = 6,       /* bx + cfa_offset: what the dynamic loader resolves symbols by */
};

/* Where a register of the caller is. */
enum unwind_saved {
	UNWIND_SAVED_KEPT = 0, /* it has not changed; of the return address: in lr */
	UNWIND_SAVED_CFA = 1,  /* *(CFA + offset) */
	UNWIND_SAVED_SP = 2,   /* *(sp + offset) */
	UNWIND_SAVED_BP = 3,   /* *(bp + offset) */
	UNWIND_SAVED_LOST = 4, /* not known. Of bp and bx only: frames that need it end the walk */
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
	__u8 bx;     /* enum unwind_saved */
	__u8 end;    /* enum unwind_end, of UNWIND_CFA_NONE */
	__u8 signal; /* 1: interrupted code follows, whose address is not behind a call */
	__u16 cfa_arg;
	__s32 cfa_offset;
	__s32 bp_offset;
	__s32 bx_offset;
	__s32 ra_offset;
};

/*
 * Parts of tables. A part is
 *
 * - one row more: what goes for addresses before the first;
 * - rows, by address: (offset from the module's base) << 16 | rule: from there on, up to the next row's
 *   address. Of the offset that is the lower half, which is all that differs in a page;
 * - an index: for each page of the code the position in the chunk of its first row, or of the next row where
 *   it has none; and the position behind the last row.
 *
 * So a search reads the index and the rows of one page, of which the most are in one or two cache lines.
 */
struct unwind_chunk {
	__u32 words[UNWIND_CHUNK_WORDS];
};

/* A range of a process's addresses, and the part of a table that is for it. */
struct unwind_module {
	__u64 start, end; /* end exclusive */
	__u64 base;       /* address that rows' offsets count from */
	__u32 chunk;      /* index */
	__u32 first; /* where the index has, or by its order would have, the page of offset 0; wraps */
	__u32 shift; /* bytes of a page: 1 << shift */
	__u32 pad;
};

/* All of a process, sorted by address; ranges do not overlap. */
struct unwind_modules {
	__u32 n;
	__u32 pad;
	struct unwind_module list[UNWIND_MODULES];
};

/* Few frames need rbx: it is read when one does, from where one below has saved it. */
enum unwind_bx {
	UNWIND_BX_KNOWN = 0,
	UNWIND_BX_SAVED = 1, /* `bx` is its address */
	UNWIND_BX_LOST = 2,
};

/* Registers of a frame, and what is known of them. Walks keep these on the programs' small stacks. */
struct unwind_regs {
	__u64 pc;
	__u64 sp;
	__u64 bp; /* rbp; x29 */
	union {
		__u64 bx; /* rbx; not on arm64 */
		__u64 lr; /* x30, where pc was not reached by a return; not on x86-64 */
	};
	__u8 called; /* pc is behind a call (which may be its function's last instruction) */
	__u8 bp_lost;
	__u8 bx_is; /* enum unwind_bx */
	__u8 pad[5];
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
 * unwind_find_rule() - index of the rule for an offset from a module's base, by what the module says of its
 * chunk: three loads, and at most one more for each halving of the rows of a page.
 */
static __always_inline __u32 unwind_find_rule(const struct unwind_chunk *chunk, __u32 first,
					      __u32 shift, __u32 offset)
{
	__u32 page = first + (offset >> (shift & 31)), key = offset << 16 | 0xffff;
	/* The last row at or below the offset is one of the n from `at`, the one before the page's. */
	__u32 at = chunk->words[page % UNWIND_CHUNK_WORDS] - 1;
	__u32 n = chunk->words[(page + 1) % UNWIND_CHUNK_WORDS] - at, half;
	int i;

	for (i = 0; i <= UNWIND_PAGE_SHIFT && n > 1; i++) {
		half = n / 2;
		if (chunk->words[(at + half) % UNWIND_CHUNK_WORDS] <= key)
			at += half;
		n -= half;
	}
	return chunk->words[at % UNWIND_CHUNK_WORDS] & 0xffff;
}

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct unwind_rule) == 24, "unwind_rule");
_Static_assert(sizeof(struct unwind_chunk) == 4 * UNWIND_CHUNK_WORDS, "unwind_chunk");
_Static_assert(sizeof(struct unwind_module) == 40, "unwind_module");
_Static_assert(sizeof(struct unwind_modules) == 8 + 40 * UNWIND_MODULES, "unwind_modules");
#endif

#endif
