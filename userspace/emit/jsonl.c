// SPDX-License-Identifier: MIT
#include "emit/jsonl.h"

#include <errno.h>
#include <stdlib.h>

#include "emit/export.h"
#include "emit/json.h"
#include "emit/jsonl_fields.h"
#include "emit/names.h"

#define SCHEMA "pollscope.events/1"
#define ARCH_MAX 65 /* utsname's */

struct jsonl {
	struct export_stream stream;
	FILE *out;
	char arch[ARCH_MAX];
};

static int print_fields(struct jsonl *j, const struct event *event,
			const struct jsonl_field *fields, size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		fprintf(j->out, ",\"%s\":", fields[i].name);
		err = jsonl_value_print(&fields[i], event, j->arch, j->out);
	}
	return err;
}

static int jsonl_take(struct event_sink *sink, const struct event *event)
{
	struct jsonl *j = (struct jsonl *)sink;
	const struct jsonl_event *about;
	int err;

	if (event->type >= EVENT_TYPES || !jsonl_events[event->type].about)
		return 0;
	about = &jsonl_events[event->type];
	if (event->type == EVENT_CAPTURE_START)
		snprintf(j->arch, sizeof(j->arch), "%s", event->capture_start.arch);
	fprintf(j->out, "{\"type\":\"%s\"", emit_event_name(event->type));
	err = print_fields(j, event, jsonl_common, JSONL_COMMON);
	if (!err)
		err = print_fields(j, event, about->fields, about->nfields);
	if (event->type == EVENT_CAPTURE_START)
		fputs(",\"schema\":\"" SCHEMA "\"", j->out);
	fputs("}\n", j->out);
	return ferror(j->out) ? -EIO : err;
}

static int jsonl_finish(struct export_stream *stream)
{
	return ferror(((struct jsonl *)stream)->out) ? -EIO : 0;
}

static void jsonl_free(struct export_stream *stream)
{
	free(stream);
}

struct export_stream *emit_jsonl_open(FILE *out)
{
	struct jsonl *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->stream = (struct export_stream){
		.sink.take = jsonl_take, .finish = jsonl_finish, .free = jsonl_free};
	j->out = out;
	return &j->stream;
}

/* ---- schema ---------------------------------------------------------------------------------- */

static int put_constant(json_t *properties, json_t *required, const char *name, const char *value)
{
	json_t *constant = json_object();

	return emit_json_put_text(constant, "const", value) |
	       emit_json_put(properties, name, constant) |
	       json_array_append_new(required, json_string(name));
}

static int put_fields(json_t *properties, json_t *required, const struct jsonl_field *fields,
		      size_t n)
{
	int failed = 0;

	for (size_t i = 0; i < n; i++) {
		json_t *field = json_loads(jsonl_form_schema(fields[i].form), 0, NULL);

		failed |= emit_json_put_text(field, "description", fields[i].about);
		failed |= emit_json_put(properties, fields[i].name, field);
		failed |= json_array_append_new(required, json_string(fields[i].name));
	}
	return failed;
}

static json_t *event_schema(uint8_t type)
{
	const struct jsonl_event *about = &jsonl_events[type];
	json_t *object = json_object(), *properties = json_object(), *required = json_array();
	int failed;

	failed = emit_json_put_text(object, "description", about->about);
	failed |= emit_json_put_text(object, "type", "object");
	failed |= put_constant(properties, required, "type", emit_event_name(type));
	failed |= put_fields(properties, required, jsonl_common, JSONL_COMMON);
	failed |= put_fields(properties, required, about->fields, about->nfields);
	if (type == EVENT_CAPTURE_START)
		failed |= put_constant(properties, required, "schema", SCHEMA);
	failed |= emit_json_put(object, "properties", properties);
	failed |= emit_json_put(object, "required", required);
	if (!failed)
		return object;
	json_decref(object);
	return NULL;
}

int emit_jsonl_schema(FILE *out)
{
	json_t *root = json_object(), *choice = json_array(), *definitions = json_object();
	int failed;

	failed =
		emit_json_put_text(root, "$schema", "https://json-schema.org/draft/2020-12/schema");
	failed |= emit_json_put_text(root, "title", SCHEMA);
	failed |= emit_json_put_text(
		root, "description",
		"A line of `pollscope export -f jsonl`: one event. Lines come in the order of "
		"time_ns, but for what describes others. Numbers above 2^63 are written as 2^63 - "
		"1, and ids as strings. Later versions may add fields and types.");
	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		json_t *reference = json_object();
		char path[64];

		snprintf(path, sizeof(path), "#/$defs/%s", emit_event_name(type));
		failed |= emit_json_put_text(reference, "$ref", path);
		failed |= json_array_append_new(choice, reference);
		failed |= emit_json_put(definitions, emit_event_name(type), event_schema(type));
	}
	failed |= emit_json_put(root, "oneOf", choice);
	failed |= emit_json_put(root, "$defs", definitions);
	return emit_json_print(root, failed, out);
}
