/* SPDX-License-Identifier: MIT */
/* What the scheduler's programs must know of system calls, as bit sets by number. */
#ifndef POLLSCOPE_ATTACH_SCHED_TABLE_H
#define POLLSCOPE_ATTACH_SCHED_TABLE_H

#include <linux/types.h>

#define SCHED_TABLE_WORDS 8 /* 512 numbers */

/* Calls whose first argument is a file descriptor that they may wait for. */
void sched_table_descriptors(__u64 bits[SCHED_TABLE_WORDS]);

/* Calls in which a thread may wake another. */
void sched_table_wakers(__u64 bits[SCHED_TABLE_WORDS]);

#endif
