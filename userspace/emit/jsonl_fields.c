// SPDX-License-Identifier: MIT
#include "emit/jsonl_fields.h"

#include <stddef.h>

#define FIELD(name, member, form, about)                                                           \
	{                                                                                          \
		name, offsetof(struct event, member), sizeof(((struct event *)0)->member), form,   \
			about                                                                      \
	}

#define EVENT(about, ...)                                                                          \
	{                                                                                          \
		about, (const struct jsonl_field[]){__VA_ARGS__},                                  \
			sizeof((const struct jsonl_field[]){__VA_ARGS__}) /                        \
				sizeof(struct jsonl_field)                                         \
	}

#define TASK "the task's id, unique among the living ones of its source"
#define KIND "the task's kind: the event `kind` tells its type"
#define PROCESS "the process's number: the event `process` tells which"

const struct jsonl_field jsonl_common[JSONL_COMMON] = {
	FIELD("time_ns", time, JSONL_NUMBER,
	      "when it happened, or ended: CLOCK_MONOTONIC, as all times"),
	FIELD("tid", tid, JSONL_POSITIVE, "the thread"),
	FIELD("source", source, JSONL_NUMBER_OR_NULL,
	      "the runtime: the event `source` tells which"),
};

#define WORKER(about)                                                                              \
	EVENT(about, FIELD("index", worker.index, JSONL_NUMBER_OR_NULL, "the worker's, from 0"),   \
	      FIELD("workers", worker.workers, JSONL_NUMBER_OR_NULL, "how many the runtime has"),  \
	      FIELD("runtime", worker.runtime, JSONL_ID, "which one of its source"),               \
	      FIELD("flags", flags, JSONL_FLAGS, "what is special"))

#define JOB                                                                                        \
	FIELD("job", blocking.job, JSONL_ID, "the job's id"),                                      \
		FIELD("kind", blocking.kind, JSONL_ID, "the job's kind")

#define BLOCK_ON(about)                                                                            \
	EVENT(about, FIELD("task", block_on.task, JSONL_ID, "the pseudo-task's id"),               \
	      FIELD("kind", block_on.kind, JSONL_ID, KIND))

