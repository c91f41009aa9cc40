/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Kernel differences, one accessor each.
 */
#ifndef POLLSCOPE_COMPAT_BPF_H
#define POLLSCOPE_COMPAT_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* task_struct.on_cpu: an int until 7.0, one byte or a bit field after; read at the size that BTF says. */
static __always_inline bool compat_on_cpu(struct task_struct *task)
{
	return BPF_CORE_READ_BITFIELD_PROBED(task, on_cpu);
}

#endif
