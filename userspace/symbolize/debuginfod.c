// SPDX-License-Identifier: MIT
#include "symbolize/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbolize/elf_file.h"

#define URLS "DEBUGINFOD_URLS"

/* What is used of elfutils/debuginfod.h (0.179 and later), which need not be installed. */
struct client;
struct library {
	void *handle;
	struct client *(*begin)(void);
	void (*end)(struct client *);
	int (*find)(struct client *, const unsigned char *build_id, int n, char **path);
};

static bool library_open(struct library *library)
{
	/* What it loads in turn is not made to be unloaded. */
	library->handle = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_NODELETE);
	if (!library->handle)
		return false;
	library->begin = dlsym(library->handle, "debuginfod_begin");
	library->end = dlsym(library->handle, "debuginfod_end");
	library->find = dlsym(library->handle, "debuginfod_find_debuginfo");
	return library->begin && library->end && library->find;
}

/* A descriptor, or a negative errno. */
static int find(const struct library *library, const char *build_id)
{
	struct client *client;
	int fd;

	/* The library's own limits are generous: nobody waits minutes for a server that is away. */
	setenv("DEBUGINFOD_TIMEOUT", "10", 0);
	setenv("DEBUGINFOD_MAXTIME", "60", 0);
	if (isatty(STDERR_FILENO))
		setenv("DEBUGINFOD_PROGRESS", "1", 0);
	client = library->begin();
	if (!client)
		return -ENOMEM;
	/* Length 0: it is hex. */
	fd = library->find(client, (const unsigned char *)build_id, 0, NULL);
	library->end(client);
	return fd;
}

int debuginfod_fetch(const char *build_id, struct elf_file **debug)
{
	const char *urls = getenv(URLS);
	struct library library = {0};
	int fd = -ENOENT, err;

	*debug = NULL;
	if (!*build_id || !urls || !*urls)
		return -ENOENT;
	if (library_open(&library))
		fd = find(&library, build_id);
	if (library.handle)
		dlclose(library.handle);
	if (fd < 0) {
		/*
		 * For each module to wait for servers that are away would take hours. And the library
		 * says ENOMEM where it cannot make its cache, too.
		 */
		if (fd != -ENOENT)
			unsetenv(URLS);
		return -ENOENT;
	}
	err = elf_file_from_fd(fd, "", debug);
	if (!err && strcmp((*debug)->build_id, build_id)) {
		elf_file_close(*debug);
		*debug = NULL;
		err = -ENOENT;
	}
	return err == -ENOMEM ? err : err ? -ENOENT : 0;
}
