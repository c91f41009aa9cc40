/* SPDX-License-Identifier: MIT */
/*
 * Debug files from the servers that DEBUGINFOD_URLS names, by way of libdebuginfod, where it is
 * installed. Nothing is asked, or loaded, where the variable is not set.
 */
#ifndef POLLSCOPE_SYMBOLIZE_DEBUGINFOD_H
#define POLLSCOPE_SYMBOLIZE_DEBUGINFOD_H

struct elf_file;

/*
 * debuginfod_fetch() - the debug file of a build id (hex), from libdebuginfod's cache or a server;
 * to be closed with elf_file_close(). On a terminal, stderr shows progress. A file takes 10 s
 * without an answer and 60 s in all at most, unless DEBUGINFOD_TIMEOUT and DEBUGINFOD_MAXTIME say
 * otherwise; servers that fail are not asked again, by taking the variable away. 0, -ENOENT, -ENOMEM.
 */
int debuginfod_fetch(const char *build_id, struct elf_file **debug);

#endif
