// SPDX-License-Identifier: MIT
#include "cli/option_table.h"

#include <stddef.h>

#include "cli/options.h"

#define RECORD (1u << COMMAND_RECORD)
#define REPORT (1u << COMMAND_REPORT)
#define FLAME (1u << COMMAND_FLAME)
#define EXPORT (1u << COMMAND_EXPORT)
#define INFO (1u << COMMAND_INFO)
#define DOCTOR (1u << COMMAND_DOCTOR)
#define CAPTURING (RECORD | REPORT | FLAME | EXPORT)
#define ALL (CAPTURING | INFO | DOCTOR)

const struct option_info option_table[] = {
	{"pid", OPTION_PID, "PID[,PID...]", GROUP_TARGET, CAPTURING | DOCTOR,
	 "trace these running processes", "process ids, separated by commas"},
	{"name", OPTION_NAME, "NAME", GROUP_TARGET, CAPTURING | DOCTOR,
	 "trace all processes whose comm or executable is called NAME", "a process's name"},

	{"duration", OPTION_DURATION, "DUR", GROUP_CAPTURE, CAPTURING,
	 "stop after DUR: 500ms, 10s, 2m (default: at Ctrl-C, or when the target exits)",
	 "a time like 500ms, 10s or 2m"},
	{"freq", OPTION_FREQ, "HZ", GROUP_CAPTURE, CAPTURING,
	 "samples of each thread's stack per second on CPU, 0 for none (default 99)",
	 "a number from 0 to 10000"},
	{"await-stacks", OPTION_AWAIT_STACKS, "N", GROUP_CAPTURE, CAPTURING,
	 "stacks of where tasks wait, per second of each kind of task, 0 for none (default 100)",
	 "a number from 0 to 1000"},
	{"runtime", OPTION_RUNTIME, "NAME", GROUP_CAPTURE, CAPTURING | DOCTOR,
	 "take the runtime to be this one instead of detecting it: tokio, pollrt or usdt:PROVIDER",
	 "tokio, pollrt or usdt:PROVIDER"},
	{"sample", OPTION_SAMPLE, "N", GROUP_CAPTURE, CAPTURING,
	 "time one poll in N, and estimate sums; 1: each (default: each, while that is cheap)",
	 "a number from 1 to 1000000"},
	{"max-overhead", OPTION_MAX_OVERHEAD, "PCT", GROUP_CAPTURE, CAPTURING,
	 "sample once probes take more of the target's CPU time, and 1% of a CPU; 0: never "
	 "(default 10)",
	 "a percentage from 0 to 100"},
	{"unwind", OPTION_UNWIND, "HOW", GROUP_CAPTURE, CAPTURING,
	 "how stacks are unwound: dwarf (default: by tables from .eh_frame) or fp (frame pointers)",
	 "dwarf or fp"},
	{"buffer", OPTION_BUFFER, "SIZE", GROUP_CAPTURE, CAPTURING,
	 "size of each CPU's buffer for events (default 8M): more where events are lost",
	 "a size from 4K to 1G"},
	{"user", OPTION_USER, "USER", GROUP_CAPTURE, CAPTURING, "run COMMAND as USER",
	 "a user's name"},
	{"keep", OPTION_KEEP, NULL, GROUP_CAPTURE, CAPTURING,
	 "leave COMMAND running when the capture is over", NULL},

	{"type", OPTION_TYPE, "GLOB", GROUP_VIEW, REPORT | FLAME | EXPORT,
	 "only task types whose name, its end, or location matches, like 'handle_*' or "
	 "'conn.rs:4*'",
	 "a shell pattern"},
	{"symfs", OPTION_SYMFS, "DIR", GROUP_VIEW, REPORT | FLAME | EXPORT,
	 "look in DIR for binaries that a recording lacks symbols of", "a folder"},
	{"sort", OPTION_SORT, "KEY", GROUP_VIEW, REPORT,
	 "order task types by a column's JSON name (default polling_ns; see the manual)", "one of"},
	{"tasks", OPTION_TASKS, "N", GROUP_VIEW, REPORT,
	 "how many single tasks to show with -v, --json or html (default 100)",
	 "a number up to 1000000"},
	{"tasks", OPTION_TASKS, "N", GROUP_VIEW, EXPORT,
	 "how many tasks get a track of their own in perfetto (default 100)",
	 "a number up to 1000000"},
	{"min-block", OPTION_MIN_BLOCK, "DUR", GROUP_VIEW, REPORT | FLAME | EXPORT,
	 "leave sleeps shorter than this out of stacks: 100us, 1ms (default 0)",
	 "a time like 100us or 1ms"},
	{"kind", OPTION_KIND, "KIND", GROUP_VIEW, FLAME,
	 "wall (default: all time inside polls), oncpu, offcpu, idle (where tasks wait), or sched "
	 "(queue delay)",
	 "wall, oncpu, offcpu, idle or sched"},
	{"by", OPTION_BY, "WHAT", GROUP_VIEW, FLAME, "root frames: type (default), task or worker",
	 "type, task or worker"},
	{"format", OPTION_FORMAT, "FORMAT", GROUP_VIEW, FLAME,
	 "folded (default: lines for flamegraph tools) or svg (a picture for a browser)",
	 "folded or svg"},
	{"diff", OPTION_DIFF, "BASE", GROUP_VIEW, FLAME,
	 "compare with recording BASE, per second of capture: two numbers, or red and blue",
	 "a recording's file"},
	{"format", OPTION_PAGE, "FORMAT", GROUP_VIEW, REPORT,
	 "text (default) or html (a page with pictures, in one file: use -o)", "text or html"},
	{"format", OPTION_EXPORT, "FORMAT", GROUP_VIEW, EXPORT, "one of those below", "one of"},
	{"schema", OPTION_SCHEMA, NULL, GROUP_VIEW, EXPORT,
	 "print a description of the format instead: the JSON Schema of jsonl", NULL},

	{"json", OPTION_JSON, NULL, GROUP_OUTPUT, ALL & ~(RECORD | EXPORT),
	 "print one JSON document instead", NULL},
	{"json", OPTION_JSON, NULL, GROUP_OUTPUT, RECORD,
	 "print a summary of the capture as one JSON document", NULL},
	{"output", OPTION_OUTPUT, "FILE", GROUP_OUTPUT, RECORD,
	 "the recording (default pollscope.data; - is standard output)", "a file's name"},
	{"output", OPTION_OUTPUT, "FILE", GROUP_OUTPUT, ALL & ~RECORD,
	 "write to FILE instead of standard output", "a file's name"},
	{"quiet", OPTION_QUIET, NULL, GROUP_OUTPUT, ALL, "say only what went wrong", NULL},
	{"verbose", OPTION_VERBOSE, NULL, GROUP_OUTPUT, REPORT,
	 "show more: all types and causes, stacks of the slowest polls, single tasks", NULL},
	{"verbose", OPTION_VERBOSE, NULL, GROUP_OUTPUT, ALL & ~REPORT,
	 "show more, where there is more", NULL},
	{"no-color", OPTION_NO_COLOR, NULL, GROUP_OUTPUT, ALL, "plain text (so does NO_COLOR)",
	 NULL},
	{"help", OPTION_HELP, NULL, GROUP_OUTPUT, ALL, "this text", NULL},
	{"version", OPTION_VERSION, NULL, GROUP_OUTPUT, ALL, "the version of pollscope", NULL},
	{NULL, 0, NULL, GROUPS, 0, NULL, NULL},
};
