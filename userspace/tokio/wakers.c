// SPDX-License-Identifier: MIT
#include "tokio/wakers.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "symbolize/symtab.h"
#include "tokio/code.h"
#include "tokio/image.h"
#include "tokio/vtables.h"

/* How far from a poll function its waker is made: one call in optimized builds, seven in others. */
#define POLL_DEPTH 8
#define POLL_FUNCTIONS 256
#define CLONE_DEPTH 4
#define CLONE_FUNCTIONS 32
#define POLLS 32 /* that are looked at: what all share shows in a few */

/* tokio::runtime::task::waker::wake_by_val, mangled either way. */
#define WAKE_NAME "5tokio7runtime4task5waker11wake_by_val"

/* Functions of a RawWakerVTable, in the order of its fields. */
enum { CLONE, WAKE, WAKE_BY_REF, DROP, FUNCTIONS };

struct candidate {
	uint64_t vaddr;
	size_t order;     /* in which they were met, the nearest to a poll function first */
	size_t polls;     /* that refer to it */
	size_t last_poll; /* which was the last */
};

struct search {
	const struct image *image;
	struct candidate *candidates;
	size_t n, capacity;
	size_t poll; /* the one that is looked at, from 1 */
	bool failed; /* no memory */
};

static bool read_table(const struct image *image, uint64_t vaddr, uint64_t *function)
{
	for (size_t i = 0; i < FUNCTIONS; i++) {
		if (!image_pointer(image, vaddr + i * sizeof(uint64_t), &function[i]) ||
		    !image_is_code(image, function[i]))
			return false;
		for (size_t j = 0; j < i; j++)
			if (function[i] == function[j])
				return false;
	}
	return true;
}

static void count(struct search *search, uint64_t vaddr)
{
	struct candidate *list;
	size_t i;

	for (i = 0; i < search->n && search->candidates[i].vaddr != vaddr; i++)
		;
	if (i == search->n) {
		list = array_grow(search->candidates, search->n, &search->capacity, sizeof(*list));
		if (!list) {
			search->failed = true;
			return;
		}
		search->candidates = list;
		list[search->n] = (struct candidate){.vaddr = vaddr, .order = search->n};
		search->n++;
	}
	if (search->candidates[i].last_poll == search->poll)
		return;
	search->candidates[i].last_poll = search->poll;
	search->candidates[i].polls++;
}

static bool visit_poll(void *context, const struct code_function *function, unsigned int depth)
{
	uint64_t table[FUNCTIONS];
	struct search *search = context;

	(void)depth;
	for (size_t i = 0; i < function->nreferences && !search->failed; i++)
		if (read_table(search->image, function->references[i], table))
			count(search, function->references[i]);
	return !search->failed;
}

/* Counts what one more poll function refers to. 0 or -ENOMEM. */
static int look(struct search *search, struct code *code, uint64_t poll)
{
	int stopped;

	search->poll++;
	stopped = code_walk(code, poll, POLL_DEPTH, POLL_FUNCTIONS, visit_poll, search);
	return stopped ? -ENOMEM : 0;
}

/* Stops where the table is referred to. */
static bool visit_clone(void *context, const struct code_function *function, unsigned int depth)
{
	const uint64_t *table = context;

	(void)depth;
	for (size_t i = 0; i < function->nreferences; i++)
		if (function->references[i] == *table)
			return false;
	return true;
}

/* 1: the table's own `clone` makes wakers of it; 0; -ENOMEM. */
static int makes_itself(const struct image *image, struct code *code, uint64_t vaddr)
{
	uint64_t table[FUNCTIONS];

	if (!read_table(image, vaddr, table))
		return 0;
	return code_walk(code, table[CLONE], CLONE_DEPTH, CLONE_FUNCTIONS, visit_clone, &vaddr);
}

static int compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->polls != y->polls)
		return x->polls > y->polls ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Adds the functions of a vtable. 0 or -ENOMEM. */
static int take(struct wakers *wakers, const uint64_t *table)
{
	uint64_t *list = reallocarray(wakers->list, wakers->n + 2, sizeof(*list));
	uint64_t *clones;

	if (!list)
		return -ENOMEM;
	wakers->list = list;
	clones = reallocarray(wakers->clones, wakers->nclones + 1, sizeof(*clones));
	if (!clones)
		return -ENOMEM;
	wakers->clones = clones;
	list[wakers->n++] = table[WAKE];
	list[wakers->n++] = table[WAKE_BY_REF];
	clones[wakers->nclones++] = table[CLONE];
	return 0;
}

int wakers_find(const struct image *image, struct code *code, const struct vtables *vtables,
		struct wakers *wakers)
{
	size_t step = vtables->n / POLLS + 1;
	struct search search = {.image = image};
	uint64_t table[FUNCTIONS];
	int err = 0;

	*wakers = (struct wakers){0};
	for (size_t i = 0; i < vtables->n && !err; i += step)
		err = look(&search, code, vtables->list[i].poll);
	if (!err && search.n)
		qsort(search.candidates, search.n, sizeof(*search.candidates), compare);
	for (size_t i = 0; i < search.n && !err; i++) {
		uint64_t vaddr = search.candidates[i].vaddr;

		err = makes_itself(image, code, vaddr);
		if (err > 0 && read_table(image, vaddr, table))
			err = take(wakers, table) ? -ENOMEM : 1;
	}
	free(search.candidates);
	return err < 0 ? err : 0;
}

/* The nearest vtable of a poll function whose functions are called as Tokio's. 0 or -ENOMEM. */
static int take_nearest(struct search *search, const struct symtab *symtab, struct wakers *wakers)
{
	uint64_t table[FUNCTIONS];

	for (size_t i = 0; i < search->n; i++) {
		const char *name;

		if (!read_table(search->image, search->candidates[i].vaddr, table))
			continue;
		name = symtab_function(symtab, table[WAKE]);
		if (name && strstr(name, WAKE_NAME))
			return take(wakers, table);
	}
	return 0;
}

int wakers_find_each(const struct image *image, struct code *code, const struct symtab *symtab,
		     const struct vtables *vtables, struct wakers *wakers)
{
	struct search search = {.image = image};
	int err = 0;

	*wakers = (struct wakers){0};
	for (size_t i = 0; i < vtables->n && !err; i++) {
		search.n = 0;
		err = look(&search, code, vtables->list[i].poll);
		if (!err)
			err = take_nearest(&search, symtab, wakers);
	}
	free(search.candidates);
	if (err)
		wakers_release(wakers);
	return err;
}

void wakers_release(struct wakers *wakers)
{
	free(wakers->list);
	free(wakers->clones);
	*wakers = (struct wakers){0};
}
