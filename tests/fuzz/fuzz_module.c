// SPDX-License-Identifier: MIT
// links: symbolize util -ldw -lelf -liberty
/*
 * The symbols and DWARF of an ELF file, looked up all over it, and the names demangled. The seed is
 * a program with inlined functions, linked without libraries to be small.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbolize/demangle.h"
#include "symbolize/elf_file.h"
#include "symbolize/module.h"

#define LOOKUPS 64

static void look_up(struct module *module, uint64_t offset)
{
	struct debug_frame frames[DEBUG_FRAMES_MAX];
	int n = module_lookup(module, offset, frames);

	if (n < 0 || n > DEBUG_FRAMES_MAX)
		abort();
	for (int i = 0; i < n; i++) {
		char *name = frames[i].function ? demangle(frames[i].function) : NULL;

		if (frames[i].function && !name)
			abort();
		if (frames[i].file && strlen(frames[i].file) > 1 << 30)
			abort();
		free(name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct elf_file *file;
	struct module *module;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (elf_file_from_fd(fd, "/nonexistent/fuzz", &file))
		return 0;
	module = module_new(file);
	if (!module)
		abort();
	for (size_t i = 0; i < LOOKUPS; i++)
		look_up(module, size * i / LOOKUPS);
	module_free(module);
	elf_file_close(file);
	return 0;
}
