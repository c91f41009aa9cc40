// SPDX-License-Identifier: MIT
#include "unwind/chunks.h"

#include <errno.h>
#include <stdlib.h>

#include "unwind/table.h"

/* The rest of a chunk that a table is not begun in which does not fit. */
#define REST_MIN (UNWIND_CHUNK_WORDS / 16)

/* The first that is placed: behind one row, pages as large as they can be. */
const struct unwind_part unwind_part_unknown = {.first = 1, .shift = 31, .to = 1ULL << 32};

static int begin_chunk(struct unwind_chunks *chunks)
{
	struct unwind_chunk *chunk = NULL;

	if (chunks->n < UNWIND_CHUNKS)
		chunk = chunks->backing.new_chunk(chunks->backing.context, chunks->n);
	if (!chunk)
		return -ENOSPC;
	chunks->list[chunks->n++] = chunk;
	chunks->used = 0;
	return 0;
}

static void put(struct unwind_chunks *chunks, uint32_t word)
{
	chunks->list[chunks->n - 1]->words[chunks->used++] = word;
	chunks->words++;
}

int unwind_chunks_init(struct unwind_chunks *chunks, const struct unwind_backing *backing)
{
	const struct unwind_part *unknown = &unwind_part_unknown;
	int err;

	*chunks = (struct unwind_chunks){.backing = *backing};
	err = begin_chunk(chunks);
	if (err)
		return err;
	/* A row, and an index of pages without any. */
	put(chunks, UNWIND_RULE_UNKNOWN);
	for (uint64_t page = 0; page <= unknown->to >> unknown->shift; page++)
		put(chunks, 1);
	return 0;
}

/* A run of pages, and of the rows in them. */
struct run {
	uint32_t page, page_end;
	uint32_t row, row_end;
	uint32_t words;
};

static uint32_t page_of(const struct unwind_table *table, uint32_t row)
{
	return table->rows[row].offset >> UNWIND_PAGE_SHIFT;
}

/* Makes a run as long as there is room. */
static void extend(struct run *run, const struct unwind_table *table, uint32_t npages,
		   uint32_t room)
{
	run->words = 2; /* the row before, and the end of the index */
	while (run->page_end < npages) {
		uint32_t row = run->row_end, words = run->words + 1;

		while (row < table->nrows && page_of(table, row) == run->page_end) {
			row++;
			words++;
		}
		if (words > room)
			break;
		run->words = words;
		run->row_end = row;
		run->page_end++;
	}
}

static struct unwind_part write_run(struct unwind_chunks *chunks, const struct unwind_table *table,
				    const struct run *run)
{
	uint32_t rows_at = chunks->used + 1, row = run->row;
	struct unwind_part part = {
		.chunk = chunks->n - 1,
		.first = rows_at + (run->row_end - run->row) - run->page,
		.shift = UNWIND_PAGE_SHIFT,
		.from = (uint64_t)run->page << UNWIND_PAGE_SHIFT,
		.to = (uint64_t)run->page_end << UNWIND_PAGE_SHIFT,
	};

	put(chunks, run->row ? table->rows[run->row - 1].rule : UNWIND_RULE_UNKNOWN);
	for (uint32_t i = run->row; i < run->row_end; i++)
		put(chunks, table->rows[i].offset << 16 | table->rows[i].rule);
	for (uint32_t page = run->page; page <= run->page_end; page++) {
		while (row < run->row_end && page_of(table, row) < page)
			row++;
		put(chunks, rows_at + (row - run->row));
	}
	return part;
}

static int append(struct unwind_part **parts, uint32_t *n, const struct unwind_part *part)
{
	struct unwind_part *grown = reallocarray(*parts, *n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*parts = grown;
	grown[(*n)++] = *part;
	return 0;
}

int unwind_chunks_place(struct unwind_chunks *chunks, const struct unwind_table *table,
			struct unwind_part **parts, uint32_t *n)
{
	uint32_t npages = page_of(table, table->nrows - 1) + 1;
	struct run run = {0};
	int err = 0;

	*parts = NULL;
	*n = 0;
	while (!err && run.page_end < npages) {
		uint32_t room = UNWIND_CHUNK_WORDS - chunks->used;
		struct unwind_part part;

		run.page = run.page_end;
		run.row = run.row_end;
		extend(&run, table, npages, room);
		if (run.page_end < npages && room < REST_MIN) {
			run.page_end = run.page;
			run.row_end = run.row;
			err = begin_chunk(chunks);
			continue;
		}
		part = write_run(chunks, table, &run);
		err = append(parts, n, &part);
	}
	if (err)
		free(*parts);
	return err;
}
