// SPDX-License-Identifier: MIT
/* pollscope export: formats that other tools read. */
#include "emit/export.h"

#include <errno.h>
#include <inttypes.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/source.h"
#include "core/model.h"

/*
 * Between the events and their format: keeps its errors, and counts what was lost. What the output held
 * before stays until there is an event.
 */
struct exporter {
	struct event_sink sink;
	const struct options *options;
	const struct model *model; /* of what was read before; NULL: nothing was */
	FILE *out;
	struct export_stream *stream;
	int error;          /* of the format or the output */
	bool lost_for_room; /* some of them; what is lost otherwise has no type */
	uint64_t lost;
};

/* Returns 0 or an error that is told when the output is closed, or has been where there is none. */
static int exporter_open(struct exporter *exporter)
{
	exporter->out = output_open(exporter->options);
	if (!exporter->out)
		return -EIO;
	if (exporter->model)
		exporter->stream =
			exporter->options->export->open_second(exporter->model, exporter->out);
	else
		exporter->stream = exporter->options->export->open(exporter->out);
	return exporter->stream ? 0 : -ENOMEM;
}

/* Why a write failed: closing the stream, much later, no longer knows. */
static int reason(const struct exporter *exporter, int err)
{
	return err == -EIO && exporter->out && ferror(exporter->out) && errno ? -errno : err;
}

static int exporter_take(struct event_sink *sink, const struct event *event)
{
	struct exporter *exporter = (struct exporter *)sink;
	int err = exporter->stream ? 0 : exporter_open(exporter);

	if (event->type == EVENT_LOST) {
		exporter->lost += event->lost.count;
		exporter->lost_for_room |= event->lost.type != 0;
	}
	if (!err)
		err = exporter->stream->sink.take(&exporter->stream->sink, event);
	exporter->error = reason(exporter, err);
	return err ? -ECANCELED : 0;
}

/* Finishes and closes what was opened. fed: 0, or that the source failed, which has been said. */
static int exporter_close(struct exporter *exporter, int fed)
{
	const struct options *o = exporter->options;
	struct export_stream *stream = exporter->stream;

	if (!fed)
		exporter->error = reason(exporter, stream->finish(stream));
	if (stream)
		stream->free(stream);
	if (!exporter->model)
		message_lost(exporter->lost, exporter->lost_for_room, !o->file);
	if (!exporter->out)
		return EXIT_FAILED;
	if (!fed || exporter->error)
		return output_close(o, exporter->out, exporter->error);
	output_discard(o, exporter->out);
	return EXIT_FAILED;
}

static int export_events(const struct options *o, const char *command_line)
{
	struct exporter exporter = {.sink.take = exporter_take, .options = o};
	int err = source_feed(o, command_line, &exporter.sink, NULL);

	/* A recording may hold none. */
	if (!err && !exporter.stream)
		err = exporter.error = exporter_open(&exporter);
	return exporter_close(&exporter, err);
}

/* So that nobody takes what is shown for all there is. */
static void tasks_tell(const struct options *o, const struct model *model)
{
	uint64_t tasks = 0;

	for (size_t i = 0; i < model->ntypes; i++)
		tasks += model->types[i].tasks;
	if (model->ntasks < tasks)
		message_note(o, "%zu of %" PRIu64 " tasks have a track of their own (--tasks N)",
			     model->ntasks, tasks);
}

static int export_second(const struct options *o, const char *command_line)
{
	struct exporter exporter = {.sink.take = exporter_take, .options = o};
	struct model *model = source_model(o, command_line, NULL);
	int err;

	if (!model || !source_has_type(o, model)) {
		model_free(model);
		return EXIT_FAILED;
	}
	tasks_tell(o, model);
	exporter.model = model;
	err = source_feed_again(o->file, &exporter.sink);
	if (!err && !exporter.stream)
		err = exporter.error = exporter_open(&exporter);
	err = exporter_close(&exporter, err);
	model_free(model);
	return err;
}

/* What is live, or a pipe, is kept to be read twice. */
static int export_twice(const struct options *o, const char *command_line)
{
	struct options kept = *o;
	struct source_copy copy;
	int status;

	if (source_is_lasting(o))
		return export_second(o, command_line);
	if (source_copy_make(o, command_line, &copy))
		return EXIT_FAILED;
	kept.file = copy.path;
	status = export_second(&kept, command_line);
	source_copy_release(&copy);
	return status;
}

static int export_model(const struct options *o, const char *command_line)
{
	struct model *model = source_model(o, command_line, NULL);
	int status = EXIT_FAILED;
	FILE *out;

	if (!model)
		return EXIT_FAILED;
	out = source_has_type(o, model) ? output_open(o) : NULL;
	if (out)
		status = output_close(o, out, o->export->emit(model, out));
	model_free(model);
	return status;
}

static int export_schema(const struct options *o)
{
	FILE *out = output_open(o);

	return out ? output_close(o, out, o->export->schema(out)) : EXIT_FAILED;
}

int command_export(const struct options *o, const char *command_line)
{
	if (o->schema)
		return export_schema(o);
	if (o->export->binary && output_is_terminal(o))
		return message_error("%s is nothing for a terminal: give it a file by --output",
				     o->export->name);
	if (o->export->open_second)
		return export_twice(o, command_line);
	return o->export->open ? export_events(o, command_line) : export_model(o, command_line);
}
