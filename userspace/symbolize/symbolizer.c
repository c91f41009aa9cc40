// SPDX-License-Identifier: MIT
#include "symbolize/symbolizer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "symbolize/demangle.h"
#include "symbolize/elf_file.h"
#include "symbolize/kallsyms.h"
#include "symbolize/maps.h"
#include "symbolize/module.h"
#include "util/utf8.h"

/* A file, read once in however many processes it is mapped. */
struct known_file {
	const struct elf_file *file;
	struct module *module;
	UT_hash_handle hh;
};

struct mapping {
	uint64_t start, end, offset;
	char *name;            /* last part of the path */
	struct module *module; /* NULL: no names */
};

struct process {
	struct mapping *mappings; /* in the order they were added */
	size_t n, capacity;
};

struct symbolizer {
	struct kallsyms *kallsyms;
	struct known_file *files;
	struct process *processes; /* by number */
	size_t nprocesses;
	struct elf_file *vdso; /* our own: the kernel gives the same to all */
	bool vdso_tried;
	struct event_frame frames[DEBUG_FRAMES_MAX]; /* of the last address */
	char *strings[2 * DEBUG_FRAMES_MAX];
	size_t nstrings;
};

struct symbolizer *symbolizer_new(struct kallsyms *kallsyms)
{
	struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));

	if (symbolizer)
		symbolizer->kallsyms = kallsyms;
	return symbolizer;
}

static void release_strings(struct symbolizer *symbolizer)
{
	while (symbolizer->nstrings)
		free(symbolizer->strings[--symbolizer->nstrings]);
}

void symbolizer_free(struct symbolizer *symbolizer)
{
	struct known_file *file, *next;

	if (!symbolizer)
		return;
	release_strings(symbolizer);
	for (size_t p = 0; p < symbolizer->nprocesses; p++) {
		for (size_t i = 0; i < symbolizer->processes[p].n; i++)
			free(symbolizer->processes[p].mappings[i].name);
		free(symbolizer->processes[p].mappings);
	}
	free(symbolizer->processes);
	HASH_ITER (hh, symbolizer->files, file, next) {
		HASH_DEL(symbolizer->files, file);
		module_free(file->module);
		free(file);
	}
	elf_file_close(symbolizer->vdso);
	free(symbolizer);
}

/* NULL if there is none. */
static const struct elf_file *own_vdso(struct symbolizer *symbolizer)
{
	if (!symbolizer->vdso_tried)
		elf_file_open_vdso(&symbolizer->vdso);
	symbolizer->vdso_tried = true;
	return symbolizer->vdso;
}

static int find_module(struct symbolizer *symbolizer, const struct elf_file *file,
		       struct module **module)
{
	struct known_file *known;

	*module = NULL;
	if (!file)
		return 0;
	HASH_FIND_PTR(symbolizer->files, &file, known);
	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return -ENOMEM;
		known->file = file;
		known->module = module_new(file);
		if (!known->module) {
			free(known);
			return -ENOMEM;
		}
		HASH_ADD_PTR(symbolizer->files, file, known);
	}
	*module = known->module;
	return 0;
}

static int find_process(struct symbolizer *symbolizer, uint16_t number, struct process **process)
{
	struct process *processes;
	size_t n = symbolizer->nprocesses;

	if (number >= n) {
		processes = reallocarray(symbolizer->processes, number + 1, sizeof(*processes));
		if (!processes)
			return -ENOMEM;
		memset(processes + n, 0, (number + 1 - n) * sizeof(*processes));
		symbolizer->processes = processes;
		symbolizer->nprocesses = number + 1;
	}
	*process = &symbolizer->processes[number];
	return 0;
}

/* The latest that a mapping overlaps; NULL: none. */
static const struct mapping *find_overlapped(const struct process *process,
					     const struct map_entry *map)
{
	for (size_t i = process->n; i-- > 0;) {
		const struct mapping *m = &process->mappings[i];

		if (m->start < map->end && map->start < m->end)
			return m;
	}
	return NULL;
}

static bool is_same(const struct mapping *m, const struct map_entry *map,
		    const struct module *module)
{
	return m->start == map->start && m->end == map->end && m->offset == map->offset &&
	       m->module == module;
}

static int add_mapping(struct process *process, const struct map_entry *map, struct module *module)
{
	const char *slash = strrchr(map->path, '/');
	struct mapping *mappings;
	size_t room;
	char *name;

	if (process->n == process->capacity) {
		room = process->capacity ? 2 * process->capacity : 8;
		mappings = reallocarray(process->mappings, room, sizeof(*mappings));
		if (!mappings)
			return -ENOMEM;
		process->mappings = mappings;
		process->capacity = room;
	}
	name = strdup(slash ? slash + 1 : map->path);
	if (!name)
		return -ENOMEM;
	process->mappings[process->n++] = (struct mapping){
		.start = map->start,
		.end = map->end,
		.offset = map->offset,
		.name = name,
		.module = module,
	};
	return 0;
}

