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

/* Takes the frames pushed since the last stack. */
static int add_stack(struct flame_builder *builder, uint64_t ns, uint64_t base_ns)
{
	struct flame *flame = builder->flame;
	struct flame_stack *stack;

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
	stack->base_ns = base_ns;
	flame->total_ns += ns;
	flame->base_total_ns += base_ns;
	flame->nstacks++;
	return 0;
}

int flame_finish_stack(struct flame_builder *builder, uint64_t ns)
{
	return ns ? add_stack(builder, ns, 0) : 0;
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
			flame->stacks[n - 1].base_ns += flame->stacks[i].base_ns;
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

static int add_base(struct flame_builder *builder, const struct flame_stack *stack)
{
	int err = 0;

	builder->nframes = 0;
	for (size_t i = 0; !err && i < stack->nframes; i++)
		err = flame_push(builder, stack->frames[i]->given, stack->frames[i]->class);
	return err ? err : add_stack(builder, 0, stack->ns);
}

int flame_compare(struct flame *flame, const struct model *base)
{
	struct flame_builder builder = {.flame = flame, .capacity = flame->nstacks};
	struct flame *other = flame_new(base, flame->kind, flame->by);
	int err = other ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < other->nstacks; i++)
		err = add_base(&builder, &other->stacks[i]);
	flame->base = base;
	merge_stacks(flame);
	free(builder.frames);
	flame_free(other);
	return err;
}

uint64_t flame_rate(uint64_t ns, uint64_t duration_ns, uint64_t units)
{
	return (uint64_t)(((__uint128_t)ns * units + duration_ns / 2) / duration_ns);
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
