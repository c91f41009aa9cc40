/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Unwinding user stacks by tables made from .eh_frame: what the tables look like. unwind_step.h walks by
 * them.
 *
 * Userspace turns each ELF file's .eh_frame into rows, one for each change of rule in address order, and
 * puts the rows of all files into chunks. A process has a list of modules: its mappings, cut where a chunk
 * ends. A step looks up the module of an address there, the rule in the module's part of one chunk, and
 * applies the rule to the registers.
 *
 * Included by BPF programs and by userspace; each defines __u8 ... __u64 and __s32 before.
 */
#ifndef POLLSCOPE_BPF_UNWIND_H
#define POLLSCOPE_BPF_UNWIND_H

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
	UNWIND_CFA_SP_DEREF = 3, /* *(sp + cfa_offset) + add: signal frames, assembly */
	UNWIND_CFA_BP_DEREF = 4, /* *(bp + cfa_offset) + add: frames realigned on the stack */
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
	__u16 add;   /* of UNWIND_CFA_*_DEREF */
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

/* Registers of a frame, and what is known of them. */
struct unwind_regs {
	__u64 pc;
	__u64 sp;
	__u64 bp;    /* rbp; x29 */
	__u64 lr;    /* x30, where pc was not reached by a return; not on x86-64 */
	__u8 called; /* pc is behind a call (which may be its function's last instruction) */
	__u8 bp_lost;
	__u8 pad[6];
};

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct unwind_rule) == 20, "unwind_rule");
_Static_assert(sizeof(struct unwind_row) == 8, "unwind_row");
_Static_assert(sizeof(struct unwind_chunk) == 8 * UNWIND_CHUNK_ROWS, "unwind_chunk");
_Static_assert(sizeof(struct unwind_module) == 40, "unwind_module");
_Static_assert(sizeof(struct unwind_modules) == 8 + 40 * UNWIND_MODULES, "unwind_modules");
#endif

#endif
