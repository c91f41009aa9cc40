// SPDX-License-Identifier: MIT
#include "cli/message.h"

#include <limits.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "attach/capture.h"
#include "cli/options.h"
#include "util/clock.h"
#include "util/text.h"
#include "util/utf8.h"

#define BAR_CELLS 24

/* Names of processes and files are the target's: they must not speak to the terminal. */
static void line_print(const char *prefix, const char *format, va_list args)
{
	char line[LINE_MAX];

	vsnprintf(line, sizeof(line), format, args);
	utf8_sanitize(line);
	fprintf(stderr, "%s%s%s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", prefix, line);
}

int message_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line_print("pollscope: ", format, args);
	va_end(args);
	return EXIT_FAILED;
}

void message_note(const struct options *options, const char *format, ...)
{
	va_list args;

	if (options->quiet)
		return;
	va_start(args, format);
	line_print("pollscope: ", format, args);
	va_end(args);
}

void message_lost(uint64_t events, bool for_room, bool live)
{
	const char *why = "";

	if (!events)
		return;
	if (!for_room)
		why = " (probes fired between an exec and their removal)";
	else if (live)
		why = " (a larger --buffer may hold them)";
	message_error("%" PRIu64 " events were lost: times around them are uncertain%s", events,
		      why);
}

/* Part of the duration that has gone, as a bar; nothing where there is no end. */
static void bar_print(const struct capture_progress *p)
{
	uint64_t filled;

	if (!p->duration_ns)
		return;
	filled = p->elapsed_ns >= p->duration_ns ? BAR_CELLS
						 : p->elapsed_ns * BAR_CELLS / p->duration_ns;
	fputc('[', stderr);
	for (uint64_t i = 0; i < BAR_CELLS; i++)
		fputc(i < filled ? '#' : '.', stderr);
	fputs("] ", stderr);
}

void message_progress(const struct options *options, const struct capture_progress *p)
{
	if (options->quiet || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K");
	if (!p->started) {
		fprintf(stderr, "waiting for an async runtime to start  (Ctrl-C ends)");
		fflush(stderr);
		return;
	}
	if (p->names) {
		fprintf(stderr, "looking up names: %s of %s", text_count(p->named).s,
			text_count(p->names).s);
		fflush(stderr);
		return;
	}
	bar_print(p);
	fprintf(stderr, "%.1fs", p->elapsed_ns / (double)NSEC_PER_SEC);
	if (p->duration_ns)
		fprintf(stderr, " of %.1fs", p->duration_ns / (double)NSEC_PER_SEC);
	fprintf(stderr, "  %s polls, %s events", text_count(p->polls).s, text_count(p->events).s);
	if (p->lost)
		fprintf(stderr, ", %s lost", text_count(p->lost).s);
	if (!p->duration_ns)
		fprintf(stderr, "  (Ctrl-C ends)");
	fflush(stderr);
}

void message_progress_done(const struct options *options)
{
	if (!options->quiet && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
}
