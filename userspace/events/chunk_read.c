// SPDX-License-Identifier: MIT
#include "events/chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "events/check.h"
#include "events/predict.h"
#include "events/schema.h"
#include "util/utf8.h"

struct cursor {
	const uint8_t *at, *end;
};

struct chunk_reader {
	ZSTD_DCtx *zstd;
	uint8_t *raw;
	size_t raw_capacity;
	bool bad; /* this chunk is not what a writer made */
	struct cursor shared[CHUNK_SHARED_COLUMNS];
	struct cursor fields[256][SCHEMA_MAX_FIELDS];
	struct cursor low_bytes[256][SCHEMA_MAX_FIELDS];
	uint32_t *threads;
	uint64_t *tasks, *kinds;
	const char **strings;
	struct event_stack *stacks;
	uint64_t *frames;
	size_t nthreads, ntasks, nkinds, nstrings, nstacks, nframes;
	size_t threads_capacity, tasks_capacity, kinds_capacity, strings_capacity, stacks_capacity,
		frames_capacity, predicted_capacity;
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
	free(reader->raw);
	free(reader->threads);
	free(reader->tasks);
	free(reader->kinds);
	free(reader->strings);
	free(reader->stacks);
	free(reader->frames);
	free(reader->predict.tasks);
	free(reader);
}

/* Room for n elements, and for one in any case, in *array; what was there may be lost. */
static int reserve(void *array, size_t *capacity, size_t n, size_t size)
{
	void **memory = array;

	n += !n;
	if (n <= *capacity)
		return 0;
	free(*memory);
	*capacity = 0;
	*memory = malloc(n * size);
	if (!*memory)
		return -ENOMEM;
	*capacity = n;
	return 0;
}

static uint64_t get_long(struct chunk_reader *reader, struct cursor *cursor)
{
	const uint8_t *at = cursor->at;
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64 && at < cursor->end; shift += 7) {
		uint8_t byte = *at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			cursor->at = at;
			return value;
		}
	}
	reader->bad = true;
	cursor->at = cursor->end;
	return 0;
}

/* The next number of a column; zeros follow its end. */
static inline uint64_t get(struct chunk_reader *reader, struct cursor *cursor)
{
	if (cursor->at == cursor->end)
		return 0;
	if (*cursor->at < 0x80)
		return *cursor->at++;
	if (cursor->end - cursor->at >= 2 && cursor->at[1] < 0x80) {
		uint64_t value = (cursor->at[0] & 0x7f) | (uint64_t)cursor->at[1] << 7;

		cursor->at += 2;
		return value;
	}
	return get_long(reader, cursor);
}

/* Field number i of the event type, a wide one. */
static inline uint64_t get_wide(struct chunk_reader *reader, uint8_t type, unsigned int i)
{
	struct cursor *low = &reader->low_bytes[type][i];
	uint64_t value = get(reader, &reader->fields[type][i]) << 8;

	return low->at == low->end ? value : value | *low->at++;
}

static inline uint64_t unzigzag(uint64_t value)
{
	return value >> 1 ^ -(value & 1);
}

/* A number below a bound. */
static inline uint64_t get_below(struct chunk_reader *reader, struct cursor *cursor, uint64_t bound)
{
	uint64_t value = get(reader, cursor);

	if (value < bound)
		return value;
	reader->bad = true;
	return 0;
}

static size_t bytes_left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

/* Numbers in a column: bytes that end one. */
static size_t count_numbers(const struct cursor *cursor)
{
	size_t n = 0;

	for (const uint8_t *at = cursor->at; at < cursor->end; at++)
		n += *at < 0x80;
	return n < CHUNK_MAX_EVENTS ? n : CHUNK_MAX_EVENTS;
}

/* ---- dictionaries ---------------------------------------------------------------------------------- */

static int read_threads(struct chunk_reader *reader)
{
	struct cursor *cursor = &reader->shared[CHUNK_THREADS];
	size_t n = count_numbers(cursor);
	uint64_t tid = 0;

	if (reserve(&reader->threads, &reader->threads_capacity, n, sizeof(*reader->threads)))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		tid += unzigzag(get(reader, cursor));
		reader->threads[i] = (uint32_t)tid;
	}
	reader->nthreads = n;
	return 0;
}

/* Numbers behind an entry 0. */
static int read_numbers(struct chunk_reader *reader, struct cursor *cursor, uint64_t **values,
			size_t *count, size_t *capacity)
{
	size_t n = 1 + count_numbers(cursor);

	if (reserve(values, capacity, n, sizeof(**values)))
		return -ENOMEM;
	(*values)[0] = 0;
	for (size_t i = 1; i < n; i++)
		(*values)[i] = (*values)[i - 1] + unzigzag(get(reader, cursor));
	*count = n;
	return 0;
}

/* Strings stay where they are, and are sanitized there. */
static int read_strings(struct chunk_reader *reader)
{
	struct cursor *cursor = &reader->shared[CHUNK_STRINGS];
	char *at = (char *)(uintptr_t)cursor->at;
	const char *end = (const char *)cursor->end;
	size_t n = 0;

	if (at == end)
		return 0;
	for (const char *c = at; c < end; c++)
		n += !*c;
	if (n > CHUNK_MAX_EVENTS || end[-1]) {
		reader->bad = true;
		return 0;
	}
	if (reserve(&reader->strings, &reader->strings_capacity, n, sizeof(*reader->strings)))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		reader->strings[i] = at;
		at += strlen(at) + 1;
		utf8_sanitize((char *)reader->strings[i]);
	}
	reader->nstrings = n;
	return 0;
}

