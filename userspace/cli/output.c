// SPDX-License-Identifier: MIT
#include "cli/output.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/options.h"
#include "util/parse.h"

static bool to_stdout(const struct options *o)
{
	return !o->output || !strcmp(o->output, "-");
}

static bool is_same_file(const struct stat *output, const char *path)
{
	struct stat stats;

	return path && !stat(path, &stats) && stats.st_dev == output->st_dev &&
	       stats.st_ino == output->st_ino;
}

bool output_is_source(const struct options *o)
{
	struct stat output;

	if (to_stdout(o) || stat(o->output, &output) || !S_ISREG(output.st_mode) ||
	    (!is_same_file(&output, o->file) && !is_same_file(&output, o->diff)))
		return false;
	message_error("%s: is what is read: give --output another name", o->output);
	return true;
}

FILE *output_open(const struct options *o)
{
	FILE *out;

	if (to_stdout(o)) {
		signal(SIGPIPE, SIG_DFL); /* `| head` ends us as it ends everybody */
		return stdout;
	}
	out = fopen(o->output, "we");
	if (!out)
		message_error("%s: cannot write: %s", o->output, strerror(errno));
	return out;
}

void output_remove(const char *path)
{
	struct stat stat;

	if (!lstat(path, &stat) && S_ISREG(stat.st_mode))
		unlink(path);
}

int output_close(const struct options *o, FILE *out, int emitted)
{
	int err = emitted;

	/* Emitters only see that the stream has failed. Nothing was called since then that sets errno. */
	if (err == -EIO && ferror(out) && errno)
		err = -errno;
	if (!err && (fflush(out) || ferror(out)))
		err = errno ? -errno : -EIO;
	if (!to_stdout(o) && fclose(out) && !err)
		err = -errno;
	if (!err)
		return EXIT_DONE;
	if (to_stdout(o))
		return message_error("cannot write to stdout: %s", strerror(-err));
	output_remove(o->output);
	return message_error("%s: cannot write: %s", o->output, strerror(-err));
}

void output_discard(const struct options *o, FILE *out)
{
	if (to_stdout(o))
		return;
	fclose(out);
	output_remove(o->output);
}

bool output_is_terminal(const struct options *o)
{
	return to_stdout(o) && isatty(STDOUT_FILENO);
}

unsigned int output_columns(const struct options *o)
{
	struct winsize size;

	if (!output_is_terminal(o) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

unsigned int output_width(const struct options *o)
{
	const char *columns = getenv("COLUMNS");
	uint64_t width = output_columns(o);

	if (!width && columns && !parse_number(columns, USHRT_MAX, &width))
		width = 0;
	return width;
}
