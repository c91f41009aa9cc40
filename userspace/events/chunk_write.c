// SPDX-License-Identifier: MIT
#include "events/chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events/check.h"
#include "events/column.h"
#include "events/dictionary.h"
#include "events/pack.h"
#include "events/predict.h"
#include "events/schema.h"

struct listed_column {
	uint32_t number;
	struct column *column;
};

struct chunk_writer {
	int error; /* sticky until the chunk is dropped */
	uint32_t events;
	size_t bytes; /* of all columns */
	uint64_t first_time, last_time;
	struct column shared[CHUNK_SHARED_COLUMNS];
	struct column fields[EVENT_TYPES][SCHEMA_MAX_FIELDS];
	struct column low_bytes[EVENT_TYPES][SCHEMA_MAX_FIELDS];
	struct dictionary threads, tasks, kinds;
	struct blob_dictionary strings, stacks;
	uint64_t last_frame;
	uint64_t stack[1 + EVENT_STACK_FRAMES]; /* the one being looked up */
	struct predict predict;
	uint32_t tasks_capacity;
	struct pack *pack;
	struct listed_column listed[CHUNK_SHARED_COLUMNS + 2 * EVENT_TYPES * SCHEMA_MAX_FIELDS];
	size_t nlisted;
	struct column directory;
};

static inline void put(struct chunk_writer *writer, struct column *column, uint64_t value)
{
	size_t size = column_put(column, value);

	writer->bytes += size;
	if (__builtin_expect(!size, 0))
		writer->error = -ENOMEM;
}

/* Field number i of the event type, a wide one. */
static inline void put_wide(struct chunk_writer *writer, uint8_t type, unsigned int i,
			    uint64_t value)
{
	struct column *low = &writer->low_bytes[type][i];

	put(writer, &writer->fields[type][i], value >> 8);
	if (__builtin_expect(low->n == low->capacity, 0) && !column_reserve(low, 1)) {
		writer->error = -ENOMEM;
		return;
	}
	low->bytes[low->n++] = (uint8_t)value;
	writer->bytes++;
}

/* Index of a number in a dictionary, whose column gets it if it is new. */
static inline uint32_t look_up(struct chunk_writer *writer, struct dictionary *dictionary,
			       enum chunk_column column, uint64_t value)
{
	uint32_t before = dictionary->n, index = dictionary_index(dictionary, value);

	if (index == DICTIONARY_FAILED) {
		writer->error = -ENOMEM;
		return 0;
	}
	if (index == before)
		put(writer, &writer->shared[column],
		    zigzag(value - (before ? dictionary->values[before - 1] : 0)));
	return index;
}

static uint32_t look_up_task(struct chunk_writer *writer, uint64_t task)
{
	struct predict *predict = &writer->predict;
	uint32_t capacity = writer->tasks_capacity, before = writer->tasks.n;
	uint32_t index = look_up(writer, &writer->tasks, CHUNK_TASKS, task);
	struct predict_task *tasks;

	if (index < before)
		return index < capacity ? index : 0; /* 0: there was no memory for it */
	if (index >= capacity) {
		capacity = capacity ? 2 * capacity : 256;
		tasks = reallocarray(predict->tasks, capacity, sizeof(*tasks));
		if (!tasks) {
			writer->error = -ENOMEM;
			return 0;
		}
		predict->tasks = tasks;
		writer->tasks_capacity = capacity;
	}
	memset(&predict->tasks[index], 0, sizeof(*tasks));
	return index;
}

