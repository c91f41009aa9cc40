/* SPDX-License-Identifier: MIT */
/*
 * Events: what a capture is made of, live or replayed.
 *
 * Everything that the core knows arrives as a struct event, in the order of `time`: what the kernel side
 * measured, and what userspace learnt while capturing (targets, modules, losses, symbols). A recording is
 * a sequence of them; what consumes events cannot tell whether they are live.
 *
 * Times are CLOCK_MONOTONIC nanoseconds. Process and source numbers are dense and start at 0: a process
 * is a (pid, exec generation), a source one runtime in one process. Strings and frames belong to the
 * giver and are valid during the call only; strings are never NULL, UTF-8, without control characters.
 */
#ifndef POLLSCOPE_CORE_EVENT_H
#define POLLSCOPE_CORE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#define EVENT_UNKNOWN UINT64_MAX    /* an argument that the probes could not show */
#define EVENT_NO_DEPTH UINT32_MAX   /* same, for queue depths */
#define EVENT_NO_PROCESS UINT16_MAX /* the kernel, in EVENT_MODULE and EVENT_SYMBOL */
#define EVENT_NO_SOURCE UINT16_MAX

/* Values are stored in recordings: append only. */
enum event_type {
	EVENT_CAPTURE_START = 1,
	EVENT_CAPTURE_END = 2,
	EVENT_PROCESS = 3,
	EVENT_SOURCE = 4,
	EVENT_MODULE = 5,
	EVENT_KIND = 6,
	EVENT_THREAD = 7,
	EVENT_THREAD_TOTALS = 8,
	EVENT_PROCESS_EXIT = 9,
	EVENT_PATH = 10,
	EVENT_SYMBOL = 11,
	EVENT_LOST = 12,
	EVENT_OVERHEAD = 13,
	EVENT_POLL = 14,
	EVENT_OFFCPU = 15,
	EVENT_SAMPLE = 16,
	EVENT_SPAWN = 17,
	EVENT_WAKE = 18,
	EVENT_ABORT = 19,
	EVENT_TERMINATE = 20,
	EVENT_WORKER_START = 21,
	EVENT_WORKER_STOP = 22,
	EVENT_PARK = 23,
	EVENT_UNPARK = 24,
	EVENT_BLOCKING_QUEUE = 25,
	EVENT_BLOCKING_START = 26,
	EVENT_BLOCKING_END = 27,
	EVENT_BLOCK_ON_ENTER = 28,
	EVENT_BLOCK_ON_EXIT = 29,
	EVENT_SAMPLING = 30,
	EVENT_SKIPPED = 31,
	EVENT_AWAIT = 32,
	EVENT_CPU_QUOTA = 33,
	EVENT_TYPES = 34, /* one past the last */
};

/* What a runtime's probes can show: bits of event_source.capabilities. */
enum event_capability {
	EVENT_CAN_POLL = 1 << 0,
	EVENT_CAN_WAKE = 1 << 1,
	EVENT_CAN_SPAWN = 1 << 2,
	EVENT_CAN_TERMINATE = 1 << 3,
	EVENT_CAN_ABORT = 1 << 4,
	EVENT_CAN_WORKER = 1 << 5,   /* start, stop */
	EVENT_CAN_PARK = 1 << 6,     /* park, unpark */
	EVENT_CAN_BLOCKING = 1 << 7, /* blocking pool */
	EVENT_CAN_BLOCK_ON = 1 << 8,
	/* Not a signal: a task that ended leaves its id to others. */
	EVENT_IDS_REUSED = 1 << 9,
	/* Nor this: a poll's end is told by its function's return, when another thread may have polled the
	 * task again, to its end even. */
	EVENT_POLLS_OVERLAP = 1 << 10,
	EVENT_CAN_AWAIT = 1 << 11, /* where a task waits; taken now and then */
	/* Not a signal: the kernel refused the probes of that one. */
	EVENT_AWAITS_REFUSED = 1 << 12,
};

