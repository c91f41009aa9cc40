// SPDX-License-Identifier: MIT
#include "events/chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "events/check.h"
#include "events/column.h"
#include "events/predict.h"
#include "events/schema.h"
#include "events/tables.h"

struct chunk_reader {
	ZSTD_DCtx *zstd;
	struct table raw_memory, predicted_memory;
	uint8_t *raw;
	bool bad; /* this chunk is not what a writer made */
	struct cursor shared[CHUNK_SHARED_COLUMNS];
	struct cursor fields[256][SCHEMA_MAX_FIELDS];
	struct cursor low_bytes[256][SCHEMA_MAX_FIELDS];
	struct tables tables;
	struct predict predict;
	struct event event;
	struct event_frame symbol[EVENT_SYMBOL_FRAMES];
};

struct chunk_reader *chunk_reader_new(void)
{
	struct chunk_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->zstd = ZSTD_createDCtx();
	if (!reader->zstd) {
		free(reader);
		return NULL;
	}
	return reader;
}

void chunk_reader_free(struct chunk_reader *reader)
{
	if (!reader)
		return;
	ZSTD_freeDCtx(reader->zstd);
	tables_release(&reader->tables);
	free(reader->raw_memory.memory);
	free(reader->predicted_memory.memory);
	free(reader);
}

static inline uint64_t get(struct chunk_reader *reader, struct cursor *cursor)
{
	return cursor_get(cursor, &reader->bad);
}

static inline uint64_t get_below(struct chunk_reader *reader, struct cursor *cursor, uint64_t bound)
{
	return cursor_get_below(cursor, bound, &reader->bad);
}

/* Field number i of the event type, a wide one. */
static inline uint64_t get_wide(struct chunk_reader *reader, uint8_t type, unsigned int i)
{
	struct cursor *low = &reader->low_bytes[type][i];
	uint64_t value = get(reader, &reader->fields[type][i]) << 8;

	return low->at == low->end ? value : value | *low->at++;
}

static uint32_t get_current(struct chunk_reader *reader, struct cursor *cursor)
{
	struct predict *predict = &reader->predict;
	uint64_t code = get_below(reader, cursor, 3 + reader->tables.ntasks);
	uint32_t task = predict_oldest(predict);

	/* Both predictions forget what was polled meanwhile: ask for them as the writer did. */
	if (code) {
		task = predict_newest(predict);
		if (code > 1)
			task = code == 2 ? 0 : (uint32_t)(code - 3);
	}
	predict_current(predict, task);
	return task;
}

static uint32_t get_task(struct chunk_reader *reader, uint8_t type, unsigned int i)
{
	struct predict *predict = &reader->predict;
	uint64_t code = get_wide(reader, type, i);
	uint64_t task = code ? code - 1 : predict_task(predict, type);

	if (task >= reader->tables.ntasks) {
		reader->bad = true;
		task = 0;
	}
	predict_task_seen(predict, (uint32_t)task);
	return (uint32_t)task;
}

static uint32_t get_kind(struct chunk_reader *reader, struct cursor *cursor)
{
	struct predict *predict = &reader->predict;
	uint64_t code = get_below(reader, cursor, 1 + reader->tables.nkinds);
	uint32_t kind = code ? (uint32_t)(code - 1) : predict_kind(predict);

	predict_kind_seen(predict, kind);
	return kind;
}

static const char *string(struct chunk_reader *reader, uint64_t index)
{
	if (index < reader->tables.nstrings)
		return reader->tables.strings[index];
	reader->bad = true;
	return "";
}

static const char *later_text(struct chunk_reader *reader, uint64_t code)
{
	return code ? string(reader, code - 1) : "";
}

static void get_stack(struct chunk_reader *reader, struct cursor *cursor, struct event_stack *stack)
{
	uint64_t index = get_below(reader, cursor, reader->tables.nstacks);

	if (reader->bad)
		return;
	*stack = reader->tables.stacks[index];
	predict_stack_seen(&reader->predict, (uint32_t)index);
}

static void get_symbol(struct chunk_reader *reader, struct cursor *cursor,
		       struct event_symbol *symbol)
{
	uint64_t n = get_below(reader, cursor, EVENT_SYMBOL_FRAMES + 1);

