// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* On-CPU samples inside polls, on a cpu-clock event of each CPU. */
#include "stack.bpf.h"

struct sample_scratch {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wire_sample);
};
/* Per CPU is enough: the clock's interrupt does not interrupt itself. */
struct sample_scratch samples SEC(".maps");

SEC("perf_event")
int sample(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct wire_sample *r;
	struct open_poll *poll;
	struct thread *t;
	u32 zero = 0;

	if (phase != PHASE_RECORDING || !maybe_target(task->tgid))
		return 0;
	t = thread_of(task);
	poll = t ? thread_poll(t) : NULL;
	r = bpf_map_lookup_elem(&samples, &zero);
	if (!poll || !r)
		return 0;
	header_init(&r->h, WIRE_SAMPLE, 0, poll->source, t->tid, bpf_ktime_get_ns());
	r->task = poll->task;
	r->kind = poll->kind;
	stack_take(ctx, task, t, &r->h, r->frames, &r->nkernel, &r->nuser);
	stack_record_send(
		WIRE_SAMPLE, r,
		stack_record_size(offsetof(struct wire_sample, frames), r->nkernel, r->nuser));
	return 0;
}
