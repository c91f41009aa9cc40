// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Probes other than polls: each is one record with its arguments, read by the site's table. */
#include "kind.bpf.h"
#include "signal.bpf.h"

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
	if (type == WIRE_WAKE && wakes_are_left_out())
		return 0;
	arg[0] = probe_argument(ctx, site, 0, &missing);
	if (type == WIRE_WAKE || type == WIRE_ABORT) {
		signal_send_short(t, type, site->source, arg[0]);
		return 0;
	}
	if (site->kind == KIND_TEXT || site->kind == KIND_TEXT_ONCE) {
		arg[1] = kind_of_text(t, ctx, site);
		arg[2] = ~0ULL;
		arg[3] = ~0ULL;
		arg[4] = ~0ULL;
		if (site->kind == KIND_TEXT_ONCE)
			kind_keep(site->source, arg[0], arg[1]);
	} else {
		arg[1] = probe_argument(ctx, site, 1, &missing);
		arg[2] = probe_argument(ctx, site, 2, &missing);
		arg[3] = probe_argument(ctx, site, 3, &missing);
		arg[4] = probe_argument(ctx, site, 4, &missing);
		if (site->kind == KIND_STATIC)
			kind_announce(t, site->source, arg[1]);
		else if (site->kind == KIND_OF_TASK)
			kind_forget(site->source, arg[0]);
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
