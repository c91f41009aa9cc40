// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * An unmodified Tokio: the functions in its tasks' vtables, and its wakers'.
 *
 * A poll is told from its function's entry to its return. Which open poll returns is told by the stack
 * pointer: the first argument's register has been used for other things by then. A kernel that has
 * uprobe sessions runs one program at both, which can do without the return; the others take two. All have
 * the section of a multi-uprobe's entry, for userspace sets how they are attached.
 */
#include "poll.bpf.h"
#include "tokio.bpf.h"

/* What a session's program returns at entry: whether it is to be run at the return. */
enum session {
	SESSION_RETURN = 0,
	SESSION_DONE = 1,
};

/* The site and the task of a function's entry. Not 0: there is nothing to tell. */
static __always_inline long entry_read(struct pt_regs *ctx, struct probe_site **site,
				       struct task *task)
{
	u64 header = arch_register(ctx, ARCH_ARGUMENT);

	if (phase != PHASE_RECORDING)
		return -1;
	*site = probe_site(ctx);
	if (!*site)
		return -1;
	if (!task_read(task, header, (*site)->header.vtable))
		return 0;
	lose((*site)->type);
	return -1;
}

/* Its id too. */
static __always_inline long entry_identify(const struct probe_site *site, struct task *task)
{
	long err = task_identify(task, &site->header);

	if (err)
		lose(site->type);
	return err;
}

static __always_inline struct thread *entry_thread(const struct probe_site *site)
{
	struct thread *t = probe_thread();

	if (t)
		t->unsettled = 0;
	else
		lose(site->type);
	return t;
}

static __always_inline void end_send(struct thread *t, u16 source, u64 id, u64 kind, bool cancelled)
{
	signal_send(t, WIRE_TERMINATE, source, id, cancelled, kind);
}

/* Of a task that is not polled. */
static __noinline int cancellation_send(const struct probe_site *site, struct task *task)
{
	struct thread *t = probe_thread();

	if (!t)
		lose(WIRE_TERMINATE);
	else if (!entry_identify(site, task))
		end_send(t, site->source, task->id, task->vtable, true);
	return 0;
}

/*
 * What has an open poll's place on the stack, or is above it, has begun after that poll's end, which was
 * missed. The same poll again: its function is one that jumps to another, and both are probed.
 */
static __always_inline bool polls_settle(struct thread *t, u64 header, u64 sp)
{
	struct open_poll *poll = thread_poll(t);

	if (!poll || !poll->sp || poll->sp > sp)
		return true;
	if (poll->sp == sp && poll->header == header)
		return false;
	lose(WIRE_POLL);
	t->depth--;
	return true;
}

static __always_inline enum session poll_open(struct thread *t, const struct probe_site *site,
					      const struct task *task, u64 sp)
{
	struct open_poll *poll;
	u32 depth = t->depth;

	barrier_var(depth); /* else clang drops the bound that the verifier needs */
	if (depth >= WIRE_POLL_DEPTH) {
		lose(WIRE_POLL);
		return SESSION_DONE;
	}
	if (!depth)
		t->switch_lost = false;
	poll = &t->polls[depth];
	poll->task = task->id;
	poll->kind = task->vtable;
	poll->local_depth = ~0;
	poll->inject_depth = ~0;
	poll->source = site->source;
	poll->vtable = site->header.vtable;
	poll->id = task->id_at;
	poll->awaits = 0;
	poll->header = task->header;
	poll->sp = sp;
	poll->start = thread_off_totals(t, &poll->blocked, &poll->runqueue);
	t->depth = depth + 1;
	return SESSION_RETURN;
}

static __always_inline enum session poll_enter(struct pt_regs *ctx)
{
	u64 sp = arch_register(ctx, ARCH_SP);
	struct probe_site *site;
	struct task task;
	struct thread *t;

	if (entry_read(ctx, &site, &task) || task_is(&task, TASK_RUNNING | TASK_COMPLETE))
		return SESSION_DONE;
	if (task_is(&task, TASK_CANCELLED)) {
		cancellation_send(site, &task);
		return SESSION_DONE;
	}
	if (poll_is_left_out()) {
		poll_skip(task.vtable, site->source);
		return SESSION_DONE;
	}
	t = entry_thread(site);
	if (!t || entry_identify(site, &task) || !polls_settle(t, task.header, sp))
		return SESSION_DONE;
	probe_on_cpu(t);
	return poll_open(t, site, &task, sp);
}

/* Which open poll's function was called from there, innermost first; WIRE_POLL_DEPTH: none. */
static __noinline u32 poll_find_by_stack(struct thread *t, u64 sp)
{
	u32 i, depth = t->depth;

	for (i = 0; i < WIRE_POLL_DEPTH; i++) {
		u32 at = depth - 1 - i;

		if (at >= WIRE_POLL_DEPTH)
			break;
		if (t->polls[at].sp == sp)
			return at;
	}
	return WIRE_POLL_DEPTH;
}

