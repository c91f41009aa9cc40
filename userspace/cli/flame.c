// SPDX-License-Identifier: MIT
/* pollscope flame: weighted stacks. */
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/source.h"
#include "core/model.h"
#include "emit/flame.h"
#include "emit/flame_json.h"
#include "emit/folded.h"
#include "emit/svg.h"

int command_flame(const struct options *o, const char *command_line)
{
	struct model *model = source_model(o, command_line, NULL);
	int status = EXIT_FAILED;
	struct flame *flame;
	FILE *out;

	if (!model)
		return EXIT_FAILED;
	flame = flame_new(model, o->kind, o->by);
	if (!flame)
		message_error("out of memory");
	out = flame ? output_open(o) : NULL;
	if (out)
		status = output_close(o, out,
				      o->json  ? emit_flame_json(model, flame, out)
				      : o->svg ? emit_svg(model, flame, out)
					       : emit_folded(flame, out));
	flame_free(flame);
	model_free(model);
	return status;
}
