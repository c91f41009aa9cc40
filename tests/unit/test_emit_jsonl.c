// SPDX-License-Identifier: MIT
// links: emit events core util -ljansson
/* Events as lines of JSON: each is what the printed schema says, and nothing is left out. */
#include <errno.h>
#include <jansson.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "../fixtures/events.h"
#include "emit/export.h"
#include "emit/jsonl.h"
#include "emit/names.h"
#include "golden.h"

#define TIME 1000

/* The lines of n events; to be freed. */
static char *lines_of(const struct event *events, size_t n)
{
	struct golden_stream text;
	struct export_stream *stream = emit_jsonl_open(golden_open(&text));

	assert_non_null(stream);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(stream->sink.take(&stream->sink, &events[i]), 0);
	assert_int_equal(stream->finish(stream), 0);
	stream->free(stream);
	return golden_close(&text);
}

static json_t *schema(void)
{
	struct golden_stream stream;
	json_t *document;
	char *text;

	assert_int_equal(emit_jsonl_schema(golden_open(&stream)), 0);
	text = golden_close(&stream);
	document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(document);
	free(text);
	return document;
}

/* ---- a line against the schema: what of JSON Schema ours uses ---- */

static bool is_type(const json_t *value, const char *type)
{
	return (!strcmp(type, "integer") && json_is_integer(value)) ||
	       (!strcmp(type, "string") && json_is_string(value)) ||
	       (!strcmp(type, "null") && json_is_null(value)) ||
	       (!strcmp(type, "boolean") && json_is_boolean(value)) ||
	       (!strcmp(type, "array") && json_is_array(value)) ||
	       (!strcmp(type, "object") && json_is_object(value));
}

static bool has_type(const json_t *value, const json_t *types)
{
	json_t *type;
	size_t i;

	if (!types)
		return true;
	if (json_is_string(types))
		return is_type(value, json_string_value(types));
	json_array_foreach (types, i, type)
		if (is_type(value, json_string_value(type)))
			return true;
	return false;
}

static bool in_enum(const json_t *value, const json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_equal(item, value))
			return true;
	return !list;
}

static bool matches(const json_t *value, const json_t *wanted);

static bool members_match(const json_t *object, const json_t *wanted)
{
	const json_t *properties = json_object_get(wanted, "properties");
	const json_t *required = json_object_get(wanted, "required");
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach (required, i, value)
		if (!json_object_get(object, json_string_value(value)))
			return false;
	json_object_foreach ((json_t *)object, key, value)
		if (!json_object_get(properties, key) ||
		    !matches(value, json_object_get(properties, key)))
			return false;
	return true;
}

static bool matches(const json_t *value, const json_t *wanted)
{
	const json_t *constant = json_object_get(wanted, "const");
	const json_t *minimum = json_object_get(wanted, "minimum");
	json_t *item;
	size_t i;

	if (!has_type(value, json_object_get(wanted, "type")) ||
	    !in_enum(value, json_object_get(wanted, "enum")) ||
	    (constant && !json_equal(constant, value)))
		return false;
	if (minimum && json_is_integer(value) &&
	    json_integer_value(value) < json_integer_value(minimum))
		return false;
	json_array_foreach (value, i, item)
		if (!matches(item, json_object_get(wanted, "items")))
			return false;
	return !json_is_object(value) || members_match(value, wanted);
}

static void each_event_is_a_line_that_the_schema_describes(void **state)
{
	json_t *document = schema(), *definitions = json_object_get(document, "$defs");

	(void)state;
	assert_int_equal(json_object_size(definitions), EVENT_TYPES - 1);
	assert_int_equal(json_array_size(json_object_get(document, "oneOf")), EVENT_TYPES - 1);
	for (uint8_t type = 1; type < EVENT_TYPES; type++) {
		const json_t *wanted = json_object_get(definitions, emit_event_name(type));

		for (int i = 0; i < 20 * FIXTURE_VALUES; i++) {
			struct fixture_storage storage;
			struct event event;
			json_t *line;
			char *text;

			fixture_event(&event, type, TIME, i % FIXTURE_VALUES, i, &storage);
			text = lines_of(&event, 1);
			assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
			line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
			if (!line || !matches(line, wanted))
				fail_msg("not what the schema says: %s", text);
			assert_string_equal(json_string_value(json_object_get(line, "type")),
					    emit_event_name(type));
			json_decref(line);
			free(text);
		}
	}
	json_decref(document);
}

