/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The event ABI: what the BPF programs write into the rings and userspace reads from them; and what
 * userspace tells the programs.
 *
 * Every record starts with a wire_header; its type says which struct follows. Widths are fixed, padding is
 * explicit, enum values are append-only. Times are CLOCK_MONOTONIC nanoseconds (bpf_ktime_get_ns). Thread
 * ids are those of the tracer's PID namespace. Userspace trusts none of it (see events/decode.h).
 *
 * Included by BPF programs and by userspace; each defines __u8 ... __u64 and __s32 before.
 */
#ifndef POLLSCOPE_BPF_EVENTS_H
#define POLLSCOPE_BPF_EVENTS_H

#define WIRE_KERNEL_FRAMES 64 /* kernel frames kept of one stack */
#define WIRE_USER_FRAMES 128  /* user frames kept of one stack, with the mark */
#define WIRE_FRAMES (WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES)
#define WIRE_COMM 16       /* TASK_COMM_LEN */
#define WIRE_FILE_NAME 40  /* last path component kept of a descriptor's file */
#define WIRE_KIND_TYPE 96  /* bytes of a task type's name, NUL included */
#define WIRE_KIND_FILE 128 /* bytes of its source file's name, NUL included */
#define WIRE_POLL_DEPTH 8  /* nested polls kept for each thread */

/* The last user frame of a stack that ends early, by its enum unwind_end (unwind.h): no address of a user's. */
#define WIRE_MARK(end) (0xffffffffffffff00ULL | (end))

/* Record types. WIRE_SPAWN to WIRE_BLOCK_ON_EXIT are struct wire_signal. */
enum wire_type {
	WIRE_POLL = 1,
	WIRE_OFFCPU = 2,
	WIRE_SAMPLE = 3,
	WIRE_KIND = 4,
	WIRE_THREAD = 5,
	WIRE_THREAD_TOTALS = 6,
	WIRE_EXEC = 7,
	WIRE_POLL_SHORT = 8,
	WIRE_AWAIT = 9,
	WIRE_SPAWN = 16,
	WIRE_WAKE = 17,
	WIRE_ABORT = 18,
	WIRE_TERMINATE = 19,
	WIRE_WORKER_START = 20,
	WIRE_WORKER_STOP = 21,
	WIRE_PARK = 22,
	WIRE_UNPARK = 23,
	WIRE_BLOCKING_QUEUE = 24,
	WIRE_BLOCKING_START = 25,
	WIRE_BLOCKING_END = 26,
	WIRE_BLOCK_ON_ENTER = 27,
	WIRE_BLOCK_ON_EXIT = 28,
	WIRE_TYPES = 29, /* one past the last: bound of the drop counters */
};

/* wire_header.flags of a poll */
#define WIRE_POLL_READY 0x01   /* the future completed */
#define WIRE_POLL_CLIPPED 0x02 /* began before the capture: start is the capture's start */
#define WIRE_POLL_IN_PROGRESS                                                                      \
	0x04 /* had not ended at the end of the capture, or when its thread died */
#define WIRE_POLL_SWITCH_LOST                                                                      \
	0x08                    /* a switch back in was not seen: off-CPU time is a lower bound */
#define WIRE_POLL_DEPTH_SHIFT 4 /* bits 4-7: number of polls open around this one */

/* wire_header.flags of an off-CPU interval */
/* Thread had shown no probe yet: in a clipped poll, or in none. The header's source is its process. */
#define WIRE_OFFCPU_UNSETTLED 0x01
#define WIRE_OFFCPU_IN_PROGRESS 0x04 /* still off CPU at the end of the capture */
#define WIRE_OFFCPU_IOWAIT 0x08      /* the kernel accounts it as waiting for a block device */
#define WIRE_UNWOUND 0x10 /* of samples and awaits too: the user stack was unwound by tables */

struct wire_header {
	__u8 type; /* enum wire_type */
	__u8 flags;
	__u16 source; /* which runtime in which process: number given by userspace at attach */
	__u32 tid;
	__u64 time; /* when it happened; for intervals, when they ended */
};

/* A poll, written at its end. off-CPU times include those of polls nested in it. */
struct wire_poll {
	struct wire_header h;
	__u64 task;
	__u64 kind; /* address of the static descriptor; 0: none */
	__u64 start;
	__u64 blocked_ns;
	__u64 runqueue_ns;
	__u32 local_depth;  /* ~0: unknown */
	__u32 inject_depth; /* ~0: unknown */
};