	symbol->nframes = (uint32_t)n;
	symbol->frames = reader->symbol;
	for (uint64_t i = 0; i < n && !reader->bad; i++) {
		struct event_frame *frame = &reader->symbol[i];

		frame->function = string(reader, get(reader, cursor));
		frame->file = string(reader, get(reader, cursor));
		frame->line = (uint32_t)get(reader, cursor) - 1;
		/* Zeros behind its end would let a small column stand for much work. */
		reader->bad |= cursor->at == cursor->end && i + 1 < n;
	}
}

static inline void store(void *at, uint8_t size, uint64_t value)
{
	switch (size) {
	case 1:
		*(uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)at = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)at = (uint32_t)value;
		break;
	default:
		*(uint64_t *)at = value;
	}
}

static inline void get_field(struct chunk_reader *reader, const struct schema *schema,
			     unsigned int i)
{
	const struct field *field = &schema->fields[i];
	struct event *event = &reader->event;
	struct cursor *cursor = &reader->fields[event->type][i];
	struct predict *predict = &reader->predict;
	void *at = (char *)event + field->offset;
	uint64_t *last;

	switch (field->coding) {
	case FIELD_DELTA:
		last = &predict->like[i];
		*last += unzigzag(get(reader, cursor));
		store(at, field->size, *last);
		break;
	case FIELD_FLAG:
		*(bool *)at = get(reader, cursor) != 0;
		break;
	case FIELD_AGE:
		*(uint64_t *)at = event->time - get_wide(reader, event->type, i);
		break;
	case FIELD_START:
		*(uint64_t *)at =
			predict->thread->boundary + unzigzag(get_wide(reader, event->type, i));
		break;
	case FIELD_AFTER:
		*(uint64_t *)at = *(const uint64_t *)((const char *)event + field[-1].offset) +
				  unzigzag(get_wide(reader, event->type, i));
		break;
	case FIELD_DEPTH:
		last = &predict->thread->depth;
		*last += unzigzag(get(reader, cursor)) - 1;
		store(at, field->size, *last);
		break;
	case FIELD_WORKER:
		last = &predict->thread->worker;
		*last += unzigzag(get(reader, cursor));
		store(at, field->size, *last);
		break;
	case FIELD_TASK:
		*(uint64_t *)at = reader->tables.tasks[get_task(reader, event->type, i)];
		break;
	case FIELD_CURRENT:
		*(uint64_t *)at = reader->tables.tasks[get_current(reader, cursor)];
		break;
	case FIELD_KIND:
		*(uint64_t *)at = reader->tables.kinds[get_kind(reader, cursor)];
		break;
	case FIELD_TEXT:
		last = &predict->like[i];
		*last += unzigzag(get(reader, cursor));
		*(const char **)at = string(reader, *last);
		break;
	case FIELD_LATER_TEXT:
		*(const char **)at = later_text(reader, get(reader, cursor));
		break;
	case FIELD_STACK:
		get_stack(reader, cursor, at);
		break;
	case FIELD_BLOCKED:
		*(uint64_t *)at = predict->thread->blocked + unzigzag(get(reader, cursor));
		break;
	case FIELD_RUNQUEUE:
		*(uint64_t *)at = predict->thread->runqueue + unzigzag(get(reader, cursor));
		break;
	case FIELD_SYMBOL:
		get_symbol(reader, cursor, &event->symbol);
		break;
	}
}

/* Reads the next event of a type into reader->event; false where the type is not known. */
static bool read_event(struct chunk_reader *reader, uint8_t type)
{
	const struct schema *schema = schema_of(type);
	struct event *event = &reader->event;
	uint64_t thread;

	event->type = type;
	event->time = reader->predict.time + get_wide(reader, type, FIELD_OF_TIME);
	reader->predict.time = event->time;
	if (!schema)
		return false;
	thread = get_below(reader, &reader->fields[type][FIELD_OF_TID], reader->tables.nthreads);
	if (reader->bad)
		return false;
	event->tid = (uint32_t)reader->tables.threads[thread];
	predict_begin(&reader->predict, type, event->time, (uint32_t)thread);
	for (unsigned int i = FIELD_OF_SOURCE; i < schema->nfields; i++)
		get_field(reader, schema, i);
	predict_end(&reader->predict, event);
	return true;
}

