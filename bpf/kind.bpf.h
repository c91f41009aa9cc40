/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a kind is, told to userspace before the first event that mentions it.
 */
#ifndef POLLSCOPE_KIND_BPF_H
#define POLLSCOPE_KIND_BPF_H

#include "probe.bpf.h"

/* struct { const char *type; const char *file; uint32_t line; } of the traced program. */
struct kind_descriptor {
	u64 type;
	u64 file;
	u32 line;
	u32 pad;
};

/* Pages a string in, so that it can be read where sleeping is not allowed. */
static __always_inline void page_in(u64 address, u32 size)
{
	u8 byte;

	bpf_copy_from_user(&byte, 1, (void *)address);
	if ((address ^ (address + size)) >> 12)
		bpf_copy_from_user(&byte, 1, (void *)(address + size));
}

/* Sends what the kind says. Counted as lost, and tried again at its next use, if there is no room. */
static __noinline int kind_send(struct thread *t, u16 source, u64 kind)
{
	struct kind_key key = {.kind = kind, .source = source};
	struct kind_descriptor d = {};
	struct wire_kind *r;
	u8 seen = 1;

	if (bpf_map_lookup_elem(&kinds, &key))
		return 0;
	if (!bpf_copy_from_user(&d, sizeof(d), (void *)kind)) {
		page_in(d.type, WIRE_KIND_TYPE);
		page_in(d.file, WIRE_KIND_FILE);
	}
	r = record_reserve(WIRE_KIND, sizeof(*r));
	if (!r)
		return -1;
	header_init(&r->h, WIRE_KIND, 0, source, t->tid, bpf_ktime_get_ns());
	r->kind = kind;
	r->line = d.line;
	r->unreadable = bpf_probe_read_user_str(r->type, sizeof(r->type), (void *)d.type) <= 0;
	if (r->unreadable)
		r->type[0] = 0;
	if (bpf_probe_read_user_str(r->file, sizeof(r->file), (void *)d.file) <= 0)
		r->file[0] = 0;
	record_submit(r);
	bpf_map_update_elem(&kinds, &key, &seen, BPF_ANY);
	return 0;
}

/* Makes sure that userspace knows the kind before the event that mentions it. */
static __always_inline void kind_announce(struct thread *t, u16 source, u64 kind)
{
	u64 tag = kind ^ (u64)source << 48;
	u64 *slot = &t->kind_cache[kind / 32 % KIND_CACHE];

	if (*slot == tag || !kind || kind == ~0ULL)
		return;
	if (!kind_send(t, source, kind))
		*slot = tag;
}

#endif
