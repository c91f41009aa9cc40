// SPDX-License-Identifier: MIT
#include "tokio/vtables.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "symbolize/symtab.h"
#include "tokio/image.h"
#include "tokio/layout.h"

/* Bounds of the offsets, in bytes. Futures of 16 MiB overflow any stack before they are spawned. */
#define SCHEDULER_MIN 32 /* the header is before it */
#define SCHEDULER_MAX 512
#define SCHEDULER_SIZE_MAX 64
#define TRAILER_MAX (1 << 24)

#define OFFSETS 3

/* tokio::runtime::task::raw::poll, mangled either way. */
#define POLL_NAME "5tokio7runtime4task3raw4poll"

struct scan {
	const struct image *image;
	const struct layout *layout;
	const struct symtab *symtab;
	struct image_data data;
	struct vtables *vtables;
	size_t capacity;
	uint64_t code_low, code_high; /* no code is outside */
};

static uint64_t word_at(const struct scan *scan, size_t i)
{
	uint64_t word;

	memcpy(&word, scan->data.bytes + i * sizeof(word), sizeof(word));
	return word;
}

static bool may_be_pointer(const struct scan *scan, size_t i)
{
	return !scan->data.relocated || scan->data.relocated[i / 64] >> i % 64 & 1;
}

static bool is_code_pointer(struct scan *scan, size_t i)
{
	uint64_t word = word_at(scan, i);

	return may_be_pointer(scan, i) && word >= scan->code_low && word < scan->code_high &&
	       image_is_code(scan->image, word);
}

/* Whether three words can be the offsets of a task's parts. */
static bool is_layout(const struct scan *scan, const uint64_t *word)
{
	uint64_t trailer = word[scan->layout->trailer_word];
	uint64_t scheduler = word[scan->layout->scheduler_word];
	uint64_t id = word[scan->layout->id_word];

	return (trailer | scheduler | id) % 8 == 0 && scheduler >= SCHEDULER_MIN &&
	       scheduler <= SCHEDULER_MAX && id >= scheduler &&
	       id <= scheduler + SCHEDULER_SIZE_MAX && id < trailer && trailer < TRAILER_MAX;
}

/* offset: of the task's parts; NULL: they are not known. */
static int append(struct scan *scan, size_t first, const uint64_t *offset)
{
	struct vtables *vtables = scan->vtables;
	const struct layout *layout = scan->layout;
	struct vtable *list, *vtable;

	if (vtables->n == VTABLES_MAX)
		return -EFBIG;
	list = array_grow(vtables->list, vtables->n, &scan->capacity, sizeof(*list));
	if (!list)
		return -ENOMEM;
	vtables->list = list;
	vtable = &list[vtables->n++];
	*vtable = (struct vtable){
		.vaddr = scan->data.vaddr + first * sizeof(uint64_t),
		.poll = word_at(scan, first + layout->poll),
		.shutdown = word_at(scan, first + layout->shutdown),
	};
	if (layout->schedule != LAYOUT_NONE)
		vtable->schedule = word_at(scan, first + layout->schedule);
	if (offset) {
		vtable->trailer = offset[layout->trailer_word];
		vtable->scheduler = offset[layout->scheduler_word];
		vtable->id = offset[layout->id_word];
	}
	return 0;
}

/* A row of enough pointers to code ends before the i-th word: is its end a vtable's? */
static int look_at_shape(struct scan *scan, size_t i)
{
	uint64_t offset[OFFSETS];

	if (scan->data.nwords - i < OFFSETS)
		return 0;
	for (size_t j = 0; j < OFFSETS; j++) {
		if (scan->data.relocated && may_be_pointer(scan, i + j))
			return 0;
		offset[j] = word_at(scan, i + j);
	}
	return is_layout(scan, offset) ? append(scan, i - scan->layout->npointers, offset) : 0;
}

/* In a row of pointers to code, which vtables that are one behind the other make too. */
static int look_at_names(struct scan *scan, size_t from, size_t to)
{
	size_t n = scan->layout->npointers;
	int err = 0;

	while (!err && from + n <= to) {
		const char *name =
			symtab_function(scan->symtab, word_at(scan, from + scan->layout->poll));
		bool is_poll = name && strstr(name, POLL_NAME);

		if (is_poll)
			err = append(scan, from, NULL);
		from += is_poll ? n : 1;
	}
	return err;
}

static int scan_data(struct scan *scan)
{
	const struct image_data *data = &scan->data;
	size_t row = 0;
	int err = 0;

	for (size_t i = 0; i <= data->nwords && !err; i++) {
		/* Most of the data is no pointers. */
		if (!row && data->relocated && i % 64 == 0 && i < data->nwords &&
		    !data->relocated[i / 64]) {
			i += 63;
			continue;
		}
		if (i < data->nwords && is_code_pointer(scan, i)) {
			row++;
			continue;
		}
		if (row >= scan->layout->npointers)
			err = scan->layout->named ? look_at_names(scan, i - row, i)
						  : look_at_shape(scan, i);
		row = 0;
	}
	return err;
}

int vtables_find(const struct image *image, const struct layout *layout,
		 const struct symtab *symtab, struct vtables *vtables)
{
	struct scan scan = {
		.image = image,
		.layout = layout,
		.symtab = symtab,
		.vtables = vtables,
	};
	int err = 0;

	*vtables = (struct vtables){0};
	image_code_range(image, &scan.code_low, &scan.code_high);
	for (size_t i = 0; !err && image_data(image, i, &scan.data); i++)
		err = scan_data(&scan);
	if (err)
		vtables_release(vtables);
	return err;
}

void vtables_release(struct vtables *vtables)
{
	free(vtables->list);
	*vtables = (struct vtables){0};
}
