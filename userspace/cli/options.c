// SPDX-License-Identifier: MIT
#include "cli/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/help.h"
#include "cli/option_table.h"
#include "cli/target.h"
#include "emit/sort.h"
#include "util/parse.h"

#define DEFAULT_HZ 99
#define DEFAULT_RING (8 << 20)
#define DEFAULT_TASKS 100
#define DEFAULT_MAX_OVERHEAD 10
#define DEFAULT_AWAIT_STACKS 100
#define MAX_HZ 10000
#define MAX_AWAIT_STACKS 1000
#define MAX_TASKS 1000000
#define MAX_ONE_IN 1000000

static int usage(const struct options *options, const char *format, const char *what)
{
	fprintf(stderr, "pollscope: ");
	fprintf(stderr, format, what);
	if (options)
		fprintf(stderr, " (see pollscope %s --help)\n", commands[options->command].name);
	else
		fprintf(stderr, " (see pollscope --help)\n");
	return EXIT_USAGE;
}

static int version(void)
{
	printf("pollscope %s\n", POLLSCOPE_VERSION);
	return EXIT_DONE;
}

/* Whether it is PID[,PID...]; whose ids these are is not for the command line to say. */
static bool parse_pids(const char *text, const char **pids)
{
	const char *at = text;
	char *end;

	*pids = text;
	for (;; at = end + 1) {
		if (!isdigit((unsigned char)*at) || !strtoul(at, &end, 10))
			return false;
		if (*end != ',')
			return !*end;
	}
}

static bool parse_format(const char *text, bool *svg)
{
	*svg = !strcmp(text, "svg");
	return *svg || !strcmp(text, "folded");
}

static bool parse_unwind(const char *text, bool *frame_pointers)
{
	*frame_pointers = !strcmp(text, "fp");
	return *frame_pointers || !strcmp(text, "dwarf");
}

static bool parse_small(const char *text, uint32_t min, uint32_t max, uint32_t *result)
{
	uint64_t number;

	if (!parse_number(text, max, &number) || number < min)
		return false;
	*result = number;
	return true;
}

static bool parse_ring(const char *text, uint64_t *bytes)
{
	return parse_size(text, bytes) && *bytes >= 4096 && *bytes <= 1ULL << 30;
}

/* Takes one option in; false: its argument makes no sense. */
static bool option_take(struct options *o, int id, char *arg)
{
	switch (id) {
	case OPTION_PID:
		return parse_pids(arg, &o->pids);
	case OPTION_NAME:
		o->name = arg;
		return *arg;
	case OPTION_DURATION:
		return parse_duration(arg, &o->duration_ns) && o->duration_ns;
	case OPTION_FREQ:
		return parse_small(arg, 0, MAX_HZ, &o->sample_hz);
	case OPTION_AWAIT_STACKS:
		return parse_small(arg, 0, MAX_AWAIT_STACKS, &o->await_stacks);
	case OPTION_RUNTIME:
		return adapter_choose(arg, &o->runtime);
	case OPTION_SAMPLE:
		return parse_small(arg, 1, MAX_ONE_IN, &o->one_in);
	case OPTION_MAX_OVERHEAD:
		return parse_small(arg, 0, 100, &o->max_overhead);
	case OPTION_UNWIND:
		return parse_unwind(arg, &o->frame_pointers);
	case OPTION_BUFFER:
		return parse_ring(arg, &o->ring_bytes);
	case OPTION_USER:
		o->user = arg;
		return *arg;
	case OPTION_KEEP:
		o->keep = true;
		return true;
	case OPTION_TYPE:
		o->type_glob = arg;
		return *arg;
	case OPTION_SYMFS:
		o->symfs = arg;
		return *arg;
	case OPTION_SORT:
		o->sort = arg;
		return emit_sort_key_valid(arg);
	case OPTION_TASKS:
		return parse_small(arg, 0, MAX_TASKS, &o->tasks);
	case OPTION_MIN_BLOCK:
		return parse_duration(arg, &o->min_block_ns);
	case OPTION_KIND:
		return !flame_kind_parse(arg, &o->kind);
	case OPTION_BY:
		return !flame_by_parse(arg, &o->by);
	case OPTION_FORMAT:
		return parse_format(arg, &o->svg);
	case OPTION_DIFF:
		o->diff = arg;
		return *arg;
	case OPTION_PAGE:
		o->html = !strcmp(arg, "html");
		return o->html || !strcmp(arg, "text");
	case OPTION_EXPORT:
		o->export = export_format_find(arg);
		return o->export;
	case OPTION_SCHEMA:
		o->schema = true;
		return true;
	case OPTION_JSON:
		o->json = true;
		return true;
	case OPTION_OUTPUT:
		o->output = arg;
		return *arg;
	case OPTION_QUIET:
		o->quiet = true;
		return true;
	case OPTION_VERBOSE:
		o->verbose = true;
		return true;
	case OPTION_NO_COLOR:
		o->color = false;
		return true;
	}
	return false;
}

