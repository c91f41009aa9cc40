/* SPDX-License-Identifier: MIT */
/*
 * uthash as the core uses it: no memory is an error, not an exit. After HASH_ADD, hash_added()
 * tells.
 */
#ifndef POLLSCOPE_CORE_HASH_H
#define POLLSCOPE_CORE_HASH_H

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((void)(element))
#include <uthash.h>

#define hash_added(element) ((element)->hh.tbl != NULL)

#endif
