// SPDX-License-Identifier: MIT
#include "cli/help.h"

#include "cli/option_table.h"
#include "emit/export.h"

static const char *const titles[GROUPS] = {
	[GROUP_TARGET] = "TARGET",
	[GROUP_CAPTURE] = "Capture options",
	[GROUP_VIEW] = "View options",
	[GROUP_OUTPUT] = "Options",
};

void help_overview(FILE *out)
{
	fprintf(out,
		"pollscope %s: where did each async task's time go, and who is to blame?\n\n"
		"Usage:\n",
		POLLSCOPE_VERSION);
	for (int i = 0; i < COMMANDS; i++)
		fprintf(out, "  pollscope %-7s %-18s  %s\n", commands[i].name, commands[i].operands,
			commands[i].summary);
	fprintf(out,
		"\n"
		"  TARGET   -p PID[,PID...]  |  -n NAME  |  -- COMMAND [ARG...]\n"
		"  SOURCE   a recording's FILE (- is standard input), or a TARGET, which is then "
		"captured first\n\n"
		"Options of a command: pollscope COMMAND --help. The manual: man pollscope.\n\n"
		"First steps, as root:\n"
		"  pollscope report -p PID -d 5s                    what a live process does\n"
		"  pollscope record -p PID -d 30s                   keep it: pollscope.data\n"
		"  pollscope flame pollscope.data --format svg -o flame.svg\n");
}

static void option_print(const struct option_info *info, FILE *out)
{
	char left[64];

	snprintf(left, sizeof(left), "%c%c%s --%s%s%s", info->id < 128 ? '-' : ' ',
		 info->id < 128 ? info->id : ' ', info->id < 128 ? "," : " ", info->name,
		 info->argument ? " " : "", info->argument ? info->argument : "");
	fprintf(out, "  %-26s  %s\n", left, info->help);
}

static void formats_print(FILE *out)
{
	fprintf(out, "\nFormats:\n");
	for (const struct export_format *format = export_formats; format->name; format++)
		fprintf(out, "  %-26s  %s\n", format->name, format->help);
}

void help_command(enum command command, FILE *out)
{
	const struct command_info *info = &commands[command];

	fprintf(out, "Usage: pollscope %s %s [OPTIONS]\n\n%s\n", info->name, info->operands,
		info->summary);
	for (int group = 0; group < GROUPS; group++) {
		bool titled = false;

		for (size_t i = 0; option_table[i].name; i++) {
			if (option_table[i].group != (enum option_group)group ||
			    !(option_table[i].commands & 1u << command))
				continue;
			if (!titled)
				fprintf(out, "\n%s:\n", titles[group]);
			titled = true;
			option_print(&option_table[i], out);
		}
		if (titled && group == GROUP_TARGET)
			fprintf(out, "  %-26s  %s\n", "-- COMMAND [ARG...]",
				command == COMMAND_DOCTOR ? "look at this executable"
							  : "launch and trace this");
	}
	if (command == COMMAND_EXPORT)
		formats_print(out);
}
