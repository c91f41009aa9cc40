/* SPDX-License-Identifier: MIT */
/* The threads of this process by their names. */
#ifndef TESTS_RUNTIME_THREADS_H
#define TESTS_RUNTIME_THREADS_H

#include "helper.h"

#include <dirent.h>
#include <stdio.h>

/** How many have a name that begins with @prefix. */
static inline unsigned int threads_named(const char *prefix)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned int count = 0;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char path[300], name[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && !strncmp(name, prefix, strlen(prefix)))
			count++;
		fclose(file);
	}
	closedir(dir);
	return count;
}

/** Waits until there are @count: a thread has its name once it runs, and one that was joined may
 * yet be on its way out of /proc. */
static inline void await_threads(const char *prefix, unsigned int count)
{
	uint64_t end = pollrt_now_ns() + POLLRT_SEC(30);

	while (threads_named(prefix) != count && pollrt_now_ns() < end)
		usleep(1000);
	assert_int_equal(threads_named(prefix), count);
}

#endif
