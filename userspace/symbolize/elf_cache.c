// SPDX-License-Identifier: MIT
#include "symbolize/elf_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "symbolize/elf_file.h"

#define FILES_MAX 8192

/*
 * What maps shows of a file. Files are held open, so these numbers are not given to another one
 * while the cache knows them.
 */
struct file_key {
	uint64_t dev, ino;
};

struct cached_file {
	struct file_key key;
	struct elf_file *file;
	UT_hash_handle hh;
};

struct elf_cache {
	struct cached_file *files;
};

struct elf_cache *elf_cache_new(void)
{
	return calloc(1, sizeof(struct elf_cache));
}

void elf_cache_free(struct elf_cache *cache)
{
	struct cached_file *entry, *next;

	if (!cache)
		return;
	HASH_ITER (hh, cache->files, entry, next) {
		HASH_DEL(cache->files, entry);
		elf_file_close(entry->file);
		free(entry);
	}
	free(cache);
}

int elf_cache_open(struct elf_cache *cache, pid_t pid, const struct map_entry *map,
		   struct elf_file **file)
{
	struct file_key key = {map->dev, map->ino};
	struct cached_file *entry;
	int err;

	*file = NULL;
	HASH_FIND(hh, cache->files, &key, sizeof(key), entry);
	if (entry) {
		*file = entry->file;
		return 0;
	}
	if (HASH_COUNT(cache->files) >= FILES_MAX)
		return -EMFILE;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	err = elf_file_open(pid, map, &entry->file);
	if (err) {
		free(entry);
		return err;
	}
	entry->key = key;
	HASH_ADD(hh, cache->files, key, sizeof(key), entry);
	*file = entry->file;
	return 0;
}
