// SPDX-License-Identifier: MIT
#include "symbolize/late_symbols.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/array.h"
#include "core/event.h"
#include "symbolize/addresses.h"
#include "symbolize/debug_file.h"
#include "symbolize/elf_file.h"
#include "symbolize/maps.h"
#include "symbolize/symbolizer.h"

#define MODULES_MAX 65536 /* noted of a recording */
#define FILES_MAX 512     /* open at a time: half of the usual limit of descriptors */

struct late_module {
	struct map_entry map; /* path is its own */
	char *build_id;
	uint16_t process;
	bool wanted; /* there are addresses in it to be named */
};

/* A module's file, or that there is none. */
struct late_file {
	const char *path, *build_id; /* the module's */
	struct elf_file *elf;        /* NULL: none that may be used */
};

struct late_thread {
	uint32_t tid;
	uint16_t process;
	UT_hash_handle hh;
};

struct late_symbols {
	struct event_sink sink;
	struct event_sink *to;
	struct late_symbols_options options;
	struct addresses *wanted, *named;
	struct late_module *modules;
	size_t nmodules, module_room;
	struct late_file *files;
	size_t nfiles, file_room;
	struct late_thread *threads;
	uint16_t sources[UINT16_MAX + 1]; /* their processes, or EVENT_NO_PROCESS */
	uint64_t time;                    /* of the last event */
};

static int module_note(struct late_symbols *late, const struct event_module *told)
{
	struct late_module *modules, *module;

	if (told->process == EVENT_NO_PROCESS || late->nmodules == MODULES_MAX)
		return 0;
	modules = array_grow(late->modules, late->nmodules, &late->module_room, sizeof(*modules));
	if (!modules)
		return -ENOMEM;
	late->modules = modules;
	module = &modules[late->nmodules++];
	*module = (struct late_module){
		.map = {.start = told->start,
			.end = told->end,
			.offset = told->file_offset,
			.path = strdup(told->path)},
		.build_id = strdup(told->build_id),
		.process = told->process,
	};
	return module->map.path && module->build_id ? 0 : -ENOMEM;
}

static int thread_note(struct late_symbols *late, uint32_t tid, uint16_t process)
{
	struct late_thread *thread;

	HASH_FIND(hh, late->threads, &tid, sizeof(tid), thread);
	if (!thread) {
		thread = calloc(1, sizeof(*thread));
		if (!thread)
			return -ENOMEM;
		thread->tid = tid;
		HASH_ADD(hh, late->threads, tid, sizeof(tid), thread);
	}
	thread->process = process;
	return 0;
}

/* A stack is its thread's process's; only of a thread that was lost must its source tell. */
static int stack_note(struct late_symbols *late, const struct event *event,
		      const struct event_stack *stack)
{
	struct event_stack user = {.frames = stack->frames + stack->nkernel, .nuser = stack->nuser};
	uint16_t process = late->sources[event->source];
	struct late_thread *thread;

	HASH_FIND(hh, late->threads, &event->tid, sizeof(event->tid), thread);
	if (thread)
		process = thread->process;
	return process == EVENT_NO_PROCESS ? 0 : addresses_add(late->wanted, process, &user);
}

/* What symbolizer_resolve() makes of an address without a function. */
static bool is_unknown(const struct event_symbol *symbol)
{
	const char *name = symbol->nframes == 1 ? symbol->frames[0].function : "";

	return !strcmp(name, "[unknown]") || (*name == '[' && strstr(name, "+0x"));
}

/* Returns 1 where it is kept back. */
static int symbol_note(struct late_symbols *late, const struct event_symbol *symbol)
{
	const struct address address = {symbol->address, symbol->process, symbol->is_return};
	int err;

	if (symbol->process == EVENT_NO_PROCESS)
		return 0;
	if (!is_unknown(symbol))
		return addresses_add_one(late->named, &address);
	err = addresses_add_one(late->wanted, &address);
	return err ? err : addresses_have(late->wanted, &address);
}

