/* SPDX-License-Identifier: MIT */
/* The command line, parsed: see `pollscope --help`. */
#ifndef POLLSCOPE_CLI_OPTIONS_H
#define POLLSCOPE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/adapter.h"
#include "emit/export.h"
#include "emit/flame.h"

enum command {
	COMMAND_RECORD,
	COMMAND_REPORT,
	COMMAND_FLAME,
	COMMAND_EXPORT,
	COMMAND_INFO,
	COMMAND_DOCTOR,
	COMMANDS
};

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Const after parsing. Strings are argv's. */
struct options {
	enum command command;

	/* SOURCE: exactly one is set; for doctor, none at most */
	const char *file; /* a recording */
	const char *pids; /* PID[,PID...] */
	const char *name;
	char *const *argv; /* COMMAND [ARG...] */

	/* capture */
	const char *capturing; /* name of a capture option that was given; NULL: none was */
	uint64_t duration_ns;  /* 0: until interrupted */
	uint32_t sample_hz;
	uint32_t await_stacks;         /* a second of each kind of task; 0: none */
	struct adapter_choice runtime; /* all zero: detect */
	uint32_t one_in;               /* --sample; 0: each poll, until it costs more than this: */
	uint32_t max_overhead;         /* percent; 0: whatever it costs */
	uint64_t ring_bytes;
	bool frame_pointers; /* --unwind fp */
	const char *user;
	bool keep;

	/* view */
	const char *symfs;
	const char *type_glob;
	const char *sort;
	uint32_t tasks;
	uint64_t min_block_ns;
	enum flame_kind kind;
	enum flame_by by;
	bool svg;
	const char *diff; /* BASE, the recording to compare with; NULL: none */
	bool html;
	const struct export_format *export; /* of export, always set */
	bool schema;

	/* everywhere */
	bool json;
	const char *output; /* NULL: the command's default */
	bool quiet;
	bool verbose;
	bool color; /* wanted, where stdout is a terminal */
};

/*
 * Parses the command line. Returns -1 if a command is to be run; else the exit status with which pollscope
 * ends at once (--help and --version were printed, or one line on what is wrong).
 */
int options_parse(int argc, char **argv, struct options *options);

/* What each command does; in the order of enum command. */
struct command_info {
	const char *name;
	const char *operands;
	const char *summary;
	int (*run)(const struct options *options, const char *command_line);
};
extern const struct command_info commands[COMMANDS];

#endif
