// SPDX-License-Identifier: MIT
/* pollscope flame: weighted stacks. */
#include <stddef.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/source.h"
#include "core/model.h"
#include "emit/flame.h"
#include "emit/flame_json.h"
#include "emit/folded.h"
#include "emit/quality.h"
#include "emit/svg.h"

/* The model of --diff; NULL where it failed, which has been said. */
static struct model *base_model(const struct options *o, const char *command_line)
{
	struct options base = *o;
	struct model *model;

	base.file = o->diff;
	base.pids = base.name = NULL;
	base.argv = NULL;
	model = source_model(&base, command_line, NULL);
	if (model && !model->capture.duration_ns) {
		message_error("%s: captured for no time: there is nothing to compare with",
			      o->diff);
		model_free(model);
		model = NULL;
	}
	return model;
}

/* NULL where it failed, which has been said. */
static struct flame *make_flame(const struct options *o, const struct model *model,
				const struct model *base)
{
	struct flame *flame;

	if (base && !model->capture.duration_ns) {
		message_error("captured for no time: there is nothing to compare");
		return NULL;
	}
	flame = flame_new(model, o->kind, o->by);
	if (flame && (!base || !flame_compare(flame, base)))
		return flame;
	message_error("out of memory");
	flame_free(flame);
	return NULL;
}

static bool has_awaits(const struct model *model)
{
	for (size_t i = 0; i < model->nweights; i++) {
		if (model->weights[i].kind == MODEL_WEIGHT_IDLE)
			return true;
	}
	return false;
}

/* Why a flame of idle time does not say what tasks wait for. */
static void idle_tell(const struct options *o, const struct model *model)
{
	if (o->kind != FLAME_IDLE || has_awaits(model))
		return;
	if (model->capture.estimated)
		message_note(o, "polls were sampled: how long tasks were idle is not known");
	else if (model->nidle)
		message_note(o, "no stack of where tasks wait was taken (--await-stacks 0, or the "
				"runtime's probes do not show it, or the kernel refused them)");
}

/* An empty output, or picture, says nothing itself. */
static void emptiness_tell(const struct options *o, const struct model *model,
			   const struct flame *flame)
{
	const char *why = quality_unseen_polls(model);

	if (!why)
		why = "there is no stack to show: none of this kind was seen";
	if (!flame->nstacks)
		message_note(o, "%s", why);
}

static bool has_type(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->ntypes; i++) {
		if (!strcmp(model->types[i].name, name))
			return true;
	}
	return false;
}

/* Two programs, maybe: each would show as all gone, or all new. */
static void strangers_tell(const struct options *o, const struct model *model,
			   const struct model *base)
{
	if (o->by != FLAME_BY_TYPE || !model->ntypes || !base->ntypes)
		return;
	for (size_t i = 0; i < model->ntypes; i++) {
		if (has_type(base, model->types[i].name))
			return;
	}
	message_note(o,
		     "%s has no task type of what it is compared with: are they of the same "
		     "program?",
		     o->diff);
}

static int show(const struct options *o, const struct model *model, const struct model *base)
{
	struct flame *flame = make_flame(o, model, base);
	FILE *out = flame ? output_open(o) : NULL;
	int status = EXIT_FAILED;

	idle_tell(o, model);
	if (flame)
		emptiness_tell(o, model, flame);
	if (base)
		strangers_tell(o, model, base);
	if (out)
		status = output_close(o, out,
				      o->json  ? emit_flame_json(model, flame, out)
				      : o->svg ? emit_svg(model, flame, out)
					       : emit_folded(flame, out));
	flame_free(flame);
	return status;
}

int command_flame(const struct options *o, const char *command_line)
{
	/* The base first: what is wrong with it ought to be said before a capture. */
	struct model *base = o->diff ? base_model(o, command_line) : NULL, *model = NULL;
	int status = EXIT_FAILED;

	if (base || !o->diff)
		model = source_model(o, command_line, NULL);
	/* A type may be in one of both. */
	if (model && ((base && base->ntypes) || source_has_type(o, model)))
		status = show(o, model, base);
	model_free(model);
	model_free(base);
	return status;
}
