/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_CLI_TARGET_H
#define POLLSCOPE_CLI_TARGET_H

#include <stdbool.h>

struct find_pids;
struct options;

/*
 * The processes that -p or -n mean, of which one is given. Says which they are where a name means several,
 * and what is wrong otherwise. Returns 0 or a negative errno; release with find_free().
 */
int target_pids(const struct options *options, struct find_pids *pids);

/* Whether it is a file that can be run: a program or a script, to teach who took one for a source. */
bool target_is_program(const char *path);

#endif
