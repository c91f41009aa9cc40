/* SPDX-License-Identifier: MIT */
/*
 * The model: what a capture says, as plain data. Made by the correlator (core/correlate.h), read by the
 * emitters. Nothing in it points outside of it; model_free() releases everything.
 *
 * All times are nanoseconds. Identities that hold exactly, for each task, each type, and in sum:
 *
 *	lifetime = scheduled + polling + idle
 *	polling  = on_cpu + runqueue + blocked
 *	blocked  = sum of causes
 *
 * Where polls were sampled (capture.estimated) polls of types are counted and their times, causes and weights
 * are scaled to that; their lifetime, scheduled and idle times are not known, and 0. Percentiles, numbers of
 * tasks, single tasks and slowest polls are of what was timed.
 */
#ifndef POLLSCOPE_CORE_MODEL_H
#define POLLSCOPE_CORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "core/stack_end.h"

struct model_times {
	uint64_t lifetime_ns;
	uint64_t scheduled_ns;
	uint64_t polling_ns;
	uint64_t on_cpu_ns;
	uint64_t runqueue_ns;
	uint64_t blocked_ns;
	uint64_t idle_ns;
};

/* Nearest rank; relative error <= 1 %, max exact. */
struct model_percentiles {
	uint64_t p50, p90, p99, max;
};

/* What stood behind a descriptor. */
struct model_file {
	uint32_t dev;
	uint64_t ino;  /* 0 with dev 0: no file */
	uint32_t mode; /* S_IFMT bits */
	char *name; /* full path where known, else last component, "socket:[ino]", "pipe:[ino]" */
};

/* Blocked time of a task type by cause, kind and target; ordered by total, longest first. */
struct model_cause {
	char *cause; /* a syscall's name, "page-fault", "memory", "stopped", "other", "unknown" (events lost) */
	const char *kind; /* "syscall", "futex", "memory", "stopped", "other" */
	char *target;     /* NULL: none */
	uint64_t count;   /* sleeps, not calls */
	uint64_t total_ns;
	uint64_t max_ns;
};

/* A limit of CPU time on a process, and what it did in the capture: as event_cpu_quota. */
struct model_quota {
	char *cgroup; /* NULL: there is none, as far as was seen */
	uint64_t quota_ns, period_ns;
	uint64_t periods, throttled, throttled_ns;
};

/* One (pid, exec generation). */
struct model_process {
	uint32_t pid;
	uint32_t generation;
	bool launched;
	bool exited;
	int32_t wait_status; /* waitpid's, for one that was launched and has exited; else -1 */
	char *comm, *exe, *command_line;
	uint16_t number; /* that events know it by */
	struct model_quota quota;
};

/* One runtime in one process. */
struct model_source {
	uint32_t process;      /* index into processes */
	uint32_t capabilities; /* enum event_capability */
	char *runtime, *version, *path;
	uint32_t workers; /* as the probes say, else the threads seen as workers */
	uint16_t number;  /* that events know it by */
};

/* Full types behind a short name, ordered; none where no more is known. */
struct model_full {
	char **types;
	size_t count;
};

/* Inside of outermost polls: all of it, and what was off CPU; besides, parked. */
enum model_part {
	MODEL_PART_POLLING,
	MODEL_PART_RUNQUEUE,
	MODEL_PART_BLOCKED,
	MODEL_PART_PARKED,
	MODEL_PARTS
};

/* What a worker did in one slice of the capture. */
struct model_slice {
	uint64_t ns[MODEL_PARTS];
};

struct model_worker {
	uint32_t source;
	uint32_t tid;
	char *name;
	uint64_t polls;       /* where they were sampled, with its share of those skipped */
	uint64_t observed_ns; /* busy + parked; on CPU + run queue + blocked */
	bool has_busy;        /* false: what it was busy and parked is not known, and 0 */
	uint64_t busy_ns;
	uint64_t parked_ns;
	bool has_on_cpu; /* false: nor what it ran, and was off CPU, as where the recording is cut or that was lost */
	uint64_t on_cpu_ns;
	uint64_t runqueue_ns;
	uint64_t blocked_ns;
	uint64_t start_ns; /* observed from here on, since the capture's start */
	/*
	 * model.nslices of them; NULL: it was never seen to poll or park. They hold what was timed, each at its
	 * time: polls that were skipped are in none, and of off-CPU time that was lost only its poll tells.
	 */
	struct model_slice *slices;
};

