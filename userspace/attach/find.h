/* SPDX-License-Identifier: MIT */
/* Which processes a TARGET means: a list of ids, or a name. */
#ifndef POLLSCOPE_ATTACH_FIND_H
#define POLLSCOPE_ATTACH_FIND_H

#include <stddef.h>
#include <sys/types.h>

/* Process ids of the tracer's PID namespace, ascending, each once. */
struct find_pids {
	pid_t *pids;
	size_t count;
};

/*
 * Parses "PID[,PID...]" and checks that each is a process. Returns 0; or a negative errno and one
 * line without newline in why: -EINVAL (not such a list, or a thread's id), -ESRCH (no such
 * process, or a zombie).
 */
int find_by_pids(const char *list, struct find_pids *out, char *why, size_t why_len);

/*
 * Finds every process whose comm, or whose executable's name, is exactly name: not kernel threads,
 * not zombies, not the caller. Returns 0 with at least one; or a negative errno and one line in
 * why: -ESRCH (none found), -EINVAL (empty name).
 */
int find_by_name(const char *name, struct find_pids *out, char *why, size_t why_len);

/* Releases what a finder filled in; the struct may then be used again. */
void find_free(struct find_pids *pids);

#endif
