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
#include "tokio/rust_body.h"
#include "tokio/rust_name.h"
#include "tokio/symbols.h"
#include "tokio/vtables.h"
#include "util/utf8.h"

#define DEPTH_MAX 4     /* calls between a task's poll function and the body, */
#define FAR_DEPTH_MAX 8 /* and to and from where panics are caught */
#define FUNCTIONS_MAX 256
#define ADDRESSES_MAX 32
#define SYMBOL_BYTES_MAX 32768 /* of a name that is looked into */

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

/* The whole name of a body that is a function of its own. */
static bool take_body(const char *function, struct rust_span *name)
{
	*name = rust_span_of(function);
	return rust_body_is(*name);
}

/* What the symbol of a body is told by. */
struct wanted {
	struct rust_span type;
	struct rust_span name; /* that the symbol has in it: demangling each would take long */
};

static bool is_wanted(void *context, const char *symbol)
{
	const struct wanted *wanted = context;
	char *name;
	bool is;

	if (!memmem(symbol, strnlen(symbol, SYMBOL_BYTES_MAX), wanted->name.s, wanted->name.n))
		return false;
	name = demangle(symbol);
	is = name && rust_body_of(rust_span_of(name), wanted->type);
	free(name);
	return is;
}

static bool has_name(struct tokio_names *names, uint64_t vaddr, struct wanted *wanted)
{
	struct module_symbols symbols;

	return !module_symbols(names->module, vaddr, &symbols) && symbols.n &&
	       is_wanted(wanted, symbols.names[0]);
}

static int set_place(struct tokio_name *name, const char *file, size_t length, uint32_t line)
{
	free(name->file);
	name->file = strndup(file, length);
	if (!name->file)
		return -ENOMEM;
	utf8_sanitize(name->file);
	name->line = line;
	return 0;
}

/* As panics do: files of libraries by their whole path, others below where they were compiled. */
static int set_declared(struct tokio_name *name, const struct debug_declaration *declared)
{
	const char *folder = declared->folder ? declared->folder : "";
	bool is_whole = *declared->file == '/' || !*folder;
	struct location location;
	char *whole;
	int n, err;

	n = asprintf(&whole, "%s%s%s", is_whole ? "" : folder, is_whole ? "" : "/", declared->file);
	if (n < 0)
		return -ENOMEM;
	location = (struct location){.file = whole, .file_length = n};
	if (!location_is_library(&location) && *folder && !strncmp(whole, folder, strlen(folder)) &&
	    whole[strlen(folder)] == '/') {
		location.file += strlen(folder) + 1;
		location.file_length -= strlen(folder) + 1;
	}
	err = set_place(name, location.file, location.file_length, declared->line);
	free(whole);
	return err;
}

struct body_search {
	struct tokio_names *names;
	struct async_body body;
};

static bool visit_near(void *context, const struct code_function *function, unsigned int depth)
{
	struct body_search *search = context;

	(void)depth;
	return !async_bodies_in(search->names->bodies, function->start, &search->body);
}

/* The async body that a task's poll function leads to. 0, -ENOENT, -ENOMEM. */
static int find_body(struct tokio_names *names, const struct vtable *vtable,
		     struct async_body *body)
{
	struct body_search search = {.names = names};
	int stopped =
		code_walk(names->code, vtable->poll, DEPTH_MAX, FUNCTIONS_MAX, visit_near, &search);

	*body = search.body;
	return stopped < 0 ? stopped : stopped ? 0 : -ENOENT;
}

struct place_search {
	struct tokio_names *names;
	struct tokio_name *name;
	struct wanted wanted;
	uint64_t taken[ADDRESSES_MAX]; /* functions that are not called but handed on */
	size_t ntaken;
	int err;
};

/* Stops at the body that has the right name. */
static bool visit_far(void *context, const struct code_function *function, unsigned int depth)
{
	struct place_search *search = context;
	struct tokio_names *names = search->names;
	struct tokio_name *name = search->name;
	struct debug_declaration declared;
	struct async_body body;

	(void)depth;
	if (async_bodies_in(names->bodies, function->start, &body) &&
	    !location_is_library(&body.location) &&
	    has_name(names, function->start, &search->wanted)) {
		search->err = set_place(name, body.location.file, body.location.file_length,
					body.location.line);
		return false;
	}
	if (!module_declared(names->module, function->start, is_wanted, &search->wanted,
			     &declared)) {
		search->err = set_declared(name, &declared);
		return false;
	}
	for (size_t i = 0; i < function->nreferences; i++)
		if (search->ntaken < ADDRESSES_MAX &&
		    image_is_code(names->image, function->references[i]))
			search->taken[search->ntaken++] = function->references[i];
	return true;
}

