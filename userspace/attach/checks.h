/* SPDX-License-Identifier: MIT */
/* What this kernel, these privileges and a target allow: a list of findings in plain words. */
#ifndef POLLSCOPE_ATTACH_CHECKS_H
#define POLLSCOPE_ATTACH_CHECKS_H

#include <stddef.h>
#include <sys/types.h>

struct adapter_choice;
struct elf_cache;
struct elf_file;
struct maps;
struct probe_plan;

enum check_state {
	CHECK_OK,
	CHECK_NOTE, /* something will be missing */
	CHECK_FAIL, /* nothing can be traced */
};

struct check {
	enum check_state state;
	const char *subject;
	char found[256];
	char remedy[256]; /* "" where there is nothing to do */
};

/* Zero everywhere is an empty list. */
struct checks {
	struct check *list;
	size_t n;
	int out_of_memory;
};

void checks_add(struct checks *checks, enum check_state state, const char *subject,
		const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));
void checks_release(struct checks *checks);

/* The kernel and our privileges; loads and attaches the programs to see. */
void checks_system(struct checks *checks);

/* A process: whether it can be read, which runtimes are in it. */
void checks_process(struct checks *checks, pid_t pid, const struct adapter_choice *choice);

/* An executable that does not run yet, by name as execvp(3) finds it. */
void checks_executable(struct checks *checks, const char *name,
		       const struct adapter_choice *choice);

/* The unwind tables of what a process has mapped. */
void checks_unwind(struct checks *checks, struct elf_cache *files, pid_t pid,
		   const struct maps *maps);

/* What an adapter found in a file. */
void checks_plan(struct checks *checks, const struct elf_file *file, const struct probe_plan *plan);

#endif
