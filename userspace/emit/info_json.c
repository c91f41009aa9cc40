// SPDX-License-Identifier: MIT
#include "emit/info.h"

#include "emit/json.h"
#include "emit/names.h"
#include "emit/report_json.h"

static json_t *whole(json_t *value, int failed)
{
	if (!failed)
		return value;
	json_decref(value);
	return NULL;
}

static json_t *file_json(const struct recording_summary *recording)
{
	json_t *object = json_object(), *version = json_array();
	int failed;

	failed = emit_json_put_text(object, "path", recording->path);
	failed |= emit_json_put_number(object, "bytes", recording->bytes);
	failed |= emit_json_put_number(object, "raw_bytes", recording->raw_bytes);
	failed |= json_array_append_new(version, json_integer(recording->version_major));
	failed |= json_array_append_new(version, json_integer(recording->version_minor));
	failed |= emit_json_put(object, "version", version);
	failed |= emit_json_put_bool(object, "truncated", recording->truncated);
	failed |= emit_json_put_number(object, "chunks", recording->chunks);
	failed |= emit_json_put_number(object, "damaged_chunks", recording->damaged_chunks);
	failed |= emit_json_put_number(object, "damaged_bytes", recording->damaged_bytes);
	failed |= emit_json_put_number(object, "unknown_events", recording->unknown_events);
	failed |= emit_json_put_number(object, "unsound_events", recording->unsound_events);
	return whole(object, failed);
}

static json_t *events_json(const struct recording_summary *recording)
{
	json_t *object = json_object();
	int failed = 0;

	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		if (recording->events[type])
			failed |= emit_json_put_number(object, emit_event_name(type),
						       recording->events[type]);
	}
	return whole(object, failed);
}

static json_t *module_json(const struct model *model, const struct model_module *module)
{
	json_t *object = json_object();
	bool kernel = module->process >= model->nprocesses;
	int failed;

	failed = emit_json_put(object, "pid",
			       kernel ? json_null()
				      : json_integer(model->processes[module->process].pid));
	failed |= emit_json_put_text(object, "path", module->path);
	failed |=
		emit_json_put_text(object, "build_id", *module->build_id ? module->build_id : NULL);
	failed |= emit_json_put_id(object, "start", module->start);
	failed |= emit_json_put_id(object, "end", module->end);
	failed |= emit_json_put_id(object, "file_offset", module->file_offset);
	return whole(object, failed);
}

int emit_info_json(const struct model *model, const struct recording_summary *recording, FILE *out)
{
	json_t *root = json_object(), *modules = json_array();
	int failed;

	failed = emit_json_put_text(root, "schema", "pollscope.info/1");
	failed |= emit_json_put(root, "file", file_json(recording));
	failed |= emit_json_put(root, "capture", emit_capture_json(model));
	failed |= emit_json_put(root, "events", events_json(recording));
	for (size_t i = 0; i < model->nmodules; i++)
		failed |= json_array_append_new(modules, module_json(model, &model->modules[i]));
	failed |= emit_json_put(root, "modules", modules);
	failed |= emit_json_put_number(root, "stacks", model->nstacks);
	failed |= emit_json_put_number(root, "symbols", model->nsymbols);
	return emit_json_print(root, failed, out);
}
