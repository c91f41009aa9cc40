// SPDX-License-Identifier: MIT
// links: attach tokio core symbolize util -lZydis -ldw -lelf -liberty
/*
 * An ELF file in which Tokio is looked for: its relocations, vtables and code, and the names of its
 * futures. The seeds are the unit tests' hand-made program (tests/unit/tokio_program.h) with its
 * pointers written in each way.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach/adapter.h"
#include "symbolize/elf_file.h"

static void check(const struct probe_plan *plan, size_t size)
{
	if (strnlen(plan->version, sizeof(plan->version)) == sizeof(plan->version) ||
	    strnlen(plan->found, sizeof(plan->found)) == sizeof(plan->found) ||
	    strnlen(plan->refusal, sizeof(plan->refusal)) == sizeof(plan->refusal))
		abort();
	for (size_t i = 0; i < plan->npoints; i++)
		if (plan->points[i].offset >= size || plan->points[i].program >= PROBE_PROGRAMS ||
		    (i && plan->points[i].offset == plan->points[i - 1].offset))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct probe_plan plan;
	struct elf_file *file;
	char line[160];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (elf_file_from_fd(fd, "/nonexistent/fuzz", &file))
		return 0;
	if (!adapter_tokio.scan(file, NULL, &plan)) {
		check(&plan, size);
		if (plan.names && plan.names->survey(plan.names, line, sizeof(line)))
			abort();
	}
	probe_plan_release(&plan);
	elf_file_close(file);
	return 0;
}
