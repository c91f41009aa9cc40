// SPDX-License-Identifier: MIT
#include "attach/targets_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/adapter.h"
#include "attach/plans.h"
#include "attach/procfs.h"
#include "attach/tracer.h"
#include "symbolize/elf_cache.h"
#include "symbolize/elf_file.h"
#include "symbolize/maps.h"
#include "symbolize/symbolizer.h"
#include "util/clock.h"

#define UNOPENED_SAID 20 /* files */

struct targets *targets_new(const struct targets_options *options)
{
	struct targets *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->options = *options;
	targets_costs_take(t, options->cost);
	t->files = elf_cache_new();
	t->plans = plans_new(adapters, &options->choice);
	t->sources = calloc(SOURCES_MAX, sizeof(*t->sources));
	if (!t->files || !t->plans || !t->sources) {
		targets_free(t);
		return NULL;
	}
	return t;
}

void targets_free(struct targets *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nprocesses; i++) {
		targets_process_close(&t->processes[i]);
		free(t->processes[i].exe);
		free(t->processes[i].command_line);
	}
	for (size_t i = 0; i < t->nmodules; i++)
		free(t->modules[i].path);
	free(t->modules);
	names_clear(&t->unopened);
	free(t->sources);
	free(t->processes);
	plans_free(t->plans);
	elf_cache_free(t->files);
	free(t);
}

static int module_add(struct targets *t, uint16_t process, const struct map_entry *map,
		      const struct elf_file *file)
{
	size_t room = t->modules_room ? 2 * t->modules_room : 64;
	struct module *grown;

	if (t->nmodules == t->modules_room) {
		grown = reallocarray(t->modules, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		t->modules = grown;
		t->modules_room = room;
	}
	t->modules[t->nmodules] = (struct module){
		.process = process,
		.start = map->start,
		.end = map->end,
		.offset = map->offset,
		.path = strdup(map->path),
		.file = file,
	};
	if (!t->modules[t->nmodules].path)
		return -ENOMEM;
	t->nmodules++;
	return 0;
}

static const char *unopened_remedy(pid_t pid, int error)
{
	return procfs_file_remedy(error, procfs_reached(pid), procfs_own_capabilities());
}

/* Says why a file cannot be looked into: once, in however many pieces it is mapped. */
static int unopened_note(struct targets *t, pid_t pid, const char *path, int error)
{
	size_t before = t->unopened.count;
	const char *remedy;
	uint32_t number;
	int err;

	if (error == -EACCES || error == -EPERM)
		t->unreadable = unopened_remedy(pid, error);
	/* One that ends meanwhile says nothing of its files. */
	if (before > UNOPENED_SAID || error == -ESRCH)
		return 0;
	err = names_intern(&t->unopened, path, &number);
	if (err || number < before)
		return err;
	if (before >= UNOPENED_SAID) {
		targets_say(t, "further files that are mapped cannot be looked into either");
		return 0;
	}
	remedy = unopened_remedy(pid, error);
	targets_say(t, "%s: %s%s%s", path, elf_file_strerror(error), *remedy ? ": " : "", remedy);
	return 0;
}

/* Notes a mapping if it is new, and attaches to the runtimes in it. *behind: its file; NULL: none. */
static int map_take(struct targets *t, uint16_t process, const struct map_entry *map,
		    const struct elf_file **behind)
{
	struct process *p = &t->processes[process];
	struct elf_file *file = NULL;
	int is_new, opened = -ENOENT, err;

	if (!map->vdso)
		opened = elf_cache_open(t->files, p->pid, map, &file);
	if (opened)
		file = NULL;
	*behind = file;
	is_new = symbolizer_add_module(t->options.symbolizer, process, map, file);
	if (is_new == -ENOSPC) {
		if (!p->crowded)
			targets_say(t, "pid %d: has too many files mapped: some are left out",
				    p->pid);
		p->crowded = true;
		return 0;
	}
	if (is_new <= 0)
		return is_new;
	if (is_new == SYMBOLIZER_REPLACES && p->told && !p->replaced) {
		targets_say(t,
			    "pid %d: %s is mapped where another file was: code of that one bears "
			    "this one's names",
			    p->pid, map->path);
		p->replaced = true;
	}
	err = module_add(t, process, map, file);
	if (!err && file)
		err = targets_source_scan(t, process, file);
	else if (!err && !map->vdso)
		err = unopened_note(t, p->pid, map->path, opened);
	return err;
}

/* How the stacks of a process are unwound from now on. */
static int unwind_put(struct targets *t, uint16_t process, const struct maps *maps,
		      const struct elf_file *const *files)
{
	struct process *p = &t->processes[process];
	int err = tracer_unwind(t->options.tracer, p->pid, process, maps->entries, files, maps->n);

	if (!err || err == -ENOMEM)
		return err;
	if (!p->unwound_badly)
		targets_say(t, "pid %d: unwind tables: %s: some stacks will end early", p->pid,
			    err == -ENOSPC ? "there are too many" : strerror(-err));
	p->unwound_badly = true;
	return 0;
}

/* What the process has mapped by now. */
static int maps_take(struct targets *t, uint16_t process, const struct maps *maps)
{
	const struct elf_file **files = calloc(maps->n + 1, sizeof(*files));
	int err = files ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < maps->n; i++)
		err = map_take(t, process, &maps->entries[i], &files[i]);
	if (!err && t->processes[process].nsources)
		err = unwind_put(t, process, maps, files);
	free(files);
	return err;
}