struct model_type {
	uint32_t source;
	char *name;         /* short; "[unknown]" without a kind; "[block_on NAME]" */
	char *location;     /* "file:line"; "" where unknown */
	bool has_scheduled; /* the probes show wakes: false prints scheduled times as null */
	bool untimed;       /* none of its polls was timed: its times are not known */
	uint64_t tasks, alive, polls;
	uint64_t wakes, redundant_wakes;
	struct model_times times;
	struct model_percentiles poll_ns;
	struct model_percentiles scheduled_wait_ns;
	struct model_cause *causes;
	size_t ncauses;
	struct model_full full;
};

/* What a source's kind is called. Several are one type. */
#define MODEL_NO_TYPE UINT32_MAX
struct model_kind {
	char *name;
	uint32_t type; /* MODEL_NO_TYPE: no task's, or left out by the options */
	bool left_out; /* by them: polled, but not asked for */
};

enum model_state { MODEL_IDLE, MODEL_SCHEDULED, MODEL_POLLING, MODEL_DONE, MODEL_CANCELLED };

struct model_task {
	uint64_t id;
	uint32_t type;
	enum model_state state;
	uint64_t in_progress_ns; /* age of the state at the end; 0 once done */
	uint64_t polls;
	uint64_t max_poll_ns;
	struct model_times times;
	uint64_t serial; /* tasks are numbered as they come: ids may be used again */
};

struct model_slow_poll {
	uint64_t task;
	uint32_t type;
	uint32_t tid;
	uint64_t start_ns; /* since the capture's start */
	uint64_t poll_ns, on_cpu_ns, runqueue_ns, blocked_ns;
	bool in_progress;
	char *cause; /* what blocked it longest; NULL: nothing did */
	uint32_t
		stack; /* of its largest part, where that was longest, or sampled last; MODEL_NO_STACK: none */
};

/* What a poll was long for: blocked only if it was so for longer than anything else. */
enum model_largest { MODEL_LARGEST_ON_CPU, MODEL_LARGEST_RUNQUEUE, MODEL_LARGEST_BLOCKED };

/* Jobs of a blocking pool, by kind. */
struct model_job {
	uint32_t source;
	char *name, *location;
	uint64_t jobs; /* ended */
	uint64_t queued_ns, run_ns;
	struct model_percentiles wait_ns, run;
	uint64_t running; /* not ended; run_ns has the time they took so far */
	bool has_wait;    /* the probes show when jobs are queued */
	struct model_full full;
};

/* A stack as addresses, leaf first, kernel before user. */
#define MODEL_NO_STACK UINT32_MAX
struct model_stack {
	uint32_t process; /* index into processes */
	uint16_t nkernel, nuser;
	uint64_t *frames;
};

enum model_weight_kind {
	MODEL_WEIGHT_ON_CPU, /* sampled: count samples */
	MODEL_WEIGHT_BLOCKED,
	MODEL_WEIGHT_RUNQUEUE,
	MODEL_WEIGHT_SCHEDULED, /* queue delay */
	MODEL_WEIGHT_IDLE, /* sampled: gaps between polls of which it is known where they began */
};

/* Weighted stacks, the stuff of flamegraphs: one for each distinct combination. */
struct model_weight {
	enum model_weight_kind kind;
	uint32_t type;  /* innermost task's type */
	uint64_t task;  /* its id where the correlator was asked for it by task; else 0 */
	uint32_t tid;   /* thread likewise, by worker; else 0, as for MODEL_WEIGHT_IDLE */
	uint32_t stack; /* MODEL_NO_STACK: none */
	char *cause; /* MODEL_WEIGHT_BLOCKED: as in model_cause; MODEL_WEIGHT_SCHEDULED: waker's type name, thread's
			     name, "[interrupt]", "[kernel]", "[spawned]" or "[unknown]"; else NULL */
	uint64_t count; /* samples, sleeps, waits or gaps */
	uint64_t ns;    /* exact; of MODEL_WEIGHT_ON_CPU samples x period */
	/* MODEL_WEIGHT_IDLE: sums over its gaps (core/strata.h); else 0. */
	uint64_t whole_ns;      /* of all gaps that each stands for, an estimate */
	double squares;         /* of these ns squared, each gap's */
	double sampled_squares; /* of these ns, times the gap's own */
};