/* Whether a type's lines leave the field out, for it means nothing there. */
static bool means_nothing(uint8_t type, const char *field)
{
	if (!strcmp(field, "flags"))
		return type != EVENT_POLL && type != EVENT_OFFCPU;
	return (type == EVENT_BLOCKING_START || type == EVENT_BLOCKING_END) &&
	       (!strcmp(field, "blocking.depth") || strstr(field, "threads"));
}

static void change(struct event *event, const struct field *field, struct event_frame *frame)
{
	static const uint64_t address = 1;
	void *at = (char *)event + field->offset;
	uint64_t one = 1;

	if (fixture_is_text(field)) {
		*(const char **)at = "x";
	} else if (field->coding == FIELD_STACK) {
		*(struct event_stack *)at = (struct event_stack){.frames = &address, .nuser = 1};
	} else if (field->coding == FIELD_SYMBOL) {
		*frame = (struct event_frame){"x", "", 0};
	} else {
		memcpy(at, &one, field->size);
	}
}

static void whatever_is_recorded_shows(void **state)
{
	(void)state;
	for (uint8_t type = 1; type < EVENT_TYPES; type++) {
		const struct schema *recorded = schema_of(type);

		for (unsigned int i = 0; i < recorded->nfields; i++) {
			struct event_frame frame = {"", "", 0};
			struct fixture_storage storage;
			struct event event;
			char *before, *after;

			if (means_nothing(type, recorded->fields[i].name))
				continue;
			fixture_event(&event, type, 0, FIXTURE_ZERO, 0, &storage);
			event.symbol.frames = type == EVENT_SYMBOL ? &frame : event.symbol.frames;
			if (type == EVENT_CAPTURE_END)
				event.capture_end.reason = 2;
			if (type == EVENT_OFFCPU)
				event.offcpu.cause = 2;
			before = lines_of(&event, 1);
			change(&event, &recorded->fields[i], &frame);
			after = lines_of(&event, 1);
			if (!strcmp(before, after))
				fail_msg("%s: %s does not show", recorded->name,
					 recorded->fields[i].name);
			free(before);
			free(after);
		}
	}
}

/* ---- values ---- */

static const char *member(char **text, const struct event *event, const char *key)
{
	json_t *line;

	*text = lines_of(event, 1);
	line = json_loads(*text, 0, NULL);
	assert_non_null(line);
	free(*text);
	*text = json_dumps(json_object_get(line, key), JSON_ENCODE_ANY);
	json_decref(line);
	return *text;
}

static void check_member(const struct event *event, const char *key, const char *expected)
{
	char *text;

	assert_string_equal(member(&text, event, key), expected);
	free(text);
}

static void what_is_not_known_is_null(void **state)
{
	const struct event poll = {
		.type = EVENT_POLL,
		.source = EVENT_NO_SOURCE,
		.poll = {.task = EVENT_UNKNOWN, .local_depth = EVENT_NO_DEPTH, .inject_depth = 3}};
	const struct event off = {
		.type = EVENT_OFFCPU,
		.offcpu = {.syscall = -1, .waker_source = EVENT_NO_SOURCE, .file_name = ""}};

	(void)state;
	check_member(&poll, "tid", "null");
	check_member(&poll, "source", "null");
	check_member(&poll, "task", "null");
	check_member(&poll, "local_depth", "null");
	check_member(&poll, "inject_depth", "3");
	check_member(&off, "task", "null");
	check_member(&off, "syscall", "null");
	check_member(&off, "syscall_name", "null");
	check_member(&off, "waker_source", "null");
	check_member(&off, "waker_task", "null");
}

static void wide_numbers_stay_json_integers_or_become_strings(void **state)
{
	const struct event wide = {.time = UINT64_MAX - 1,
				   .type = EVENT_POLL,
				   .poll = {.task = UINT64_MAX - 1, .kind = INT64_MAX}};

	(void)state;
	check_member(&wide, "time_ns", "9223372036854775807");
	check_member(&wide, "task", "\"18446744073709551614\"");
	check_member(&wide, "kind", "9223372036854775807");
}

