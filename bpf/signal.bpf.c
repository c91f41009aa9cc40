// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Probes other than polls: each is one record with its arguments, read by the site's table. */
#include "kind.bpf.h"

static __always_inline u64 current_task(struct thread *t, u16 source)
{
	struct open_poll *poll = thread_poll(t);

	return poll && poll->source == source ? poll->task : 0;
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

SEC("uprobe.multi.s")
int signal(struct pt_regs *ctx)
{
	u64 arg[WIRE_SIGNAL_ARGS];
	struct probe_site *site;
	struct wire_signal *r;
	u8 missing = 0;
	struct thread *t;
	u32 type;

	t = probe_begin(ctx, &site);
	if (!t)
		return 0;
	type = site->type;
	arg[0] = probe_argument(ctx, site, 0, &missing);
	if (type == WIRE_WAKE || type == WIRE_ABORT) {
		signal_send_short(t, type, site->source, arg[0]);
		return 0;
	}
	if (site->kind_form == KIND_TEXT) {
		arg[1] = kind_of_text(t, ctx, site);
		arg[2] = ~0ULL;
		arg[3] = ~0ULL;
		arg[4] = ~0ULL;
	} else {
		arg[1] = probe_argument(ctx, site, 1, &missing);
		arg[2] = probe_argument(ctx, site, 2, &missing);
		arg[3] = probe_argument(ctx, site, 3, &missing);
		arg[4] = probe_argument(ctx, site, 4, &missing);
		if (site->kind_arg == 1)
			kind_announce(t, site->source, arg[1]);
	}
	if (type >= WIRE_WORKER_START && type <= WIRE_BLOCKING_END)
		t->unsettled = 0;

	r = record_reserve(type, sizeof(*r));
	if (!r)
		return 0;
	header_init(&r->h, type, 0, site->source, t->tid, bpf_ktime_get_ns());
	r->arg[0] = arg[0];
	r->arg[1] = arg[1];
	r->arg[2] = arg[2];
	r->arg[3] = arg[3];
	r->arg[4] = arg[4];
	r->current_task = current_task(t, site->source);
	record_submit(r);
	return 0;
}
