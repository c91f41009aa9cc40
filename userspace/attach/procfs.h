/* SPDX-License-Identifier: MIT */
/* What /proc says of a process. */
#ifndef POLLSCOPE_ATTACH_PROCFS_H
#define POLLSCOPE_ATTACH_PROCFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads a file of a process's folder, as far as it fits, NUL-terminated. Returns its length or a negative
 * errno: -ENOENT, -ESRCH (there is no such process), -EACCES, ...
 */
ssize_t procfs_read(pid_t pid, const char *name, char *text, size_t size);

/* The process that a thread belongs to; -1 where that cannot be read. */
pid_t procfs_thread_group(pid_t tid);

/* CPU time of all its threads, those that have ended too, in steps of a tick. 0 or a negative errno. */
int procfs_cpu_ns(pid_t pid, uint64_t *ns);

/* The capabilities that this process has in effect, a bit each; 0 where that cannot be read. */
uint64_t procfs_own_capabilities(void);

/* What helps where a process may not be looked at, as this one is. */
const char *procfs_refusal_remedy(void);

/* Each fills text with valid UTF-8 without control characters, cut to size; "" where it cannot be read. */
void procfs_comm(pid_t pid, char *text, size_t size);
void procfs_exe(pid_t pid, char *text, size_t size);
void procfs_command_line(pid_t pid, char *text, size_t size); /* arguments separated by blanks */

#endif