/* The bits that are no signals. */
#define EVENT_NO_SIGNALS (EVENT_IDS_REUSED | EVENT_POLLS_OVERLAP | EVENT_AWAITS_REFUSED)

/* Addresses, leaf first: the kernel's, then the program's. User addresses above the leaf are return
 * addresses: look up address - 1. */
struct event_stack {
	const uint64_t *frames;
	uint16_t nkernel;
	uint16_t nuser;
};

/* First event. time: when programs began to record. */
struct event_capture_start {
	uint64_t unix_ns;          /* CLOCK_REALTIME at time */
	uint64_t sample_period_ns; /* of CPU time; 0: no samples taken */
	uint32_t ncpus;
	const char *kernel; /* uname release */
	const char *arch;   /* uname machine: decides how syscalls are named */
	const char *tool_version;
	const char *command_line; /* pollscope's own */
};

enum event_end_reason {
	EVENT_END_DURATION = 1,
	EVENT_END_INTERRUPTED = 2,
	EVENT_END_TARGET_EXITED = 3,
};

/* time: when programs stopped recording. Symbols may follow. */
struct event_capture_end {
	uint32_t reason; /* enum event_end_reason */
};

struct event_process {
	uint16_t process;
	uint32_t pid;
	uint32_t generation; /* 0, then one more for each exec seen */
	uint8_t launched;    /* started by pollscope */
	const char *comm;
	const char *exe;
	const char *command_line;
};

/* How a process ended. For one that was launched, wait_status is waitpid's; else -1: unknown. */
struct event_process_exit {
	uint16_t process;
	int32_t wait_status;
};

struct event_source {
	uint16_t source;
	uint16_t process;
	uint32_t capabilities; /* enum event_capability */
	const char *runtime;   /* adapter's name: "pollrt" */
	const char *version;   /* "" where unknown */
	const char *path;      /* module that holds the probes */
};

/* A file mapped executable in a process. */
struct event_module {
	uint16_t process;
	uint64_t start, end;  /* addresses */
	uint64_t file_offset; /* of start */
	const char *path;
	const char *build_id; /* hex; "" where there is none */
};

/*
 * What `kind` means in a source. Comes before the first event that mentions it (unless lost), or, where only
 * userspace can tell, some time later. Several kinds may be called the same.
 */
struct event_kind {
	uint64_t kind;
	uint32_t line;
	bool unreadable;
	const char *type; /* short; "": it has no name but file and line */
	const char *file;
	const char *full; /* the full type; "": no more is known than `type` */
};

/* tid of the event is a thread of this process, called comm from now on. */
struct event_thread {
	uint16_t process;
	uint32_t pid;
	const char *comm;
};

/* Off-CPU time of the event's thread since `since`, inside and outside of polls. Last one counts. */
struct event_thread_totals {
	uint16_t process;
	bool exited;
	uint64_t since;
	uint64_t blocked_ns;
	uint64_t runqueue_ns;
};

/* The path of a file seen behind a descriptor, where its inode still matched. */
struct event_path {
	uint32_t dev;
	uint64_t ino;
	const char *path;
};

struct event_frame {
	const char *function;
	const char *file; /* "" where unknown */
	uint32_t line;    /* 0 where unknown */
};

/* What an address is called: the inlined functions innermost first, at last the one that holds them. */
struct event_symbol {
	uint16_t process; /* EVENT_NO_PROCESS: a kernel address */
	/* As it stands in a stack; of a return address the call before it was looked up. */
	uint64_t address;
	bool is_return;   /* address stands above a leaf */
	uint32_t nframes; /* >= 1 */
	const struct event_frame *frames;
};

/* Events of one kind that the rings had no room for. time: when it was noticed. */
struct event_lost {
	uint32_t type; /* enum event_type of what was lost; 0: unknown */
	uint64_t count;
	uint64_t since; /* none of them is older */
};

