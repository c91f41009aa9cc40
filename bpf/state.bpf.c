// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Definitions of what state.bpf.h declares. */
#include "state.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

volatile __u32 phase = 0;
volatile __u32 sample_one_in = 0;
__u32 iter_mode = 0;
__u32 iter_process = 0;
__u32 tracer_pidns_level = 0;
__u64 capture_start = 0;
__u64 capture_end = 0;
__u64 target_bits[TARGET_BITS / 64] = {};
__u64 fd_syscalls[8] = {};
__u64 waking_syscalls[8] = {};
__u64 irqentry_start = 0;
__u64 irqentry_end = 0;
__u64 lost[WIRE_TYPES] = {};

struct thread_map threads SEC(".maps");
struct offcpu_map offcpu_records SEC(".maps");
struct target_map targets SEC(".maps");
struct site_map sites SEC(".maps");
struct kind_map kinds SEC(".maps");
struct task_kind_map task_kinds SEC(".maps");
struct skipped_map skipped SEC(".maps");
struct ring_map rings SEC(".maps");