static __always_inline void poll_leave(struct pt_regs *ctx)
{
	u64 sp = arch_register(ctx, ARCH_SP) - ARCH_RETURN_BYTES;
	u64 blocked, runqueue, now;
	struct open_poll *poll;
	enum task_end end;
	struct thread *t;
	u8 flags = 0;
	u32 at;

	if (phase != PHASE_RECORDING)
		return;
	t = probe_thread();
	if (!t) {
		lose(WIRE_POLL);
		return;
	}
	at = t->depth - 1;
	if (at >= WIRE_POLL_DEPTH || t->polls[at].sp != sp) {
		at = poll_find_by_stack(t, sp);
		if (at >= WIRE_POLL_DEPTH)
			return;
	}
	if (at + 1 != t->depth)
		lose_polls(t->depth - 1 - at);
	probe_on_cpu(t);
	if (t->switch_lost)
		flags |= WIRE_POLL_SWITCH_LOST;
	now = thread_off_totals(t, &blocked, &runqueue);
	t->depth = at;
	poll = &t->polls[at];
	end = task_ended(poll);
	if (end != TASK_LIVES)
		flags |= WIRE_POLL_READY;
	poll_send(t, poll, at, flags, now, blocked, runqueue);
	if (end != TASK_LIVES)
		end_send(t, poll->source, poll->task, poll->kind, end == TASK_WAS_CANCELLED);
}

SEC("uprobe.multi.s")
int tokio_poll(struct pt_regs *ctx)
{
	if (arch_register(ctx, OPERAND_PC) == bpf_get_func_ip(ctx))
		return poll_enter(ctx);
	poll_leave(ctx);
	return 0;
}

SEC("uprobe.multi.s")
int tokio_poll_entry(struct pt_regs *ctx)
{
	poll_enter(ctx);
	return 0;
}

SEC("uprobe.multi.s")
int tokio_poll_return(struct pt_regs *ctx)
{
	poll_leave(ctx);
	return 0;
}

SEC("uprobe.multi.s")
int tokio_job_entry(struct pt_regs *ctx)
{
	u64 sp = arch_register(ctx, ARCH_SP);
	struct probe_site *site;
	struct task task;
	struct thread *t;

	if (entry_read(ctx, &site, &task) ||
	    task_is(&task, TASK_RUNNING | TASK_COMPLETE | TASK_CANCELLED))
		return 0;
	t = entry_thread(site);
	/* A job that is run inside of one is a part of it. */
	if (!t || t->job.sp > sp || entry_identify(site, &task))
		return 0;
	t->job.id = task.id;
	t->job.kind = task.vtable;
	t->job.sp = sp;
	signal_send(t, WIRE_BLOCKING_START, site->source, task.id, task.vtable, ~0ULL);
	return 0;
}

SEC("uprobe.multi.s")
int tokio_job_return(struct pt_regs *ctx)
{
	u64 sp = arch_register(ctx, ARCH_SP) - ARCH_RETURN_BYTES;
	struct probe_site *site;
	struct thread *t;

	t = probe_begin(ctx, &site);
	if (!t || t->job.sp != sp)
		return 0;
	t->job.sp = 0;
	signal_send(t, WIRE_BLOCKING_END, site->source, t->job.id, t->job.kind, ~0ULL);
	return 0;
}

/* A waker does not know the type of its task. What was read of it last time spares a read. */
static __always_inline long wake_identify(struct thread *t, const struct probe_site *site,
					  struct task *task)
{
	struct task_type *type = &t->types[task->vtable / 32 % TYPE_CACHE];
	struct task_header where = site->header;

	if (type->vtable == task->vtable)
		where.id = type->id;
	if (task_identify(task, &where)) {
		lose(WIRE_WAKE);
		return -1;
	}
	type->vtable = task->vtable;
	type->id = task->id_at;
	return 0;
}

/* A wake of a task that is queued already, or over, has no effect. */
SEC("uprobe.multi.s")
int tokio_wake(struct pt_regs *ctx)
{
	struct probe_site *site;
	struct task task;
	struct thread *t;

	if (wakes_are_left_out() || entry_read(ctx, &site, &task) ||
	    task_is(&task, TASK_COMPLETE | TASK_NOTIFIED))
		return 0;
	t = probe_thread();
	if (!t)
		lose(WIRE_WAKE);
	else if (!wake_identify(t, site, &task))
		signal_send_short(t, WIRE_WAKE, site->source, task.id);
	return 0;
}

/* The runtime's end cancels what is not running; what runs is cancelled at its poll's end. */
SEC("uprobe.multi.s")
int tokio_shutdown(struct pt_regs *ctx)
{
	struct probe_site *site;
	struct task task;

	if (entry_read(ctx, &site, &task) || task_is(&task, TASK_RUNNING | TASK_COMPLETE))
		return 0;
	return cancellation_send(site, &task);
}
