// SPDX-License-Identifier: MIT
#include "unwind/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "symbolize/elf_file.h"
#include "symbolize/maps.h"
#include "unwind/rules.h"
#include "unwind/table.h"

#define OFFSETS (1ULL << 32) /* that rows can have */

/* Rows that are in the store: row i is at `first` + i, counted over all chunks. */
struct place {
	uint64_t hash; /* of the rows */
	uint64_t first;
	uint32_t nrows;
	UT_hash_handle hh;
};

struct unwind_file {
	const struct elf_file *elf;
	const struct unwind_store *store;
	uint64_t base; /* link-time address that rows count from */
	const struct place *place;
	UT_hash_handle hh;
};

struct unwind_store {
	struct unwind_backing backing;
	struct unwind_rules *rules;
	struct unwind_file *files; /* by elf */
	struct place *places;      /* by hash */
	struct unwind_chunk *chunks[UNWIND_CHUNKS];
	uint32_t nchunks;
	uint64_t nrows;
};

static struct unwind_row *row_at(const struct unwind_store *store, uint64_t row)
{
	return &store->chunks[row / UNWIND_CHUNK_ROWS]->rows[row % UNWIND_CHUNK_ROWS];
}

static int reserve(struct unwind_store *store, uint32_t nrows)
{
	while ((uint64_t)store->nchunks * UNWIND_CHUNK_ROWS - store->nrows < nrows) {
		struct unwind_chunk *chunk = NULL;

		if (store->nchunks < UNWIND_CHUNKS)
			chunk = store->backing.new_chunk(store->backing.context, store->nchunks);
		if (!chunk)
			return -ENOSPC;
		store->chunks[store->nchunks++] = chunk;
	}
	return 0;
}

/* Row 0 is that of code that nothing is known of. */
static int put_unknown(struct unwind_store *store)
{
	int err = reserve(store, 1);

	if (!err)
		*row_at(store, store->nrows++) = (struct unwind_row){.rule = UNWIND_RULE_UNKNOWN};
	return err;
}

struct unwind_store *unwind_store_new(const struct unwind_backing *backing)
{
	struct unwind_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->backing = *backing;
	store->rules = unwind_rules_new();
	if (!store->rules || put_unknown(store)) {
		unwind_store_free(store);
		return NULL;
	}
	return store;
}

void unwind_store_free(struct unwind_store *store)
{
	struct unwind_file *file, *next_file;
	struct place *place, *next_place;

	if (!store)
		return;
	HASH_ITER (hh, store->files, file, next_file) {
		HASH_DEL(store->files, file);
		free(file);
	}
	HASH_ITER (hh, store->places, place, next_place) {
		HASH_DEL(store->places, place);
		free(place);
	}
	unwind_rules_free(store->rules);
	free(store);
}