/* A poll as most are, for a record costs what its bytes do: always on the CPU, and less than 4 s. */
#define WIRE_SHORT_NO_DEPTH 0xffff
struct wire_poll_short {
	struct wire_header h; /* flags as WIRE_POLL's */
	__u64 task;
	__u64 kind;
	__u32 length_ns;   /* from its start to h.time */
	__u16 local_depth; /* WIRE_SHORT_NO_DEPTH: unknown */
	__u16 inject_depth;
};

/* Why a thread left the CPU, as far as the scheduler's tracepoint can tell. */
enum wire_off_reason {
	WIRE_OFF_PREEMPTED = 1, /* it could have run on */
	WIRE_OFF_SYSCALL = 2,   /* asleep in system call number `syscall` */
	WIRE_OFF_KERNEL = 3,    /* asleep in the kernel outside of system calls: a fault */
	WIRE_OFF_STOPPED = 4,   /* stopped, traced or frozen */
};

/* Who made the sleeper runnable. */
enum wire_waker {
	WIRE_WAKER_NONE = 0,      /* not seen, or never asleep */
	WIRE_WAKER_THREAD = 1,    /* a thread, in a system call of its own */
	WIRE_WAKER_INTERRUPT = 2, /* a timer or device; the interrupted thread is a bystander */
	WIRE_WAKER_KERNEL = 3,    /* a kernel thread */
};

/* One interval off CPU inside a poll, written at switch-in (h.time). Off from `out`; runnable again at
 * `wake` (== out: at once; 0: not seen, count all as blocked). `frames` holds nkernel kernel addresses,
 * leaf first, then nuser user addresses, leaf first; the record ends with the last one. */
struct wire_offcpu {
	struct wire_header h;
	__u64 task; /* innermost open poll's; 0: none (UNSETTLED) */
	__u64 kind;
	__u64 out;
	__u64 wake;
	__u64 waker_task;   /* the task that the waking thread was polling; 0: none */
	__u32 waker_tid;    /* WIRE_WAKER_THREAD only */
	__u16 waker_source; /* runtime of waker_task */
	__u8 waker;         /* enum wire_waker */
	__u8 reason;        /* enum wire_off_reason */
	__s32 syscall;      /* -1: none */
	__u32 file_dev; /* kernel's dev_t (major << 20 | minor) behind the descriptor; 0 and ino 0: none */
	__u64 file_ino;
	__u32 file_fd;   /* the descriptor, where there is a file */
	__u16 file_mode; /* S_IFMT bits */
	__u8 nkernel;
	__u8 nuser;
	char file_name[WIRE_FILE_NAME];
	__u64 frames[WIRE_FRAMES];
};

/*
 * An on-CPU sample inside a poll. Frames as in wire_offcpu. WIRE_AWAIT too: where the task of an open poll
 * gave its waker away, the first times in that poll; user frames alone.
 */
struct wire_sample {
	struct wire_header h;
	__u64 task;
	__u64 kind;
	__u8 nkernel;
	__u8 nuser;
	__u8 pad[6];
	__u64 frames[WIRE_FRAMES];
};

/* Any other probe. Arguments in the order of the `pollrt` contract (probe arguments are put in this order
 * by the adapter); an argument that could not be read is ~0. WIRE_SPAWN has one more, arg[3]; 0: of a
 * future that the thread drives itself. WIRE_TERMINATE too, arg[2]: the task's kind. */
#define WIRE_SIGNAL_ARGS 5
struct wire_signal {
	struct wire_header h;
	__u64 current_task; /* task of this thread's innermost open poll; 0: none. Same source only */
	__u64 arg[WIRE_SIGNAL_ARGS]; /* records of WIRE_WAKE and WIRE_ABORT end behind the first */
};

/* What a task is: written before the first event that mentions `kind` for this source. */
struct wire_kind {
	struct wire_header h;
	__u64 kind;
	__u32 line;
	__u32 unreadable; /* 1: the descriptor could not be read */
	/* "": it has no name but file and line */
	char type[WIRE_KIND_TYPE];
	char file[WIRE_KIND_FILE];
};

/* A thread of a target was seen for the first time, or at the start or end of the capture. */
struct wire_thread {
	struct wire_header h;
	__u32 pid;
	__u32 process; /* number given by userspace to this (pid, exec generation) */
	char comm[WIRE_COMM];
};

/* Off-CPU totals of a thread since it was first seen, inside and outside of polls; at its exit and at the
 * end of the capture. */
