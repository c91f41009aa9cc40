// SPDX-License-Identifier: MIT
#include "tokio/legacy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "symbolize/module.h"
#include "tokio/async_body.h"
#include "tokio/code.h"
#include "tokio/image.h"
#include "tokio/rust_body.h"
#include "tokio/rust_path.h"
#include "tokio/symbols.h"
#include "tokio/vtables.h"

#define DEPTH_MAX 3 /* calls between a function of the vtable and the one that drops */
#define FUNCTIONS_MAX 256
#define POINTERS_MAX 9 /* functions that a vtable has, in any version */

/* Symbols looked at for all tasks, long ones as several: more are in no sound file. */
#define SYMBOLS_MAX (4 << 20)
#define CLOSURE "{{closure}}"
#define SYMBOL_BYTES 256
#define SYMBOL_BYTES_MAX 32768

/* A function that drops tasks of some type, by its name. */
struct glue {
	uint64_t function;
	size_t users;   /* vtables that it was found for */
	bool ambiguous; /* they are of different async bodies */
	bool has_body;
	struct location location; /* of its first user's body */
	UT_hash_handle hh;
};

/* A type, by the name of a function that drops it, and the place of its first task's body. */
struct claim {
	struct location location;
	bool contradicted; /* another task of that type has its body elsewhere */
	UT_hash_handle hh; /* by type */
	char type[];
};

struct legacy {
	const struct image *image;
	struct code *code;
	struct module *module;
	struct glue *glue;
	struct claim *claims;
	size_t budget; /* of SYMBOLS_MAX */
};

struct legacy *legacy_new(const struct image *image, struct code *code, struct module *module)
{
	struct legacy *legacy = calloc(1, sizeof(*legacy));

	if (legacy)
		*legacy = (struct legacy){
			.image = image,
			.code = code,
			.module = module,
			.budget = SYMBOLS_MAX,
		};
	return legacy;
}

void legacy_free(struct legacy *legacy)
{
	struct glue *glue, *next;
	struct claim *claim, *after;

	if (!legacy)
		return;
	HASH_ITER (hh, legacy->claims, claim, after) {
		HASH_DELETE(hh, legacy->claims, claim);
		free(claim);
	}
	HASH_ITER (hh, legacy->glue, glue, next) {
		HASH_DELETE(hh, legacy->glue, glue);
		free(glue);
	}
	free(legacy);
}

/* Whether a mangled name may be of such a function: what demangling would tell costs more. */
static bool may_drop_task(struct legacy *legacy, const char *symbol)
{
	static const char *const parts[] = {"drop_in_place", "runtime..task..core.."};
	size_t length = strnlen(symbol, SYMBOL_BYTES_MAX), cost = 1 + length / SYMBOL_BYTES;

	if (legacy->budget < cost)
		return false;
	legacy->budget -= cost;
	return memmem(symbol, length, parts[0], strlen(parts[0])) &&
	       memmem(symbol, length, parts[1], strlen(parts[1]));
}

/* T of "core::ptr::drop_in_place<alloc::boxed::Box<tokio::runtime::task::core::Cell<T,S>>>". */
static bool take_dropped(const char *function, struct rust_span *type)
{
	static const char *const parts[] = {"core::Cell", "core::Core", "core::CoreStage",
					    "core::Stage"};
	struct rust_span span = rust_span_of(function), part;

	if (!rust_path_ends(span, "ptr::drop_in_place") || !rust_path_argument(span, 0, &part))
		return false;
	if (rust_path_ends(part, "boxed::Box") && !rust_path_argument(part, 0, &part))
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (rust_path_ends(part, parts[i]))
			return rust_path_argument(part, 0, type);
	return false;
}

struct glue_search {
	struct legacy *legacy;
	uint64_t found;
	int err;
};

/* Stops at a function that has a task's type in its name. */
static bool visit_glue(void *context, const struct code_function *function, unsigned int depth)
{
	struct glue_search *search = context;
	struct module_symbols names;

	(void)depth;
	if (!search->legacy->budget)
		return true;
	search->err = module_symbols(search->legacy->module, function->start, &names);
	if (search->err)
		return false;
	for (size_t i = 0; i < names.n; i++) {
		if (may_drop_task(search->legacy, names.names[i])) {
			search->found = function->start;
			return false;
		}
	}
	return true;
}

