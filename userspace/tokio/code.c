// SPDX-License-Identifier: MIT
#include "tokio/code.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <uthash.h>

#include "core/array.h"
#include "tokio/bounds.h"
#include "tokio/image.h"
#include "tokio/mentions.h"

/* Functions overlap only in hostile files: then as much is decoded as this many times all code. */
#define OVERLAP_MAX 16

struct entry {
	struct code_function function;
	uint64_t *addresses; /* callees, then references */
	uint64_t walk;       /* the last one that came by */
	UT_hash_handle hh;   /* by function.start */
};

struct code {
	const struct image *image;
	struct bounds bounds;
	struct entry *functions;
	uint64_t budget; /* bytes that may still be decoded */
	struct mentions mentions;
	uint64_t walks; /* so far */
};

int code_new(const struct image *image, struct code **out)
{
	struct code *code = calloc(1, sizeof(*code));

	*out = code;
	if (!code)
		return -ENOMEM;
	code->image = image;
	code->budget = OVERLAP_MAX * image_code_size(image);
	bounds_init(image, &code->bounds);
	mentions_init(&code->mentions, image);
	return 0;
}

void code_free(struct code *code)
{
	struct entry *entry, *next;

	if (!code)
		return;
	HASH_ITER (hh, code->functions, entry, next) {
		HASH_DELETE(hh, code->functions, entry);
		free(entry->addresses);
		free(entry);
	}
	mentions_release(&code->mentions);
	free(code);
}

/* The function that was decoded last. */
static struct entry *entry_new(const struct code *code, const struct machine_code *function)
{
	const struct mention_list *callees = &code->mentions.callees;
	const struct mention_list *references = &code->mentions.references;
	struct entry *entry = calloc(1, sizeof(*entry));
	size_t n = callees->n + references->n;

	if (entry)
		entry->addresses = malloc((n ? n : 1) * sizeof(*entry->addresses));
	if (!entry || !entry->addresses) {
		free(entry);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		entry->addresses[i] = i < callees->n ? callees->list[i].vaddr
						     : references->list[i - callees->n].vaddr;
	entry->function = (struct code_function){
		.start = function->start,
		.end = function->end,
		.callees = entry->addresses,
		.ncallees = callees->n,
		.references = entry->addresses + callees->n,
		.nreferences = references->n,
	};
	return entry;
}

/* Where the function at vaddr is. False: there is no code. */
static bool place(const struct code *code, uint64_t vaddr, struct machine_code *function)
{
	uint64_t end;
	size_t size;

	if (!image_is_code(code->image, vaddr))
		return false;
	function->bounded = bounds_find(&code->bounds, vaddr, &function->start, &end) &&
			    image_is_code(code->image, function->start);
	if (!function->bounded)
		function->start = vaddr;
	size = image_bytes(code->image, function->start, &function->bytes);
	if (size > end - function->start)
		size = end - function->start;
	if (size > CODE_FUNCTION_MAX)
		size = CODE_FUNCTION_MAX;
	function->end = function->start + size;
	return size > 0;
}

static struct entry *find(struct code *code, uint64_t vaddr)
{
	struct machine_code function;
	struct entry *entry;
	uint64_t size;

	if (!place(code, vaddr, &function))
		return NULL;
	HASH_FIND(hh, code->functions, &function.start, sizeof(function.start), entry);
	if (entry)
		return entry;
	if (!code->budget || mentions_collect(&code->mentions, &function))
		return NULL;
	size = function.end - function.start;
	code->budget -= size < code->budget ? size : code->budget;
	entry = entry_new(code, &function);
	if (entry)
		HASH_ADD_KEYPTR(hh, code->functions, &entry->function.start,
				sizeof(entry->function.start), entry);
	return entry;
}

const struct code_function *code_function(struct code *code, uint64_t vaddr)
{
	struct entry *entry = find(code, vaddr);

	return entry ? &entry->function : NULL;
}

/* How far to walk. */
struct limits {
	unsigned int depth;
	size_t functions;
};

/* A walk's queue: functions that were found and are yet to be visited behind those that were. */
struct walk {
	struct step {
		const struct code_function *function;
		unsigned int depth;
	} * steps;
	size_t n, capacity;
};

/* Adds the function that holds vaddr, unless this walk has it. 0 or -ENOMEM. */
static int walk_add(struct code *code, struct walk *walk, uint64_t vaddr, unsigned int depth)
{
	struct entry *entry = find(code, vaddr);
	struct step *steps;

	if (!entry || entry->walk == code->walks)
		return 0;
	entry->walk = code->walks;
	steps = array_grow(walk->steps, walk->n, &walk->capacity, sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	walk->steps = steps;
	steps[walk->n++] = (struct step){&entry->function, depth};
	return 0;
}

/* Adds what a function calls; taken: and the functions that it takes the address of. */
static int walk_on(struct code *code, struct walk *walk, struct step step, size_t functions,
		   bool taken)
{
	const struct code_function *f = step.function;
	int err = 0;

	for (size_t i = 0; !err && i < f->ncallees && walk->n < functions; i++)
		err = walk_add(code, walk, f->callees[i], step.depth + 1);
	for (size_t i = 0; taken && !err && i < f->nreferences && walk->n < functions; i++)
		if (image_is_code(code->image, f->references[i]))
			err = walk_add(code, walk, f->references[i], step.depth + 1);
	return err;
}

static int walk_from(struct code *code, uint64_t root, const struct limits *limits, bool taken,
		     code_visit visit, void *context)
{
	struct walk walk = {0};
	int err;

	code->walks++;
	err = walk_add(code, &walk, root, 0);
	for (size_t i = 0; !err && i < walk.n; i++) {
		struct step step = walk.steps[i];

		if (!visit(context, step.function, step.depth))
			err = 1;
		else if (step.depth < limits->depth)
			err = walk_on(code, &walk, step, limits->functions, taken);
	}
	free(walk.steps);
	return err;
}

int code_walk(struct code *code, uint64_t root, unsigned int depth, size_t functions,
	      code_visit visit, void *context)
{
	const struct limits limits = {depth, functions};

	return walk_from(code, root, &limits, false, visit, context);
}

int code_walk_taken(struct code *code, uint64_t root, unsigned int depth, size_t functions,
		    code_visit visit, void *context)
{
	const struct limits limits = {depth, functions};

	return walk_from(code, root, &limits, true, visit, context);
}
