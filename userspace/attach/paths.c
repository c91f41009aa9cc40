// SPDX-License-Identifier: MIT
#include "attach/paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#define PATHS_MAX 4096

struct path_key {
	uint64_t ino;
	uint64_t dev;
};

struct path_entry {
	struct path_key key;
	UT_hash_handle hh;
};

struct paths {
	struct path_entry *asked;
};

struct paths *paths_new(void)
{
	return calloc(1, sizeof(struct paths));
}

void paths_free(struct paths *paths)
{
	struct path_entry *entry, *next;

	if (!paths)
		return;
	HASH_ITER (hh, paths->asked, entry, next) {
		HASH_DEL(paths->asked, entry);
		free(entry);
	}
	free(paths);
}

/* Remembers the key; false if it was known, or cannot be. */
static bool paths_add(struct paths *paths, uint32_t dev, uint64_t ino)
{
	struct path_key key = {.ino = ino, .dev = dev};
	struct path_entry *entry;

	HASH_FIND(hh, paths->asked, &key, sizeof(key), entry);
	if (entry || HASH_COUNT(paths->asked) >= PATHS_MAX)
		return false;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return false;
	entry->key = key;
	HASH_ADD(hh, paths->asked, key, sizeof(entry->key), entry);
	return true;
}

/*
 * The inode alone is compared: overlayfs and btrfs show another device to stat than the kernel has.
 * Not synchronised: a file system in userspace, maybe the target's own, could take forever to answer.
 */
bool paths_learn(struct paths *paths, pid_t pid, uint32_t fd, uint32_t dev, uint64_t ino,
		 char *path, size_t size)
{
	char link[64];
	struct statx st;
	ssize_t len;

	if (!paths_add(paths, dev, ino))
		return false;
	snprintf(link, sizeof(link), "/proc/%d/fd/%u", pid, fd);
	len = readlink(link, path, size - 1);
	if (len <= 0)
		return false;
	path[len] = '\0';
	return path[0] == '/' && !statx(AT_FDCWD, link, AT_STATX_DONT_SYNC, STATX_INO, &st) &&
	       st.stx_ino == ino;
}
