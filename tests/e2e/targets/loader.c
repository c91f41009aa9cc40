// SPDX-License-Identifier: MIT
/* loader LIBRARY: a program without a runtime, until it is told to load a library that has one. */
#include <dlfcn.h>

#include "truth.h"

int main(int argc, char **argv)
{
	struct truth truth;

	if (argc < 2)
		return 2;
	truth_open(&truth);
	while (truth_go(&truth)) {
		void *library = dlopen(argv[1], RTLD_NOW);
		void (*run)(void) = NULL;

		if (library)
			*(void **)&run = dlsym(library, "sdt_library_run");
		if (run)
			run();
		truth_say(&truth, "{\"found\":%s}\n", run ? "true" : "false");
	}
	return 0;
}
