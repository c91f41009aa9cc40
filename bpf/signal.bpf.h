/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Records of probes other than polls. */
#ifndef POLLSCOPE_SIGNAL_BPF_H
#define POLLSCOPE_SIGNAL_BPF_H

#include "probe.bpf.h"

static __always_inline u64 current_task(struct thread *t, u16 source)
{
	struct open_poll *poll = thread_poll(t);

	return poll && poll->source == source ? poll->task : 0;
}

/* Whether wakes are not told: polls are sampled, and the probes are on their way out. */
static __always_inline bool wakes_are_left_out(void)
{
	return sample_one_in > 1;
}

/* A wake has one argument. Wakes come as often as polls, and a record costs its bytes. */
static __always_inline void signal_send_short(struct thread *t, u32 type, u16 source, u64 task)
{
	struct wire_signal *r = record_reserve(type, offsetof(struct wire_signal, arg[1]));

	if (!r)
		return;
	header_init(&r->h, type, 0, source, t->tid, bpf_ktime_get_ns());
	r->current_task = current_task(t, source);
	r->arg[0] = task;
	record_submit(r);
}

/* A signal with three arguments; what they do not tell is ~0. */
static __always_inline void signal_send(struct thread *t, u32 type, u16 source, u64 arg0, u64 arg1,
					u64 arg2)
{
	struct wire_signal *r = record_reserve(type, sizeof(*r));

	if (!r)
		return;
	header_init(&r->h, type, 0, source, t->tid, bpf_ktime_get_ns());
	r->current_task = current_task(t, source);
	r->arg[0] = arg0;
	r->arg[1] = arg1;
	r->arg[2] = arg2;
	r->arg[3] = ~0ULL;
	r->arg[4] = ~0ULL;
	record_submit(r);
}

#endif