/* Notes the process's mappings that are new, and attaches to the runtimes in them. */
static int process_scan(struct targets *t, uint16_t process)
{
	struct process *p = &t->processes[process];
	uint64_t hash;
	struct maps maps;
	int err = targets_process_lives(p) ? maps_read(p->pid, &maps) : -ESRCH;

	if (err)
		return err;
	if (!targets_process_lives(p))
		err = -ESRCH;
	hash = maps_hash(&maps);
	if (!err && hash != p->maps_hash)
		err = maps_take(t, process, &maps);
	if (!err)
		p->maps_hash = hash;
	maps_release(&maps);
	return err;
}

int targets_add(struct targets *t, pid_t pid, bool launched)
{
	int process = targets_process_find(t, pid), err;

	if (process < 0)
		process = targets_process_new(t, pid, 0, launched);
	if (process < 0)
		return process == -ENOSPC ? 0 : process;
	t->processes[process].seen = clock_monotonic_ns();
	err = t->processes[process].nsources ? 0 : targets_process_describe(&t->processes[process]);
	if (err)
		return err;
	err = tracer_register(t->options.tracer, pid, process);
	if (!err)
		err = process_scan(t, process);
	return err ? err : (int)t->processes[process].nsources;
}

/* One that ends meanwhile is reaped; one that cannot be attached to, which was said, spoils no other. */
static int survive(int err)
{
	return err == -ENOMEM ? err : 0;
}

int targets_rescan(struct targets *t)
{
	for (size_t i = 0; i < t->nprocesses; i++) {
		int err;

		if (t->processes[i].exited || t->processes[i].end != UINT64_MAX)
			continue;
		err = survive(process_scan(t, i));
		if (err)
			return err;
	}
	return 0;
}

/* Goes on with the same pid's new image in another row, of the next generation; its number. */
static int process_succeed(struct targets *t, uint16_t process, uint64_t time)
{
	struct process *old = &t->processes[process];

	old->end = time;
	targets_process_close(old);
	targets_sources_detach(t, process);
	return targets_process_new(t, old->pid, old->generation + 1, old->launched);
}

int targets_exec(struct targets *t, uint16_t process, uint64_t time)
{
	struct process *old;
	int next = process, err;

	if (process >= t->nprocesses || t->processes[process].end != UINT64_MAX)
		return 0;
	old = &t->processes[process];
	/* The stop at a launched command's exec may be seen first, and so the new image before this. */
	if (time < old->seen)
		return 0;
	/* Shells and the like that hold no runtime, and that nobody was told of, are no generation. */
	if (old->told || old->nsources) {
		next = process_succeed(t, process, time);
	} else {
		old->seen = clock_monotonic_ns();
		err = targets_process_describe(old);
		next = err ? err : next;
	}
	if (next < 0)
		return survive(next);
	err = tracer_register(t->options.tracer, t->processes[next].pid, next);
	if (!err)
		err = process_scan(t, next);
	return survive(err);
}

int targets_reap(struct targets *t, struct event_sink *sink, size_t *alive)
{
	int err = 0;

	*alive = 0;
	for (size_t i = 0; !err && i < t->nprocesses; i++) {
		struct process *p = &t->processes[i];

		if (p->exited || p->end != UINT64_MAX)
			continue;
		if (!targets_process_lives(p)) {
			p->exited = true;
			targets_process_close(p);
			targets_sources_detach(t, i);
			/* A time read before could be older than the last events. */
			if (p->told)
				err = targets_tell_exit(sink, i, -1, clock_monotonic_ns());
		} else if (p->nsources || p->generation) {
			(*alive)++;
		}
	}
	return err;
}

const char *targets_unreadable(const struct targets *t)
{
	return t->unreadable;
}

pid_t targets_pid(const struct targets *t, uint16_t process)
{
	return process < t->nprocesses ? t->processes[process].pid : 0;
}

size_t targets_live(const struct targets *t, pid_t *pids, uint16_t *processes, size_t n)
{
	size_t live = 0;

	for (size_t i = 0; i < t->nprocesses && live < n; i++) {
		const struct process *p = &t->processes[i];

		if (p->exited || p->end != UINT64_MAX || !p->told)
			continue;
		pids[live] = p->pid;
		processes[live++] = i;
	}
	return live;
}
