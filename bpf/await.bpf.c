// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Where tasks wait: where a task gives its waker away in a poll, the user stack is what it waits for, should
 * that poll end pending. It may do so several times: for a timeout behind what it waits for, or a timer that
 * turns out to be over. Userspace tells them apart. Of few polls the stacks are taken, but each of the places is
 * a probe hit: userspace takes the probe off where that is often.
 */
#include "stack.bpf.h"
#include "probe.bpf.h"

static __always_inline u32 await_random(void)
{
	return bpf_get_prandom_u32();
}

#include "await_second.h"

#define AWAIT_KINDS 4096
#define AWAITS_MOST 4 /* stacks of one poll */
#define AWAITS_LEFT_OUT 0xff

const volatile __u32 await_stacks = 0; /* polls of each kind in a second of which they are taken */

/* A kind that falls out begins anew. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, AWAIT_KINDS);
	__type(key, struct kind_key);
	__type(value, struct await_second);
} await_seconds SEC(".maps");

/* Whether a poll's stacks are taken. */
static __always_inline bool await_is_wanted(const struct open_poll *poll, u64 now)
{
	struct kind_key key = {.kind = poll->kind, .source = poll->source};
	struct await_second first = {
		.number = now / AWAIT_SECOND_NS, .seen = 1, .taken = 1, .began = now};
	struct await_second *second = bpf_map_lookup_elem(&await_seconds, &key);

	if (!second)
		return !bpf_map_update_elem(&await_seconds, &key, &first, BPF_NOEXIST);
	return await_second_takes(second, now, await_stacks);
}

/* Made in the ring: the thread may be preempted here, by another in this program. */
static __always_inline void await_send(struct pt_regs *ctx, struct thread *t,
				       const struct open_poll *poll, u64 now)
{
	struct wire_sample *r =
		record_reserve(WIRE_AWAIT, offsetof(struct wire_sample, frames[WIRE_USER_FRAMES]));

	if (!r)
		return;
	header_init(&r->h, WIRE_AWAIT, 0, poll->source, t->tid, now);
	r->task = poll->task;
	r->kind = poll->kind;
	r->nkernel = 0;
	r->nuser = stack_take_user(ctx, bpf_get_current_task_btf(), t, &r->h, r->frames);
	record_submit(r);
}

/* Its argument: the task whose waker it is, or of an unmodified Tokio its header. */
SEC("uprobe.multi.s")
int await(struct pt_regs *ctx)
{
	struct probe_site *site = probe_site(ctx);
	struct open_poll *poll;
	struct thread *t;
	u8 missing = 0;
	u64 task, now;

	if (!site)
		return 0;
	__sync_fetch_and_add(&site->hits, 1);
	if (phase != PHASE_RECORDING)
		return 0;
	t = thread_of(bpf_get_current_task_btf());
	poll = t ? thread_poll(t) : NULL;
	if (!poll || poll->awaits >= AWAITS_MOST || poll->source != site->source)
		return 0;
	task = probe_argument(ctx, site, 0, &missing);
	if (task != (poll->sp ? poll->header : poll->task))
		return 0;
	now = bpf_ktime_get_ns();
	if (!poll->awaits && !await_is_wanted(poll, now)) {
		poll->awaits = AWAITS_LEFT_OUT;
		return 0;
	}
	poll->awaits++;
	await_send(ctx, t, poll, now);
	return 0;
}