static uint64_t hash_rows(const struct unwind_table *table)
{
	uint64_t hash = table->nrows;

	for (uint32_t i = 0; i < table->nrows; i++) {
		const struct unwind_row *row = &table->rows[i];

		hash = (hash ^ row->offset ^ (uint64_t)row->rule << 32) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return hash;
}

static bool is_placed(const struct unwind_store *store, const struct place *place,
		      const struct unwind_table *table)
{
	if (place->nrows != table->nrows)
		return false;
	for (uint32_t i = 0; i < table->nrows; i++)
		if (memcmp(row_at(store, place->first + i), &table->rows[i], sizeof(*table->rows)))
			return false;
	return true;
}

static int place_new(struct unwind_store *store, const struct unwind_table *table, uint64_t hash,
		     const struct place **out)
{
	struct place *place;
	int err = reserve(store, table->nrows);

	if (err)
		return err;
	place = calloc(1, sizeof(*place));
	if (!place)
		return -ENOMEM;
	place->hash = hash;
	place->first = store->nrows;
	place->nrows = table->nrows;
	HASH_ADD(hh, store->places, hash, sizeof(place->hash), place);
	if (!hash_added(place)) {
		free(place);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < table->nrows; i++)
		*row_at(store, store->nrows++) = table->rows[i];
	*out = place;
	return 0;
}

/* Rows that are the same are there once: of copies of a file in several containers, say. */
static int place_rows(struct unwind_store *store, const struct unwind_table *table,
		      const struct place **out)
{
	uint64_t hash = hash_rows(table);
	struct place *place;

	HASH_FIND(hh, store->places, &hash, sizeof(hash), place);
	if (!place || !is_placed(store, place, table))
		return place_new(store, table, hash, out);
	*out = place;
	return 0;
}

static int file_new(struct unwind_store *store, const struct elf_file *elf,
		    const struct unwind_table *table, struct unwind_file **out)
{
	struct unwind_file *file = calloc(1, sizeof(*file));
	int err = -ENOMEM;

	if (!file)
		return err;
	file->elf = elf;
	file->store = store;
	file->base = table->base;
	err = place_rows(store, table, &file->place);
	if (!err) {
		HASH_ADD_PTR(store->files, elf, file);
		err = hash_added(file) ? 0 : -ENOMEM;
	}
	if (err)
		free(file);
	else
		*out = file;
	return err;
}

int unwind_store_add(struct unwind_store *store, const struct elf_file *elf,
		     const struct unwind_file **out)
{
	struct unwind_table *table;
	struct unwind_file *file;
	int err;

	*out = NULL;
	HASH_FIND_PTR(store->files, &elf, file);
	if (!file) {
		err = unwind_table_new(elf, store->rules, &table);
		if (err)
			return err;
		err = file_new(store, elf, table, &file);
		unwind_table_free(table);
		if (err)
			return err;
	}
	*out = file;
	return 0;
}

const struct unwind_rule *unwind_store_rules(const struct unwind_store *store, uint32_t *n)
{
	return unwind_rules_list(store->rules, n);
}

const struct unwind_chunk *unwind_store_chunk(const struct unwind_store *store, uint32_t index)
{
	return index < store->nchunks ? store->chunks[index] : NULL;
}

void unwind_store_totals(const struct unwind_store *store, struct unwind_totals *totals)
{
	*totals = (struct unwind_totals){
		.files = HASH_COUNT(store->files),
		.chunks = store->nchunks,
		.rows = store->nrows,
	};
	unwind_rules_list(store->rules, &totals->rules);
}

/* A run of rows in one chunk, and the offsets that they are for. */
struct part {
	uint32_t chunk, first, nrows;
	uint64_t from, to; /* exclusive */
};

/* The part of a place that begins with its row i. */
static struct part part_at(const struct unwind_store *store, const struct place *place, uint32_t i)
{
	uint64_t row = place->first + i;
	struct part part = {
		.chunk = row / UNWIND_CHUNK_ROWS,
		.first = row % UNWIND_CHUNK_ROWS,
		.nrows = place->nrows - i,
		.from = row_at(store, row)->offset,
		.to = OFFSETS,
	};

	if (part.nrows > UNWIND_CHUNK_ROWS - part.first) {
		part.nrows = UNWIND_CHUNK_ROWS - part.first;
		part.to = row_at(store, row + part.nrows)->offset;
	}
	return part;
}

static int module_append(struct unwind_modules *modules, const struct unwind_module *module)
{
	if (modules->n == UNWIND_MODULES)
		return -ENOSPC;
	modules->list[modules->n++] = *module;
	return 0;
}

/* Link-time address of what is at the start of a mapping, by the executable segment that it shows. */
static bool mapped_address(const struct elf_file *elf, const struct map_entry *map, uint64_t *vaddr)
{
	uint64_t size = map->end - map->start;

	for (size_t i = 0; i < elf->nsegments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		/* The mapping begins with the page that the segment begins in. */
		if (s->flags & PF_X && map->offset < s->offset + s->filesz &&
		    (s->offset <= map->offset || s->offset - map->offset < size)) {
			*vaddr = s->vaddr + (map->offset - s->offset);
			return true;
		}
	}
	return false;
}

/* start: offset of the mapping's start, which may be below the first row's. */
static int add_parts(struct unwind_modules *modules, const struct map_entry *map,
		     const struct unwind_file *file, int64_t start)
{
	const struct place *place = file->place;
	uint64_t skipped = start < 0 ? -(uint64_t)start : 0, at = start < 0 ? 0 : start;
	uint64_t end = at + (map->end - map->start - skipped);
	struct part part;
	int err = 0;

	for (uint32_t i = 0; i < place->nrows && !err; i += part.nrows) {
		struct unwind_module module = {.base = map->start - (uint64_t)start};

		part = part_at(file->store, place, i);
		if (part.to <= at || part.from >= end)
			continue;
		module.start = module.base + (part.from > at ? part.from : at);
		module.end = module.base + (part.to < end ? part.to : end);
		module.chunk = part.chunk;
		module.first = part.first;
		module.nrows = part.nrows;
		err = module_append(modules, &module);
	}
	return err;
}

int unwind_modules_add(struct unwind_modules *modules, const struct map_entry *map,
		       const struct unwind_file *file)
{
	uint64_t size = map->end - map->start, vaddr;
	const struct unwind_module unknown = {
		.start = map->start,
		.end = size < OFFSETS ? map->end : map->start + OFFSETS,
		.base = map->start,
		.nrows = 1,
	};
	int64_t start;

	if (file && mapped_address(file->elf, map, &vaddr)) {
		start = vaddr - file->base;
		if (start < (int64_t)OFFSETS && start > -(int64_t)size && size < OFFSETS)
			return add_parts(modules, map, file, start);
	}
	return module_append(modules, &unknown);
}
