/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_CLI_TARGET_H
#define POLLSCOPE_CLI_TARGET_H

struct find_pids;
struct options;

/*
 * The processes that -p or -n mean, of which one is given. Says which they are where a name means several,
 * and what is wrong otherwise. Returns 0 or a negative errno; release with find_free().
 */
int target_pids(const struct options *options, struct find_pids *pids);

#endif
