/* SPDX-License-Identifier: MIT */
/*
 * The ELF files in use, each opened and read once, in however many processes it is mapped.
 *
 * A file stays open as long as the cache, so that it can be symbolized when its process, container
 * or name is gone, and so that its inode number cannot come to mean another file.
 */
#ifndef POLLSCOPE_SYMBOLIZE_ELF_CACHE_H
#define POLLSCOPE_SYMBOLIZE_ELF_CACHE_H

#include <sys/types.h>

struct elf_cache;
struct elf_file;
struct map_entry;

/* elf_cache_new() - an empty cache; NULL: out of memory. */
struct elf_cache *elf_cache_new(void);

/* elf_cache_free() - closes all files. NULL is legal. */
void elf_cache_free(struct elf_cache *cache);

/*
 * elf_cache_open() - the file behind a mapping of a process; it belongs to the cache. Errors as of
 * elf_file_open(); they are not remembered. -EMFILE also for more than 8,192 files.
 */
int elf_cache_open(struct elf_cache *cache, pid_t pid, const struct map_entry *map,
		   struct elf_file **file);

#endif