/* Measured cost of the probes themselves: of the event's source, or of all that have none of their own. */
struct event_overhead {
	uint64_t poll_ns;   /* start and end together */
	uint64_t signal_ns; /* any other probe */
	uint64_t skip_ns;   /* a poll that is left out (EVENT_SKIPPED) */
	uint64_t
		await_ns; /* all that the probes where tasks wait have cost so far: last one counts */
};

/* From here on polls are sampled: one in one_in, picked at random, is recorded, and no wake is. */
struct event_sampling {
	uint32_t one_in;
};

/*
 * Polls of a kind of the event's source that were left out since EVENT_SAMPLING: how many so far, counted,
 * not estimated. May come more than once: the last one counts.
 */
struct event_skipped {
	uint64_t kind;
	uint64_t polls;
};

/*
 * A limit of CPU time on a process, its cgroup's or that of one around it, and what it has done since the capture's
 * start or since the process came under it. The last one told of a process counts.
 */
struct event_cpu_quota {
	uint16_t process;
	uint64_t quota_ns; /* of CPU time, in each period */
	uint64_t period_ns;
	uint64_t periods;      /* in which something ran */
	uint64_t throttled;    /* of these, in which it was stopped */
	uint64_t throttled_ns; /* for so long, summed over CPUs */
	const char *cgroup;    /* its path in its hierarchy */
};

/* event.flags of EVENT_POLL, EVENT_OFFCPU, EVENT_SAMPLE and EVENT_AWAIT */
#define EVENT_READY 0x01       /* poll: the future completed */
#define EVENT_CLIPPED 0x02     /* began before the capture, start is a bound */
#define EVENT_IN_PROGRESS 0x04 /* had not ended when the capture or its thread did */
#define EVENT_UNCERTAIN 0x08 /* poll: a switch back in was missed, off-CPU times are lower bounds */
#define EVENT_UNSETTLED                                                                            \
	0x10 /* off-CPU: not known whether inside a poll that began before the capture */
#define EVENT_UNWOUND                                                                              \
	0x20 /* off-CPU, sample, await: the user stack was unwound by tables (core/stack_end.h) */

#define EVENT_AT_TIMER                                                                             \
	0x40 /* await: a timer's, which gives wakers away when its time has come, too */

/* event.flags of EVENT_WORKER_START, EVENT_WORKER_STOP, EVENT_PARK and EVENT_UNPARK */
#define EVENT_INSIDE                                                                               \
	0x80 /* of a poll: one that drives a runtime of its own, or hands its worker over */

/* A poll that ended at time. Off-CPU times include those of polls nested in it. */
struct event_poll {
	uint64_t task;
	uint64_t kind;
	uint64_t start;
	uint64_t blocked_ns;
	uint64_t runqueue_ns;
	uint32_t local_depth;
	uint32_t inject_depth;
	uint8_t depth; /* polls open around it on its thread */
};

/* Values are stored in recordings: append only. */
enum event_cause {
	EVENT_CAUSE_RUNQUEUE = 1, /* preempted: never blocked */
	EVENT_CAUSE_SYSCALL = 2,
	EVENT_CAUSE_PAGE_FAULT = 3, /* waits for a page's data */
	EVENT_CAUSE_MEMORY = 4,     /* mmap_lock, reclaim */
	EVENT_CAUSE_STOPPED = 5,    /* stopped, traced, frozen */
	EVENT_CAUSE_OTHER = 6,
};

enum event_waker {
	EVENT_WAKER_NONE = 0,
	EVENT_WAKER_THREAD = 1,
	EVENT_WAKER_INTERRUPT = 2,
	EVENT_WAKER_KERNEL = 3,
};

