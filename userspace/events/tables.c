// SPDX-License-Identifier: MIT
#include "events/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events/check.h"
#include "events/chunk.h"
#include "util/utf8.h"

void *table_reserve(struct table *table, size_t n, size_t size)
{
	n += !n;
	if (n <= table->capacity)
		return table->memory;
	free(table->memory);
	table->memory = malloc(n * size);
	table->capacity = table->memory ? n : 0;
	return table->memory;
}

/* Signed differences, behind the `given` entries 0 that are in no column. */
static int read_numbers(struct cursor *cursor, size_t given, struct table *memory,
			const uint64_t **values, size_t *count, bool *bad)
{
	size_t n = given + cursor_count(cursor, CHUNK_MAX_EVENTS);
	uint64_t *numbers = table_reserve(memory, n, sizeof(*numbers)), last = 0;

	if (!numbers)
		return -ENOMEM;
	numbers[0] = 0;
	for (size_t i = given; i < n; i++)
		numbers[i] = last += unzigzag(cursor_get(cursor, bad));
	*values = numbers;
	*count = n;
	return 0;
}

static int read_strings(struct tables *tables, struct cursor *cursor, bool *bad)
{
	char *at = (char *)(uintptr_t)cursor->at;
	const char *end = (const char *)cursor->end, **strings;
	size_t n = 0;

	tables->nstrings = 0;
	if (at == end)
		return 0;
	for (const char *c = at; c < end; c++)
		n += !*c;
	if (n > CHUNK_MAX_EVENTS || end[-1]) {
		*bad = true;
		return 0;
	}
	strings = table_reserve(&tables->string_memory, n, sizeof(*strings));
	if (!strings)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t size = strlen(at) + 1;

		utf8_sanitize(at);
		strings[i] = at;
		at += size;
	}
	tables->strings = strings;
	tables->nstrings = n;
	return 0;
}

static int read_stacks(struct tables *tables, struct cursor *cursor, bool *bad)
{
	/* Two numbers for a stack and one for a frame: never more of either than numbers. */
	size_t n = cursor_count(cursor, CHUNK_MAX_EVENTS), nstacks = 0, nframes = 0;
	struct event_stack *stacks = table_reserve(&tables->stack_memory, n / 2, sizeof(*stacks));
	uint64_t *frames = table_reserve(&tables->frame_memory, n, sizeof(*frames)), frame = 0;

	tables->nstacks = 0;
	if (!stacks || !frames)
		return -ENOMEM;
	while (cursor->at < cursor->end) {
		uint64_t nkernel = cursor_get_below(cursor, EVENT_STACK_FRAMES + 1, bad);
		uint64_t nuser = cursor_get_below(cursor, EVENT_STACK_FRAMES - nkernel + 1, bad);

		*bad |= nstacks >= n / 2 || nkernel + nuser > n - nframes ||
			nkernel + nuser > cursor_left(cursor);
		if (*bad)
			return 0;
		stacks[nstacks++] =
			(struct event_stack){frames + nframes, (uint16_t)nkernel, (uint16_t)nuser};
		for (uint64_t i = 0; i < nkernel + nuser; i++)
			frames[nframes++] = frame += unzigzag(cursor_get(cursor, bad));
	}
	tables->stacks = stacks;
	tables->nstacks = nstacks;
	return 0;
}

int tables_read(struct tables *tables, struct cursor *columns, bool *bad)
{
	int err = read_numbers(&columns[CHUNK_THREADS], 0, &tables->thread_memory, &tables->threads,
			       &tables->nthreads, bad);

	if (!err)
		err = read_numbers(&columns[CHUNK_TASKS], 1, &tables->task_memory, &tables->tasks,
				   &tables->ntasks, bad);
	if (!err)
		err = read_numbers(&columns[CHUNK_KINDS], 1, &tables->kind_memory, &tables->kinds,
				   &tables->nkinds, bad);
	if (!err)
		err = read_strings(tables, &columns[CHUNK_STRINGS], bad);
	if (!err)
		err = read_stacks(tables, &columns[CHUNK_STACKS], bad);
	return err;
}

void tables_release(struct tables *tables)
{
	free(tables->thread_memory.memory);
	free(tables->task_memory.memory);
	free(tables->kind_memory.memory);
	free(tables->string_memory.memory);
	free(tables->stack_memory.memory);
	free(tables->frame_memory.memory);
}