struct wire_thread_totals {
	struct wire_header h;
	__u64 since;
	__u64 blocked_ns;
	__u64 runqueue_ns;
	__u32 exited;
	__u32 process;
};

/* A target's exec: all its tasks are gone; userspace looks at the new image. */
struct wire_exec {
	struct wire_header h;
	__u32 pid;
	__u32 process;
};

/*
 * Where the arguments of a probe are at one site. A table of these is filled by userspace; the attach
 * cookie of a site is its index. Registers are numbered by DWARF (System V ABI AMD64, figure 3.36); 16 is
 * the instruction pointer.
 */
enum operand_class {
	OPERAND_NONE = 0,
	OPERAND_CONST = 1,  /* value */
	OPERAND_REG = 2,    /* base */
	OPERAND_MEMORY = 3, /* *(base + (index << scale) + value) */
};
#define OPERAND_NO_REG 0xff
#define OPERAND_PC                                                                                 \
	32 /* the program counter: its number on arm64; on x86-64 that of no register read here */

struct operand {
	__u8 class;
	__u8 base;
	__u8 index;
	__u8 scale; /* log2 */
	__s8 size;  /* bytes: 1, 2, 4, 8; negative: sign-extend */
	__u8 pad[3];
	__s64 value;
};

/*
 * Tasks of an unmodified Tokio: where the header that the first argument (rdi) points to has what. Its
 * state is at 0 in all versions. HEADER_NONE: not there.
 */
#define HEADER_NONE 0xffff
struct task_header {
	__u16 vtable;    /* in the header: address of the task type's vtable, the task's kind */
	__u16 vtable_id; /* in the vtable: where in the task its id is */
	__u16 id;        /* the same, where the site knows the type; HEADER_NONE: by the vtable */
	__u16 pad;
};

/* How a probe tells a task's kind. */
enum site_kind {
	KIND_NONE = 0,
	KIND_STATIC = 1, /* the second argument: a static descriptor's address, the kind's number */
	KIND_TEXT = 2,   /* strings: arguments KIND_TEXT_*; the number is a hash of them */
	KIND_TEXT_ONCE = 3, /* likewise; the task's other probes do not tell it */
	KIND_OF_TASK = 4,   /* by KIND_TEXT_ONCE. Of WIRE_TERMINATE: to be forgotten */
};
#define KIND_TEXT_FILE 1 /* address of the source file's name */
#define KIND_TEXT_LINE 2
#define KIND_TEXT_NAME 3 /* address of the task's name; OPERAND_NONE: it has none */

#define PROBE_SITES 8192 /* rows of the table */
struct probe_site {
	__u16 source;
	__u8 type;  /* enum wire_type of the signal; for polls WIRE_POLL */
	__u8 kind;  /* enum site_kind; with text there is no argument but the task and these */
	__u32 hits; /* of WIRE_AWAIT, counted by the program; modulo 2^32 */
	struct operand arg[WIRE_SIGNAL_ARGS];
	struct task_header header;
};

/* What the programs do: userspace sets it. */
enum trace_phase {
	PHASE_ATTACHING = 0, /* follow who sleeps, report nothing */
	PHASE_RECORDING = 1,
	PHASE_ENDED = 2, /* report only what was open at the end */
};

/* What the walk over a process's threads is for. */
enum iter_mode {
	ITER_REGISTER = 0, /* take the process's threads in */
	ITER_START = 1,    /* name each thread */
	ITER_END = 2,      /* report what is still open, and totals */
};

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct wire_header) == 16, "wire_header");
_Static_assert(sizeof(struct wire_poll) == 64, "wire_poll");
_Static_assert(sizeof(struct wire_poll_short) == 40, "wire_poll_short");
_Static_assert(sizeof(struct wire_offcpu) == 128 + 8 * WIRE_FRAMES, "wire_offcpu");
_Static_assert(sizeof(struct wire_sample) == 40 + 8 * WIRE_FRAMES, "wire_sample");
_Static_assert(sizeof(struct wire_signal) == 64, "wire_signal");
_Static_assert(sizeof(struct wire_kind) == 32 + WIRE_KIND_TYPE + WIRE_KIND_FILE, "wire_kind");
_Static_assert(sizeof(struct wire_thread) == 40, "wire_thread");
_Static_assert(sizeof(struct wire_thread_totals) == 48, "wire_thread_totals");
_Static_assert(sizeof(struct operand) == 16, "operand");
_Static_assert(sizeof(struct task_header) == 8, "task_header");
_Static_assert(sizeof(struct probe_site) == 96, "probe_site");
#endif

#endif
