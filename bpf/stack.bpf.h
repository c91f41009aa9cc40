/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Stacks into the tail of a record: kernel frames, then user frames right behind them. */
#ifndef POLLSCOPE_STACK_BPF_H
#define POLLSCOPE_STACK_BPF_H

#include "unwind.bpf.h"

/* What a stack helper returned, in frames. */
static __always_inline u64 stack_frames(s64 bytes)
{
	u64 n = bytes > 0 ? (u64)bytes / 8 : 0;

	barrier_var(n);
	return n;
}

/*
 * The user stack of the current thread, for a record with the header h; frames has room for WIRE_USER_FRAMES.
 * Returns how many there are.
 */
static __always_inline u8 stack_take_user(void *ctx, struct task_struct *task, struct thread *t,
					  struct wire_header *h, u64 *frames)
{
	struct unwind_walk walk = {};
	u32 user;

	if (unwind_by_fp)
		return stack_frames(bpf_get_stack(ctx, frames, UNWIND_DEPTH * 8, BPF_F_USER_STACK));
	unwind_begin(&walk, task, t->process);
	/* What called a Tokio task's poll function is the same for all, and much. */
	walk.base = t->depth ? t->polls[0].sp : 0;
	user = unwind_user(&walk, (struct user_frames *)frames);
	h->flags |= WIRE_UNWOUND;
	return user > WIRE_USER_FRAMES ? WIRE_USER_FRAMES : user;
}

/* Both stacks of the current thread, for a record with the header h; frames has room for WIRE_FRAMES. */
static __always_inline void stack_take(void *ctx, struct task_struct *task, struct thread *t,
				       struct wire_header *h, u64 *frames, u8 *nkernel, u8 *nuser)
{
	u64 kernel = stack_frames(bpf_get_stack(ctx, frames, WIRE_KERNEL_FRAMES * 8, 0));

	if (kernel > WIRE_KERNEL_FRAMES)
		kernel = WIRE_KERNEL_FRAMES;
	*nkernel = kernel;
	*nuser = stack_take_user(ctx, task, t, h, frames + kernel);
}

/* Bytes of a record whose tail holds that many frames; head: offset of the tail. */
static __always_inline u64 stack_record_size(u64 head, u64 nkernel, u64 nuser)
{
	u64 frames = nkernel + nuser;

	barrier_var(frames);
	if (frames > WIRE_FRAMES)
		frames = WIRE_FRAMES;
	return head + frames * 8;
}

/* Sends a record of variable size, counted as lost where there is no room. */
static __always_inline void stack_record_send(u32 type, void *record, u64 size)
{
	void *ring = ring_of_cpu();

	if (!ring || bpf_ringbuf_output(ring, record, size, BPF_RB_NO_WAKEUP))
		lose(type);
}

#endif