static void text_is_escaped(void **state)
{
	const struct event event = {.type = EVENT_THREAD,
				    .thread = {.comm = "a\"b\\c\nd\xff\xc3\xa9"}};

	(void)state;
	check_member(&event, "comm", "\"a\\\"b\\\\c\\nd\xef\xbf\xbd\xc3\xa9\"");
}

static void system_call_of_this_machine_has_its_name(void **state)
{
	struct utsname machine;
	struct event events[] = {
		{.type = EVENT_CAPTURE_START,
		 .capture_start = {.kernel = "", .tool_version = "", .command_line = ""}},
		{.type = EVENT_OFFCPU, .offcpu = {.syscall = SYS_fdatasync, .file_name = ""}},
	};
	char *text;

	(void)state;
	uname(&machine);
	events[0].capture_start.arch = machine.machine;
	text = lines_of(events, 2);
	assert_non_null(strstr(text, "\"syscall_name\":\"fdatasync\""));
	free(text);
}

static void lines_are_as_documented(void **state)
{
	static const uint64_t frames[] = {0xffffffff81000010, 0x401000, 0x402000};
	static const struct event_frame inlined[] = {{"hash", "hash.h", 9}, {"save", "app.c", 77}};
	const struct event events[] = {
		{.time = 1000,
		 .source = EVENT_NO_SOURCE,
		 .type = EVENT_CAPTURE_START,
		 .capture_start = {1738324800000000000, 10101010, 4, "6.1", "other", "0.1.0",
				   "pollscope record -p 42"}},
		{.time = 1000,
		 .source = EVENT_NO_SOURCE,
		 .type = EVENT_SOURCE,
		 .source_info = {0, 0, EVENT_CAN_POLL | EVENT_CAN_WAKE | EVENT_IDS_REUSED, "tokio",
				 "1.40", "/bin/app"}},
		{.time = 1500,
		 .tid = 43,
		 .type = EVENT_KIND,
		 .kind = {.kind = 7, .type = "handle", .file = "app.c", .line = 12, .full = ""}},
		{.time = 3000,
		 .tid = 43,
		 .type = EVENT_OFFCPU,
		 .offcpu = {17,
			    7,
			    2000,
			    2900,
			    EVENT_CAUSE_SYSCALL,
			    EVENT_WAKER_THREAD,
			    0,
			    44,
			    18,
			    75,
			    2049,
			    11,
			    0100000,
			    "journal",
			    {frames, 1, 2}}},
		{.time = 4000,
		 .tid = 43,
		 .type = EVENT_POLL,
		 .flags = EVENT_READY | EVENT_CLIPPED,
		 .poll = {17, 7, 1500, 900, 100, 3, EVENT_NO_DEPTH, 0}},
		{.time = 5000,
		 .source = EVENT_NO_SOURCE,
		 .type = EVENT_LOST,
		 .lost = {EVENT_WAKE, 12, 4000}},
		{.time = 5000,
		 .source = EVENT_NO_SOURCE,
		 .type = EVENT_SYMBOL,
		 .symbol = {0, 0x401000, false, 2, inlined}},
	};
	char *text = lines_of(events, sizeof(events) / sizeof(*events));

	(void)state;
	golden_check("events.jsonl", text);
	free(text);
}

static void failed_write_is_told(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	const struct event event = {.type = EVENT_ABORT};
	struct export_stream *stream = emit_jsonl_open(full);
	int err = 0;

	(void)state;
	for (int i = 0; !err && i < 1000; i++)
		err = stream->sink.take(&stream->sink, &event);
	assert_int_equal(err, -EIO);
	assert_int_equal(stream->finish(stream), -EIO);
	stream->free(stream);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_is_a_line_that_the_schema_describes),
		cmocka_unit_test(whatever_is_recorded_shows),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(wide_numbers_stay_json_integers_or_become_strings),
		cmocka_unit_test(text_is_escaped),
		cmocka_unit_test(system_call_of_this_machine_has_its_name),
		cmocka_unit_test(lines_are_as_documented),
		cmocka_unit_test(failed_write_is_told),
	};

	return cmocka_run_group_tests_name("emit_jsonl", tests, NULL, NULL);
}
