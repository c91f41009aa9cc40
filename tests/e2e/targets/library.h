/* SPDX-License-Identifier: MIT */
/* A library that has probes of its own (lib/sdt_library.c), loaded while the process runs. */
#ifndef POLLSCOPE_E2E_LIBRARY_H
#define POLLSCOPE_E2E_LIBRARY_H

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static void *library_run(void *run)
{
	((void (*)(void))run)();
	return NULL;
}

/** Loads it, and runs what it does in a thread from then on. False: it cannot (dlerror()). */
static inline bool library_start(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	void *run = library ? dlsym(library, "sdt_library_run") : NULL;
	pthread_t thread;

	return run && !pthread_create(&thread, NULL, library_run, run);
}

#endif
