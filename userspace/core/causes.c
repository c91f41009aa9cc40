// SPDX-License-Identifier: MIT
#include "core/causes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/array.h"
#include "core/hash.h"

/* Files remembered in all; a service touches a few hundred, so the rest can be one. */
#define MAX_FILES (1 << 18)

struct cause {
	int32_t number;
	uint32_t index;
	UT_hash_handle hh;
	char name[];
};

struct file_key {
	uint64_t ino;
	uint64_t dev;
};

struct file {
	struct file_key key;
	uint32_t index, mode;
	char *name, *path; /* NULL: unknown */
	UT_hash_handle hh;
};

static const struct {
	const char *name, *kind;
} fixed[CAUSE_FIXED] = {
	[CAUSE_UNKNOWN] = {"unknown", "other"}, [CAUSE_PAGE_FAULT] = {"page-fault", "memory"},
	[CAUSE_MEMORY] = {"memory", "memory"},  [CAUSE_STOPPED] = {"stopped", "stopped"},
	[CAUSE_OTHER] = {"other", "other"},
};

/* By enum event_cause; those of a later version are CAUSE_OTHER, as are those that are not fixed. */
static uint32_t fixed_of(uint32_t event_cause)
{
	switch (event_cause) {
	case EVENT_CAUSE_PAGE_FAULT:
		return CAUSE_PAGE_FAULT;
	case EVENT_CAUSE_MEMORY:
		return CAUSE_MEMORY;
	case EVENT_CAUSE_STOPPED:
		return CAUSE_STOPPED;
	default:
		return CAUSE_OTHER;
	}
}

const char *causes_event_name(uint32_t event_cause)
{
	if (event_cause == EVENT_CAUSE_RUNQUEUE)
		return "run-queue";
	return event_cause == EVENT_CAUSE_SYSCALL ? "syscall" : fixed[fixed_of(event_cause)].name;
}

struct cause_text causes_call_name(const char *(*syscall_name)(const char *arch, int32_t number),
				   const char *arch, int32_t number)
{
	const char *name = syscall_name ? syscall_name(arch ? arch : "", number) : NULL;
	struct cause_text text;

	if (name)
		snprintf(text.s, sizeof(text.s), "%s", name);
	else
		snprintf(text.s, sizeof(text.s), "syscall_%" PRId32, number);
	return text;
}

static int intern_call(struct causes *causes, int32_t number, uint32_t *index)
{
	struct cause *cause, **calls;
	struct cause_text name;

	HASH_FIND(hh, causes->by_number, &number, sizeof(number), cause);
	if (cause) {
		*index = cause->index;
		return 0;
	}
	name = causes_call_name(causes->syscall_name, causes->arch, number);
	calls = array_grow(causes->calls, causes->ncalls, &causes->call_room, sizeof(*calls));
	if (!calls)
		return -ENOMEM;
	causes->calls = calls;
	cause = malloc(sizeof(*cause) + strlen(name.s) + 1);
	if (!cause)
		return -ENOMEM;
	strcpy(cause->name, name.s);
	cause->number = number;
	cause->index = CAUSE_FIXED + causes->ncalls;
	HASH_ADD(hh, causes->by_number, number, sizeof(cause->number), cause);
	if (!hash_added(cause)) {
		free(cause);
		return -ENOMEM;
	}
	causes->calls[causes->ncalls++] = cause;
	*index = cause->index;
	return 0;
}

int causes_intern(struct causes *causes, const struct event_offcpu *offcpu, uint32_t *cause)
{
	switch (offcpu->cause) {
	case EVENT_CAUSE_RUNQUEUE:
		*cause = CAUSE_NONE;
		return 0;
	case EVENT_CAUSE_SYSCALL:
		return intern_call(causes, offcpu->syscall, cause);
	default:
		*cause = fixed_of(offcpu->cause);
		return 0;
	}
}

const char *causes_name(const struct causes *causes, uint32_t cause)
{
	return cause < CAUSE_FIXED ? fixed[cause].name : causes->calls[cause - CAUSE_FIXED]->name;
}

const char *causes_kind(const struct causes *causes, uint32_t cause)
{
	if (cause < CAUSE_FIXED)
		return fixed[cause].kind;
	return strncmp(causes_name(causes, cause), "futex", 5) ? "syscall" : "futex";
}

static struct file *find_file(struct causes *causes, uint32_t dev, uint64_t ino)
{
	struct file_key key = {.ino = ino, .dev = dev};
	struct file *file;

	HASH_FIND(hh, causes->by_inode, &key, sizeof(key), file);
	return file;
}

static struct file *add_file(struct causes *causes, uint32_t dev, uint64_t ino)
{
	struct file *file, **files;

	files = array_grow(causes->files, causes->nfiles, &causes->file_room, sizeof(*files));
	if (!files)
		return NULL;
	causes->files = files;
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	file->key = (struct file_key){.ino = ino, .dev = dev};
	file->index = causes->nfiles + 1;
	HASH_ADD(hh, causes->by_inode, key, sizeof(file->key), file);
	if (!hash_added(file)) {
		free(file);
		return NULL;
	}
	causes->files[causes->nfiles++] = file;
	return file;
}

int causes_file(struct causes *causes, const struct event_offcpu *offcpu, bool add, uint32_t *index)
{
	struct file *file;

	*index = FILE_NONE;
	if (!offcpu->file_ino)
		return 0;
	file = find_file(causes, offcpu->file_dev, offcpu->file_ino);
	if (!file && (!add || causes->nfiles >= MAX_FILES)) {
		*index = FILE_OTHERS;
		return 0;
	}
	if (!file)
		file = add_file(causes, offcpu->file_dev, offcpu->file_ino);
	if (!file)
		return -ENOMEM;
	if (!file->mode)
		file->mode = offcpu->file_mode;
	if (!file->name && offcpu->file_name[0]) {
		file->name = strdup(offcpu->file_name);
		if (!file->name)
			return -ENOMEM;
	}
	*index = file->index;
	return 0;
}

int causes_path(struct causes *causes, const struct event_path *event)
{
	struct file *file = find_file(causes, event->dev, event->ino);
	char *path;

	if (!file && causes->nfiles >= MAX_FILES)
		return 0;
	if (!file)
		file = add_file(causes, event->dev, event->ino);
	path = file ? strdup(event->path) : NULL;
	if (!path)
		return -ENOMEM;
	free(file->path);
	file->path = path;
	return 0;
}

char *causes_target(const struct causes *causes, uint32_t index)
{
	const struct file *file;
	const char *what = "inode";
	char *target;

	if (index == FILE_NONE)
		return NULL;
	if (index == FILE_OTHERS)
		return strdup("[others]");
	file = causes->files[index - 1];
	if (file->path && file->path[0])
		return strdup(file->path);
	if (file->name)
		return strdup(file->name);
	if (S_ISSOCK(file->mode))
		what = "socket";
	else if (S_ISFIFO(file->mode))
		what = "pipe";
	if (asprintf(&target, "%s:[%" PRIu64 "]", what, file->key.ino) < 0)
		return NULL;
	return target;
}

void causes_clear(struct causes *causes)
{
	HASH_CLEAR(hh, causes->by_number);
	for (size_t i = 0; i < causes->ncalls; i++)
		free(causes->calls[i]);
	free(causes->calls);
	HASH_CLEAR(hh, causes->by_inode);
	for (size_t i = 0; i < causes->nfiles; i++) {
		free(causes->files[i]->name);
		free(causes->files[i]->path);
		free(causes->files[i]);
	}
	free(causes->files);
	free(causes->arch);
	*causes = (struct causes){0};
}
