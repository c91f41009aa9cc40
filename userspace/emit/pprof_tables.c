// SPDX-License-Identifier: MIT
#include "emit/pprof_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/stack_end.h"
#include "emit/frames.h"
#include "util/text.h"

struct pprof_string {
	const char *string; /* the profile's */
	int64_t index;
	UT_hash_handle hh;
};

struct pprof_function {
	struct {
		int64_t name, file;
	} key;
	uint64_t id;
	UT_hash_handle hh;
};

struct location_key {
	uint64_t address;
	uint32_t process;
	uint32_t is_return;
};

struct pprof_location {
	struct location_key key;
	uint64_t id;
	UT_hash_handle hh;
};

PPROF_DEFINE_NEW(Mapping, mapping, Profile, mapping)
PPROF_DEFINE_NEW(Location, location, Profile, location)
PPROF_DEFINE_NEW(Function, function, Profile, function)
PPROF_DEFINE_NEW(Line, line, Location, line)

void *pprof_tables_room(void *list, size_t n, size_t size)
{
	if (n & (n - 1))
		return list;
	return reallocarray(list, n ? 2 * n : 1, size);
}

static int add_string(struct pprof_tables *tables, const char *string, struct pprof_string *entry)
{
	Pprof__Profile *profile = tables->profile;
	void *grown = pprof_tables_room(profile->string_table, profile->n_string_table,
					sizeof(*profile->string_table));
	char *copy = text_utf8(string);

	if (grown)
		profile->string_table = grown;
	if (!grown || !copy) {
		free(copy);
		return -ENOMEM;
	}
	entry->string = copy;
	entry->index = (int64_t)profile->n_string_table;
	profile->string_table[profile->n_string_table++] = copy;
	HASH_ADD_KEYPTR(hh, tables->strings, copy, strlen(copy), entry);
	return 0;
}

int pprof_tables_string(struct pprof_tables *tables, const char *string, int64_t *index)
{
	struct pprof_string *entry;
	int err;

	HASH_FIND_STR(tables->strings, string, entry);
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		err = entry ? add_string(tables, string, entry) : -ENOMEM;
		if (err) {
			free(entry);
			return err;
		}
	}
	*index = entry->index;
	return 0;
}

static int add_mapping(struct pprof_tables *tables, const struct model_module *module)
{
	Pprof__Mapping *mapping = new_mapping(tables->profile);

	if (!mapping)
		return -ENOMEM;
	mapping->id = tables->profile->n_mapping;
	mapping->memory_start = module->start;
	mapping->memory_limit = module->end;
	mapping->file_offset = module->file_offset;
	return pprof_tables_string(tables, module->path, &mapping->filename) |
	       pprof_tables_string(tables, module->build_id, &mapping->build_id);
}

int pprof_tables_init(struct pprof_tables *tables, const struct model *model)
{
	int64_t empty;
	int err;

	*tables = (struct pprof_tables){.model = model};
	tables->profile = malloc(sizeof(*tables->profile));
	if (!tables->profile)
		return -ENOMEM;
	pprof__profile__init(tables->profile);
	err = pprof_tables_string(tables, "", &empty); /* the first, as the format wants it */
	for (size_t i = 0; !err && i < model->nmodules; i++)
		err = add_mapping(tables, &model->modules[i]);
	return err;
}

void pprof_tables_release(struct pprof_tables *tables)
{
	struct pprof_string *string, *next_string;
	struct pprof_function *function, *next_function;
	struct pprof_location *location, *next_location;

	HASH_ITER (hh, tables->strings, string, next_string) {
		HASH_DEL(tables->strings, string);
		free(string);
	}
	HASH_ITER (hh, tables->functions, function, next_function) {
		HASH_DEL(tables->functions, function);
		free(function);
	}
	HASH_ITER (hh, tables->locations, location, next_location) {
		HASH_DEL(tables->locations, location);
		free(location);
	}
	if (tables->profile)
		pprof__profile__free_unpacked(tables->profile, NULL);
}

/* The id of a function. */
static int find_function(struct pprof_tables *tables, const char *name, const char *file,
			 uint64_t *id)
{
	struct pprof_function *entry, fresh = {0};
	Pprof__Function *function;

	if (pprof_tables_string(tables, name, &fresh.key.name) ||
	    pprof_tables_string(tables, file, &fresh.key.file))
		return -ENOMEM;
	HASH_FIND(hh, tables->functions, &fresh.key, sizeof(fresh.key), entry);
	if (!entry) {
		entry = malloc(sizeof(*entry));
		function = entry ? new_function(tables->profile) : NULL;
		if (!function) {
			free(entry);
			return -ENOMEM;
		}
		fresh.id = tables->profile->n_function;
		*entry = fresh;
		HASH_ADD(hh, tables->functions, key, sizeof(entry->key), entry);
		function->id = entry->id;
		/* With a system_name pprof would take it for a C++ name, and cut what is in <>. */
		function->name = entry->key.name;
		function->filename = entry->key.file;
	}
	*id = entry->id;
	return 0;
}

