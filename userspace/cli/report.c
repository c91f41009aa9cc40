// SPDX-License-Identifier: MIT
/* pollscope report: where each task type's time went. */
#include <errno.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/source.h"
#include "core/model.h"
#include "emit/flame.h"
#include "emit/html.h"
#include "emit/report_json.h"
#include "emit/report_table.h"

static int emit_page(const struct options *o, const struct model *model, FILE *out)
{
	struct flame *flame = flame_new(model, FLAME_WALL, FLAME_BY_TYPE);
	int err = flame ? emit_html(model, flame, o->sort, out) : -ENOMEM;

	flame_free(flame);
	return err;
}

static int emit(const struct options *o, const struct model *model, FILE *out)
{
	struct table_options table = {
		.width = output_width(o),
		.color = o->color && output_columns(o),
		.verbose = o->verbose,
		.sort = o->sort,
		.tasks = o->tasks,
	};

	if (o->json)
		return emit_report_json(model, o->sort, out);
	if (o->html)
		return emit_page(o, model, out);
	return emit_report_table(model, &table, out);
}

int command_report(const struct options *o, const char *command_line)
{
	struct model *model = source_model(o, command_line, NULL);
	int status = EXIT_FAILED;
	FILE *out;

	if (!model)
		return EXIT_FAILED;
	out = source_has_type(o, model) ? output_open(o) : NULL;
	if (out)
		status = output_close(o, out, emit(o, model, out));
	model_free(model);
	return status;
}
