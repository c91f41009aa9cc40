// SPDX-License-Identifier: MIT
/* pollscope info: what a recording holds. */
#include "emit/info.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/source.h"
#include "core/model.h"
#include "events/recording.h"

static void summarize(const char *path, const struct recording_stats *stats,
		      struct recording_summary *summary)
{
	*summary = (struct recording_summary){
		.path = path,
		.version_major = stats->major,
		.version_minor = stats->minor,
		.bytes = stats->bytes,
		.raw_bytes = stats->raw_bytes,
		.chunks = stats->chunks,
		.damaged_chunks = stats->damaged_chunks,
		.damaged_bytes = stats->damaged_bytes,
		.truncated = stats->cut,
		.unknown_events = stats->unknown_events,
		.unsound_events = stats->unsound_events,
	};
	memcpy(summary->events, stats->events, sizeof(summary->events));
}

int command_info(const struct options *o, const char *command_line)
{
	struct recording_stats stats;
	struct recording_summary summary;
	struct model *model = source_model(o, command_line, &stats);
	struct table_options table = {
		.width = output_width(o),
		.color = o->color && output_columns(o),
		.verbose = o->verbose,
	};
	int status = EXIT_FAILED;
	FILE *out;

	if (!model)
		return EXIT_FAILED;
	summarize(o->file, &stats, &summary);
	out = output_open(o);
	if (out)
		status = output_close(o, out,
				      o->json ? emit_info_json(model, &summary, out)
					      : emit_info_text(model, &summary, &table, out));
	model_free(model);
	return status;
}
