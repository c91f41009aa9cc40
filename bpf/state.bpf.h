/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the programs share: settings, the state of each thread, the rings.
 *
 * State of a thread lives in task storage. It is written by the thread itself (probes) and, while it is
 * not running, by sched_switch; so no two writers meet, but that
 *
 * - a probe's program can be preempted: thread_off_totals() reads against that;
 * - sched_waking writes `waking` and the waker's fields from any CPU. It holds the thread's pi_lock, so one
 *   at a time; they are read at switch-in, which comes after the waking that led to it, under the run
 *   queue's lock that this one put the thread in with. A waking that finds the thread running leaves them
 *   changed, and the one that ends the sleep overwrites them;
 * - threads are walked while they run: at the start before any of their probes reports, at the end after
 *   the last.
 *
 * Never per-CPU: a thread can migrate between two probes.
 */
#ifndef POLLSCOPE_STATE_BPF_H
#define POLLSCOPE_STATE_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "events.h"

#define NO_PROCESS 0xffff
#define TARGET_BITS 4096
#define KIND_CACHE 8
#define TYPE_CACHE 8
#define UNSETTLED_INTERVALS 16 /* off-CPU intervals reported of a thread that has shown no probe */

/* Settings and counters, in types that the skeleton's users know too; userspace reads and writes them through the skeleton's memory map. */
extern volatile __u32 phase;
extern volatile __u32 sample_one_in; /* polls of which one is recorded; 0 or 1: all are */
extern __u32 iter_mode;
extern __u32 iter_process;       /* number of the process that the iterator walks */
extern __u32 tracer_pidns_level; /* depth of the tracer's PID namespace */
extern __u64 capture_start;
extern __u64 capture_end;
extern __u64
	target_bits[TARGET_BITS / 64]; /* filter in front of the storage look-up: hashed tgids */
extern __u64 fd_syscalls[8];     /* bit n: the first argument of system call n is a descriptor */
extern __u64 waking_syscalls[8]; /* bit n: system call n can wake another thread */
extern __u64 irqentry_start;     /* the kernel's interrupt entry code; 0: not known */
extern __u64 irqentry_end;
extern __u64 lost[WIRE_TYPES]; /* records that a ring had no room for, and probes missed */

struct open_poll {
	u64 task;
	u64 kind;
	u64 start;
	u64 blocked; /* the thread's totals at start */
	u64 runqueue;
	u32 local_depth;
	u32 inject_depth;
	u16 source;
	u16 vtable; /* where the header has what the kind and the task are, as struct task_header */
	u16 id;
	u8 awaits;  /* stacks taken of where its task waits; more than there can be: none are */
	u64 header; /* of a Tokio task */
	u64 sp;     /* at the poll function's entry; 0: no Tokio task */
};

/* Where the tasks of a type have their id. */
struct task_type {
	u64 vtable;
	u16 id;
};

/* The job that a thread of Tokio's blocking pool runs. */
struct open_job {
	u64 id;
	u64 kind;
	u64 sp; /* as open_poll's; 0: none */
};

struct thread {
	u32 tid;
	u32 pid;
	u16 process;
	u8 depth;         /* open polls */
	u8 overflow;      /* open polls beyond WIRE_POLL_DEPTH */
	bool clippable;   /* a poll may be open that began before the capture */
	u8 unsettled;     /* off-CPU intervals still to be reported although no probe was seen */
	u8 reason;        /* enum wire_off_reason, while off */
	u8 waker;         /* enum wire_waker */
	bool switch_lost; /* a switch back in was not traced since the outermost poll began */
	bool off_record;  /* offcpu_records holds the stack of the interval that is open */
	bool registered; /* what it did when its image was taken in is known: no walk may change it */
	bool end_settled; /* it is known since the capture's end when its open sleep was over */
	u32 closed;       /* 1: its totals were sent, at its exit or the end of the capture */
	u64 since;
	u64 blocked; /* totals */
	u64 runqueue;
	u64 switches; /* counts switches out and in: seqcount of the totals */
	u64 out;      /* off CPU since; 0: on CPU */
	u64 waking;   /* made runnable at; 0: not */
	u64 waker_task;
	u32 waker_tid;
	u16 waker_source;
	u64 kind_cache[KIND_CACHE];
	struct task_type types[TYPE_CACHE];
	struct open_job job;
	struct open_poll polls[WIRE_POLL_DEPTH];
};

struct thread_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
};
extern struct thread_map threads SEC(".maps");

/* The off-CPU record of a thread, begun at switch-out and sent at switch-in. */
struct offcpu_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct wire_offcpu);
};
extern struct offcpu_map offcpu_records SEC(".maps");

/* tgid (of the initial PID namespace) of each target -> its process number. */
struct target_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
};
extern struct target_map targets SEC(".maps");