/* Exact time of a root that weights have. */
struct model_root {
	uint32_t type;
	uint64_t task;
	uint32_t tid;
	uint64_t ns;
};

/* One resolved address; frames innermost first. */
struct model_frame {
	char *function;
	char *file; /* "" where unknown */
	uint32_t line;
};
struct model_symbol {
	uint32_t process; /* EVENT_NO_PROCESS: kernel */
	uint64_t address;
	bool is_return;
	uint32_t nframes;
	struct model_frame *frames;
};

struct model_module {
	uint32_t process;
	uint64_t start, end, file_offset;
	char *path, *build_id;
};

struct model_lost {
	uint32_t type; /* enum event_type, 0: unknown */
	uint64_t count;
};

struct model_capture {
	char *kernel, *arch, *tool_version, *command_line;
	uint32_t ncpus;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	uint64_t start_unix_ns;
	uint64_t duration_ns;
	uint64_t sample_period_ns;
	uint32_t end_reason; /* enum event_end_reason; 0: the recording is cut */
	uint64_t events;     /* fed, without the descriptive ones */
	uint64_t events_lost;
	struct model_lost *lost; /* by type, counts > 0 only, ordered by type */
	size_t nlost;
	uint64_t damaged_chunks; /* of the recording: left out, or missing; bytes: of no chunk */
	uint64_t damaged_bytes;
	uint64_t unread_events; /* that make no sense, or of unknown types */
	uint64_t late;          /* events that came out of order */
	uint64_t unmatched_wakes;
	uint64_t redundant_wakes;
	uint64_t uncertain_ns;
	uint64_t probe_overhead_ns;
	bool estimated; /* polls were sampled: one in sampled_one_in timed */
	uint32_t sampled_one_in;
	uint64_t sampled_since_ns; /* since the capture's start; before, all were timed */
	uint64_t nested_polls; /* polls inside another: types may sum to more than worker time */
	uint64_t truncated_stacks;
	uint64_t unwound_stacks; /* user stacks that were unwound by tables, and how they ended: */
	uint64_t unwound_ends[STACK_ENDS];
};

struct model {
	struct model_capture capture;
	struct model_process *processes;
	size_t nprocesses;
	struct model_source *sources;
	size_t nsources;
	struct model_worker *workers; /* by (process, tid) */
	size_t nworkers;
	uint64_t slice_ns; /* length of a worker's slices, from the capture's start on */
	size_t nslices;
	struct model_type *types; /* by polling time, longest first; then name, location */
	size_t ntypes;
	struct model_kind *kinds;
	size_t nkinds;
	struct model_task *tasks; /* longest poll first, then longest-lived, then id */
	size_t ntasks;
	struct model_slow_poll *slowest; /* longest first */
	size_t nslowest;
	struct model_job *jobs; /* by run time */
	size_t njobs;
	struct model_stack *stacks;
	size_t nstacks;
	struct model_weight *weights; /* stable order: kind, type, task, tid, stack, cause */
	size_t nweights;
	struct model_root *on_cpu; /* of polls, innermost charged; by type, task, tid */
	size_t non_cpu;
	struct model_root *idle; /* in the same order; none by worker: who waits is on no thread */
	size_t nidle;
	struct model_symbol *symbols; /* by (process, address, is_return) */
	size_t nsymbols;
	struct model_module *modules;
	size_t nmodules;
};

/* Frees the model and all it holds; NULL is fine. */
void model_free(struct model *model);

enum model_largest model_poll_largest(const struct model_slow_poll *poll);

/*
 * Looks an address up. Returns NULL where it was not symbolized. `process` is an index into processes, or
 * EVENT_NO_PROCESS for a kernel address.
 */
const struct model_symbol *model_symbol(const struct model *model, uint32_t process,
					uint64_t address, bool is_return);

#endif
