/* SPDX-License-Identifier: MIT */
/* What attach/targets*.c share. */
#ifndef POLLSCOPE_ATTACH_TARGETS_STATE_H
#define POLLSCOPE_ATTACH_TARGETS_STATE_H

#include <limits.h>

#include "attach/targets.h"
#include "core/names.h"

#define SOURCES_MAX 8192

struct elf_cache;
struct elf_file;
struct plans;

struct process {
	pid_t pid;
	int pidfd; /* -1: it has ended, or gone by exec */
	uint32_t generation;
	uint64_t seen; /* when its image was last looked at: an exec before led to that one */
	uint64_t end;  /* when it went by exec; UINT64_MAX: it did not */
	bool launched;
	bool exited;
	bool told;
	bool crowded;       /* has more mappings than are looked at, and this was said */
	bool replaced;      /* has mapped a file where another was, and this was said */
	bool unwound_badly; /* tables are missing, and this was said */
	uint64_t maps_hash; /* of the mappings when they were last looked at */
	size_t nsources;
	uint64_t cpu_ns; /* its CPU time when it was last read; UINT64_MAX: never */
	char comm[64];
	char *exe;
	char *command_line;
};

struct source {
	uint16_t process;
	bool told;
	bool awaits_refused; /* the kernel takes no probes where its tasks wait */
	const struct probe_plan *plan;
	const struct elf_file *file;
	const struct event_overhead *cost; /* one of the targets' */
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
	struct plans *plans;                         /* of the files */
	struct event_overhead usdt_cost, tokio_cost; /* of their probes */
	struct process *processes;
	size_t nprocesses, processes_room;
	uint64_t cpu_ns;        /* targets_cpu_ns() when it was last asked */
	char refusal[PATH_MAX]; /* targets_refusal() */
	struct names unopened;  /* files of which it was said why */
	const char *unreadable; /* what helps, as a file was not ours to read; NULL: all were */
	bool full;              /* there are more processes than are followed, and this was said */
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

/* Lets go of one that has ended, or gone by exec: nobody asks for it any more. */
void targets_process_close(struct process *process);

/* Takes in what probes cost, by how they were calibrated. */
void targets_costs_take(struct targets *t, const struct calibration *cost);

/* Attaches to each runtime in a file that the process has mapped, unless it is. 0 or a negative errno. */
int targets_source_scan(struct targets *t, uint16_t process, struct elf_file *file);

/* Takes the probes of an image that is gone off: what they took can be given to others. */
void targets_sources_detach(struct targets *t, uint16_t process);

/* Tells how a process ended; status: waitpid's, or -1. */
int targets_tell_exit(struct event_sink *sink, uint16_t process, int status, uint64_t time);

#endif