/* Where each probe site has its arguments; index: the site's attach cookie. */
struct site_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROBE_SITES);
	__type(key, u32);
	__type(value, struct probe_site);
};
extern struct site_map sites SEC(".maps");

struct kind_key {
	u64 kind;
	u64 source;
};

/* Kinds that userspace has been told of. */
struct kind_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct kind_key);
	__type(value, u8);
};
extern struct kind_map kinds SEC(".maps");

/* Kinds of tasks that only the probe of their spawn has told. */
struct task_key {
	u64 task;
	u64 source;
};

struct task_kind_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 20);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct task_key);
	__type(value, u64);
};
extern struct task_kind_map task_kinds SEC(".maps");

/* Polls that sampling left out. */
struct skipped_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct kind_key);
	__type(value, u64);
};
extern struct skipped_map skipped SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* One ring for each CPU, put in by userspace. */
struct ring_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct ring);
};
extern struct ring_map rings SEC(".maps");

static __always_inline void lose(u32 type)
{
	if (type < WIRE_TYPES)
		__sync_fetch_and_add(&lost[type], 1);
}

static __always_inline void *ring_of_cpu(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

/* Room for a record in this CPU's ring, or NULL, counted as lost. */
static __always_inline void *record_reserve(u32 type, u64 size)
{
	void *ring = ring_of_cpu();
	struct wire_header *h = NULL;

	if (ring)
		h = bpf_ringbuf_reserve(ring, size, 0);
	if (!h)
		lose(type);
	return h;
}

/* The reader polls: waking it up would cost more than the rest of the program. */
static __always_inline void record_submit(void *record)
{
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

static __always_inline void header_init(struct wire_header *h, u8 type, u8 flags, u16 source,
					u32 tid, u64 time)
{
	h->type = type;
	h->flags = flags;
	h->source = source;
	h->tid = tid;
	h->time = time;
}

/* A pid structure's number in the tracer's PID namespace; 0 where it has none there. */
static __always_inline u32 pid_number(struct pid *pid)
{
	u32 level = tracer_pidns_level;
	struct upid *numbers;
	u32 nr = 0;

	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0;
	numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (void *)numbers + level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, nr));
	return nr;
}

static __always_inline u32 task_tid(struct task_struct *task)
{
	return pid_number(BPF_CORE_READ(task, thread_pid));
}

static __always_inline u32 task_pid(struct task_struct *task)
{
	return pid_number(BPF_CORE_READ(task, group_leader, thread_pid));
}

static __always_inline bool maybe_target(u32 tgid)
{
	u32 bit = tgid % TARGET_BITS;

	return target_bits[bit / 64] >> (bit % 64) & 1;
}

/* The state of a thread that has been seen; NULL of any other. */
static __always_inline struct thread *thread_of(struct task_struct *task)
{
	return bpf_task_storage_get(&threads, task, 0, 0);
}

static __always_inline void thread_announce(struct thread *t, struct task_struct *task, u64 time)
{
	struct wire_thread *r = record_reserve(WIRE_THREAD, sizeof(*r));

	if (!r)
		return;
	header_init(&r->h, WIRE_THREAD, 0, 0, t->tid, time);
	r->pid = t->pid;
	r->process = t->process;
	bpf_probe_read_kernel(r->comm, sizeof(r->comm), task->comm);
	record_submit(r);
}

/*
 * Takes a thread in, under the number of its process. NULL without memory. It may be known after all:
 * before 6.2, looking it up fails while the storage is in use on the same CPU.
 */
static __always_inline struct thread *thread_new(struct task_struct *task, u16 process)
{
	struct thread *t;

	t = bpf_task_storage_get(&threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t || t->since)
		return t;
	bpf_task_storage_get(&offcpu_records, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	t->tid = task_tid(task);
	t->pid = task_pid(task);
	t->process = process;
	t->since = bpf_ktime_get_ns();
	return t;
}

/*
 * The thread's off-CPU totals and the time, all of one instant: a switch in between would count that
 * interval in the one and not in the other.
 */
static __always_inline u64 thread_off_totals(struct thread *t, u64 *blocked, u64 *runqueue)
{
	volatile struct thread *v = t;
	u64 switches, now;
	int i;

#pragma unroll
	for (i = 0; i < 3; i++) {
		switches = v->switches;
		*blocked = v->blocked;
		*runqueue = v->runqueue;
		now = bpf_ktime_get_ns();
		if (switches == v->switches)
			break;
	}
	return now;
}

/* The innermost open poll; NULL: none. */
static __always_inline struct open_poll *thread_poll(struct thread *t)
{
	u32 top = t->depth - 1;

	if (top >= WIRE_POLL_DEPTH)
		return NULL;
	return &t->polls[top];
}

#endif