const struct jsonl_event jsonl_events[EVENT_TYPES] = {
	[EVENT_CAPTURE_START] = EVENT(
		"the probes are in place: the first line",
		FIELD("unix_ns", capture_start.unix_ns, JSONL_NUMBER, "CLOCK_REALTIME at time_ns"),
		FIELD("sample_period_ns", capture_start.sample_period_ns, JSONL_NUMBER,
		      "CPU time between samples; 0: none are taken"),
		FIELD("ncpus", capture_start.ncpus, JSONL_NUMBER, "CPUs of the machine"),
		FIELD("kernel", capture_start.kernel, JSONL_TEXT, "uname's release"),
		FIELD("arch", capture_start.arch, JSONL_TEXT, "uname's machine"),
		FIELD("tool_version", capture_start.tool_version, JSONL_TEXT, "pollscope's"),
		FIELD("command_line", capture_start.command_line, JSONL_TEXT, "pollscope's")),
	[EVENT_CAPTURE_END] = EVENT("the capture ended; symbols and kinds may follow",
				    FIELD("reason", capture_end.reason, JSONL_END, "why")),
	[EVENT_PROCESS] =
		EVENT("a process, or what it has become by exec",
		      FIELD("process", process.process, JSONL_NUMBER, "its number, from 0"),
		      FIELD("pid", process.pid, JSONL_NUMBER, "its id"),
		      FIELD("generation", process.generation, JSONL_NUMBER,
			    "0, and one more for each exec"),
		      FIELD("launched", process.launched, JSONL_BOOL, "by pollscope"),
		      FIELD("comm", process.comm, JSONL_TEXT, "its name"),
		      FIELD("exe", process.exe, JSONL_TEXT, "its executable"),
		      FIELD("command_line", process.command_line, JSONL_TEXT, "its arguments")),
	[EVENT_SOURCE] = EVENT(
		"a runtime in a process",
		FIELD("number", source_info.source, JSONL_NUMBER, "what other lines call `source`"),
		FIELD("process", source_info.process, JSONL_NUMBER_OR_NULL, PROCESS),
		FIELD("capabilities", source_info.capabilities, JSONL_CAPABILITIES,
		      "what its probes show"),
		FIELD("runtime", source_info.runtime, JSONL_TEXT, "its name"),
		FIELD("version", source_info.version, JSONL_TEXT, "\"\" where unknown"),
		FIELD("path", source_info.path, JSONL_TEXT, "the file that holds its probes")),
	[EVENT_MODULE] = EVENT(
		"a file that is mapped executable in a process",
		FIELD("process", module.process, JSONL_NUMBER_OR_NULL,
		      "its number; null: the kernel"),
		FIELD("start", module.start, JSONL_ADDRESS, "first address"),
		FIELD("end", module.end, JSONL_ADDRESS, "past the last address"),
		FIELD("file_offset", module.file_offset, JSONL_NUMBER, "of `start` in the file"),
		FIELD("path", module.path, JSONL_TEXT, "the file"),
		FIELD("build_id", module.build_id, JSONL_TEXT, "in hex; \"\": it has none")),
	[EVENT_KIND] =
		EVENT("what the tasks or jobs of a kind are called",
		      FIELD("kind", kind.kind, JSONL_ID, "the number, of this source"),
		      FIELD("name", kind.type, JSONL_TEXT,
			    "the task type, short; \"\": only its place is known"),
		      FIELD("file", kind.file, JSONL_TEXT, "where it is from"),
		      FIELD("line", kind.line, JSONL_NUMBER, "likewise; 0 where unknown"),
		      FIELD("full", kind.full, JSONL_TEXT, "the full type; \"\": `name` is all"),
		      FIELD("unreadable", kind.unreadable, JSONL_BOOL,
			    "the program's memory could not be read")),
	[EVENT_THREAD] = EVENT("a thread is called so from now on",
			       FIELD("process", thread.process, JSONL_NUMBER_OR_NULL, PROCESS),
			       FIELD("pid", thread.pid, JSONL_NUMBER, "of its process"),
			       FIELD("comm", thread.comm, JSONL_TEXT, "its name")),
	[EVENT_THREAD_TOTALS] = EVENT(
		"a thread's time off CPU, inside polls and outside; the last one counts",
		FIELD("process", thread_totals.process, JSONL_NUMBER_OR_NULL, PROCESS),
		FIELD("exited", thread_totals.exited, JSONL_BOOL, "the thread has"),
		FIELD("since_ns", thread_totals.since, JSONL_NUMBER, "from then on"),
		FIELD("blocked_ns", thread_totals.blocked_ns, JSONL_NUMBER, "asleep"),
		FIELD("runqueue_ns", thread_totals.runqueue_ns, JSONL_NUMBER, "waiting for a CPU")),
	[EVENT_PROCESS_EXIT] =
		EVENT("a process ended",
		      FIELD("process", process_exit.process, JSONL_NUMBER_OR_NULL, PROCESS),
		      FIELD("wait_status", process_exit.wait_status, JSONL_SIGNED,
			    "as wait(2) has it, of one that was launched")),
	[EVENT_PATH] = EVENT("the path of a file that was behind a descriptor",
			     FIELD("dev", path.dev, JSONL_NUMBER, "its device"),
			     FIELD("ino", path.ino, JSONL_ID, "its inode"),
			     FIELD("path", path.path, JSONL_TEXT, "its name")),
	[EVENT_SYMBOL] =
		EVENT("what an address in a stack is called",
		      FIELD("process", symbol.process, JSONL_NUMBER_OR_NULL,
			    "its number; null: the kernel"),
		      FIELD("address", symbol.address, JSONL_ADDRESS, "as it stands in stacks"),
		      FIELD("is_return", symbol.is_return, JSONL_BOOL,
			    "it stands above a leaf: the call before it is meant"),
		      FIELD("frames", symbol, JSONL_FRAMES,
			    "inlined functions innermost first, then the one that holds them")),
	[EVENT_LOST] = EVENT("events that the buffers had no room for",
			     FIELD("event", lost.type, JSONL_EVENT, "their type"),
			     FIELD("count", lost.count, JSONL_NUMBER, "how many"),
			     FIELD("since_ns", lost.since, JSONL_NUMBER, "none of them is older")),
	[EVENT_OVERHEAD] =
		EVENT("what a probe costs: of the source, or of all that have none of their own",
		      FIELD("poll_ns", overhead.poll_ns, JSONL_NUMBER, "a poll's start and end"),
		      FIELD("signal_ns", overhead.signal_ns, JSONL_NUMBER, "any other"),
		      FIELD("skip_ns", overhead.skip_ns, JSONL_NUMBER, "a poll that is left out"),
		      FIELD("await_ns", overhead.await_ns, JSONL_NUMBER,
			    "all probes where tasks wait, so far")),
	[EVENT_POLL] = EVENT(
		"a poll; time_ns is its end", FIELD("task", poll.task, JSONL_ID, TASK),
		FIELD("kind", poll.kind, JSONL_ID, KIND),
		FIELD("start_ns", poll.start, JSONL_NUMBER, "when it began"),
		FIELD("blocked_ns", poll.blocked_ns, JSONL_NUMBER, "of it, asleep"),
		FIELD("runqueue_ns", poll.runqueue_ns, JSONL_NUMBER, "of it, waiting for a CPU"),
		FIELD("local_depth", poll.local_depth, JSONL_NUMBER_OR_NULL,
		      "tasks in the worker's queue at its start"),
		FIELD("inject_depth", poll.inject_depth, JSONL_NUMBER_OR_NULL,
		      "tasks in the injection queue at its start"),
		FIELD("depth", poll.depth, JSONL_NUMBER, "polls that are open around it"),
		FIELD("flags", flags, JSONL_FLAGS, "what is special")),
	[EVENT_OFFCPU] = EVENT(
		"off CPU inside a poll; time_ns is when the thread ran again",
		FIELD("task", offcpu.task, JSONL_ID_OR_NULL, TASK),
		FIELD("kind", offcpu.kind, JSONL_ID_OR_NULL, KIND),
		FIELD("out_ns", offcpu.out, JSONL_NUMBER, "when it left the CPU"),
		FIELD("wake_ns", offcpu.wake, JSONL_NUMBER,
		      "blocked until then, on the run queue from then on"),
		FIELD("cause", offcpu.cause, JSONL_CAUSE, "why"),
		FIELD("syscall", offcpu.syscall, JSONL_SIGNED,
		      "number of the system call it was in"),
		FIELD("syscall_name", offcpu.syscall, JSONL_SYSCALL, "its name, where known"),
		FIELD("waker", offcpu.waker, JSONL_WAKER, "who woke the thread"),
		FIELD("waker_source", offcpu.waker_source, JSONL_NUMBER_OR_NULL,
		      "the waker's runtime"),
		FIELD("waker_tid", offcpu.waker_tid, JSONL_POSITIVE, "the waker's thread"),
		FIELD("waker_task", offcpu.waker_task, JSONL_ID_OR_NULL,
		      "the task that it was polling"),
		FIELD("file_dev", offcpu.file_dev, JSONL_NUMBER,
		      "device of the file behind the call's descriptor"),
		FIELD("file_ino", offcpu.file_ino, JSONL_ID_OR_NULL, "its inode; null: no file"),
		FIELD("file_mode", offcpu.file_mode, JSONL_NUMBER, "its type: S_IFMT bits"),
		FIELD("file_name", offcpu.file_name, JSONL_TEXT, "last component of its name"),
		FIELD("kernel_stack", offcpu.stack, JSONL_ADDRESSES_KERNEL, "leaf first"),
		FIELD("user_stack", offcpu.stack, JSONL_ADDRESSES_USER, "leaf first"),
		FIELD("flags", flags, JSONL_FLAGS, "what is special")),
	[EVENT_SAMPLE] = EVENT(
		"a sample of what ran inside a poll", FIELD("task", sample.task, JSONL_ID, TASK),
		FIELD("kind", sample.kind, JSONL_ID, KIND),
		FIELD("kernel_stack", sample.stack, JSONL_ADDRESSES_KERNEL, "leaf first"),
		FIELD("user_stack", sample.stack, JSONL_ADDRESSES_USER, "leaf first")),
	[EVENT_SPAWN] =
		EVENT("a task was spawned", FIELD("task", spawn.task, JSONL_ID, TASK),
		      FIELD("kind", spawn.kind, JSONL_ID, KIND),
		      FIELD("parent", spawn.parent, JSONL_ID_OR_NULL, "the task that spawned it")),
	[EVENT_WAKE] = EVENT("a task was woken", FIELD("task", wake.task, JSONL_ID, TASK),
			     FIELD("waker_task", wake.waker_task, JSONL_ID_OR_NULL,
				   "the task that the thread was polling")),
	[EVENT_ABORT] = EVENT("a task was told to end", FIELD("task", abort.task, JSONL_ID, TASK)),
	[EVENT_TERMINATE] =
		EVENT("a task ended", FIELD("task", terminate.task, JSONL_ID, TASK),
		      FIELD("cancelled", terminate.cancelled, JSONL_BOOL, "else it completed"),
		      FIELD("kind", terminate.kind, JSONL_ID_OR_NULL, KIND)),
	[EVENT_WORKER_START] = WORKER("a worker began"),
	[EVENT_WORKER_STOP] = WORKER("a worker ended"),
	[EVENT_PARK] = WORKER("a worker has nothing to do"),
	[EVENT_UNPARK] = WORKER("a worker goes on"),
	[EVENT_BLOCKING_QUEUE] = EVENT(
		"a job was handed to the blocking pool", JOB,
		FIELD("queued", blocking.depth, JSONL_NUMBER_OR_NULL, "jobs in the pool's queue"),
		FIELD("threads", blocking.threads, JSONL_NUMBER_OR_NULL, "threads of the pool"),
		FIELD("max_threads", blocking.max_threads, JSONL_NUMBER_OR_NULL,
		      "the most that it may have")),
	[EVENT_BLOCKING_START] = EVENT("a job of the blocking pool began", JOB),
	[EVENT_BLOCKING_END] = EVENT("a job of the blocking pool ended", JOB),
	[EVENT_BLOCK_ON_ENTER] = BLOCK_ON("a thread drives a future until it is ready"),
	[EVENT_BLOCK_ON_EXIT] = BLOCK_ON("that future is ready"),
	[EVENT_SAMPLING] =
		EVENT("from here on polls are sampled, and no wake is recorded",
		      FIELD("one_in", sampling.one_in, JSONL_NUMBER, "one poll in so many is")),
	[EVENT_SKIPPED] = EVENT("polls of a kind that sampling left out; the last one counts",
				FIELD("kind", skipped.kind, JSONL_ID, KIND),
				FIELD("polls", skipped.polls, JSONL_NUMBER, "how many so far")),
	[EVENT_AWAIT] =
		EVENT("a poll gave its waker away: what its task waits for, if it ends pending",
		      FIELD("task", sample.task, JSONL_ID, TASK),
		      FIELD("kind", sample.kind, JSONL_ID, KIND),
		      FIELD("user_stack", sample.stack, JSONL_ADDRESSES_USER, "leaf first")),
	[EVENT_CPU_QUOTA] = EVENT(
		"a cgroup's limit of CPU time on a process, and what it has done so far; the last "
		"one counts",
		FIELD("process", cpu_quota.process, JSONL_NUMBER_OR_NULL, PROCESS),
		FIELD("quota_ns", cpu_quota.quota_ns, JSONL_NUMBER, "CPU time in each period"),
		FIELD("period_ns", cpu_quota.period_ns, JSONL_NUMBER, "how long one is"),
		FIELD("periods", cpu_quota.periods, JSONL_NUMBER, "in which something ran"),
		FIELD("throttled_periods", cpu_quota.throttled, JSONL_NUMBER,
		      "of these, in which it was stopped"),
		FIELD("throttled_ns", cpu_quota.throttled_ns, JSONL_NUMBER,
		      "for so long, summed over CPUs"),
		FIELD("cgroup", cpu_quota.cgroup, JSONL_TEXT, "its path")),
};