/* The nearest such function to those of the vtable. 0, -ENOENT, -ENOMEM. */
static int find_glue(struct legacy *legacy, const struct vtable *vtable, uint64_t *glue)
{
	struct glue_search search = {.legacy = legacy};
	uint64_t pointer;
	int stopped = 0;

	for (size_t i = 0; !stopped && i < POINTERS_MAX; i++) {
		if (!image_pointer(legacy->image, vtable->vaddr + i * sizeof(pointer), &pointer) ||
		    !image_is_code(legacy->image, pointer))
			break;
		stopped = code_walk(legacy->code, pointer, DEPTH_MAX, FUNCTIONS_MAX, visit_glue,
				    &search);
	}
	*glue = search.found;
	if (stopped < 0 || search.err)
		return stopped < 0 ? stopped : search.err;
	return stopped ? 0 : -ENOENT;
}

static bool is_same(const struct location *a, const struct location *b)
{
	return a->line == b->line && a->column == b->column && a->file_length == b->file_length &&
	       !memcmp(a->file, b->file, a->file_length);
}

/* Notes where the body of a task is that is said to be of a type. 0 or -ENOMEM. */
static int add_claim(struct legacy *legacy, uint64_t glue, const struct location *location)
{
	struct claim *claim;
	size_t length;
	char *type;
	int err = symbols_type(legacy->module, glue, take_dropped, &type);

	if (err)
		return err == -ENOENT ? 0 : err;
	length = strlen(type);
	HASH_FIND(hh, legacy->claims, type, length, claim);
	if (claim) {
		claim->contradicted |= !is_same(&claim->location, location);
	} else {
		claim = calloc(1, sizeof(*claim) + length + 1);
		if (claim) {
			claim->location = *location;
			memcpy(claim->type, type, length);
			HASH_ADD(hh, legacy->claims, type, length, claim);
		}
	}
	free(type);
	return claim ? 0 : -ENOMEM;
}

/* Async blocks of one function have one name: of those several may have it. */
static bool is_contradicted(struct legacy *legacy, const char *type)
{
	const char *closure = strstr(type, CLOSURE);
	struct claim *claim;

	HASH_FIND(hh, legacy->claims, type, strlen(type), claim);
	return claim && claim->contradicted && !(closure && strstr(closure + 1, CLOSURE));
}

/* Whether the body that was found for a task has to be of its type. */
static bool needs_body(const char *type)
{
	return strstr(type, CLOSURE) && !rust_path_ends(rust_span_of(type), "BlockingTask");
}

int legacy_add(struct legacy *legacy, const struct vtable *vtable, const struct async_body *body)
{
	struct glue *glue;
	uint64_t function;
	int err = find_glue(legacy, vtable, &function);

	if (err)
		return err == -ENOENT ? 0 : err;
	HASH_FIND(hh, legacy->glue, &function, sizeof(function), glue);
	if (!glue) {
		glue = calloc(1, sizeof(*glue));
		if (!glue)
			return -ENOMEM;
		glue->function = function;
		glue->has_body = body;
		if (body)
			glue->location = body->location;
		HASH_ADD(hh, legacy->glue, function, sizeof(function), glue);
	}
	glue->users++;
	glue->ambiguous |= glue->has_body != (body != NULL) ||
			   (body && !is_same(&glue->location, &body->location));
	return body ? add_claim(legacy, function, &body->location) : 0;
}

static int type_by_glue(struct legacy *legacy, const struct vtable *vtable, char **type)
{
	struct module_symbols names;
	struct glue *glue;
	uint64_t function;
	int err = find_glue(legacy, vtable, &function);

	if (err)
		return err;
	HASH_FIND(hh, legacy->glue, &function, sizeof(function), glue);
	err = module_symbols(legacy->module, function, &names);
	if (err)
		return err;
	/* Without bodies to compare, as many types must have come together as have names. */
	if (!glue || glue->ambiguous || (!glue->has_body && glue->users > names.n))
		return -ENOENT;
	err = symbols_type(legacy->module, function, take_dropped, type);
	if (!err && is_contradicted(legacy, *type)) {
		free(*type);
		*type = NULL;
		err = -ENOENT;
	}
	return err;
}

/* A body that is a function of its own. */
static bool take_body(const char *name, struct rust_span *type)
{
	*type = rust_span_of(name);
	return rust_body_is(*type);
}

/*
 * What drops a task tells most, as the body's name lacks the function's arguments and what wraps
 * it; but where the two do not fit, the one with another's name was merged with it.
 */
int legacy_type(struct legacy *legacy, const struct vtable *vtable, const struct async_body *body,
		char **type)
{
	int err = type_by_glue(legacy, vtable, type), body_err;
	char *name;

	if (!body || (err && err != -ENOENT) || (!err && !needs_body(*type)))
		return err;
	body_err = symbols_type(legacy->module, body->function, take_body, &name);
	if (body_err == -ENOMEM) {
		free(*type);
		return body_err;
	}
	if (body_err || (!err && rust_body_of(rust_span_of(name), rust_span_of(*type)))) {
		if (!body_err)
			free(name);
		return err;
	}
	free(*type);
	*type = name;
	return 0;
}