int symbolizer_add_module(struct symbolizer *symbolizer, uint16_t number,
			  const struct map_entry *map, const struct elf_file *file)
{
	const struct mapping *before;
	struct process *process;
	struct module *module;
	bool replaces;
	int err;

	if (map->vdso)
		file = own_vdso(symbolizer);
	err = find_module(symbolizer, file, &module);
	if (!err)
		err = find_process(symbolizer, number, &process);
	if (err)
		return err;
	before = find_overlapped(process, map);
	if (before && is_same(before, map, module))
		return 0;
	replaces = before && before->module && before->module != module;
	/* Code that a target makes in pieces is not to keep its libraries out. */
	if (process->n >= (module ? SYMBOLIZER_MAPPINGS_MAX : SYMBOLIZER_MAPPINGS_MAX / 2))
		return -ENOSPC;
	err = add_mapping(process, map, module);
	return err ? err : replaces ? SYMBOLIZER_REPLACES : 1;
}

/* Takes over `text`; NULL is passed on as out of memory. */
static const char *keep(struct symbolizer *symbolizer, char *text)
{
	if (text) {
		utf8_sanitize(text);
		symbolizer->strings[symbolizer->nstrings++] = text;
	}
	return text;
}

static int set_frame(struct symbolizer *symbolizer, size_t i, char *function, const char *file,
		     uint32_t line)
{
	struct event_frame *frame = &symbolizer->frames[i];

	frame->function = keep(symbolizer, function);
	frame->file = file && frame->function ? keep(symbolizer, strdup(file)) : "";
	frame->line = line;
	return frame->function && frame->file ? 0 : -ENOMEM;
}

/* Where no function is known: the address in the file, as addr2line and objdump want it. */
static char *module_address(const struct mapping *mapping, uint64_t offset)
{
	uint64_t address = offset;
	char *text;

	if (mapping->name[0] == '[')
		return strdup(mapping->name);
	if (mapping->module)
		module_vaddr(mapping->module, offset, &address);
	if (asprintf(&text, "[%s+0x%llx]", mapping->name, (unsigned long long)address) < 0)
		return NULL;
	return text;
}

static char *kernel_function(struct symbolizer *symbolizer, uint64_t address)
{
	const char *name = NULL;

	if (symbolizer->kallsyms)
		name = kallsyms_function(symbolizer->kallsyms, address);
	return name ? demangle(name) : strdup("[kernel]");
}

static const struct mapping *find_mapping(const struct symbolizer *symbolizer, uint16_t number,
					  uint64_t address)
{
	const struct process *process;

	if (number >= symbolizer->nprocesses)
		return NULL;
	process = &symbolizer->processes[number];
	for (size_t i = process->n; i-- > 0;) {
		const struct mapping *mapping = &process->mappings[i];

		if (address >= mapping->start && address < mapping->end)
			return mapping;
	}
	return NULL;
}

/*
 * Compilers split a function and inline a part into what is left: by its debug info it is inlined in itself,
 * and by its source it is called once. Keeps the inner one's line.
 */
static int drop_split(struct debug_frame *frames, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++) {
		const char *inner = kept ? frames[kept - 1].function : NULL;

		if (!inner || !frames[i].function || strcmp(inner, frames[i].function))
			frames[kept++] = frames[i];
	}
	return kept;
}

/* The frames at an address of a mapping. Returns how many, or -ENOMEM. */
static int resolve_mapped(struct symbolizer *symbolizer, const struct mapping *mapping,
			  uint64_t address)
{
	uint64_t offset = address - mapping->start + mapping->offset;
	struct debug_frame found[DEBUG_FRAMES_MAX];
	int n = 0, err = 0;

	if (mapping->module)
		n = module_lookup(mapping->module, offset, found);
	if (n < 0)
		return n;
	n = drop_split(found, n);
	for (int i = 0; !err && i < n; i++) {
		char *name = found[i].function ? demangle(found[i].function) : strdup("[unknown]");

		err = set_frame(symbolizer, i, name, found[i].file, found[i].line);
	}
	if (!n) {
		n = 1;
		err = set_frame(symbolizer, 0, module_address(mapping, offset), NULL, 0);
	}
	return err ? err : n;
}

int symbolizer_resolve(struct symbolizer *symbolizer, uint16_t process, uint64_t address,
		       bool is_return, struct event_symbol *symbol)
{
	uint64_t at = is_return && address ? address - 1 : address;
	const struct mapping *mapping;
	int n = 1, err = 0;

	release_strings(symbolizer);
	mapping = process == EVENT_NO_PROCESS ? NULL : find_mapping(symbolizer, process, at);
	if (mapping)
		n = resolve_mapped(symbolizer, mapping, at);
	else if (process == EVENT_NO_PROCESS)
		err = set_frame(symbolizer, 0, kernel_function(symbolizer, at), NULL, 0);
	else
		err = set_frame(symbolizer, 0, strdup("[unknown]"), NULL, 0);
	if (n < 0 || err)
		return -ENOMEM;
	*symbol = (struct event_symbol){
		.process = process,
		.address = address,
		.is_return = is_return,
		.nframes = n,
		.frames = symbolizer->frames,
	};
	return 0;
}
