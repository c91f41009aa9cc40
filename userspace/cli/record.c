// SPDX-License-Identifier: MIT
/* pollscope record: a capture into a file. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/source.h"
#include "core/event.h"
#include "events/recording.h"
#include "util/clock.h"
#include "util/text.h"

#define DEFAULT_FILE "pollscope.data"
#define FLUSH_NS NSEC_PER_SEC /* a killed recorder loses no more than this */

/* Between the capture and the file: counts, and flushes what has waited. */
struct recorder {
	struct event_sink sink;
	struct event_sink *file;
	struct recording_writer *writer;
	uint64_t flushed;
	uint64_t polls, lost;
};

static int recorder_take(struct event_sink *sink, const struct event *event)
{
	struct recorder *r = (struct recorder *)sink;
	int err = r->file->take(r->file, event);

	if (event->type == EVENT_POLL)
		r->polls++;
	else if (event->type == EVENT_LOST)
		r->lost += event->lost.count;
	if (err || event->time < r->flushed + FLUSH_NS)
		return err;
	r->flushed = event->time;
	return recording_writer_flush(r->writer);
}

static int file_open(const char *name, struct recording_writer **writer)
{
	int fd;

	if (strcmp(name, "-"))
		return recording_writer_open(name, writer);
	if (isatty(STDOUT_FILENO))
		return -ENOTTY;
	fd = dup(STDOUT_FILENO);
	return fd < 0 ? -errno : recording_writer_open_fd(fd, writer);
}

static void summary(const struct options *o, const struct recorder *r, const char *name,
		    uint64_t bytes)
{
	message_note(o, "%s: %s polls, %s", name, text_grouped(r->polls).s, text_bytes(bytes).s);
	if (r->lost)
		message_error("%" PRIu64 " events were lost: times around them are uncertain (a "
			      "larger --buffer may hold them)", r->lost);
}

int command_record(const struct options *o, const char *command_line)
{
	struct recorder recorder = { .sink.take = recorder_take };
	const char *name = o->output ? o->output : DEFAULT_FILE;
	uint64_t bytes;
	int err = file_open(name, &recorder.writer), closed;

	if (err)
		return message_error("%s: cannot write: %s", name,
				     err == -ENOTTY ? "stdout is a terminal, redirect it"
						    : strerror(-err));
	recorder.file = recording_writer_sink(recorder.writer);
	err = source_feed(o, command_line, &recorder.sink, NULL);
	recording_writer_flush(recorder.writer); /* its error is close's too */
	bytes = recording_writer_bytes(recorder.writer);
	closed = recording_writer_close(recorder.writer);
	if (err && !recorder.polls && strcmp(name, "-"))
		output_remove(name); /* nothing was captured */
	if (err)
		return EXIT_FAILED;
	if (closed)
		return message_error("%s: cannot write: %s", name, strerror(-closed));
	summary(o, &recorder, name, bytes);
	return EXIT_DONE;
}
