// SPDX-License-Identifier: MIT
/*
 * loader LIBRARY: a program without a runtime, until it is told to load a library that has one, which runs in a
 * thread from then on.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "truth.h"

static void *run_library(void *argument)
{
	((void (*)(void))argument)();
	return NULL;
}

int main(int argc, char **argv)
{
	struct truth truth;

	if (argc < 2)
		return 2;
	truth_open(&truth);
	while (truth_go(&truth)) {
		void *library = dlopen(argv[1], RTLD_NOW);
		void *run = library ? dlsym(library, "sdt_library_run") : NULL;
		pthread_t thread;
		bool runs = run && !pthread_create(&thread, NULL, run_library, run);

		truth_say(&truth, "{\"runs\":%s}\n", runs ? "true" : "false");
	}
	return 0;
}
