/* SPDX-License-Identifier: MIT */
/* What /proc says of a process. */
#ifndef POLLSCOPE_ATTACH_PROCFS_H
#define POLLSCOPE_ATTACH_PROCFS_H

#include <stdbool.h>
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

/*
 * What helps where elf_file_open() fails for a file that a process has mapped: one whose files are reached at all,
 * or not (procfs_reached()), with these capabilities (procfs_own_capabilities()). "": nothing that is known.
 */
const char *procfs_file_remedy(int error, bool reached, uint64_t capabilities);

/* Whether files are reached through a process's folder: what it has mapped can be listed also where they are not. */
bool procfs_reached(pid_t pid);

/* Each fills text with valid UTF-8 without control characters, cut to size; "" where it cannot be read. */
void procfs_comm(pid_t pid, char *text, size_t size);
void procfs_exe(pid_t pid, char *text, size_t size);
void procfs_command_line(pid_t pid, char *text, size_t size); /* arguments separated by blanks */

#endif
