// SPDX-License-Identifier: MIT
// links: emit events core util -lprotobuf-c -lz -ljansson
/* Every format, whatever the events are: nothing in a recording is trusted. */
#include "emit/export.h"

#include <jansson.h>

#include "../fixtures/events.h"
#include "core/correlate.h"
#include "golden.h"

#define EVENTS 400

/* Sound events of all types, as a hostile recording may have them. */
static void feed(struct event_sink *sink, uint64_t round)
{
	struct fixture_storage storage;
	struct event event;

	for (uint64_t i = 0; i < EVENTS; i++) {
		uint8_t type = (uint8_t)(1 + (i * 7 + round) % (EVENT_TYPES - 1));

		fixture_event(&event, type, 1000 * (i + 1), (i + round) % FIXTURE_VALUES,
			      (round * EVENTS + i) % 50, &storage);
		/* Few of each, so that they meet. */
		event.tid %= 3;
		if (i % 3)
			event.source %= 2;
		assert_int_equal(sink->take(sink, &event), 0);
	}
}

static struct model *model_of(uint64_t round)
{
	const struct correlate_options options = {.tasks = 10, .slowest = 10};
	struct correlator *correlator = correlator_new(&options);
	struct model *model;

	assert_non_null(correlator);
	feed(correlator_sink(correlator), round);
	model = correlator_finish(correlator);
	assert_non_null(model);
	correlator_free(correlator);
	return model;
}

/* What a format makes of a round's events; to be freed. */
static char *exported(const struct export_format *format, uint64_t round, size_t *size)
{
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, size);

	assert_non_null(out);
	if (format->emit) {
		struct model *model = model_of(round);

		assert_int_equal(format->emit(model, out), 0);
		model_free(model);
	} else if (format->open) {
		struct export_stream *stream = format->open(out);

		assert_non_null(stream);
		feed(&stream->sink, round);
		assert_int_equal(stream->finish(stream), 0);
		stream->free(stream);
	} else {
		struct model *model = model_of(round);
		struct export_stream *stream = format->open_second(model, out);

		assert_non_null(stream);
		feed(&stream->sink, round);
		assert_int_equal(stream->finish(stream), 0);
		stream->free(stream);
		model_free(model);
	}
	fclose(out);
	return bytes;
}

static void formats_have_a_name_and_one_way_to_be_made(void **state)
{
	(void)state;
	for (const struct export_format *f = export_formats; f->name; f++) {
		assert_ptr_equal(export_format_find(f->name), f);
		assert_non_null(f->help);
		assert_int_equal(!!f->emit + !!f->open + !!f->open_second, 1);
	}
	assert_null(export_format_find("gif"));
}

static void any_events_make_a_file(void **state)
{
	(void)state;
	for (const struct export_format *f = export_formats; f->name; f++) {
		for (uint64_t round = 0; round < 20; round++) {
			size_t size;

			free(exported(f, round, &size));
		}
	}
}

static void the_same_events_make_the_same_file(void **state)
{
	(void)state;
	for (const struct export_format *f = export_formats; f->name; f++) {
		size_t size, again;
		char *a = exported(f, 5, &size), *b = exported(f, 5, &again);

		assert_int_equal(size, again);
		assert_memory_equal(a, b, size);
		free(a);
		free(b);
	}
}

static void json_is_json(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 20; round++) {
		size_t size;
		char *text = exported(export_format_find("speedscope"), round, &size);
		json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

		if (!document)
			fail_msg("not JSON: %s", text);
		json_decref(document);
		free(text);
		text = exported(export_format_find("jsonl"), round, &size);
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			document = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
			if (!document)
				fail_msg("not JSON: %s", line);
			json_decref(document);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_have_a_name_and_one_way_to_be_made),
		cmocka_unit_test(any_events_make_a_file),
		cmocka_unit_test(the_same_events_make_the_same_file),
		cmocka_unit_test(json_is_json),
	};

	return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