static int read_stacks(struct chunk_reader *reader)
{
	struct cursor *cursor = &reader->shared[CHUNK_STACKS];
	size_t n = count_numbers(cursor), nframes = 0;
	uint64_t frame = 0;

	/* Two numbers for a stack and one for a frame: never more of either than numbers. */
	if (reserve(&reader->stacks, &reader->stacks_capacity, n / 2, sizeof(*reader->stacks)) ||
	    reserve(&reader->frames, &reader->frames_capacity, n, sizeof(*reader->frames)))
		return -ENOMEM;
	while (cursor->at < cursor->end) {
		struct event_stack *stack = &reader->stacks[reader->nstacks];
		uint64_t nkernel = get_below(reader, cursor, EVENT_STACK_FRAMES + 1);
		uint64_t nuser = get_below(reader, cursor, EVENT_STACK_FRAMES - nkernel + 1);

		if (reader->bad || reader->nstacks >= n / 2 || nkernel + nuser > n - nframes ||
		    nkernel + nuser > bytes_left(cursor)) {
			reader->bad = true;
			return 0;
		}
		*stack = (struct event_stack){reader->frames + nframes, (uint16_t)nkernel,
					      (uint16_t)nuser};
		for (uint64_t i = 0; i < nkernel + nuser; i++)
			reader->frames[nframes++] = frame += unzigzag(get(reader, cursor));
		reader->nstacks++;
	}
	return 0;
}

static int read_dictionaries(struct chunk_reader *reader)
{
	struct predict *predict = &reader->predict;

	reader->nstrings = reader->nstacks = 0;
	if (read_threads(reader) || read_strings(reader) || read_stacks(reader) ||
	    read_numbers(reader, &reader->shared[CHUNK_TASKS], &reader->tasks, &reader->ntasks,
			 &reader->tasks_capacity) ||
	    read_numbers(reader, &reader->shared[CHUNK_KINDS], &reader->kinds, &reader->nkinds,
			 &reader->kinds_capacity) ||
	    reserve(&predict->tasks, &reader->predicted_capacity, reader->ntasks,
		    sizeof(*predict->tasks)))
		return -ENOMEM;
	predict_reset(predict);
	memset(predict->tasks, 0, reader->ntasks * sizeof(*predict->tasks));
	return 0;
}

/* ---- events ---------------------------------------------------------------------------------------- */

static uint32_t get_current(struct chunk_reader *reader, struct cursor *cursor)
{
	struct predict *predict = &reader->predict;
	uint64_t code = get_below(reader, cursor, 3 + reader->ntasks);
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

	if (task >= reader->ntasks) {
		reader->bad = true;
		task = 0;
	}
	predict_task_seen(predict, (uint32_t)task);
	return (uint32_t)task;
}

static uint32_t get_kind(struct chunk_reader *reader, struct cursor *cursor)
{
	struct predict *predict = &reader->predict;
	uint64_t code = get_below(reader, cursor, 1 + reader->nkinds);
	uint32_t kind = code ? (uint32_t)(code - 1) : predict_kind(predict);

	predict_kind_seen(predict, kind);
	return kind;
}

static const char *string(struct chunk_reader *reader, uint64_t index)
{
	if (index < reader->nstrings)
		return reader->strings[index];
	reader->bad = true;
	return "";
}

static void get_stack(struct chunk_reader *reader, struct cursor *cursor, struct event_stack *stack)
{
	uint64_t index = get_below(reader, cursor, reader->nstacks);

	if (reader->bad)
		return;
	*stack = reader->stacks[index];
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

static inline void get_field(struct chunk_reader *reader, const struct schema *schema, unsigned int i)
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
		*(uint64_t *)at = predict->thread->boundary +
				  unzigzag(get_wide(reader, event->type, i));
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
		*(uint64_t *)at = reader->tasks[get_task(reader, event->type, i)];
		break;
	case FIELD_CURRENT:
		*(uint64_t *)at = reader->tasks[get_current(reader, cursor)];
		break;
	case FIELD_KIND:
		*(uint64_t *)at = reader->kinds[get_kind(reader, cursor)];
		break;
	case FIELD_TEXT:
		last = &predict->like[i];
		*last += unzigzag(get(reader, cursor));
		*(const char **)at = string(reader, *last);
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
	thread = get_below(reader, &reader->fields[type][FIELD_OF_TID], reader->nthreads);
	if (reader->bad)
		return false;
	event->tid = reader->threads[thread];
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

/* ---- payload --------------------------------------------------------------------------------------- */

/* Where a column's cursor is; NULL: of no interest. */
static struct cursor *column_cursor(struct chunk_reader *reader, uint64_t number)
{
	uint64_t field = number & (CHUNK_LOW_COLUMN - 1);

	if (number < CHUNK_SHARED_COLUMNS)
		return &reader->shared[number];
	if (number < 256 || number >> 8 > 255 || field >= SCHEMA_MAX_FIELDS)
		return NULL;
	return number & CHUNK_LOW_COLUMN ? &reader->low_bytes[number >> 8][field] :
					   &reader->fields[number >> 8][field];
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
		uint64_t length = get_below(reader, &directory,
					    1 + (uint64_t)(reader->raw + size - at));
		struct cursor *cursor = column_cursor(reader, number);

		if (cursor)
			*cursor = (struct cursor){at, at + length};
		at += length;
	}
}

static int decompress(struct chunk_reader *reader, const struct chunk *chunk)
{
	size_t size;

	if (chunk->raw_size > CHUNK_MAX_BYTES) {
		reader->bad = true;
		return 0;
	}
	if (reserve(&reader->raw, &reader->raw_capacity, chunk->raw_size + 1, 1))
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
	if (!err && !reader->bad && bytes_left(&reader->shared[CHUNK_TYPES]) != chunk->events)
		reader->bad = true;
	if (!err && !reader->bad)
		err = read_events(reader, sink, counts);
	*damaged = reader->bad;
	return err;
}
