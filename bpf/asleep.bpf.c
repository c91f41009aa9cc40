// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * User stacks of threads that were asleep already when the tracer came: no switch shows them. Once the tables
 * of their process are there, their stacks are copied from it and unwound.
 */
#include "offcpu.bpf.h"

#define PAGE_SIZE 4096

/* One is enough: userspace walks threads one after the other. */
struct copy_map stack_copies SEC(".maps");

/* As much of the stack from sp on as there is, or fits; bytes. */
static __always_inline u32 stack_copy(struct stack_copy *copy, struct task_struct *task, u64 sp)
{
	u32 done = 0, part;
	int i;

	for (i = 0; i < STACK_COPY / PAGE_SIZE && done <= STACK_COPY - PAGE_SIZE; i++) {
		part = PAGE_SIZE - ((sp + done) & (PAGE_SIZE - 1));
		if (bpf_copy_from_user_task(copy->bytes + done, part, (void *)(sp + done), task, 0))
			break;
		done += part;
	}
	return done;
}

SEC("iter.s/task")
int walk_asleep(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct unwind_walk walk = {};
	struct stack_copy *copy;
	struct wire_offcpu *r;
	u32 zero = 0, n, kernel;
	struct thread *t;
	u64 out;

	if (!task)
		return 0;
	t = thread_of(task);
	copy = bpf_map_lookup_elem(&stack_copies, &zero);
	r = bpf_task_storage_get(&offcpu_records, task, 0, 0);
	if (!t || !copy || !r || !t->off_record || r->nuser)
		return 0;
	out = t->out;
	unwind_begin(&walk, task, t->process);
	walk.trapped = false;
	walk.copy = walk.regs.sp;
	walk.copied = stack_copy(copy, task, walk.regs.sp);
	n = unwind_user(&walk, &copy->frames);
	kernel = r->nkernel;
	/* It may have gone on meanwhile, and to sleep again. */
	if (!walk.copied || n > WIRE_USER_FRAMES || kernel > WIRE_KERNEL_FRAMES || !out ||
	    t->out != out)
		return 0;
	bpf_probe_read_kernel(r->frames + kernel, sizeof(copy->frames), &copy->frames);
	r->h.flags |= WIRE_UNWOUND;
	r->nuser = n;
	return 0;
}
