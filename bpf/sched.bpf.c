// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Off CPU and back: totals for each thread that was seen, a record with stack for each interval inside a
 * poll. No system call is traced: at sched_switch the registers of the thread that stops say in which one
 * it sleeps.
 */
#include "offcpu.bpf.h"

#define PF_KTHREAD 0x00200000
#define WAKER_FRAMES 24

static __always_inline void switch_out(void *ctx, struct task_struct *task, bool preempt, u32 state,
				       u64 now)
{
	struct thread *t = thread_of(task);
	struct wire_offcpu *r;
	struct pt_regs *regs;
	s32 nr;

	if (!t || state & STATE_DEAD)
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	nr = arch_syscall(regs);
	t->reason = off_reason(preempt, state, nr);
	if (t->out)
		t->switch_lost = true;
	t->out = now;
	t->switches++;
	t->off_record = false;
	if (!t->depth && !t->unsettled)
		return;
	r = bpf_task_storage_get(&offcpu_records, task, 0, 0);
	if (!r) {
		lose(WIRE_OFFCPU);
		return;
	}
	off_describe(r, task, t, regs, nr);
	stack_take(ctx, task, t, &r->h, r->frames, &r->nkernel, &r->nuser);
	t->off_record = true;
}

static __always_inline void switch_in(struct task_struct *task, u64 now)
{
	struct thread *t = thread_of(task);

	if (!t || !t->out)
		return;
	if (phase == PHASE_ENDED) {
		t->end_settled = true;
		return;
	}
	if (phase == PHASE_RECORDING)
		off_end(task, t, now, 0);
	t->switches++;
	t->off_record = false;
	t->out = 0;
	t->waking = 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	bool out = maybe_target(prev->tgid), in = maybe_target(next->tgid);
	u64 now;

	if (!out && !in)
		return 0;
	now = bpf_ktime_get_ns();
	if (out && phase != PHASE_ENDED)
		switch_out(ctx, prev, preempt, prev_state, now);
	if (in)
		switch_in(next, now);
	return 0;
}

/*
 * Whether this runs in an interrupt, or in what the kernel does on the way out of one: its stack then leads
 * through the interrupt entry code. preempt_count would not tell a sender's own softirq (loopback) from an
 * interrupt's, and cannot be read on kernels without CONFIG_KALLSYMS_ALL.
 */
static __noinline bool in_interrupt(void *ctx)
{
	u64 frames[WAKER_FRAMES] = {};
	u32 i;

	bpf_get_stack(ctx, frames, sizeof(frames), 0);
	for (i = 0; i < WAKER_FRAMES; i++)
		if (frames[i] >= irqentry_start && frames[i] < irqentry_end)
			return true;
	return false;
}

/* Who wakes is the current thread only where it asked for it: in a system call that can wake, and not in
 * an interrupt that merely found it running. */
static __always_inline void waker_note(void *ctx, struct thread *t)
{
	struct task_struct *self = bpf_get_current_task_btf();
	struct open_poll *poll;
	struct thread *waker;
	struct pt_regs *regs;

	t->waker = WIRE_WAKER_INTERRUPT;
	t->waker_tid = 0;
	t->waker_task = 0;
	t->waker_source = 0;
	if (!t->depth || !self->pid)
		return;
	if (self->flags & PF_KTHREAD) {
		t->waker = WIRE_WAKER_KERNEL;
		return;
	}
	regs = (struct pt_regs *)bpf_task_pt_regs(self);
	if (!bit_of(waking_syscalls, arch_syscall(regs)) || in_interrupt(ctx))
		return;
	t->waker = WIRE_WAKER_THREAD;
	t->waker_tid = task_tid(self);
	waker = thread_of(self);
	poll = waker ? thread_poll(waker) : NULL;
	if (poll) {
		t->waker_task = poll->task;
		t->waker_source = poll->source;
	}
}

SEC("tp_btf/sched_waking")
int BPF_PROG(sched_waking, struct task_struct *task)
{
	struct thread *t;

	if (!maybe_target(task->tgid))
		return 0;
	t = thread_of(task);
	if (!t || (t->out && t->waking >= t->out))
		return 0;
	if (phase == PHASE_ENDED) {
		off_waking_forget(t);
		return 0;
	}
	t->waking = bpf_ktime_get_ns();
	waker_note(ctx, t);
	return 0;
}