/* An empty chunk. Index 0 of tasks and kinds is the value 0 and in no column. */
static int chunk_begin(struct chunk_writer *writer)
{
	for (size_t i = 0; i < CHUNK_SHARED_COLUMNS; i++)
		writer->shared[i].n = 0;
	for (size_t type = 0; type < EVENT_TYPES; type++) {
		for (size_t i = 0; i < SCHEMA_MAX_FIELDS; i++)
			writer->fields[type][i].n = writer->low_bytes[type][i].n = 0;
	}
	dictionary_empty(&writer->threads);
	dictionary_empty(&writer->tasks);
	dictionary_empty(&writer->kinds);
	blob_dictionary_empty(&writer->strings);
	blob_dictionary_empty(&writer->stacks);
	predict_reset(&writer->predict);
	writer->last_frame = 0;
	writer->error = 0;
	look_up_task(writer, 0);
	look_up(writer, &writer->kinds, CHUNK_KINDS, 0);
	writer->shared[CHUNK_TASKS].n = 0;
	writer->shared[CHUNK_KINDS].n = 0;
	writer->bytes = 0;
	writer->events = 0;
	writer->first_time = UINT64_MAX;
	writer->last_time = 0;
	return writer->error;
}

struct chunk_writer *chunk_writer_new(void)
{
	struct chunk_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->pack = pack_new();
	if (!writer->pack || chunk_begin(writer)) {
		chunk_writer_free(writer);
		return NULL;
	}
	return writer;
}

void chunk_writer_free(struct chunk_writer *writer)
{
	if (!writer)
		return;
	for (size_t i = 0; i < CHUNK_SHARED_COLUMNS; i++)
		column_release(&writer->shared[i]);
	for (size_t type = 0; type < EVENT_TYPES; type++) {
		for (size_t i = 0; i < SCHEMA_MAX_FIELDS; i++) {
			column_release(&writer->fields[type][i]);
			column_release(&writer->low_bytes[type][i]);
		}
	}
	dictionary_release(&writer->threads);
	dictionary_release(&writer->tasks);
	dictionary_release(&writer->kinds);
	blob_dictionary_release(&writer->strings);
	blob_dictionary_release(&writer->stacks);
	free(writer->predict.tasks);
	column_release(&writer->directory);
	pack_free(writer->pack);
	free(writer);
}

