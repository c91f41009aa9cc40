// SPDX-License-Identifier: MIT
/* Opening the file behind a mapping, wherever its name leads by now. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "symbolize/elf_file.h"

/*
 * Overlayfs and btrfs have anonymous device numbers (major 0), and maps shows other ones of them
 * than stat does; with those the inode number has to do.
 */
static bool is_mapped_file(const struct stat *st, const struct map_entry *map)
{
	if (st->st_ino != map->ino)
		return false;
	return st->st_dev == map->dev || !major(st->st_dev) || !major(map->dev);
}

/*
 * From a descriptor that only names the file to one that reads it. In two steps, as opening a
 * device or a pipe would do something to it. Takes over `named`, which may be an error.
 */
static int open_named(int named, const struct map_entry *map)
{
	char path[32];
	struct stat st;
	int fd;

	if (named < 0)
		return -errno;
	if (fstat(named, &st))
		fd = -errno;
	else if (!S_ISREG(st.st_mode))
		fd = -EINVAL;
	else if (map && !is_mapped_file(&st, map))
		fd = -ESTALE;
	else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", named);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	close(named);
	return fd;
}

/* The name as the process sees it, links in it too. */
static int open_in_root(pid_t pid, const struct map_entry *map)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char path[32];
	int root, fd;

	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	fd = open_named(syscall(SYS_openat2, root, map->path, &how, sizeof(how)), map);
	close(root);
	return fd == -ENOENT || fd == -ENOTDIR || fd == -EINVAL ? -ESTALE : fd;
}

static int open_mapped(pid_t pid, const struct map_entry *map)
{
	char path[80];
	int fd, by_range;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", pid,
		 (unsigned long long)map->start, (unsigned long long)map->end);
	by_range = open_named(open(path, O_PATH | O_CLOEXEC), map);
	if (by_range >= 0 || by_range == -EINVAL || by_range == -EMFILE)
		return by_range;
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open_named(open(path, O_PATH | O_CLOEXEC), map);
	if (fd < 0)
		fd = open_in_root(pid, map);
	return fd;
}

int elf_file_open(pid_t pid, const struct map_entry *map, struct elf_file **file)
{
	int fd = open_mapped(pid, map);

	*file = NULL;
	return fd < 0 ? fd : elf_file_from_fd(fd, map->path, file);
}

int elf_file_open_path(const char *path, struct elf_file **file)
{
	int fd = open_named(open(path, O_PATH | O_CLOEXEC), NULL);

	*file = NULL;
	return fd < 0 ? fd : elf_file_from_fd(fd, path, file);
}

static int open_image(const struct map_entry *map, struct elf_file **file)
{
	size_t size = map->end - map->start;
	int fd = memfd_create("vdso", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, (const void *)(uintptr_t)map->start, size) == (ssize_t)size)
		return elf_file_from_fd(fd, map->path, file);
	close(fd);
	return -EIO;
}

int elf_file_open_vdso(struct elf_file **file)
{
	struct maps maps;
	int err = maps_read(getpid(), &maps);

	*file = NULL;
	if (err)
		return err;
	err = -ENOENT;
	for (size_t i = 0; i < maps.n && err == -ENOENT; i++)
		if (maps.entries[i].vdso)
			err = open_image(&maps.entries[i], file);
	maps_release(&maps);
	return err;
}

const char *elf_file_strerror(int error)
{
	switch (-error) {
	case ESTALE:
		return "was deleted or replaced on disk";
	case ENOEXEC:
		return "is not a 64-bit ELF file, or is damaged";
	case EFBIG:
		return "is larger than 4 GiB";
	case EINVAL:
		return "is not a regular file";
	case EACCES:
	case EPERM:
		return "may not be read";
	case ESRCH:
		return "cannot be reached, its process has ended";
	default:
		return strerror(-error);
	}
}