static int late_take(struct event_sink *sink, const struct event *event)
{
	struct late_symbols *late = (struct late_symbols *)sink;
	int err = 0;

	late->time = event->time;
	switch (event->type) {
	case EVENT_MODULE:
		err = module_note(late, &event->module);
		break;
	case EVENT_SOURCE:
		late->sources[event->source_info.source] = event->source_info.process;
		break;
	case EVENT_THREAD:
		err = thread_note(late, event->tid, event->thread.process);
		break;
	case EVENT_OFFCPU:
		err = stack_note(late, event, &event->offcpu.stack);
		break;
	case EVENT_SAMPLE:
	case EVENT_AWAIT:
		err = stack_note(late, event, &event->sample.stack);
		break;
	case EVENT_SYMBOL:
		err = symbol_note(late, &event->symbol);
		break;
	}
	if (err)
		return err < 0 ? err : 0;
	return late->to->take(late->to, event);
}

struct late_symbols *late_symbols_new(const struct late_symbols_options *options,
				      struct event_sink *to)
{
	struct late_symbols *late = calloc(1, sizeof(*late));

	if (!late)
		return NULL;
	late->sink.take = late_take;
	late->to = to;
	late->options = *options;
	late->wanted = addresses_new();
	late->named = addresses_new();
	memset(late->sources, 0xff, sizeof(late->sources));
	if (late->wanted && late->named)
		return late;
	late_symbols_free(late);
	return NULL;
}

void late_symbols_free(struct late_symbols *late)
{
	struct late_thread *thread, *next;

	if (!late)
		return;
	HASH_ITER (hh, late->threads, thread, next) {
		HASH_DEL(late->threads, thread);
		free(thread);
	}
	for (size_t i = 0; i < late->nfiles; i++)
		elf_file_close(late->files[i].elf);
	free(late->files);
	for (size_t i = 0; i < late->nmodules; i++) {
		free(late->modules[i].map.path);
		free(late->modules[i].build_id);
	}
	free(late->modules);
	addresses_free(late->wanted);
	addresses_free(late->named);
	free(late);
}

struct event_sink *late_symbols_sink(struct late_symbols *late)
{
	return &late->sink;
}

/* The recording may be anybody's: only what is the very file that was recorded is looked into. */
static int open_same(const char *path, const char *build_id, bool *other, struct elf_file **elf)
{
	int err = elf_file_open_path(path, elf);

	if (err)
		return err == -ENOMEM ? err : -ENOENT;
	if (!strcmp((*elf)->build_id, build_id))
		return 0;
	*other = true;
	elf_file_close(*elf);
	*elf = NULL;
	return -ENOENT;
}

/* A debug file knows all that its binary does: it stands in for that, whether it is there or not. */
static int open_debug(const char *root, const char *below, const struct late_module *module,
		      struct elf_file **elf)
{
	char folder[PATH_MAX];
	int err = -ENOENT;

	if (snprintf(folder, sizeof(folder), "%s%s", root, below) < PATH_MAX)
		err = debug_file_open(folder, module->build_id, elf);
	if (err || elf_file_place(*elf, &module->map))
		return err;
	elf_file_close(*elf);
	*elf = NULL;
	return -ENOENT;
}

static int open_module(const struct late_symbols *late, const struct late_module *module,
		       struct elf_file **elf)
{
	const char *path = module->map.path, *slash = strrchr(path, '/');
	const char *symfs = late->options.symfs;
	char name[PATH_MAX], line[PATH_MAX + 100];
	bool other = false;
	int err = -ENOENT;

	*elf = NULL;
	if (!slash || !*module->build_id || strstr(path, "/../"))
		return -ENOENT;
	if (symfs)
		err = open_debug(symfs, "", module, elf);
	if (symfs && err == -ENOENT)
		err = open_debug(symfs, DEBUG_FILE_ROOT, module, elf);
	if (symfs && err == -ENOENT && snprintf(name, sizeof(name), "%s%s", symfs, path) < PATH_MAX)
		err = open_same(name, module->build_id, &other, elf);
	if (symfs && err == -ENOENT &&
	    snprintf(name, sizeof(name), "%s%s", symfs, slash) < PATH_MAX)
		err = open_same(name, module->build_id, &other, elf);
	if (err == -ENOENT)
		err = open_same(path, module->build_id, &other, elf);
	if (err == -ENOENT)
		err = open_debug("", DEBUG_FILE_ROOT, module, elf);
	if (err == -ENOENT && other) {
		snprintf(line, sizeof(line),
			 "%s: not the build that was recorded (build id %s): not used for symbols",
			 path, module->build_id);
		late->options.notice(late->options.ctx, line);
	}
	return err;
}

