// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Polls: one record for each, written at its end. What the leanest such pair of programs costs, and why it
 * looks like this, is measured by `make bench`.
 */
#include "kind.bpf.h"
#include "poll.bpf.h"

/* Arguments of a poll's start: task, kind, local queue depth, injection queue depth; or task and
 * KIND_TEXT_*. */
SEC("uprobe.multi.s")
int poll_start(struct pt_regs *ctx)
{
	struct probe_site *site;
	struct open_poll *poll;
	u8 missing = 0;
	struct thread *t;
	u64 task, kind;
	u32 depth;

	t = probe_begin(ctx, &site);
	if (!t)
		return 0;
	task = probe_argument(ctx, site, 0, &missing);
	if (site->kind <= KIND_STATIC) {
		kind = probe_argument(ctx, site, 1, &missing);
		kind_announce(t, site->source, kind);
	} else if (site->kind == KIND_TEXT) {
		kind = kind_of_text(t, ctx, site);
	} else {
		kind = kind_of_task(site->source, task);
	}
	t->unsettled = 0;
	probe_on_cpu(t);
	depth = t->depth;
	if (poll_is_left_out()) {
		if (!depth)
			t->clippable = false;
		return poll_skip(missing & 2 ? 0 : kind, site->source);
	}
	if (depth >= WIRE_POLL_DEPTH) {
		t->overflow++;
		lose(WIRE_POLL);
		return 0;
	}
	if (!depth) {
		t->clippable = false;
		t->switch_lost = false;
	}
	poll = &t->polls[depth];
	poll->task = task;
	poll->kind = missing & 2 ? 0 : kind;
	poll->local_depth = ~0;
	poll->inject_depth = ~0;
	if (site->kind == KIND_STATIC) {
		poll->local_depth = probe_argument(ctx, site, 2, &missing);
		poll->inject_depth = probe_argument(ctx, site, 3, &missing);
	}
	poll->source = site->source;
	poll->awaits = 0;
	poll->sp = 0;
	poll->start = thread_off_totals(t, &poll->blocked, &poll->runqueue);
	t->depth = depth + 1;
	return 0;
}

/* Which open poll an end belongs to, innermost first; WIRE_POLL_DEPTH: none. */
static __noinline u32 poll_find(struct thread *t, u64 task, u16 source)
{
	u32 i, depth = t->depth;

	for (i = 0; i < WIRE_POLL_DEPTH; i++) {
		u32 at = depth - 1 - i;

		if (at >= WIRE_POLL_DEPTH)
			break;
		if (t->polls[at].task == task && t->polls[at].source == source)
			return at;
	}
	return WIRE_POLL_DEPTH;
}

/* An end without a start: of a poll that began before the capture, or of one whose start was missed. */
static __noinline int poll_end_unmatched(struct thread *t, u64 task, u16 source, u8 flags)
{
	struct open_poll poll = {
		.task = task,
		.start = t->since > capture_start ? t->since : capture_start,
		.local_depth = ~0,
		.inject_depth = ~0,
		.source = source,
	};
	u64 blocked, runqueue, now;

	if (t->overflow) {
		t->overflow--;
		return 0;
	}
	if (!t->clippable) {
		if (sample_one_in <= 1) /* else its start was left out */
			lose(WIRE_POLL);
		return 0;
	}
	t->unsettled = 0;
	now = thread_off_totals(t, &blocked, &runqueue);
	poll_send(t, &poll, 0, flags | WIRE_POLL_CLIPPED, now, blocked, runqueue);
	return 0;
}

/* Arguments of a poll's end: task, ready. */
SEC("uprobe.multi.s")
int poll_end(struct pt_regs *ctx)
{
	u64 task, ready, blocked, runqueue, now;
	struct probe_site *site;
	u8 missing = 0, flags = 0;
	struct thread *t;
	u32 at;

	t = probe_begin(ctx, &site);
	if (!t)
		return 0;
	task = probe_argument(ctx, site, 0, &missing);
	ready = probe_argument(ctx, site, 1, &missing);
	if (ready == 1)
		flags |= WIRE_POLL_READY;
	probe_on_cpu(t);
	if (t->switch_lost)
		flags |= WIRE_POLL_SWITCH_LOST;
	at = t->depth - 1;
	if (at >= WIRE_POLL_DEPTH || t->polls[at].task != task ||
	    t->polls[at].source != site->source) {
		at = poll_find(t, task, site->source);
		if (at >= WIRE_POLL_DEPTH)
			return poll_end_unmatched(t, task, site->source, flags);
	}
	/* Polls inside of it that have not ended never will: unwound, or their end was missed. */
	if (at + 1 != t->depth)
		lose_polls(t->depth - 1 - at);
	t->overflow = 0;
	now = thread_off_totals(t, &blocked, &runqueue);
	t->depth = at;
	poll_send(t, &t->polls[at], at, flags, now, blocked, runqueue);
	return 0;
}
