// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The edges: threads that are there at the start, what is still open at the end, and how threads and
 * images end in between.
 */
#include "compat.bpf.h"
#include "offcpu.bpf.h"

/* Sends the thread's open polls, innermost first, as far as they got. */
static __always_inline void polls_send_open(struct thread *t, u64 now, u64 blocked, u64 runqueue)
{
	u32 i, depth = t->depth;

	for (i = 0; i < WIRE_POLL_DEPTH; i++) {
		u32 at = depth - 1 - i;
		struct open_poll *poll;
		struct wire_poll *r;

		if (at >= WIRE_POLL_DEPTH)
			break;
		poll = &t->polls[at];
		r = record_reserve(WIRE_POLL, sizeof(*r));
		if (!r)
			continue;
		header_init(&r->h, WIRE_POLL, WIRE_POLL_IN_PROGRESS | at << WIRE_POLL_DEPTH_SHIFT,
			    poll->source, t->tid, now);
		r->task = poll->task;
		r->kind = poll->kind;
		r->start = poll->start < now ? poll->start : now;
		r->blocked_ns = blocked - poll->blocked;
		r->runqueue_ns = runqueue - poll->runqueue;
		r->local_depth = poll->local_depth;
		r->inject_depth = poll->inject_depth;
		record_submit(r);
	}
	t->depth = 0;
}

static __always_inline void totals_send(struct thread *t, u64 now, u64 blocked, u64 runqueue,
					bool exited)
{
	struct wire_thread_totals *r = record_reserve(WIRE_THREAD_TOTALS, sizeof(*r));

	if (!r)
		return;
	header_init(&r->h, WIRE_THREAD_TOTALS, 0, 0, t->tid, now);
	r->since = t->since > capture_start ? t->since : capture_start;
	r->blocked_ns = blocked;
	r->runqueue_ns = runqueue;
	r->exited = exited;
	r->process = t->process;
	record_submit(r);
}

/* Whether a thread sleeps as its image is taken in, in what, and with which kernel stack. */
static __always_inline void thread_register(struct thread *t, struct task_struct *task, u64 now)
{
	u32 state = task->__state;
	struct wire_offcpu *r;
	struct pt_regs *regs;
	s32 nr;

	t->registered = true;
	t->clippable = true;
	t->unsettled = UNSETTLED_INTERVALS;
	t->depth = 0;
	t->overflow = 0;
	t->job.sp = 0;
	if (t->out || compat_on_cpu(task))
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	nr = arch_syscall(regs);
	t->reason = off_reason(false, state, nr);
	r = bpf_task_storage_get(&offcpu_records, task, 0, 0);
	if (r) {
		off_describe(r, task, t, regs, nr);
		r->nkernel = stack_frames(
			bpf_get_task_stack(task, r->frames, WIRE_KERNEL_FRAMES * 8, 0));
		t->off_record = true;
	}
	t->waking = 0;
	t->out = now;
}

/*
 * Reports what a thread has open at the end of the capture; not twice, for one that exits while the
 * threads are walked, and not one that had exited before (a leader stays as a zombie).
 */
static __always_inline void thread_close(struct thread *t, struct task_struct *task)
{
	if (__sync_lock_test_and_set(&t->closed, 1))
		return;
	if (task->__state & (STATE_ASLEEP | STATE_STOPPED))
		off_waking_forget(t);
	if (t->out)
		off_end(task, t, capture_end, WIRE_OFFCPU_IN_PROGRESS);
	polls_send_open(t, capture_end, t->blocked, t->runqueue);
	totals_send(t, capture_end, t->blocked, t->runqueue, false);
	thread_announce(t, task, capture_end);
	t->out = 0;
}

/* Walks the threads of one process, in process context, at the edges of the capture. */
SEC("iter/task")
int walk_threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct thread *t;
	u32 tgid, process = iter_process;

	if (!task)
		return 0;
	t = thread_of(task);
	switch (iter_mode) {
	case ITER_REGISTER:
		tracer_pidns_level = BPF_CORE_READ(bpf_get_current_task_btf(), thread_pid, level);
		tgid = task->tgid;
		bpf_map_update_elem(&targets, &tgid, &process, BPF_ANY);
		target_bits[tgid % TARGET_BITS / 64] |= 1ULL << (tgid % 64);
		if (!t)
			t = thread_new(task, process);
		if (!t || (t->registered && t->process == process))
			break;
		t->process = process;
		thread_register(t, task, bpf_ktime_get_ns());
		if (phase == PHASE_RECORDING)
			thread_announce(t, task, bpf_ktime_get_ns());
		break;
	case ITER_START:
		if (t)
			thread_announce(t, task, capture_start);
		break;
	case ITER_END:
		if (t)
			thread_close(t, task);
		break;
	}
	return 0;
}

/* After the capture too, until all threads were walked: what the thread had open at its end. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	u64 blocked, runqueue, now;
	struct thread *t;

	if (!maybe_target(task->tgid) || phase == PHASE_ATTACHING)
		return 0;
	t = thread_of(task);
	if (!t)
		return 0;
	if (phase == PHASE_ENDED) {
		thread_close(t, task);
		return 0;
	}
	if (__sync_lock_test_and_set(&t->closed, 1))
		return 0;
	now = thread_off_totals(t, &blocked, &runqueue);
	polls_send_open(t, now, blocked, runqueue);
	totals_send(t, now, blocked, runqueue, true);
	t->unsettled = 0;
	return 0;
}

/* Begins anew for another image; any thread that execs takes the number of the first one over. */
static __always_inline void thread_renew(struct thread *t, struct task_struct *task, u64 now)
{
	t->tid = task_tid(task);
	t->since = now;
	t->blocked = 0;
	t->runqueue = 0;
	t->overflow = 0;
	t->job.sp = 0;
	__builtin_memset(t->types, 0, sizeof(t->types));
	t->clippable = false;
	t->unsettled = 0;
	t->registered = false;
}

/* A new image: nothing of the old one is left but this thread. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task)
{
	u64 blocked, runqueue, now;
	struct wire_exec *r;
	struct thread *t;

	if (!maybe_target(task->tgid) || phase == PHASE_ENDED)
		return 0;
	t = thread_of(task);
	if (!t)
		return 0;
	now = thread_off_totals(t, &blocked, &runqueue);
	if (phase == PHASE_RECORDING) {
		polls_send_open(t, now, blocked, runqueue);
		totals_send(t, now, blocked, runqueue, true);
	}
	thread_renew(t, task, now);
	r = record_reserve(WIRE_EXEC, sizeof(*r));
	if (!r)
		return 0;
	header_init(&r->h, WIRE_EXEC, 0, 0, t->tid, now);
	r->pid = t->pid;
	r->process = t->process;
	record_submit(r);
	return 0;
}
