// SPDX-License-Identifier: MIT
/* Flames as a container: frames interned, stacks put together, merged and freed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "emit/flame_builder.h"
#include "util/text.h"

struct flame_entry {
	struct flame_frame frame;
	UT_hash_handle hh;
	char key[]; /* class and name as given */
};

struct flame_table {
	struct flame_entry *entries;
};

static const struct flame_frame *intern(struct flame_table *table, const char *name,
					enum flame_class class)
{
	size_t length = strlen(name) + 2;
	struct flame_entry *entry = malloc(sizeof(*entry) + length), *found;

	if (!entry)
		return NULL;
	entry->key[0] = (char)('0' + class);
	strcpy(entry->key + 1, name);
	HASH_FIND_STR(table->entries, entry->key, found);
	if (found) {
		free(entry);
		return &found->frame;
	}
	entry->frame.class = class;
	entry->frame.given = entry->key + 1;
	entry->frame.name = text_escape(name, ";\\");
	if (!entry->frame.name) {
		free(entry);
		return NULL;
	}
	HASH_ADD_STR(table->entries, key, entry);
	return &entry->frame;
}

int flame_push(struct flame_builder *builder, const char *name, enum flame_class class)
{
	const struct flame_frame *frame = intern(builder->flame->table, name, class);

	if (!frame)
		return -ENOMEM;
	if (builder->nframes == builder->frames_capacity) {
		size_t capacity = builder->frames_capacity ? 2 * builder->frames_capacity : 64;
		void *frames = reallocarray(builder->frames, capacity, sizeof(*builder->frames));

		if (!frames)
			return -ENOMEM;
		builder->frames = frames;
		builder->frames_capacity = capacity;
	}
	builder->frames[builder->nframes++] = frame;
	return 0;
}

int flame_finish_stack(struct flame_builder *builder, uint64_t ns)
{
	struct flame *flame = builder->flame;
	struct flame_stack *stack;

	if (!ns)
		return 0;
	if (flame->nstacks == builder->capacity) {
		size_t capacity = builder->capacity ? 2 * builder->capacity : 256;
		void *stacks = reallocarray(flame->stacks, capacity, sizeof(*flame->stacks));

		if (!stacks)
			return -ENOMEM;
		flame->stacks = stacks;
		builder->capacity = capacity;
	}
	stack = &flame->stacks[flame->nstacks];
	stack->frames = calloc(builder->nframes, sizeof(*stack->frames));
	if (!stack->frames)
		return -ENOMEM;
	memcpy(stack->frames, builder->frames, builder->nframes * sizeof(*stack->frames));
	stack->nframes = builder->nframes;
	stack->ns = ns;
	flame->total_ns += ns;
	flame->nstacks++;
	return 0;
}

static int compare_stacks(const void *left, const void *right)
{
	const struct flame_stack *a = left, *b = right;

	for (size_t i = 0; i < a->nframes && i < b->nframes; i++) {
		int order;

		if (a->frames[i] == b->frames[i])
			continue;
		order = strcmp(a->frames[i]->name, b->frames[i]->name);
		if (!order)
			order = (int)a->frames[i]->class - (int)b->frames[i]->class;
		if (order)
			return order;
	}
	return (a->nframes > b->nframes) - (a->nframes < b->nframes);
}

/* Different addresses may have the same names: makes one stack of equal ones. */
static void merge_stacks(struct flame *flame)
{
	size_t n = 0;

	if (flame->nstacks)
		qsort(flame->stacks, flame->nstacks, sizeof(*flame->stacks), compare_stacks);
	for (size_t i = 0; i < flame->nstacks; i++) {
		if (n && !compare_stacks(&flame->stacks[n - 1], &flame->stacks[i])) {
			flame->stacks[n - 1].ns += flame->stacks[i].ns;
			free(flame->stacks[i].frames);
		} else {
			flame->stacks[n++] = flame->stacks[i];
		}
	}
	flame->nstacks = n;
}

int flame_start(struct flame_builder *builder)
{
	builder->flame = calloc(1, sizeof(*builder->flame));
	if (!builder->flame)
		return -ENOMEM;
	builder->flame->table = calloc(1, sizeof(*builder->flame->table));
	return builder->flame->table ? 0 : -ENOMEM;
}

struct flame *flame_finish(struct flame_builder *builder, int err)
{
	free(builder->frames);
	if (err) {
		flame_free(builder->flame);
		return NULL;
	}
	merge_stacks(builder->flame);
	return builder->flame;
}

static void free_table(struct flame_table *table)
{
	struct flame_entry *entry, *next;

	if (!table)
		return;
	HASH_ITER (hh, table->entries, entry, next) {
		HASH_DEL(table->entries, entry);
		free(entry->frame.name);
		free(entry);
	}
	free(table);
}

void flame_free(struct flame *flame)
{
	if (!flame)
		return;
	for (size_t i = 0; i < flame->nstacks; i++)
		free(flame->stacks[i].frames);
	free(flame->stacks);
	free_table(flame->table);
	free(flame);
}
