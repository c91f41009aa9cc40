// SPDX-License-Identifier: MIT
#include "tokio/timers.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "symbolize/elf_file.h"
#include "tokio/code.h"
#include "tokio/image.h"
#include "tokio/location.h"

#define PLACES_MAX 64
#define TIMERS_MAX 256
#define PIECE_MAX 64 /* bytes of what is but a piece of a function, put outside to save space */

/* lea disp32(%rip),%r64: REX.W, opcode, ModRM. */
#define LEA_SIZE 7
#define IS_LEA(at) (((at)[0] & 0xfb) == 0x48 && (at)[1] == 0x8d && ((at)[2] & 0xc7) == 0x05)
/* mov $imm32,%r32, in programs that are not moved. */
#define IS_MOV(at) (((at)[0] & 0xf8) == 0xb8)
/* call rel32 */
#define CALL_SIZE 5
#define IS_CALL(at) ((at)[0] == 0xe8)

struct search {
	const struct elf_file *file;
	const struct image *image;
	struct code *code;
	struct timers *timers;
	size_t capacity;
	uint64_t places[PLACES_MAX]; /* Locations in the timers' source; then pieces */
	size_t nplaces;
	bool calls; /* what is looked for: calls of places; else what takes their addresses */
};

static bool ends_with(const struct location *location, const char *end)
{
	size_t n = strlen(end);

	return location->file_length >= n &&
	       !memcmp(location->file + location->file_length - n, end, n);
}

static bool is_of_timers(const struct location *location)
{
	return (ends_with(location, "/time/entry.rs") ||
		ends_with(location, "/time/driver/entry.rs")) &&
	       location_is_library(location);
}

static void places_collect(struct search *search)
{
	struct image_data data;
	struct location location;

	for (size_t i = 0; image_data(search->image, i, &data); i++) {
		for (size_t word = 0; word < data.nwords; word++) {
			uint64_t vaddr = data.vaddr + word * sizeof(uint64_t);

			if (data.relocated && !(data.relocated[word / 64] >> word % 64 & 1))
				continue;
			if (!location_read(search->image, vaddr, &location) ||
			    !is_of_timers(&location))
				continue;
			if (search->nplaces == PLACES_MAX)
				return;
			search->places[search->nplaces++] = vaddr;
		}
	}
}

static bool is_place(const struct search *search, uint64_t vaddr)
{
	for (size_t i = 0; i < search->nplaces; i++)
		if (search->places[i] == vaddr)
			return true;
	return false;
}

/* Adds the function that holds an address. 0 or -ENOMEM. */
static int take(struct search *search, uint64_t vaddr)
{
	const struct code_function *function = code_function(search->code, vaddr);
	struct timers *timers = search->timers;
	struct timer *last = timers->n ? &timers->list[timers->n - 1] : NULL, *list;

	if (!function || timers->n == TIMERS_MAX || (last && last->start == function->start))
		return 0;
	list = array_grow(timers->list, timers->n, &search->capacity, sizeof(*list));
	if (!list)
		return -ENOMEM;
	timers->list = list;
	list[timers->n++] = (struct timer){function->start, function->end};
	return 0;
}

static int32_t operand(const uint8_t *at)
{
	int32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Whether an instruction at vaddr names a place. */
static bool names_place(const struct search *search, uint64_t vaddr, const uint8_t *at)
{
	if (search->calls)
		return IS_CALL(at) && is_place(search, vaddr + CALL_SIZE + operand(at + 1));
	if (IS_LEA(at))
		return is_place(search, vaddr + LEA_SIZE + operand(at + LEA_SIZE - 4));
	return IS_MOV(at) && !image_is_movable(search->image) &&
	       is_place(search, (uint32_t)operand(at + 1));
}

/* Looks at every byte: that something else looks like it and is a place is not to be expected. */
static int scan(struct search *search)
{
	int err = 0;

	for (size_t s = 0; search->nplaces && s < search->file->nsegments; s++) {
		const struct elf_segment *segment = &search->file->segments[s];
		const uint8_t *bytes;
		size_t size = 0;

		if (segment->flags & PF_X)
			size = image_bytes(search->image, segment->vaddr, &bytes);
		for (size_t i = 0; !err && i + LEA_SIZE <= size; i++)
			if (names_place(search, segment->vaddr + i, bytes + i))
				err = take(search, segment->vaddr + i);
	}
	return err;
}

/* In programs that are to be small, what panics is often a function of its own. */
static void pieces_collect(struct search *search)
{
	const struct timers *timers = search->timers;

	search->calls = true;
	search->nplaces = 0;
	for (size_t i = 0; i < timers->n && search->nplaces < PLACES_MAX; i++)
		if (timers->list[i].end - timers->list[i].start <= PIECE_MAX)
			search->places[search->nplaces++] = timers->list[i].start;
}

int timers_find(const struct elf_file *file, const struct image *image, struct code *code,
		struct timers *timers)
{
	struct search search = {.file = file, .image = image, .code = code, .timers = timers};
	int err;

	*timers = (struct timers){0};
	places_collect(&search);
	err = scan(&search);
	pieces_collect(&search);
	if (!err)
		err = scan(&search);
	if (err)
		timers_release(timers);
	return err;
}

void timers_release(struct timers *timers)
{
	free(timers->list);
	*timers = (struct timers){0};
}