/* Length of a string, cut in front of the character that would pass the limit. */
static size_t text_length(const char *text)
{
	size_t length = strnlen(text, EVENT_TEXT_BYTES);

	if (length < EVENT_TEXT_BYTES)
		return length;
	length--;
	while (length && (text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

static uint32_t look_up_text(struct chunk_writer *writer, const char *text)
{
	struct column *column = &writer->shared[CHUNK_STRINGS];
	size_t length = text_length(text);
	bool added;
	uint32_t index = blob_dictionary_index(&writer->strings, text, length, &added);

	if (index == DICTIONARY_FAILED)
		writer->error = -ENOMEM;
	if (added) {
		if (!column_put_bytes(column, text, length) || !column_put_bytes(column, "", 1))
			writer->error = -ENOMEM;
		writer->bytes += length + 1;
	}
	return index;
}

static void put_later_text(struct chunk_writer *writer, struct column *column, const char *text)
{
	put(writer, column, *text ? 1 + (uint64_t)look_up_text(writer, text) : 0);
}

static uint32_t look_up_stack(struct chunk_writer *writer, const struct event_stack *stack)
{
	uint32_t nkernel =
		stack->nkernel < EVENT_STACK_FRAMES ? stack->nkernel : EVENT_STACK_FRAMES;
	uint32_t room = EVENT_STACK_FRAMES - nkernel;
	uint32_t nuser = stack->nuser < room ? stack->nuser : room, n = nkernel + nuser;
	struct column *column = &writer->shared[CHUNK_STACKS];
	uint64_t *frames = writer->stack + 1;
	uint32_t index;
	bool added;

	writer->stack[0] = (uint64_t)nkernel << 32 | nuser;
	if (nkernel)
		memcpy(frames, stack->frames, nkernel * sizeof(*frames));
	if (nuser)
		memcpy(frames + nkernel, stack->frames + stack->nkernel, nuser * sizeof(*frames));
	index = blob_dictionary_index(&writer->stacks, writer->stack, (1 + n) * sizeof(*frames),
				      &added);
	if (index == DICTIONARY_FAILED)
		writer->error = -ENOMEM;
	if (!added)
		return index;
	put(writer, column, nkernel);
	put(writer, column, nuser);
	for (uint32_t i = 0; i < n; i++) {
		put(writer, column, zigzag(frames[i] - writer->last_frame));
		writer->last_frame = frames[i];
	}
	return index;
}

static void put_symbol(struct chunk_writer *writer, struct column *column,
		       const struct event_symbol *symbol)
{
	uint32_t n = symbol->nframes < EVENT_SYMBOL_FRAMES ? symbol->nframes : EVENT_SYMBOL_FRAMES;

	put(writer, column, n);
	for (uint32_t i = 0; i < n; i++) {
		put(writer, column, look_up_text(writer, symbol->frames[i].function));
		put(writer, column, look_up_text(writer, symbol->frames[i].file));
		put(writer, column, 1 + (uint64_t)symbol->frames[i].line);
	}
}

static void put_current(struct chunk_writer *writer, struct column *column, uint64_t value)
{
	struct predict *predict = &writer->predict;
	uint32_t task = look_up_task(writer, value), code;

	if (task == predict_oldest(predict))
		code = 0;
	else if (task == predict_newest(predict))
		code = 1;
	else
		code = task ? 3 + task : 2;
	put(writer, column, code);
	predict_current(predict, task);
}

static void put_task(struct chunk_writer *writer, uint8_t type, unsigned int i, uint64_t value)
{
	struct predict *predict = &writer->predict;
	uint32_t task = look_up_task(writer, value);

	put_wide(writer, type, i, task == predict_task(predict, type) ? 0 : 1 + (uint64_t)task);
	predict_task_seen(predict, task);
}

static void put_kind(struct chunk_writer *writer, struct column *column, uint64_t value)
{
	struct predict *predict = &writer->predict;
	uint32_t kind = look_up(writer, &writer->kinds, CHUNK_KINDS, value);

	put(writer, column, kind == predict_kind(predict) ? 0 : 1 + (uint64_t)kind);
	predict_kind_seen(predict, kind);
}

/* A number of the event, sign-extended, so that -1 is as near to 0 in every size. */
static inline uint64_t load(const void *at, uint8_t size)
{
	switch (size) {
	case 1:
		return (uint64_t)(int64_t) * (const int8_t *)at;
	case 2:
		return (uint64_t)(int64_t) * (const int16_t *)at;
	case 4:
		return (uint64_t)(int64_t) * (const int32_t *)at;
	default:
		return *(const uint64_t *)at;
	}
}

static inline void put_field(struct chunk_writer *writer, const struct event *event,
			     const struct schema *schema, unsigned int i)
{
	const struct field *field = &schema->fields[i];
	struct column *column = &writer->fields[event->type][i];
	struct predict *predict = &writer->predict;
	const void *at = (const char *)event + field->offset;
	uint64_t value;

	switch (field->coding) {
	case FIELD_DELTA:
		value = load(at, field->size);
		put(writer, column, zigzag(value - predict->like[i]));
		predict->like[i] = value;
		break;
	case FIELD_FLAG:
		put(writer, column, *(const uint8_t *)at);
		break;
	case FIELD_AGE:
		put_wide(writer, event->type, i, event->time - *(const uint64_t *)at);
		break;
	case FIELD_START:
		put_wide(writer, event->type, i,
			 zigzag(*(const uint64_t *)at - predict->thread->boundary));
		break;
	case FIELD_AFTER:
		value = *(const uint64_t *)((const char *)event + field[-1].offset);
		put_wide(writer, event->type, i, zigzag(*(const uint64_t *)at - value));
		break;
	case FIELD_DEPTH:
		value = load(at, field->size);
		put(writer, column, zigzag(value - (predict->thread->depth - 1)));
		predict->thread->depth = value;
		break;
	case FIELD_WORKER:
		value = load(at, field->size);
		put(writer, column, zigzag(value - predict->thread->worker));
		predict->thread->worker = value;
		break;
	case FIELD_TASK:
		put_task(writer, event->type, i, *(const uint64_t *)at);
		break;
	case FIELD_CURRENT:
		put_current(writer, column, *(const uint64_t *)at);
		break;
	case FIELD_KIND:
		put_kind(writer, column, *(const uint64_t *)at);
		break;
	case FIELD_TEXT:
		value = look_up_text(writer, *(const char *const *)at);
		put(writer, column, zigzag(value - predict->like[i]));
		predict->like[i] = value;
		break;
	case FIELD_LATER_TEXT:
		put_later_text(writer, column, *(const char *const *)at);
		break;
	case FIELD_STACK:
		value = look_up_stack(writer, at);
		put(writer, column, value);
		predict_stack_seen(predict, (uint32_t)value);
		break;
	case FIELD_BLOCKED:
		put(writer, column, zigzag(*(const uint64_t *)at - predict->thread->blocked));
		break;
	case FIELD_RUNQUEUE:
		put(writer, column, zigzag(*(const uint64_t *)at - predict->thread->runqueue));
		break;
	case FIELD_SYMBOL:
		put_symbol(writer, column, &event->symbol);
		break;
	}
}

int chunk_writer_add(struct chunk_writer *writer, const struct event *event)
{
	const struct schema *schema = schema_of(event->type);
	struct predict *predict = &writer->predict;
	uint32_t thread;

	if (!schema)
		return -EINVAL;
	put(writer, &writer->shared[CHUNK_TYPES], event->type);
	put_wide(writer, event->type, FIELD_OF_TIME, event->time - predict->time);
	thread = look_up(writer, &writer->threads, CHUNK_THREADS, event->tid);
	put(writer, &writer->fields[event->type][FIELD_OF_TID], thread);
	predict_begin(predict, event->type, event->time, thread);
	for (unsigned int i = FIELD_OF_SOURCE; i < schema->nfields; i++)
		put_field(writer, event, schema, i);
	predict_end(predict, event);
	if (event->time < writer->first_time)
		writer->first_time = event->time;
	if (event->time > writer->last_time)
		writer->last_time = event->time;
	writer->events++;
	return writer->error;
}

size_t chunk_writer_bytes(const struct chunk_writer *writer)
{
	return writer->bytes;
}

/* ---- the payload ----------------------------------------------------------------------------- */

static void list_column(struct chunk_writer *writer, uint32_t number, struct column *column)
{
	if (column->n)
		writer->listed[writer->nlisted++] = (struct listed_column){number, column};
}

/* Lists the columns that hold something, in the order of the payload, and writes its directory. */
static void list_columns(struct chunk_writer *writer)
{
	struct column *directory = &writer->directory;

	writer->nlisted = 0;
	for (uint32_t i = 0; i < CHUNK_SHARED_COLUMNS; i++)
		list_column(writer, i, &writer->shared[i]);
	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		for (uint32_t i = 0; i < SCHEMA_MAX_FIELDS; i++) {
			column_trim(&writer->fields[type][i]);
			column_trim(&writer->low_bytes[type][i]);
			list_column(writer, type << 8 | i, &writer->fields[type][i]);
			list_column(writer, type << 8 | CHUNK_LOW_COLUMN | i,
				    &writer->low_bytes[type][i]);
		}
	}
	directory->n = 0;
	put(writer, directory, writer->nlisted);
	for (size_t i = 0; i < writer->nlisted; i++) {
		put(writer, directory, writer->listed[i].number);
		put(writer, directory, writer->listed[i].column->n);
	}
}

int chunk_writer_finish(struct chunk_writer *writer, struct chunk *chunk)
{
	int err = writer->error;

	*chunk = (struct chunk){
		.events = writer->events,
		.first_time = writer->events ? writer->first_time : 0,
		.last_time = writer->last_time,
	};
	list_columns(writer);
	pack_begin(writer->pack);
	if (!err)
		err = pack_add(writer->pack, &writer->directory);
	chunk->raw_size = writer->directory.n;
	for (size_t i = 0; !err && i < writer->nlisted; i++) {
		err = pack_add(writer->pack, writer->listed[i].column);
		chunk->raw_size += writer->listed[i].column->n;
	}
	if (!err)
		err = pack_end(writer->pack, &chunk->payload, &chunk->size);
	return chunk_begin(writer) ? -ENOMEM : err;
}
