/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What programs on polls share: their records, and which polls are left out. */
#ifndef POLLSCOPE_POLL_BPF_H
#define POLLSCOPE_POLL_BPF_H

#include "probe.bpf.h"

/* Whether a depth, or that it is unknown, can be told in 16 bits. */
static __always_inline bool depth_is_short(u32 depth)
{
	return depth + 1 <= WIRE_SHORT_NO_DEPTH;
}

static __always_inline void poll_send_short(struct thread *t, const struct open_poll *poll,
					    u8 flags, u64 now)
{
	struct wire_poll_short *r = record_reserve(WIRE_POLL, sizeof(*r));

	if (!r)
		return;
	header_init(&r->h, WIRE_POLL_SHORT, flags, poll->source, t->tid, now);
	r->task = poll->task;
	r->kind = poll->kind;
	r->length_ns = now - poll->start;
	r->local_depth = poll->local_depth;
	r->inject_depth = poll->inject_depth;
	record_submit(r);
}

static __always_inline void poll_send(struct thread *t, const struct open_poll *poll, u32 depth,
				      u8 flags, u64 now, u64 blocked, u64 runqueue)
{
	struct wire_poll *r;

	if (blocked == poll->blocked && runqueue == poll->runqueue &&
	    now - poll->start <= 0xffffffff && depth_is_short(poll->local_depth) &&
	    depth_is_short(poll->inject_depth)) {
		poll_send_short(t, poll, flags | depth << WIRE_POLL_DEPTH_SHIFT, now);
		return;
	}
	r = record_reserve(WIRE_POLL, sizeof(*r));
	if (!r)
		return;
	header_init(&r->h, WIRE_POLL, flags | depth << WIRE_POLL_DEPTH_SHIFT, poll->source, t->tid,
		    now);
	r->task = poll->task;
	r->kind = poll->kind;
	r->start = poll->start;
	r->blocked_ns = blocked - poll->blocked;
	r->runqueue_ns = runqueue - poll->runqueue;
	r->local_depth = poll->local_depth;
	r->inject_depth = poll->inject_depth;
	record_submit(r);
}

static __always_inline void lose_polls(u32 n)
{
	__sync_fetch_and_add(&lost[WIRE_POLL], n);
}

/* Sampling: whether the poll that begins now is one of those that are only counted. */
static __always_inline bool poll_is_left_out(void)
{
	u32 one_in = sample_one_in;

	return one_in > 1 && bpf_get_prandom_u32() % one_in;
}

static __noinline int poll_skip(u64 kind, u16 source)
{
	struct kind_key key = {.kind = kind, .source = source};
	u64 *n = bpf_map_lookup_elem(&skipped, &key), none = 0;

	if (!n) {
		bpf_map_update_elem(&skipped, &key, &none, BPF_NOEXIST);
		n = bpf_map_lookup_elem(&skipped, &key);
	}
	/* Another thread may take this one's CPU in the middle of it. */
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		lose(WIRE_POLL);
	return 0;
}

#endif
