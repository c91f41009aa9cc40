/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What programs on user probes share: the site's arguments, the thread.
 *
 * libbpf's bpf_usdt_arg() costs 45 ns an argument; picking the register here, by a switch, none that can
 * be measured. These programs are sleepable: an argument in memory that is paged out is paged in.
 */
#ifndef POLLSCOPE_PROBE_BPF_H
#define POLLSCOPE_PROBE_BPF_H

#include "arch.bpf.h"
#include "state.bpf.h"

/* Widens a value of `size` bytes (negative: signed) to 64 bits. */
static __always_inline u64 operand_extend(u64 v, s8 size)
{
	u32 bits = 64 - 8 * (size < 0 ? -size : size);

	if (!bits)
		return v;
	bits &= 63;
	v <<= bits;
	return size < 0 ? (u64)((s64)v >> bits) : v >> bits;
}

static __noinline int operand_memory(struct pt_regs *ctx, const struct operand *op, u64 *value)
{
	u64 address = op->value, v = 0;
	u32 size = op->size < 0 ? -op->size : op->size;

	if (op->base != OPERAND_NO_REG)
		address += arch_register(ctx, op->base);
	if (op->index != OPERAND_NO_REG)
		address += arch_register(ctx, op->index) << (op->scale & 3);
	if (size < 1 || size > 8)
		return -1;
	if (bpf_copy_from_user(&v, size, (void *)address))
		return -1;
	*value = v;
	return 0;
}

/* Reads argument number n of the site. Not readable: all ones, and bit n of *missing is set. */
static __always_inline u64 probe_argument(struct pt_regs *ctx, struct probe_site *site, u32 n,
					  u8 *missing)
{
	struct operand *op = &site->arg[n];
	u64 v = 0;

	switch (op->class) {
	case OPERAND_REG:
		v = arch_register(ctx, op->base);
		break;
	case OPERAND_CONST:
		return op->value;
	case OPERAND_MEMORY:
		if (!operand_memory(ctx, op, &v))
			break;
		/* fallthrough */
	default:
		*missing |= 1 << n;
		return ~0ULL;
	}
	return operand_extend(v, op->size);
}

static __always_inline struct probe_site *probe_site(struct pt_regs *ctx)
{
	u32 index = bpf_get_attach_cookie(ctx);

	return bpf_map_lookup_elem(&sites, &index);
}

static __noinline struct thread *thread_first_seen(struct task_struct *task)
{
	u32 tgid = task->tgid;
	u32 *process = bpf_map_lookup_elem(&targets, &tgid);
	struct thread *t = thread_new(task, process ? *process : NO_PROCESS);

	if (!t)
		return NULL;
	t->registered = true;
	thread_announce(t, task, t->since);
	return t;
}

/* The state of the thread that hit the probe, taken in if it is new. NULL without memory. */
static __always_inline struct thread *probe_thread(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t = thread_of(task);

	return t ? t : thread_first_seen(task);
}

/* What every probe's program begins with: its site and its thread. NULL where there is nothing to do. */
static __always_inline struct thread *probe_begin(struct pt_regs *ctx, struct probe_site **site)
{
	struct thread *t;

	if (phase != PHASE_RECORDING)
		return NULL;
	*site = probe_site(ctx);
	if (!*site)
		return NULL;
	t = probe_thread();
	if (!t)
		lose((*site)->type);
	return t;
}

/* It runs: an interval off the CPU that is still open is one whose end was not traced. */
static __always_inline void probe_on_cpu(struct thread *t)
{
	if (t->out) {
		t->out = 0;
		t->switch_lost = true;
	}
}

#endif