/* A file is opened once in however many processes it was mapped. */
static int find_file(struct late_symbols *late, const struct late_module *module,
		     struct elf_file **elf)
{
	struct late_file *files;
	int err;

	*elf = NULL;
	for (size_t i = 0; i < late->nfiles; i++) {
		if (strcmp(late->files[i].path, module->map.path) ||
		    strcmp(late->files[i].build_id, module->build_id))
			continue;
		*elf = late->files[i].elf;
		if (*elf)
			elf_file_place(*elf, &module->map);
		return 0;
	}
	if (late->nfiles == FILES_MAX)
		return 0;
	files = array_grow(late->files, late->nfiles, &late->file_room, sizeof(*files));
	if (!files)
		return -ENOMEM;
	late->files = files;
	err = open_module(late, module, elf);
	files[late->nfiles++] = (struct late_file){module->map.path, module->build_id, *elf};
	return err == -ENOMEM ? err : 0;
}

/* As the symbolizer does, the later one of two that overlap counts. */
static void want_module(struct late_symbols *late, const struct address *address)
{
	uint64_t at = address->address - address->is_return;

	for (size_t i = late->nmodules; i-- > 0;) {
		struct late_module *module = &late->modules[i];

		if (module->process == address->process && at >= module->map.start &&
		    at < module->map.end) {
			module->wanted = true;
			return;
		}
	}
}

static int modules_add(struct late_symbols *late, struct symbolizer *symbolizer)
{
	size_t wanted = 0, found = 0;
	char line[PATH_MAX + 100];

	for (size_t i = 0; i < late->nmodules; i++) {
		struct late_module *module = &late->modules[i];
		struct elf_file *elf = NULL;
		int err = module->wanted ? find_file(late, module, &elf) : 0;

		if (!err)
			err = symbolizer_add_module(symbolizer, module->process, &module->map, elf);
		if (err < 0 && err != -ENOSPC)
			return err;
		wanted += module->wanted;
		found += elf != NULL;
	}
	if (late->options.symfs && wanted && !found) {
		snprintf(line, sizeof(line), "%s: holds none of the modules that lack symbols",
			 late->options.symfs);
		late->options.notice(late->options.ctx, line);
	}
	return 0;
}

static int symbols_tell(struct late_symbols *late, struct symbolizer *symbolizer)
{
	for (size_t i = 0; i < addresses_count(late->wanted); i++) {
		struct address at = addresses_at(late->wanted, i);
		struct event event = {
			.time = late->time,
			.source = EVENT_NO_SOURCE,
			.type = EVENT_SYMBOL,
		};
		int err;

		if (addresses_have(late->named, &at))
			continue;
		err = symbolizer_resolve(symbolizer, at.process, at.address, at.is_return,
					 &event.symbol);
		if (!err)
			err = late->to->take(late->to, &event);
		if (err)
			return err;
	}
	return 0;
}

int late_symbols_finish(struct late_symbols *late)
{
	struct symbolizer *symbolizer;
	bool any = false;
	int err;

	for (size_t i = 0; i < addresses_count(late->wanted); i++) {
		struct address at = addresses_at(late->wanted, i);

		if (addresses_have(late->named, &at))
			continue;
		want_module(late, &at);
		any = true;
	}
	if (!any)
		return 0;
	symbolizer = symbolizer_new(NULL);
	if (!symbolizer)
		return -ENOMEM;
	err = modules_add(late, symbolizer);
	if (!err)
		err = symbols_tell(late, symbolizer);
	symbolizer_free(symbolizer);
	return err;
}
