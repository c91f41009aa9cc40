/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A thread's user stack, by the tables that userspace has put in (unwind.h). */
#ifndef POLLSCOPE_UNWIND_BPF_H
#define POLLSCOPE_UNWIND_BPF_H

#include "arch.bpf.h"
#include "state.bpf.h"
#include "unwind.h"

#define UNWIND_DEPTH (WIRE_USER_FRAMES - 1) /* frames of one stack; the mark is not one */
#define UNWIND_PROCESSES 4096

extern const volatile __u32 unwind_by_fp; /* frame pointers instead */

/* Where a walk is. All that is not known is zero. It lies on a small stack, twice. */
struct unwind_walk {
	struct unwind_regs regs;
	struct unwind_module module; /* the one looked up last */
	u64 utask;                   /* what the kernel keeps of the thread's probes */
	u16 process;                 /* its number */
	u8 n;                        /* frames so far */
	u8 trapped;                  /* by an interrupt or exception, not by a system call */
	u32 copied;                  /* bytes of the stack in stack_copies; 0: it is read itself */
	u64 copy;                    /* address of the first */
	u64 base; /* stack pointer at the entry of the last function of interest; 0: to the thread's start */
};

struct user_frames {
	u64 list[WIRE_USER_FRAMES];
};

#define STACK_COPY (128 << 10)

/* What was copied of a stack, and where its frames are put together. */
struct stack_copy {
	u8 bytes[STACK_COPY];
	struct user_frames frames;
};

struct copy_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stack_copy);
};
extern struct copy_map stack_copies SEC(".maps");

/*
 * The stack from where walk->regs are, leaf first; one that ends early, with a mark (WIRE_MARK). Returns the
 * number of frames. Of the current thread, or one whose stack was copied.
 *
 * Addresses above the leaf are behind the byte that they are looked up by, as return addresses are, also
 * those of signal frames and of what a signal has interrupted.
 */
u32 unwind_user(struct unwind_walk *walk, struct user_frames *frames);

/* From where the thread entered the kernel. */
static __always_inline void unwind_begin(struct unwind_walk *walk, struct task_struct *task,
					 u32 process)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	arch_unwind_regs(regs, &walk->regs);
	walk->trapped = arch_syscall(regs) < 0;
	walk->utask = (u64)task->utask;
	walk->process = process;
}

#endif
