/* SPDX-License-Identifier: MIT */
/* Every option, once: what getopt accepts, what --help prints, which commands have it. */
#ifndef POLLSCOPE_CLI_OPTION_TABLE_H
#define POLLSCOPE_CLI_OPTION_TABLE_H

#include <stdint.h>

#define OPTIONS_MAX 32

/* Below 128: the short option's letter. */
enum option_id {
	OPTION_PID = 'p',
	OPTION_NAME = 'n',
	OPTION_DURATION = 'd',
	OPTION_FREQ = 'F',
	OPTION_EXPORT = 'f',
	OPTION_USER = 'u',
	OPTION_OUTPUT = 'o',
	OPTION_QUIET = 'q',
	OPTION_VERBOSE = 'v',
	OPTION_HELP = 'h',
	OPTION_RUNTIME = 256,
	OPTION_AWAIT_STACKS,
	OPTION_UNWIND,
	OPTION_SAMPLE,
	OPTION_MAX_OVERHEAD,
	OPTION_BUFFER,
	OPTION_KEEP,
	OPTION_TYPE,
	OPTION_SYMFS,
	OPTION_SORT,
	OPTION_TASKS,
	OPTION_MIN_BLOCK,
	OPTION_KIND,
	OPTION_BY,
	OPTION_FORMAT, /* of flame, which has no letter for it */
	OPTION_PAGE,   /* --format of report, likewise */
	OPTION_DIFF,
	OPTION_SCHEMA,
	OPTION_JSON,
	OPTION_NO_COLOR,
	OPTION_VERSION,
};

enum option_group { GROUP_TARGET, GROUP_CAPTURE, GROUP_VIEW, GROUP_OUTPUT, GROUPS };

struct option_info {
	const char *name;
	int id;               /* enum option_id */
	const char *argument; /* NULL: none */
	enum option_group group;
	uint32_t commands; /* bit set by enum command */
	const char *help;
	const char *expects; /* what a good argument looks like */
};

/* Ends with a NULL name. */
extern const struct option_info option_table[];

#endif