/* Off CPU inside a poll from out to time: blocked from out to wake, on the run queue from wake to time. */
struct event_offcpu {
	uint64_t task; /* of the innermost open poll; 0: none known (EVENT_UNSETTLED) */
	uint64_t kind;
	uint64_t out;
	uint64_t wake; /* out <= wake <= time */
	uint8_t cause; /* enum event_cause */
	uint8_t waker; /* enum event_waker */
	uint16_t waker_source;
	uint32_t waker_tid;
	uint64_t waker_task; /* 0: none */
	int32_t syscall;     /* -1: none */
	uint32_t file_dev;   /* with file_ino 0: no file */
	uint64_t file_ino;
	uint32_t file_mode; /* S_IFMT bits */
	const char *file_name;
	struct event_stack stack;
};

/*
 * EVENT_SAMPLE: on the CPU inside of a poll. EVENT_AWAIT: inside of the poll that is open on its thread, the
 * task gave its waker away: if it ends pending, the task waits for what the stack shows; of several in one
 * poll, for the first that is no timer's, or else the last. Not of each poll: of at most so many a second of
 * each kind.
 */
struct event_sample {
	uint64_t task;
	uint64_t kind;
	struct event_stack stack;
};

/* The arguments of the `pollrt` contract; EVENT_UNKNOWN where the probes did not show one. */
struct event_spawn {
	uint64_t task, kind, parent;
};
struct event_wake {
	uint64_t task;
	uint64_t waker_task; /* the task that the event's thread was polling; 0: none */
};
struct event_abort {
	uint64_t task;
};
struct event_terminate {
	uint64_t task;
	uint8_t cancelled;
	uint64_t kind; /* 0: not told */
};
struct event_worker { /* WORKER_START, WORKER_STOP, PARK, UNPARK */
	uint32_t index;
	uint32_t workers;
	uint64_t runtime;
};
struct event_blocking { /* BLOCKING_QUEUE (all), BLOCKING_START, BLOCKING_END (job and kind) */
	uint64_t job, kind;
	uint32_t depth, threads, max_threads;
};
struct event_block_on { /* BLOCK_ON_ENTER, BLOCK_ON_EXIT */
	uint64_t task, kind;
};

struct event {
	uint64_t time;
	uint32_t tid;    /* 0: none */
	uint16_t source; /* EVENT_NO_SOURCE: none */
	uint8_t type;    /* enum event_type */
	uint8_t flags;
	union {
		struct event_capture_start capture_start;
		struct event_capture_end capture_end;
		struct event_process process;
		struct event_process_exit process_exit;
		struct event_source source_info;
		struct event_module module;
		struct event_kind kind;
		struct event_thread thread;
		struct event_thread_totals thread_totals;
		struct event_path path;
		struct event_symbol symbol;
		struct event_lost lost;
		struct event_overhead overhead;
		struct event_poll poll;
		struct event_offcpu offcpu;
		struct event_sample sample;
		struct event_spawn spawn;
		struct event_wake wake;
		struct event_abort abort;
		struct event_terminate terminate;
		struct event_worker worker;
		struct event_blocking blocking;
		struct event_block_on block_on;
		struct event_sampling sampling;
		struct event_skipped skipped;
		struct event_cpu_quota cpu_quota;
	};
};

/*
 * Whether a probe was hit for it that is no poll's. What kind of task completed is told by the probe at the
 * return of its last poll.
 */
static inline bool event_is_signal(const struct event *event)
{
	if (event->type == EVENT_TERMINATE)
		return !event->terminate.kind || event->terminate.cancelled;
	return event->type >= EVENT_SPAWN && event->type <= EVENT_BLOCK_ON_EXIT;
}

/*
 * Whoever takes events: the correlator, a recording being written, a tool that prints them. Returns 0, or
 * a negative errno that ends the capture or replay.
 */
struct event_sink {
	int (*take)(struct event_sink *sink, const struct event *event);
	/* May be NULL. Now and then in a capture: what was taken is to outlive us. Returns as take(). */
	int (*flush)(struct event_sink *sink);
};

#endif
