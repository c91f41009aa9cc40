/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * An off-CPU interval: why it began, what it waits for, how it ends.
 *
 * It ends in two steps. sched_waking splits it into blocked and run queue. It can come before the
 * switch-out (the waker spins on the sleeper's on_cpu), and a stale one can be left by a wake that found
 * its thread still running; so the last one before the switch-in counts, and one from before the
 * switch-out counts as at it. A sleep that is still open at the capture's end has had no last one yet:
 * there, what shows first that it went on tells that an earlier waking was stale.
 */
#ifndef POLLSCOPE_OFFCPU_BPF_H
#define POLLSCOPE_OFFCPU_BPF_H

#include "stack.bpf.h"

/* include/linux/sched.h: __TASK_STOPPED | __TASK_TRACED | TASK_FROZEN */
#define STATE_STOPPED (0x4 | 0x8 | 0x8000)
#define STATE_DEAD 0x80
/* TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE */
#define STATE_ASLEEP (0x1 | 0x2)

static __always_inline bool bit_of(const u64 *bits, s32 n)
{
	u32 word = (u32)n / 64;

	barrier_var(word); /* else clang drops the bound that the verifier needs */
	return word < 8 && bits[word] >> ((u32)n % 64) & 1;
}

/* What stands behind descriptor fd of a task; nothing if it is none. */
static __always_inline void file_behind(struct wire_offcpu *r, struct task_struct *task, u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	const unsigned char *name;
	struct file **slot;
	struct file *file = NULL;

	if (!fdt || fd >= BPF_CORE_READ(fdt, max_fds))
		return;
	slot = BPF_CORE_READ(fdt, fd);
	if (bpf_probe_read_kernel(&file, sizeof(file), slot + fd) || !file)
		return;
	r->file_fd = fd;
	r->file_ino = BPF_CORE_READ(file, f_inode, i_ino);
	r->file_mode = BPF_CORE_READ(file, f_inode, i_mode) & 0170000;
	r->file_dev = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	bpf_probe_read_kernel_str(r->file_name, sizeof(r->file_name), name);
}

static __always_inline u8 off_reason(bool preempt, u32 state, s32 nr)
{
	if (preempt || !state)
		return WIRE_OFF_PREEMPTED;
	if (state & STATE_STOPPED)
		return WIRE_OFF_STOPPED;
	return nr >= 0 ? WIRE_OFF_SYSCALL : WIRE_OFF_KERNEL;
}

static __always_inline void off_describe(struct wire_offcpu *r, struct task_struct *task,
					 struct thread *t, struct pt_regs *regs, s32 nr)
{
	struct open_poll *poll = thread_poll(t);

	r->task = poll ? poll->task : 0;
	r->kind = poll ? poll->kind : 0;
	r->reason = t->reason;
	r->syscall = nr;
	r->file_dev = 0;
	r->file_ino = 0;
	r->file_mode = 0;
	r->file_name[0] = 0;
	r->nkernel = 0;
	r->nuser = 0;
	header_init(&r->h, WIRE_OFFCPU, poll ? 0 : WIRE_OFFCPU_UNSETTLED,
		    poll ? poll->source : t->process, t->tid, 0);
	if (BPF_CORE_READ_BITFIELD(task, in_iowait))
		r->h.flags |= WIRE_OFFCPU_IOWAIT;
	if (t->reason == WIRE_OFF_SYSCALL && bit_of(fd_syscalls, nr))
		file_behind(r, task, arch_syscall_argument(regs));
}

static __always_inline void off_send(struct task_struct *task, struct thread *t, u64 out, u64 wake,
				     u64 now, u8 flags)
{
	struct wire_offcpu *r = bpf_task_storage_get(&offcpu_records, task, 0, 0);

	if (!r)
		return;
	r->h.time = now;
	r->h.flags |= flags;
	r->out = out;
	r->wake = wake;
	r->waker = wake && t->reason != WIRE_OFF_PREEMPTED ? t->waker : WIRE_WAKER_NONE;
	r->waker_tid = t->waker_tid;
	r->waker_task = t->waker_task;
	r->waker_source = t->waker_source;
	stack_record_send(
		WIRE_OFFCPU, r,
		stack_record_size(offsetof(struct wire_offcpu, frames), r->nkernel, r->nuser));
}

/* After the capture's end the thread is asleep in the sleep that was open then, or woken from it now. */
static __always_inline void off_waking_forget(struct thread *t)
{
	if (!t->out || t->end_settled)
		return;
	t->end_settled = true;
	if (t->waking <= t->out)
		t->waking = 0;
}

/* Ends the open interval at `now`: totals, and the record if there is one. */
static __always_inline void off_end(struct task_struct *task, struct thread *t, u64 now, u8 flags)
{
	u64 out, wake;

	out = t->out;
	if (out < capture_start)
		out = capture_start;
	if (t->reason == WIRE_OFF_PREEMPTED)
		wake = out;
	else if (t->waking && t->waking < out)
		wake = out;
	else
		wake = t->waking;
	if (now < out)
		now = out;
	if (wake > now)
		wake = now;
	t->blocked += (wake ? wake : now) - out;
	t->runqueue += wake ? now - wake : 0;
	if (t->off_record) {
		if (!t->depth && t->unsettled)
			t->unsettled--;
		off_send(task, t, out, wake, now, flags);
	}
}

#endif