/* A line of a location, and what its mapping has got by it: pprof looks up what has nothing. */
static int add_line(struct pprof_tables *tables, Pprof__Location *location, const char *name,
		    const char *file, uint32_t number)
{
	Pprof__Line *line = new_line(location);
	Pprof__Mapping *mapping;

	if (!line)
		return -ENOMEM;
	line->line = number;
	if (location->mapping_id) {
		mapping = tables->profile->mapping[location->mapping_id - 1];
		mapping->has_functions = true;
		mapping->has_filenames |= *file != '\0';
		mapping->has_line_numbers |= number != 0;
		mapping->has_inline_frames |= location->n_line > 1;
	}
	return find_function(tables, name, file, &line->function_id);
}

/* Where the kernel is, nobody tells: this is what others call it. */
static int kernel_mapping(struct pprof_tables *tables, uint64_t *id)
{
	const struct model_module kernel = {.path = "[kernel.kallsyms]", .build_id = ""};
	int err = 0;

	if (!tables->kernel) {
		err = add_mapping(tables, &kernel);
		tables->kernel = tables->profile->n_mapping;
	}
	*id = tables->kernel;
	return err;
}

/* Names like "[module+0x10]" and "[kernel]" stand for none (symbolizer.h). */
static bool is_name(const char *function)
{
	size_t length = strlen(function);

	return !length || function[0] != '[' || function[length - 1] != ']';
}

/* What an address is called; NULL where nothing is known, which pprof may look up. */
static const struct model_symbol *find_symbol(const struct model *model,
					      const struct location_key *key)
{
	const struct model_symbol *symbol =
		model_symbol(model, key->process, key->address, key->is_return);

	if (!symbol || (symbol->nframes == 1 && !is_name(symbol->frames[0].function)))
		return NULL;
	return symbol;
}

static int add_location(struct pprof_tables *tables, const struct location_key *key, uint64_t *id)
{
	const struct model *model = tables->model;
	const struct model_module *module =
		emit_frames_module(model, key->process, key->address, key->is_return);
	const struct model_symbol *symbol = find_symbol(model, key);
	const char *mark = stack_mark_frame(key->address);
	Pprof__Location *location = new_location(tables->profile);
	int err = 0;

	if (!location)
		return -ENOMEM;
	*id = location->id = tables->profile->n_location;
	location->address = key->address - key->is_return;
	if (module)
		location->mapping_id = module - model->modules + 1;
	else if (key->process == EVENT_NO_PROCESS)
		err = kernel_mapping(tables, &location->mapping_id);
	if (!err && mark)
		err = add_line(tables, location, mark, "", 0);
	for (uint32_t i = 0; !err && symbol && i < symbol->nframes; i++)
		err = add_line(tables, location, symbol->frames[i].function, symbol->frames[i].file,
			       symbol->frames[i].line);
	return err;
}

int pprof_tables_location(struct pprof_tables *tables, const struct model_stack *stack, uint32_t i,
			  uint64_t *id)
{
	struct location_key key = {
		.address = stack->frames[i],
		.process = i < stack->nkernel ? EVENT_NO_PROCESS : stack->process,
		.is_return = i != 0 && i != stack->nkernel,
	};
	struct pprof_location *entry;
	int err;

	HASH_FIND(hh, tables->locations, &key, sizeof(key), entry);
	if (!entry) {
		entry = malloc(sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->key = key;
		err = add_location(tables, &key, &entry->id);
		if (err) {
			free(entry);
			return err;
		}
		HASH_ADD(hh, tables->locations, key, sizeof(entry->key), entry);
	}
	*id = entry->id;
	return 0;
}

int pprof_tables_no_stack(struct pprof_tables *tables, uint64_t *id)
{
	Pprof__Location *location;
	int err = 0;

	if (!tables->no_stack) {
		location = new_location(tables->profile);
		if (!location)
			return -ENOMEM;
		tables->no_stack = location->id = tables->profile->n_location;
		err = add_line(tables, location, "[no stack]", "", 0);
	}
	*id = tables->no_stack;
	return err;
}