/*
 * The place of a type that is known, where no async body is near. DWARF tells that of jobs, and of
 * futures that people write themselves. Code that is not optimized is a dozen calls away, and the
 * one in the middle is that which catches panics: it is handed what to call. 0, also where no place
 * was found; -ENOMEM.
 */
static int find_place(struct tokio_names *names, const struct vtable *vtable,
		      struct tokio_name *name)
{
	struct place_search search = {.names = names, .name = name};
	uint64_t from = vtable->poll;
	size_t next = 0;
	int stopped;

	search.wanted.type = rust_span_of(name->full);
	if (!rust_body_name(search.wanted.type, &search.wanted.name))
		return 0;
	while (!(stopped = code_walk(names->code, from, FAR_DEPTH_MAX, FUNCTIONS_MAX, visit_far,
				     &search)) &&
	       next < search.ntaken)
		from = search.taken[next++];
	return stopped < 0 ? stopped : search.err;
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

static int type_by_symbols(struct tokio_names *names, const struct vtable *vtable,
			   const struct async_body *body, enum tokio_name_source *source,
			   char **type)
{
	int err = symbols_type(names->module, vtable->poll, take_polled, type);

	*source = TOKIO_NAME_V0;
	if (err != -ENOENT)
		return err;
	*source = TOKIO_NAME_LEGACY;
	err = names->legacy_prepared ? 0 : prepare_legacy(names);
	return err ? err : legacy_type(names->legacy, vtable, body, type);
}

/* In DWARF a function that is a job has no name, just its signature. */
static bool is_signature(const char *type)
{
	struct rust_span job;

	return rust_path_argument(rust_span_of(type), 0, &job) && rust_span_begins(job, "fn(");
}

static int find_type(struct tokio_names *names, const struct vtable *vtable,
		     const struct async_body *body, struct tokio_name *name)
{
	char *signature = NULL;
	int err = type_by_dwarf(names, vtable, &name->full);

	name->source = TOKIO_NAME_DWARF;
	if (!err && is_signature(name->full)) {
		signature = name->full;
		name->full = NULL;
		err = -ENOENT;
	}
	if (err == -ENOENT)
		err = type_by_symbols(names, vtable, body, &name->source, &name->full);
	if (err == -ENOENT && signature) {
		name->source = TOKIO_NAME_DWARF;
		name->full = signature;
		signature = NULL;
		err = 0;
	}
	free(signature);
	if (!err)
		utf8_sanitize(name->full);
	return err;
}

/*
 * Whether the body that was found is another future's. Where panics abort, one that never ends has
 * no panic to find it by; then the nearest body is one that it awaits.
 */
static bool is_awaited(struct tokio_names *names, const struct async_body *body, const char *type)
{
	struct wanted wanted = {.type = rust_span_of(type)};
	char *symbol = NULL;
	bool is = false;

	if (!rust_body_name(wanted.type, &wanted.name) ||
	    symbols_type(names->module, body->function, take_body, &symbol))
		return false;
	is = !rust_body_of(rust_span_of(symbol), wanted.type);
	free(symbol);
	return is;
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

/* Whether the future of a type is an async body, or wraps one: then the body that was found is it.
 */
static bool has_body(const char *type)
{
	return !rust_path_ends(rust_span_of(type), "BlockingTask") &&
	       (strstr(type, "{async_") || strstr(type, "{closure") || strstr(type, "{{closure"));
}

int tokio_names_find(struct tokio_names *names, uint64_t vaddr, bool is_job,
		     struct tokio_name *name)
{
	const struct vtable *vtable = find_vtable(names->vtables, vaddr);
	struct async_body body;
	int found = -ENOENT, err;

	*name = (struct tokio_name){.file = strdup("")};
	err = !name->file ? -ENOMEM : !vtable ? -ENOENT : 0;
	if (!err && !is_job)
		found = find_body(names, vtable, &body);
	if (!err)
		err = found == -ENOMEM ? found
				       : find_type(names, vtable, found ? NULL : &body, name);
	if (!err && (!has_body(name->full) || (!found && is_awaited(names, &body, name->full))))
		found = -ENOENT;
	/* A library's may be awaited, too. */
	if (!err && (found || location_is_library(&body.location)))
		err = find_place(names, vtable, name);
	if (!found && !name->line && err != -ENOMEM)
		err = set_place(name, body.location.file, body.location.file_length,
				body.location.line);
	if (!err)
		err = set_type(name);
	if (err)
		tokio_name_release(name);
	return err;
}
