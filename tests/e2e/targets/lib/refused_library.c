// SPDX-License-Identifier: MIT
/* A library whose probes are on instructions where the kernel takes none: breakpoints. */
#include <stdint.h>

#include <sys/sdt.h>

#undef _SDT_NOP
#define _SDT_NOP int3

static const struct {
	const char *type;
	const char *file;
	uint32_t line;
} kind = {"refused_task", "refused_library.c", 1};

void refused_library_poll(void);
void refused_library_poll(void)
{
	STAP_PROBE4(pollrt, task_poll_start, 1ul, &kind, 0u, 0u);
	STAP_PROBE2(pollrt, task_poll_end, 1ul, (uint8_t)0);
}

/* Does nothing: only that it is mapped matters. */
void sdt_library_run(void);
void sdt_library_run(void)
{
}
