// SPDX-License-Identifier: MIT
/* pollscope record: a capture into a file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/source.h"
#include "core/event.h"
#include "emit/json.h"
#include "events/recording.h"
#include "util/parse.h"
#include "util/text.h"

#define DEFAULT_FILE "pollscope.data"

/* Between the capture and the file. The file keeps what it held until the first event is there. */
struct recorder {
	struct event_sink sink;
	const char *name;
	int fd;       /* the writer's, once there is one */
	bool created; /* by this run */
	struct recording_writer *writer;
	int error;            /* what kept an event from being written */
	uint64_t polls, lost; /* of polls: those that were timed */
	bool sampled;
	bool lost_for_room; /* some of them; what is lost otherwise has no type */
};

static int recorder_begin(struct recorder *r)
{
	struct stat stat;

	if (!fstat(r->fd, &stat) && S_ISREG(stat.st_mode) && ftruncate(r->fd, 0))
		return -errno;
	return recording_writer_open_fd(r->fd, &r->writer);
}

static int recorder_write(struct recorder *r, const struct event *event)
{
	struct event_sink *file;
	int err = r->writer ? 0 : recorder_begin(r);

	if (err)
		return err;
	file = recording_writer_sink(r->writer);
	return file->take(file, event);
}

static void loss_take(struct recorder *r, const struct event_lost *lost)
{
	r->lost += lost->count;
	r->lost_for_room |= lost->type != 0;
}

static int recorder_take(struct event_sink *sink, const struct event *event)
{
	struct recorder *r = (struct recorder *)sink;

	if (event->type == EVENT_POLL)
		r->polls++;
	else if (event->type == EVENT_LOST)
		loss_take(r, &event->lost);
	else if (event->type == EVENT_SAMPLING)
		r->sampled = true;
	r->error = recorder_write(r, event);
	return r->error;
}

static int recorder_flush(struct event_sink *sink)
{
	struct recorder *r = (struct recorder *)sink;

	if (r->writer)
		r->error = recording_writer_flush(r->writer);
	return r->error;
}

/* Under sudo, a recording belongs to who asked for it: only root could read it otherwise. */
static void recorder_give(const struct recorder *r)
{
	const char *user = getenv("SUDO_UID"), *group = getenv("SUDO_GID");
	uint64_t uid, gid;

	if (geteuid() || !user || !group || !parse_number(user, UINT32_MAX - 1, &uid) ||
	    !parse_number(group, UINT32_MAX - 1, &gid))
		return;
	if (fchown(r->fd, uid, gid))
		message_error("%s: stays root's: %s", r->name, strerror(errno));
}

/* Opens the file, to see early that it can be written. */
static int recorder_open(struct recorder *r)
{
	if (!strcmp(r->name, "-")) {
		if (isatty(STDOUT_FILENO))
			return -ENOTTY;
		r->fd = dup(STDOUT_FILENO);
		return r->fd < 0 ? -errno : 0;
	}
	r->fd = open(r->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r->created = r->fd >= 0;
	if (r->created)
		recorder_give(r);
	if (r->fd < 0 && errno == EEXIST)
		r->fd = open(r->name, O_WRONLY | O_CLOEXEC);
	return r->fd < 0 ? -errno : 0;
}

/* Closes what there is. Returns the bytes written; the error, if any, is in r->error. */
static uint64_t recorder_close(struct recorder *r)
{
	uint64_t bytes;
	int err;

	if (!r->writer) {
		if (!r->error)
			close(r->fd);
		if (r->created)
			output_remove(r->name);
		return 0;
	}
	recording_writer_flush(r->writer); /* its error is close's too */
	bytes = recording_writer_bytes(r->writer);
	err = recording_writer_close(r->writer);
	if (!r->error)
		r->error = err;
	return bytes;
}

static int cannot_write(const char *name, int err)
{
	return message_error("%s: cannot write: %s", name,
			     err == -ENOTTY ? "stdout is a terminal, redirect it" : strerror(-err));
}

static int summary(const struct options *o, const struct recorder *r, uint64_t bytes)
{
	json_t *document;

	if (!o->json) {
		message_note(o, "%s: %s %spolls, %s", r->name, text_grouped(r->polls).s,
			     r->sampled ? "timed " : "", text_bytes(bytes).s);
		return EXIT_DONE;
	}
	document = json_object();
	return output_close(
		o, stdout,
		emit_json_print(document,
				emit_json_put_text(document, "schema", "pollscope.record/1") |
					emit_json_put_text(document, "file", r->name) |
					emit_json_put_number(document, "bytes", bytes) |
					emit_json_put_number(document, "polls", r->polls) |
					emit_json_put_number(document, "events_lost", r->lost),
				stdout));
}

int command_record(const struct options *o, const char *command_line)
{
	struct recorder recorder = {
		.sink = {.take = recorder_take, .flush = recorder_flush},
		.name = o->output ? o->output : DEFAULT_FILE,
	};
	uint64_t bytes;
	int err = recorder_open(&recorder);

	if (err)
		return cannot_write(recorder.name, err);
	err = source_feed(o, command_line, &recorder.sink, NULL);
	bytes = recorder_close(&recorder);
	message_lost(recorder.lost, recorder.lost_for_room, true);
	if (recorder.error)
		return cannot_write(recorder.name, recorder.error);
	return err ? EXIT_FAILED : summary(o, &recorder, bytes);
}
