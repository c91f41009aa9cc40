// SPDX-License-Identifier: MIT
#include "tokio/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/demangle.h"
#include "symbolize/module.h"
#include "tokio/async_body.h"
#include "tokio/code.h"
#include "tokio/rust_name.h"
#include "tokio/vtables.h"
#include "util/utf8.h"

#define DEPTH_MAX 4        /* calls between a task's poll function and the body */
#define FUNCTIONS_MAX 1024 /* looked into for one name */

struct tokio_names {
	struct code *code;
	const struct vtables *vtables;
	struct module *module;
	struct async_bodies *bodies;
};

int tokio_names_new(const struct elf_file *file, const struct image *image, struct code *code,
		    const struct vtables *vtables, struct tokio_names **out)
{
	struct tokio_names *names = calloc(1, sizeof(*names));

	*out = names;
	if (!names)
		return -ENOMEM;
	names->code = code;
	names->vtables = vtables;
	names->module = module_new(file);
	names->bodies = async_bodies_new(image, code);
	if (names->module && names->bodies)
		return 0;
	tokio_names_free(names);
	*out = NULL;
	return -ENOMEM;
}

void tokio_names_free(struct tokio_names *names)
{
	if (!names)
		return;
	async_bodies_free(names->bodies);
	module_free(names->module);
	free(names);
}

void tokio_name_release(struct tokio_name *name)
{
	free(name->type);
	free(name->full);
	free(name->file);
	*name = (struct tokio_name){0};
}

static const struct vtable *find_vtable(const struct vtables *vtables, uint64_t vaddr)
{
	size_t low = 0, high = vtables->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (vtables->list[middle].vaddr < vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < vtables->n && vtables->list[low].vaddr == vaddr ? &vtables->list[low] : NULL;
}

static char *copy(struct rust_span span)
{
	char *string = strndup(span.s, span.n);

	if (string)
		utf8_sanitize(string);
	return string;
}

/* T of "poll<T, S>". 0, -ENOENT: the function is none of a task's; -ENOMEM. */
static int take_type(const char *function, struct tokio_name *name)
{
	struct rust_span span = rust_span_of(function), type;

	if (!rust_path_ends(span, "poll") || !rust_path_argument(span, 0, &type))
		return -ENOENT;
	name->full = copy(type);
	return name->full ? 0 : -ENOMEM;
}

static int name_by_dwarf(const struct module_function *function, struct tokio_name *name)
{
	name->source = TOKIO_NAME_DWARF;
	return function->name ? take_type(function->name, name) : -ENOENT;
}

/* Merged functions have several names: then none is right. */
static int name_by_symbol(const struct module_function *function, struct tokio_name *name)
{
	int err = -ENOENT;

	name->source = TOKIO_NAME_V0;
	for (size_t i = 0; i < function->nsymbols; i++) {
		struct tokio_name other = {0};
		char *symbol = demangle(function->symbols[i]);
		bool same;

		err = symbol ? take_type(symbol, &other) : -ENOMEM;
		free(symbol);
		if (err)
			break;
		same = !name->full || !strcmp(name->full, other.full);
		free(name->full);
		name->full = same ? other.full : NULL;
		if (!same) {
			free(other.full);
			err = -ENOENT;
			break;
		}
	}
	return err;
}

/* The functions that a task's poll function leads to, nearest first. */
struct search {
	uint64_t functions[FUNCTIONS_MAX];
	uint8_t depth[FUNCTIONS_MAX];
	size_t n;
};

static void search_add(struct search *search, uint64_t vaddr, uint8_t depth)
{
	for (size_t i = 0; i < search->n; i++)
		if (search->functions[i] == vaddr)
			return;
	if (search->n == FUNCTIONS_MAX)
		return;
	search->functions[search->n] = vaddr;
	search->depth[search->n++] = depth;
}

static bool find_body(struct tokio_names *names, uint64_t poll, struct async_body *body)
{
	struct search search = {.n = 0};

	search_add(&search, poll, 0);
	for (size_t i = 0; i < search.n; i++) {
		const struct code_function *function =
			code_function(names->code, search.functions[i]);

		if (!function)
			continue;
		if (async_bodies_in(names->bodies, search.functions[i], body))
			return true;
		for (size_t j = 0; search.depth[i] < DEPTH_MAX && j < function->ncallees; j++)
			search_add(&search, function->callees[j], search.depth[i] + 1);
	}
	return false;
}

static int set_place(const struct location *location, struct tokio_name *name)
{
	name->file = copy((struct rust_span){location->file, location->file_length});
	name->line = location->line;
	return name->file ? 0 : -ENOMEM;
}

/* Where no type is known, the place is the name. */
static int set_type(struct tokio_name *name)
{
	const char *slash = strrchr(name->file, '/');

	if (name->full) {
		name->type = rust_name_short(rust_span_of(name->full));
	} else {
		name->source = TOKIO_NAME_LOCATION;
		if (asprintf(&name->type, "%s:%u", slash ? slash + 1 : name->file, name->line) < 0)
			name->type = NULL;
	}
	return name->type ? 0 : -ENOMEM;
}

int tokio_names_find(struct tokio_names *names, uint64_t vaddr, bool is_job,
		     struct tokio_name *name)
{
	const struct vtable *vtable = find_vtable(names->vtables, vaddr);
	struct module_function function;
	struct async_body body;
	int err;

	*name = (struct tokio_name){0};
	if (!vtable)
		return -ENOENT;
	err = module_function(names->module, vtable->poll, &function);
	if (!err)
		err = name_by_dwarf(&function, name);
	if (err == -ENOENT)
		err = name_by_symbol(&function, name);
	if (err && err != -ENOENT)
		goto fail;
	is_job |= name->full && rust_path_ends(rust_span_of(name->full), "BlockingTask");
	if (!is_job && find_body(names, vtable->poll, &body))
		err = set_place(&body.location, name);
	else if (!err)
		err = (name->file = strdup("")) ? 0 : -ENOMEM;
	if (!err)
		err = set_type(name);
	if (!err)
		return 0;
fail:
	tokio_name_release(name);
	return err;
}
