/* SPDX-License-Identifier: MIT */
/* What attach/targets*.c share. */
#ifndef POLLSCOPE_ATTACH_TARGETS_STATE_H
#define POLLSCOPE_ATTACH_TARGETS_STATE_H

#include "attach/targets.h"

struct elf_cache;
struct elf_file;

struct process {
	pid_t pid;
	int pidfd;
	uint32_t generation;
	uint64_t seen; /* when its image was last looked at: an exec before led to that one */
	uint64_t end;  /* when it went by exec; UINT64_MAX: it did not */
	bool launched;
	bool exited;
	bool told;
	bool crowded;       /* has more mappings than are looked at, and this was said */
	uint64_t maps_hash; /* of the mappings when they were last looked at */
	size_t nsources;
	char comm[64];
	char *exe;
	char *command_line;
};

struct source {
	uint16_t process;
	bool told;
	uint32_t capabilities;
	const char *runtime;
	char version[32];
	const struct elf_file *file;
};

struct module {
	uint16_t process;
	bool told;
	uint64_t start, end, offset;
	char *path;
	const struct elf_file *file; /* NULL: could not be opened */
};

struct targets {
	struct targets_options options;
	struct elf_cache *files;
	struct process *processes;
	size_t nprocesses, processes_room;
	bool unreadable; /* a file was not ours to read */
	bool full;       /* there are more processes than are followed, and this was said */
	struct source *sources;
	size_t nsources;
	struct module *modules;
	size_t nmodules, modules_room;
};

/* A notice. */
void targets_say(struct targets *targets, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A new row for pid, described; rows may move. Returns its number, or a negative errno. -ENOSPC: there are
 * too many, which was said.
 */
int targets_process_new(struct targets *targets, pid_t pid, uint32_t generation, bool launched);

/* The latest generation of pid; -1: not known. */
int targets_process_find(const struct targets *targets, pid_t pid);

/* Reads anew what the image is called. 0 or -ENOMEM. */
int targets_process_describe(struct process *process);

/* Whether the pid is still this process's: what was read by it before is this process's own. */
bool targets_process_lives(const struct process *process);

/* Tells how a process ended; status: waitpid's, or -1. */
int targets_tell_exit(struct event_sink *sink, uint16_t process, int status, uint64_t time);

#endif