/* getopt's view of the options that a command has. */
static void getopt_tables(enum command command, struct option *longs, char *shorts)
{
	size_t n = 0;

	*shorts++ = ':';
	for (size_t i = 0; option_table[i].name; i++) {
		const struct option_info *info = &option_table[i];

		if (!(info->commands & 1u << command))
			continue;
		longs[n++] = (struct option){info->name, info->argument ? 1 : 0, NULL, info->id};
		if (info->id < 128) {
			*shorts++ = info->id;
			if (info->argument)
				*shorts++ = ':';
		}
	}
	*shorts = '\0';
	memset(&longs[n], 0, sizeof(longs[n]));
}

static const struct option_info *option_info(int id)
{
	const struct option_info *info = option_table;

	while (info->name && info->id != id)
		info++;
	return info;
}

/* The names of which an option takes one; NULL past the last. */
static const char *choice(int option, size_t i)
{
	switch (option) {
	case OPTION_SORT:
		return emit_sort_key(i);
	case OPTION_EXPORT:
		return export_formats[i].name;
	default:
		return NULL;
	}
}

/* A usage error whose format ends in an option's choices, if it has any. */
static int usage_choices(const struct options *o, int option, const char *format, const char *what)
{
	char whole[640];
	const char *name;
	int at = snprintf(whole, sizeof(whole), "%s", format);

	for (size_t i = 0; (name = choice(option, i)) && at < (int)sizeof(whole) - 1; i++)
		at += snprintf(whole + at, sizeof(whole) - at, "%s%s", i ? ", " : " ", name);
	return usage(o, whole, what);
}

/* A duration that may be of anything. */
static bool lacks_unit(const struct option_info *info, const char *arg)
{
	uint64_t ns;

	return !strcmp(info->argument, "DUR") && *arg && !arg[strspn(arg, "0123456789.")] &&
	       !parse_duration(arg, &ns);
}

static int bad_argument(const struct options *o, const struct option_info *info, const char *arg)
{
	char format[256];

	if (lacks_unit(info, arg)) {
		snprintf(format, sizeof(format),
			 "--%s %%1$s: a unit is missing: %%1$sus, %%1$sms, %%1$ss", info->name);
		return usage(o, format, arg);
	}
	snprintf(format, sizeof(format), "'%%s' is no %s of --%s: %s", info->argument, info->name,
		 info->expects);
	return usage_choices(o, info->id, format, arg);
}

static int bad_option(const struct options *o, const char *option)
{
	if (o->command == COMMAND_EXPORT && !strcmp(option, "--json"))
		return usage(o,
			     "unknown option %s: what is exported has a format of its own (-f "
			     "jsonl: an event a line)",
			     option);
	return usage(o, "unknown option %s", option);
}

/* A program was given where a recording or nothing belongs. */
static int program_given(const struct options *o)
{
	enum command meant = o->command == COMMAND_INFO ? COMMAND_RECORD : o->command;
	char format[160];

	snprintf(format, sizeof(format), "'%%1$s' is a program; to %s it: pollscope %s -- %%1$s",
		 meant == COMMAND_DOCTOR ? "look at" : "run", commands[meant].name);
	return usage(o, format, o->file);
}

/* One option as getopt gave it. Returns -1 to go on, else the exit status. */
static int argument_take(struct options *o, int id)
{
	const struct option_info *info = option_info(id);

	if ((id == OPTION_PID && o->pids) || (id == OPTION_NAME && o->name))
		return usage(o, "--%s is given twice: once, with all of them (-p 1,2)", info->name);
	if (info->group == GROUP_CAPTURE)
		o->capturing = info->name;
	return option_take(o, id, optarg) ? -1 : bad_argument(o, info, optarg);
}

/* What `export` needs besides its SOURCE. */
static int export_check(const struct options *o, int sources)
{
	if (!o->export)
		return usage_choices(o, OPTION_EXPORT, "which format? Give -f%s", "");
	if (o->schema)
		return sources ? usage(o, "--schema %s", "goes without a source")
		       : o->export->schema
			       ? -1
			       : usage(o, "%s has no schema of its own", o->export->name);
	if (o->export->open && (o->type_glob || o->min_block_ns))
		return usage(o, "%s holds all events: --type and --min-block go with others",
			     o->export->name);
	if (o->export->open_second && o->min_block_ns)
		return usage(o, "%s holds no stacks: --min-block goes with others",
			     o->export->name);
	if (o->argv && (!o->output || !strcmp(o->output, "-")))
		return usage(o, "what COMMAND prints would go into the export: give it a %s",
			     "file by --output");
	return -1;
}

/* What flames there are not. */
static int flame_check(const struct options *o)
{
	if (o->kind == FLAME_IDLE && o->by == FLAME_BY_WORKER)
		return usage(o, "a task that waits is on no worker: --kind idle goes with %s",
			     "--by type or task");
	return -1;
}

