/* SPDX-License-Identifier: MIT */
/* Of tests of I/O: a runtime that must leave no descriptor open, paths, and tasks to wait for. */
#ifndef TESTS_RUNTIME_HELPER_IO_H
#define TESTS_RUNTIME_HELPER_IO_H

#include "helper.h"

#include <dirent.h>

#include "pollrt_io.h"

struct helper_io {
	struct pollrt_runtime *rt;
	unsigned int descriptors; /**< open before */
};

static inline unsigned int helper_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static inline struct helper_io helper_io_begin(enum pollrt_flavour flavour)
{
	struct helper_io io = {.descriptors = helper_descriptors()};

	io.rt = helper_runtime(flavour, 2);
	return io;
}

static inline void helper_io_end(const struct helper_io *io)
{
	helper_finish(io->rt);
	assert_int_equal(helper_descriptors(), io->descriptors);
}

/** A path that nothing has, in a folder of its own; to be removed by helper_path_remove(). */
struct helper_path {
	char folder[32];
	char path[48];
};

static inline struct helper_path helper_path_make(void)
{
	struct helper_path path = {.folder = "/tmp/pollrt-test-XXXXXX"};

	assert_non_null(mkdtemp(path.folder));
	strcpy(path.path, path.folder);
	strcat(path.path, "/it");
	return path;
}

static inline void helper_path_remove(const struct helper_path *path)
{
	unlink(path->path);
	assert_int_equal(rmdir(path->folder), 0);
}

#endif
