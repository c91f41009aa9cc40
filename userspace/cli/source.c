// SPDX-License-Identifier: MIT
#include "cli/source.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "attach/capture.h"
#include "attach/find.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/target.h"
#include "core/correlate.h"
#include "events/recording.h"
#include "symbolize/late_symbols.h"
#include "util/syscalls.h"
#include "util/text.h"

#define SLOWEST_POLLS 20
#define FEW_NAMES 5 /* of types that there are instead of one that there is not */

/* The one mutable global: set by Ctrl-C. */
static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void signals_catch(void)
{
	/* The first one ends the capture, the second one us. */
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static void signals_release(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

static void on_progress(void *ctx, const struct capture_progress *progress)
{
	message_progress(ctx, progress);
}

static void on_notice(void *ctx, const char *line)
{
	message_note(ctx, "%s", line);
}

static int capture(const struct options *o, const char *command_line, struct event_sink *sink)
{
	struct find_pids pids = {0};
	struct capture_options options = {
		.argv = o->argv,
		.user = o->user,
		.keep = o->keep,
		.duration_ns = o->duration_ns,
		.sample_hz = o->sample_hz,
		.await_stacks = o->await_stacks,
		.frame_pointers = o->frame_pointers,
		.ring_bytes = o->ring_bytes,
		.choice = o->runtime,
		.one_in = o->one_in,
		.max_overhead = o->max_overhead,
		.tool_version = POLLSCOPE_VERSION,
		.command_line = command_line,
		.interrupted = &interrupted,
		.progress = on_progress,
		.notice = on_notice,
		.ctx = (void *)o,
	};
	char why[512];
	int err = o->argv ? 0 : target_pids(o, &pids);

	if (err)
		return err;
	options.pids = pids.pids;
	options.npids = pids.count;
	signals_catch();
	err = capture_run(&options, sink, why, sizeof(why));
	signals_release();
	message_progress_done(o);
	find_free(&pids);
	if (err && why[0])
		message_error("%s", why);
	return err;
}

static int open_failed(const char *file, int err, uint16_t major)
{
	if (err == -EBADMSG && target_is_program(file))
		message_error(
			"%s: this is a program, no recording; to run it: pollscope report -- %s",
			file, file);
	else if (err == -EBADMSG)
		message_error("%s: this is not a pollscope recording, or its header is damaged "
			      "(pollscope record makes one)",
			      file);
	else if (err == -ENOTSUP)
		message_error("%s: written by a newer pollscope (format %u, this one reads up to "
			      "%u): use that one",
			      file, major, RECORDING_MAJOR);
	else
		message_error("%s: %s%s", file, strerror(-err),
			      err == -ENOENT || err == -EISDIR
				      ? " (pollscope record makes a recording)"
				      : "");
	return err;
}

/* A chunk that is cut off is no damage. */
static bool is_damaged(const struct recording_stats *stats)
{
	return stats->damaged_chunks || (stats->damaged_bytes && !stats->cut);
}

/* Said even with --quiet: what is missing never passes silently. */
static void damage_tell(const struct options *o, const struct recording_stats *stats)
{
	if (is_damaged(stats))
		message_error("%s: damaged: %" PRIu64 " chunks were left out, %" PRIu64 " bytes",
			      o->file, stats->damaged_chunks, stats->damaged_bytes);
	if (stats->unsound_events || stats->unknown_events)
		message_error("%s: %" PRIu64
			      " events make no sense or are of unknown types: left out",
			      o->file, stats->unsound_events + stats->unknown_events);
	if (stats->cut)
		message_error("%s: cut: the recorder was killed, or its disk was full; what it had "
			      "written is shown",
			      o->file);
}

static int nothing_read(const char *file, const struct recording_stats *stats)
{
	message_error(is_damaged(stats)
			      ? "%s: damaged: none of its chunks can be read"
			      : "%s: holds nothing yet: it was cut before its first chunk",
		      file);
	return -ENODATA;
}

/* Reads it all; symbols that it lacks are looked up where they are wanted. */
static int read_named(const struct options *o, struct recording *recording, struct event_sink *sink)
{
	struct late_symbols_options options = {
		.symfs = o->symfs,
		.notice = on_notice,
		.ctx = (void *)o,
	};
	struct late_symbols *late;
	int err;

	if (o->command == COMMAND_INFO)
		return recording_read(recording, sink);
	late = late_symbols_new(&options, sink);
	if (!late)
		return -ENOMEM;
	err = recording_read(recording, late_symbols_sink(late));
	if (!err)
		err = late_symbols_finish(late);
	late_symbols_free(late);
	return err;
}

/* Where symbols are to be looked for: one that is mistyped would go unseen. */
static int symfs_check(const char *symfs)
{
	struct stat about;

	if (!symfs)
		return 0;
	if (stat(symfs, &about)) {
		int err = -errno;

		message_error("--symfs %s: %s", symfs,
			      err == -ENOENT ? "no such directory" : strerror(-err));
		return err;
	}
	if (S_ISDIR(about.st_mode))
		return 0;
	message_error("--symfs %s: this is no directory", symfs);
	return -ENOTDIR;
}

static int replay(const struct options *o, struct event_sink *sink, struct recording_stats *stats)
{
	const struct recording_stats *read;
	struct recording *recording;
	const char *path = strcmp(o->file, "-") ? o->file : "/dev/stdin";
	uint16_t major;
	int err = symfs_check(o->symfs);

	if (err)
		return err;
	err = recording_open(path, &recording, &major);
	if (err)
		return open_failed(o->file, err, major);
	err = read_named(o, recording, sink);
	if (err && err != -ECANCELED)
		message_error("%s: %s", o->file, strerror(-err));
	read = recording_stats(recording);
	if (!err && !read->chunks && (read->cut || is_damaged(read)))
		err = nothing_read(o->file, read);
	else if (!err)
		damage_tell(o, read);
	if (stats)
		*stats = *read;
	recording_close(recording);
	return err;
}

int source_feed(const struct options *o, const char *command_line, struct event_sink *sink,
		struct recording_stats *stats)
{
	return o->file ? replay(o, sink, stats) : capture(o, command_line, sink);
}

/* Whether the rings had no room; what is lost otherwise has no type. */
static bool lost_for_room(const struct model *model)
{
	for (size_t i = 0; i < model->capture.nlost; i++)
		if (model->capture.lost[i].type)
			return true;
	return false;
}

static void damage_keep(struct model_capture *capture, const struct recording_stats *stats)
{
	capture->unread_events = stats->unknown_events + stats->unsound_events;
	if (!is_damaged(stats))
		return;
	capture->damaged_chunks = stats->damaged_chunks;
	capture->damaged_bytes = stats->damaged_bytes;
}

struct model *source_model(const struct options *o, const char *command_line,
			   struct recording_stats *stats)
{
	struct correlate_options options = {
		.tasks = o->tasks,
		.slowest = SLOWEST_POLLS,
		.min_block_ns = o->min_block_ns,
		.by = o->command != COMMAND_FLAME ? CORRELATE_BY_TYPE
		      : o->by == FLAME_BY_TASK    ? CORRELATE_BY_TASK
		      : o->by == FLAME_BY_WORKER  ? CORRELATE_BY_WORKER
						  : CORRELATE_BY_TYPE,
		.type_glob = o->type_glob,
		.syscall_name = syscall_name,
	};
	struct correlator *correlator = correlator_new(&options);
	struct recording_stats read = {0};
	struct model *model = NULL;
	int err;

	if (!correlator) {
		message_error("out of memory");
		return NULL;
	}
	err = source_feed(o, command_line, correlator_sink(correlator), &read);
	if (!err)
		model = correlator_finish(correlator);
	if (!model && (!err || err == -ENOMEM))
		message_error("out of memory");
	if (model)
		damage_keep(&model->capture, &read);
	if (stats)
		*stats = read;
	if (model)
		message_lost(model->capture.events_lost, lost_for_room(model), !o->file);
	correlator_free(correlator);
	return model;
}

static bool is_new_name(const struct model *model, size_t kind)
{
	if (!model->kinds[kind].left_out)
		return false;
	for (size_t i = 0; i < kind; i++) {
		if (model->kinds[i].left_out &&
		    !strcmp(model->kinds[i].name, model->kinds[kind].name))
			return false;
	}
	return true;
}

/* The first few types that there are, "a, b, ..."; returns how many of them. */
static size_t put_names(const struct model *model, FILE *out)
{
	size_t n = 0;

	for (size_t i = 0; i < model->nkinds && n <= FEW_NAMES; i++) {
		char *name;

		if (!is_new_name(model, i))
			continue;
		name = ++n > FEW_NAMES ? strdup("...") : text_escape(model->kinds[i].name, "");
		fprintf(out, "%s%s", n > 1 ? ", " : "", name ? name : "?");
		free(name);
	}
	return n;
}

bool source_has_type(const struct options *o, const struct model *model)
{
	char *names = NULL;
	size_t length, n;
	FILE *out;

	if (!o->type_glob || model->ntypes)
		return true;
	out = open_memstream(&names, &length);
	n = out ? put_names(model, out) : 0;
	if (out)
		fclose(out);
	/* Where nothing was polled, that is what is to be said. */
	if (n)
		message_error("no task type matches '%s': there %s %s", o->type_glob,
			      n == 1 ? "is" : "are", names);
	free(names);
	return !n;
}
