/* SPDX-License-Identifier: MIT */
/* Full paths of the files that threads were seen to wait for. */
#ifndef POLLSCOPE_ATTACH_PATHS_H
#define POLLSCOPE_ATTACH_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct paths;

/* Returns NULL without memory. */
struct paths *paths_new(void);
void paths_free(struct paths *paths);

/*
 * The first time that (dev, ino) is asked for: reads what descriptor fd of the process names, if it still is
 * that inode, into path. Returns whether it did; later times, and past 4,096 files, false.
 */
bool paths_learn(struct paths *paths, pid_t pid, uint32_t fd, uint32_t dev, uint64_t ino,
		 char *path, size_t size);

#endif
