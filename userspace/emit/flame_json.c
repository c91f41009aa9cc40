// SPDX-License-Identifier: MIT
#include "emit/flame_json.h"

#include "emit/json.h"
#include "emit/report_json.h"

static json_t *stack_json(const struct flame *flame, const struct flame_stack *stack)
{
	json_t *object = json_object(), *frames = json_array();
	int failed = 0;

	for (size_t i = 0; i < stack->nframes; i++)
		failed |= json_array_append_new(frames, emit_json_text(stack->frames[i]->name));
	failed |= emit_json_put(object, "frames", frames);
	failed |= emit_json_put_number(object, "ns", stack->ns);
	if (flame->base)
		failed |= emit_json_put_number(object, "base_ns", stack->base_ns);
	if (!failed)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *base_json(const struct flame *flame)
{
	json_t *object = json_object();
	int failed = emit_json_put(object, "capture", emit_capture_json(flame->base));

	failed |= emit_json_put_number(object, "total_ns", flame->base_total_ns);
	if (!failed)
		return object;
	json_decref(object);
	return NULL;
}

int emit_flame_json(const struct model *model, const struct flame *flame, FILE *out)
{
	json_t *document = json_object(), *stacks = json_array();
	int failed = emit_json_put_text(document, "schema", "pollscope.flame/1");

	failed |= emit_json_put(document, "capture", emit_capture_json(model));
	failed |= emit_json_put_number(document, "total_ns", flame->total_ns);
	if (flame->base)
		failed |= emit_json_put(document, "base", base_json(flame));
	for (size_t i = 0; i < flame->nstacks; i++)
		failed |= json_array_append_new(stacks, stack_json(flame, &flame->stacks[i]));
	failed |= emit_json_put(document, "stacks", stacks);
	return emit_json_print(document, failed, out);
}
