// SPDX-License-Identifier: MIT
#include "unwind/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "symbolize/elf_file.h"
#include "symbolize/maps.h"
#include "unwind/chunks.h"
#include "unwind/rules.h"
#include "unwind/table.h"

/* A table that is in the chunks. */
struct place {
	uint64_t hash; /* of its rows */
	uint32_t nrows, nparts;
	struct unwind_part *parts;
	UT_hash_handle hh;
};

struct unwind_file {
	const struct elf_file *elf;
	uint64_t base; /* link-time address that rows count from */
	const struct place *place;
	UT_hash_handle hh;
};

struct unwind_store {
	struct unwind_rules *rules;
	struct unwind_file *files; /* by elf */
	struct place *places;      /* by hash */
	uint64_t nrows;
	struct unwind_chunks chunks;
};

struct unwind_store *unwind_store_new(const struct unwind_backing *backing)
{
	struct unwind_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->rules = unwind_rules_new();
	if (!store->rules || unwind_chunks_init(&store->chunks, backing)) {
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
		free(place->parts);
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

static uint32_t find_placed(const struct unwind_store *store, const struct place *place,
			    uint32_t offset)
{
	for (uint32_t i = 0; i < place->nparts; i++) {
		const struct unwind_part *p = &place->parts[i];

		if (offset < p->to)
			return unwind_find_rule(store->chunks.list[p->chunk], p->first, p->shift,
						offset);
	}
	return UNWIND_RULE_UNKNOWN;
}

/* Two tables of as many rows are the same if at each row of the one the other changes alike. */
static bool is_placed(const struct unwind_store *store, const struct place *place,
		      const struct unwind_table *table)
{
	const struct unwind_row *rows = table->rows;

	if (place->nrows != table->nrows || find_placed(store, place, 0) != rows[0].rule)
		return false;
	for (uint32_t i = 1; i < table->nrows; i++)
		if (find_placed(store, place, rows[i].offset) != rows[i].rule ||
		    find_placed(store, place, rows[i].offset - 1) != rows[i - 1].rule)
			return false;
	return true;
}

static int place_new(struct unwind_store *store, const struct unwind_table *table, uint64_t hash,
		     const struct place **out)
{
	struct place *place = calloc(1, sizeof(*place));
	int err = -ENOMEM;

	if (!place)
		return err;
	place->hash = hash;
	place->nrows = table->nrows;
	err = unwind_chunks_place(&store->chunks, table, &place->parts, &place->nparts);
	if (err) {
		free(place);
		return err;
	}
	HASH_ADD(hh, store->places, hash, sizeof(place->hash), place);
	if (!hash_added(place)) {
		free(place->parts);
		free(place);
		return -ENOMEM;
	}
	store->nrows += table->nrows;
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
	return index < store->chunks.n ? store->chunks.list[index] : NULL;
}

void unwind_store_totals(const struct unwind_store *store, struct unwind_totals *totals)
{
	*totals = (struct unwind_totals){
		.files = HASH_COUNT(store->files),
		.chunks = store->chunks.n,
		.rows = store->nrows,
		.bytes = store->chunks.words * sizeof(uint32_t),
	};
	unwind_rules_list(store->rules, &totals->rules);
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

/* A mapping whose first address has that offset. What is below offset 0 is no code. */
struct placing {
	struct unwind_modules *modules;
	const struct map_entry *map;
	int64_t start;
};

static bool is_unknown(uint32_t shift)
{
	return shift == unwind_part_unknown.shift;
}

/*
 * Where half of the list is taken, unknown code is one module with what was unknown before it, and with what is
 * in between: code that a target makes in pieces is not to keep its libraries out.
 */
static bool joins(const struct unwind_modules *modules, const struct unwind_part *part)
{
	return modules->n >= UNWIND_MODULES / 2 && is_unknown(part->shift) &&
	       is_unknown(modules->list[modules->n - 1].shift);
}

/* Appends what a part has of the mapping. */
static int add_part(const struct placing *p, const struct unwind_part *part)
{
	int64_t from = part->from, to = part->to, end = p->start + (p->map->end - p->map->start);
	uint64_t base = p->map->start - (uint64_t)p->start;

	if (from < p->start)
		from = p->start;
	if (to > end)
		to = end;
	if (from >= to)
		return 0;
	if (joins(p->modules, part)) {
		p->modules->list[p->modules->n - 1].end = base + to;
		return 0;
	}
	if (p->modules->n == UNWIND_MODULES)
		return -ENOSPC;
	p->modules->list[p->modules->n++] = (struct unwind_module){
		.start = base + from,
		.end = base + to,
		.base = base,
		.chunk = part->chunk,
		.first = part->first,
		.shift = part->shift,
	};
	return 0;
}

int unwind_modules_add(struct unwind_modules *modules, const struct map_entry *map,
		       const struct unwind_file *file)
{
	struct placing placing = {.modules = modules, .map = map};
	struct unwind_part rest = unwind_part_unknown;
	const struct place *place = file ? file->place : NULL;
	uint64_t vaddr;
	int err = 0;

	/* An address that no linker gives has no offset. */
	if (place && mapped_address(file->elf, map, &vaddr) &&
	    vaddr - file->base + rest.to < 2 * rest.to) {
		placing.start = vaddr - file->base;
		for (uint32_t i = 0; i < place->nparts && !err; i++) {
			err = add_part(&placing, &place->parts[i]);
			rest.from = place->parts[i].to;
		}
	}
	return err ? err : add_part(&placing, &rest);
}
