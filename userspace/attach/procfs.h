/* SPDX-License-Identifier: MIT */
/* What /proc says of a process, made fit to print. */
#ifndef POLLSCOPE_ATTACH_PROCFS_H
#define POLLSCOPE_ATTACH_PROCFS_H

#include <stddef.h>
#include <sys/types.h>

/* Each fills text with valid UTF-8 without control characters, cut to size; "" where it cannot be read. */
void procfs_comm(pid_t pid, char *text, size_t size);
void procfs_exe(pid_t pid, char *text, size_t size);
void procfs_command_line(pid_t pid, char *text, size_t size); /* arguments separated by blanks */

#endif
