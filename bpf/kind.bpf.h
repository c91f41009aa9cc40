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

/* Where a thread remembers that a kind was announced, and how. */
static __always_inline u64 *kind_slot(struct thread *t, u64 kind)
{
	return &t->kind_cache[kind / 32 % KIND_CACHE];
}

static __always_inline u64 kind_tag(u16 source, u64 kind)
{
	return kind ^ (u64)source << 48;
}

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
	u64 *slot = kind_slot(t, kind);

	if (*slot == kind_tag(source, kind) || !kind || kind == ~0ULL)
		return;
	if (!kind_send(t, source, kind))
		*slot = kind_tag(source, kind);
}

/* A kind told by strings. What is behind their ends is zero. */
struct kind_text {
	u64 line;
	char file[WIRE_KIND_FILE];
	char name[WIRE_KIND_TYPE];
};

/* Reads a string, cut to size. What was written to just now is there; a constant may be paged out. */
static __always_inline long text_read(char *text, u32 size, u64 address)
{
	long n = bpf_probe_read_user_str(text, size, (void *)address);

	if (n > 0)
		return n;
	page_in(address, size);
	return bpf_probe_read_user_str(text, size, (void *)address);
}

#define HASH_FACTOR 0x9e3779b97f4a7c15ULL /* 2^64 by the golden ratio */

/* Mixes the words of n bytes into a hash. */
static __always_inline u64 text_hash(u64 hash, const char *text, u32 size, long n)
{
	u32 i;

	for (i = 0; i < size / 8 && (long)(8 * i) < n; i++) {
		hash = (hash ^ ((const u64 *)text)[i]) * HASH_FACTOR;
		hash ^= hash >> 29;
	}
	return hash;
}

static __noinline int kind_text_send(struct thread *t, u16 source, u64 kind,
				     const struct kind_text *text)
{
	struct kind_key key = {.kind = kind, .source = source};
	struct wire_kind *r;
	u8 seen = 1;

	if (bpf_map_lookup_elem(&kinds, &key))
		return 0;
	r = record_reserve(WIRE_KIND, sizeof(*r));
	if (!r)
		return -1;
	header_init(&r->h, WIRE_KIND, 0, source, t->tid, bpf_ktime_get_ns());
	r->kind = kind;
	r->line = text->line;
	r->unreadable = 0;
	__builtin_memcpy(r->type, text->name, sizeof(r->type));
	__builtin_memcpy(r->file, text->file, sizeof(r->file));
	record_submit(r);
	bpf_map_update_elem(&kinds, &key, &seen, BPF_ANY);
	return 0;
}

/*
 * The kind that a probe tells by strings, known to userspace from here on; 0: they cannot be read. Such
 * strings are often temporaries, at another address each time and another's next time: they are hashed.
 */
static __noinline u64 kind_of_text(struct thread *t, struct pt_regs *ctx, struct probe_site *site)
{
	struct kind_text text = {};
	u8 missing = 0;
	u64 kind, *slot;
	long n;

	n = text_read(text.file, sizeof(text.file),
		      probe_argument(ctx, site, KIND_TEXT_FILE, &missing));
	text.line = probe_argument(ctx, site, KIND_TEXT_LINE, &missing);
	if (missing || n <= 0)
		return 0;
	/* A line that is not mixed first would make a/x.rs:1 and b/x.rs:2 one. */
	kind = text_hash(text.line * HASH_FACTOR, text.file, sizeof(text.file), n);
	if (site->arg[KIND_TEXT_NAME].class != OPERAND_NONE) {
		n = text_read(text.name, sizeof(text.name),
			      probe_argument(ctx, site, KIND_TEXT_NAME, &missing));
		kind = text_hash(kind, text.name, sizeof(text.name), n);
	}
	kind = (kind | 2) & ~1ULL; /* neither 0 nor ~0 */
	slot = kind_slot(t, kind);
	if (*slot != kind_tag(site->source, kind) && !kind_text_send(t, site->source, kind, &text))
		*slot = kind_tag(site->source, kind);
	return kind;
}

static __always_inline void kind_keep(u16 source, u64 task, u64 kind)
{
	struct task_key key = {.task = task, .source = source};

	bpf_map_update_elem(&task_kinds, &key, &kind, BPF_ANY);
}

static __always_inline void kind_forget(u16 source, u64 task)
{
	struct task_key key = {.task = task, .source = source};

	bpf_map_delete_elem(&task_kinds, &key);
}

/* 0: the task is older than the capture. */
static __always_inline u64 kind_of_task(u16 source, u64 task)
{
	struct task_key key = {.task = task, .source = source};
	u64 *kind = bpf_map_lookup_elem(&task_kinds, &key);

	return kind ? *kind : 0;
}

#endif
