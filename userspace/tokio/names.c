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
#include "tokio/image.h"
#include "tokio/legacy.h"
#include "tokio/rust_name.h"
#include "tokio/symbols.h"
#include "tokio/vtables.h"
#include "util/utf8.h"

#define DEPTH_MAX 4     /* calls between a task's poll function and the body, */
#define FAR_DEPTH_MAX 8 /* and to and from where panics are caught */
#define FUNCTIONS_MAX 256
#define ADDRESSES_MAX 32

struct tokio_names {
	const struct image *image;
	struct code *code;
	const struct vtables *vtables;
	struct module *module;
	struct async_bodies *bodies;
	struct legacy *legacy;
	bool legacy_prepared;
};

int tokio_names_new(const struct elf_file *file, const struct image *image, struct code *code,
		    const struct vtables *vtables, struct tokio_names **out)
{
	struct tokio_names *names = calloc(1, sizeof(*names));

	*out = names;
	if (!names)
		return -ENOMEM;
	names->image = image;
	names->code = code;
	names->vtables = vtables;
	names->module = module_new(file);
	names->bodies = async_bodies_new(image, code);
	names->legacy = names->module ? legacy_new(image, code, names->module) : NULL;
	if (names->legacy && names->bodies)
		return 0;
	tokio_names_free(names);
	*out = NULL;
	return -ENOMEM;
}

void tokio_names_free(struct tokio_names *names)
{
	if (!names)
		return;
	legacy_free(names->legacy);
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

/* T of "poll<T, S>", of a task's poll function. */
static bool take_polled(const char *function, struct rust_span *type)
{
	struct rust_span span = rust_span_of(function);

	return rust_path_ends(span, "poll") && rust_path_argument(span, 0, type);
}

static int type_by_dwarf(struct tokio_names *names, const struct vtable *vtable, char **type)
{
	struct rust_span span;
	const char *function;
	int err = module_name(names->module, vtable->poll, &function);

	if (err)
		return err;
	if (!function || !take_polled(function, &span))
		return -ENOENT;
	*type = strndup(span.s, span.n);
	return *type ? 0 : -ENOMEM;
}

/* Whether a function can be the body of a future of this type: its path ends in a name that the type has. */
static bool is_body_of(struct tokio_names *names, uint64_t vaddr, const char *type)
{
	struct module_symbols symbols;
	struct rust_path path;
	bool is = false;
	char *symbol;
	size_t last;

	if (module_symbols(names->module, vaddr, &symbols) || !symbols.n)
		return false;
	symbol = demangle(symbols.names[0]);
	if (!symbol)
		return false;
	rust_path_split(rust_span_of(symbol), &path);
	for (last = path.n; last > 1 && path.segments[last - 1].closure != RUST_NO_CLOSURE;)
		last--;
	if (path.n > 1 && last < path.n) {
		struct rust_span name = path.segments[last - 1].name;
		const char *at = memmem(type, strlen(type), name.s, name.n);

		is = at && at - type >= 2 && !memcmp(at - 2, "::", 2) &&
		     (at[name.n] == ':' || at[name.n] == '<');
	}
	free(symbol);
	return is;
}

struct body_search {
	struct tokio_names *names;
	const char *type; /* of the future; NULL: not known */
	struct async_body *body;
	uint64_t taken[ADDRESSES_MAX]; /* functions that are not called but handed on */
	size_t ntaken;
};

/* Stops at a body. Far away it has to be one that has the right name. */
static bool visit_body(void *context, const struct code_function *function, unsigned int depth)
{
	struct body_search *search = context;
	struct tokio_names *names = search->names;

	if (async_bodies_in(names->bodies, function->start, search->body) &&
	    (search->type ? is_body_of(names, function->start, search->type) : depth <= DEPTH_MAX))
		return false;
	for (size_t i = 0; search->type && i < function->nreferences; i++)
		if (search->ntaken < ADDRESSES_MAX &&
		    image_is_code(names->image, function->references[i]))
			search->taken[search->ntaken++] = function->references[i];
	return true;
}

/* The body that a task's poll function leads to. 0, -ENOENT, -ENOMEM. */
static int find_body(struct tokio_names *names, const struct vtable *vtable,
		     struct async_body *body)
{
	struct body_search search = {.names = names, .body = body};
	int stopped =
		code_walk(names->code, vtable->poll, DEPTH_MAX, FUNCTIONS_MAX, visit_body, &search);

	return stopped < 0 ? stopped : stopped ? 0 : -ENOENT;
}

/*
 * The same for code that is not optimized, where it is a dozen calls away, and the one in the middle is that
 * which catches panics: it is handed what to call.
 */
static int find_far_body(struct tokio_names *names, const struct vtable *vtable, const char *type,
			 struct async_body *body)
{
	struct body_search search = {.names = names, .body = body, .type = type};
	uint64_t from = vtable->poll;
	size_t next = 0;
	int stopped;

	while (!(stopped = code_walk(names->code, from, FAR_DEPTH_MAX, FUNCTIONS_MAX, visit_body,
				     &search)) &&
	       next < search.ntaken)
		from = search.taken[next++];
	return stopped < 0 ? stopped : stopped ? 0 : -ENOENT;
}

/* Notes of all tasks what legacy symbols are checked against. */
static int prepare_legacy(struct tokio_names *names)
{
	int err = 0;

	names->legacy_prepared = true;
	for (size_t i = 0; !err && i < names->vtables->n; i++) {
		const struct vtable *vtable = &names->vtables->list[i];
		struct async_body body;
		int found = find_body(names, vtable, &body);

		err = found == -ENOMEM ? found
				       : legacy_add(names->legacy, vtable, found ? NULL : &body);
	}
	return err;
}

static int find_type(struct tokio_names *names, const struct vtable *vtable,
		     const struct async_body *body, struct tokio_name *name)
{
	int err = type_by_dwarf(names, vtable, &name->full);

	name->source = TOKIO_NAME_DWARF;
	if (err == -ENOENT) {
		name->source = TOKIO_NAME_V0;
		err = symbols_type(names->module, vtable->poll, take_polled, &name->full);
	}
	if (err == -ENOENT) {
		name->source = TOKIO_NAME_LEGACY;
		err = names->legacy_prepared ? 0 : prepare_legacy(names);
		if (!err)
			err = legacy_type(names->legacy, vtable, body, &name->full);
	}
	if (!err)
		utf8_sanitize(name->full);
	return err;
}

static int set_place(const struct location *location, struct tokio_name *name)
{
	free(name->file);
	name->file = strndup(location->file, location->file_length);
	if (!name->file)
		return -ENOMEM;
	utf8_sanitize(name->file);
	name->line = location->line;
	return 0;
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
	struct async_body body;
	int found = -ENOENT, err;

	*name = (struct tokio_name){.file = strdup("")};
	if (!vtable || !name->file) {
		err = vtable ? -ENOMEM : -ENOENT;
		goto fail;
	}
	if (!is_job)
		found = find_body(names, vtable, &body);
	err = found == -ENOMEM ? found : find_type(names, vtable, found ? NULL : &body, name);
	if (err == -ENOMEM)
		goto fail;
	if (name->full && rust_path_ends(rust_span_of(name->full), "BlockingTask"))
		found = -ENOENT;
	else if (name->full && !is_job && found)
		found = find_far_body(names, vtable, name->full, &body);
	if (!found)
		err = set_place(&body.location, name);
	if (!err)
		err = set_type(name);
	if (!err)
		return 0;
fail:
	tokio_name_release(name);
	return err;
}