/* What `flame --diff` cannot compare. */
static int diff_check(const struct options *o)
{
	if (o->by == FLAME_BY_TASK)
		return usage(o, "no task is in two captures: --diff goes with %s",
			     "--by type or worker");
	if (o->file && !strcmp(o->file, "-") && !strcmp(o->diff, "-"))
		return usage(o, "%s both want standard input", "the recording and --diff");
	return -1;
}

/* One SOURCE or TARGET, as the command needs it. */
static int source_check(const struct options *o)
{
	int targets = !!o->pids + !!o->name + !!o->argv;
	int sources = targets + !!o->file, status;

	if (sources > 1)
		return usage(o, "more than one %s given: pick one", "source");
	switch (o->command) {
	case COMMAND_RECORD:
		if (o->file)
			return usage(
				o, "'%s' is an unexpected operand: a command to run comes after --",
				o->file);
		if (o->output && !strcmp(o->output, "-") && (o->argv || o->json))
			return usage(o, "%s",
				     o->json ? "--json and --output - both want stdout"
					     : "what COMMAND prints would go into the recording: "
					       "give it a "
					       "file by --output");
		if (!targets)
			return usage(o, "nothing to trace: give %s",
				     "-p PID, -n NAME or -- COMMAND");
		break;
	case COMMAND_EXPORT:
		status = export_check(o, sources);
		if (status >= 0)
			return status;
		/* fall through */
	case COMMAND_REPORT:
	case COMMAND_FLAME:
		status = flame_check(o);
		if (status < 0 && o->diff)
			status = diff_check(o);
		if (status >= 0)
			return status;
		if (!sources && !o->schema)
			return usage(o, "nothing to look at: give %s",
				     "a recording's file, -p PID, -n NAME or -- COMMAND");
		break;
	case COMMAND_INFO:
		if (!o->file)
			return usage(o, "%s", "which recording? Give its file");
		if (targets)
			return usage(o, "%s", "info reads a recording, not a live target");
		break;
	default:
		if (o->file)
			return usage(o, "'%s' is an unexpected operand", o->file);
		break;
	}
	if (o->file && o->capturing)
		return usage(o, "--%s goes with a live target, not with a recording", o->capturing);
	if (o->symfs && targets)
		return usage(o, "--symfs goes with a recording, not with %s", "a live target");
	if ((o->user || o->keep) && !o->argv)
		return usage(o, "%s goes with -- COMMAND", o->user ? "--user" : "--keep");
	return -1;
}

static bool reads_recordings(enum command command)
{
	return command != COMMAND_RECORD && command != COMMAND_DOCTOR;
}

static int arguments_parse(int argc, char **argv, struct options *o)
{
	struct option longs[OPTIONS_MAX];
	char shorts[3 * OPTIONS_MAX];
	int id, status;

	getopt_tables(o->command, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (id == '?')
			return bad_option(o, argv[optind - 1]);
		if (id == ':')
			return usage(o, "option %s needs an argument", argv[optind - 1]);
		if (id == OPTION_HELP) {
			help_command(o->command, stdout);
			return EXIT_DONE;
		}
		if (id == OPTION_VERSION)
			return version();
		status = argument_take(o, id);
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		o->file = argv[optind++];
	/* Of one that is given alone it is seen when it is opened: a recording may be executable. */
	if (o->file && (optind < argc || o->capturing || !reads_recordings(o->command)) &&
	    target_is_program(o->file))
		return program_given(o);
	if (optind < argc)
		return usage(o, "'%s' is an unexpected operand", argv[optind]);
	return source_check(o);
}

static int command_find(const char *name)
{
	for (int i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return i;
	return -1;
}

int options_parse(int argc, char **argv, struct options *o)
{
	int own = 1, command;

	memset(o, 0, sizeof(*o));
	o->sample_hz = DEFAULT_HZ;
	o->await_stacks = DEFAULT_AWAIT_STACKS;
	o->ring_bytes = DEFAULT_RING;
	o->max_overhead = DEFAULT_MAX_OVERHEAD;
	o->tasks = DEFAULT_TASKS;
	o->color = !getenv("NO_COLOR") || !*getenv("NO_COLOR");
	if (argc < 2) {
		help_overview(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		if (argc > 2 && command_find(argv[2]) >= 0)
			help_command(command_find(argv[2]), stdout);
		else
			help_overview(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return version();
	command = command_find(argv[1]);
	if (command < 0)
		return usage(NULL, "there is no command '%s'", argv[1]);
	o->command = command;
	argc--;
	argv++;
	/* What follows "--" is COMMAND's own. */
	while (own < argc && strcmp(argv[own], "--"))
		own++;
	if (own < argc) {
		if (own + 1 == argc)
			return usage(o, "%s", "-- is to be followed by a command");
		o->argv = argv + own + 1;
	}
	return arguments_parse(own, argv, o);
}