static int read_events(struct chunk_reader *reader, struct event_sink *sink,
		       struct chunk_counts *counts)
{
	struct cursor *types = &reader->shared[CHUNK_TYPES];
	int err = 0;

	while (types->at < types->end && !err) {
		uint8_t type = *types->at++;
		bool known = read_event(reader, type);

		if (reader->bad)
			return 0;
		if (!known) {
			counts->unknown++;
			continue;
		}
		if (!event_is_sound(&reader->event)) {
			counts->unsound++;
			continue;
		}
		counts->events[type]++;
		err = sink->take(sink, &reader->event);
	}
	return err;
}

/* ---- payload --------------------------------------------------------------------------------- */

/* Where a column's cursor is; NULL: of no interest. */
static struct cursor *column_cursor(struct chunk_reader *reader, uint64_t number)
{
	uint64_t field = number & (CHUNK_LOW_COLUMN - 1);

	if (number < CHUNK_SHARED_COLUMNS)
		return &reader->shared[number];
	if (number < 256 || number >> 8 > 255 || field >= SCHEMA_MAX_FIELDS)
		return NULL;
	return number & CHUNK_LOW_COLUMN ? &reader->low_bytes[number >> 8][field]
					 : &reader->fields[number >> 8][field];
}

static void read_directory(struct chunk_reader *reader, size_t size)
{
	struct cursor directory = {reader->raw, reader->raw + size};
	uint64_t n = get_below(reader, &directory, 1 + size / 2);
	struct cursor numbers = directory;
	const uint8_t *at;

	memset(reader->shared, 0, sizeof(reader->shared));
	memset(reader->fields, 0, sizeof(reader->fields));
	memset(reader->low_bytes, 0, sizeof(reader->low_bytes));
	for (uint64_t i = 0; i < 2 * n && !reader->bad; i++) {
		reader->bad |= numbers.at == numbers.end;
		get(reader, &numbers);
	}
	at = numbers.at;
	for (uint64_t i = 0; i < n && !reader->bad; i++) {
		uint64_t number = get(reader, &directory);
		uint64_t length =
			get_below(reader, &directory, 1 + (uint64_t)(reader->raw + size - at));
		struct cursor *cursor = column_cursor(reader, number);

		if (cursor)
			*cursor = (struct cursor){at, at + length};
		at += length;
	}
}

/* Dictionaries, and nothing predicted yet. */
static int read_dictionaries(struct chunk_reader *reader)
{
	struct predict *predict = &reader->predict;
	size_t size = sizeof(*predict->tasks);
	int err = tables_read(&reader->tables, reader->shared, &reader->bad);

	if (err)
		return err;
	predict_reset(predict);
	predict->tasks = table_reserve(&reader->predicted_memory, reader->tables.ntasks, size);
	if (!predict->tasks)
		return -ENOMEM;
	memset(predict->tasks, 0, reader->tables.ntasks * size);
	return 0;
}

static int decompress(struct chunk_reader *reader, const struct chunk *chunk)
{
	size_t size;

	if (chunk->raw_size > CHUNK_MAX_BYTES) {
		reader->bad = true;
		return 0;
	}
	reader->raw = table_reserve(&reader->raw_memory, chunk->raw_size, 1);
	if (!reader->raw)
		return -ENOMEM;
	size = ZSTD_decompressDCtx(reader->zstd, reader->raw, chunk->raw_size, chunk->payload,
				   chunk->size);
	reader->bad = ZSTD_isError(size) || size != chunk->raw_size;
	return 0;
}

int chunk_reader_read(struct chunk_reader *reader, const struct chunk *chunk,
		      struct event_sink *sink, struct chunk_counts *counts, bool *damaged)
{
	int err = decompress(reader, chunk);

	if (!err && !reader->bad)
		read_directory(reader, chunk->raw_size);
	if (!err && !reader->bad)
		err = read_dictionaries(reader);
	if (!err && !reader->bad && cursor_left(&reader->shared[CHUNK_TYPES]) != chunk->events)
		reader->bad = true;
	if (!err && !reader->bad)
		err = read_events(reader, sink, counts);
	*damaged = reader->bad;
	return err;
}
