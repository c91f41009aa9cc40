// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/options.h"
#include "cli/source.h"
#include "core/event.h"
#include "events/recording.h"

bool source_is_lasting(const struct options *o)
{
	struct stat about;

	/* What cannot be opened is told when it is read. */
	return o->file && (stat(o->file, &about) || S_ISREG(about.st_mode));
}

/* Between a source and its copy: tells an error of the copy from the source's. */
struct copier {
	struct event_sink sink;
	struct event_sink *to;
	int error;
};

static int copier_take(struct event_sink *sink, const struct event *event)
{
	struct copier *copier = (struct copier *)sink;

	copier->error = copier->to->take(copier->to, event);
	return copier->error ? -ECANCELED : 0;
}

static int cannot_copy(int err)
{
	message_error("cannot keep the events in a temporary file: %s", strerror(-err));
	return err;
}

/* An open file without a name, or a negative errno. */
static int unnamed_file(void)
{
	FILE *file = tmpfile();
	int fd = file ? dup(fileno(file)) : -1;
	int err = fd < 0 ? -errno : 0;

	if (file)
		fclose(file);
	return err ? err : fd;
}

static int fill(const struct options *o, const char *command_line, int fd)
{
	struct recording_writer *writer;
	struct copier copier = {.sink.take = copier_take};
	int err = recording_writer_open_fd(fd, &writer), fed;

	if (err)
		return cannot_copy(err);
	copier.to = recording_writer_sink(writer);
	fed = source_feed(o, command_line, &copier.sink, NULL);
	err = recording_writer_close(writer);
	if (copier.error || (!fed && err))
		return cannot_copy(copier.error ? copier.error : err);
	return fed;
}

int source_copy_make(const struct options *o, const char *command_line, struct source_copy *copy)
{
	int fd = unnamed_file(), err;

	if (fd < 0)
		return cannot_copy(fd);
	copy->fd = dup(fd); /* the writer closes its own */
	if (copy->fd < 0) {
		err = -errno;
		close(fd);
		return cannot_copy(err);
	}
	snprintf(copy->path, sizeof(copy->path), "/proc/self/fd/%d", copy->fd);
	err = fill(o, command_line, fd);
	if (err)
		source_copy_release(copy);
	return err;
}

void source_copy_release(struct source_copy *copy)
{
	close(copy->fd);
	copy->fd = -1;
}

int source_feed_again(const char *file, struct event_sink *sink)
{
	struct recording *recording;
	uint16_t major;
	int err = recording_open(file, &recording, &major);

	if (err) {
		message_error("%s: cannot be read again: %s", file, strerror(-err));
		return err;
	}
	err = recording_read(recording, sink);
	if (err && err != -ECANCELED)
		message_error("%s: %s", file, strerror(-err));
	recording_close(recording);
	return err;
}
