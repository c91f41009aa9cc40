// SPDX-License-Identifier: MIT
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"

/* The command line as it was typed, for the record. Cut where it does not fit. */
static void command_line_join(int argc, char **argv, char *line, size_t size)
{
	size_t at = 0;

	line[0] = '\0';
	for (int i = 0; i < argc && at < size; i++)
		at += snprintf(line + at, size - at, "%s%s", i ? " " : "", argv[i]);
}

/* Caught rather than ignored: what is launched would inherit that. */
static void on_pipe(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	struct options options;
	char command_line[4096];
	int status = options_parse(argc, argv, &options);

	if (status == EXIT_DONE && fflush(stdout))
		return message_error("cannot write to stdout: %s", strerror(errno));
	if (status >= 0)
		return status;
	if (output_is_source(&options))
		return EXIT_FAILED;
	signal(SIGPIPE, on_pipe);
	command_line_join(argc, argv, command_line, sizeof(command_line));
	return commands[options.command].run(&options, command_line);
}
