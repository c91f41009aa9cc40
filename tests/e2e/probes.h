/* SPDX-License-Identifier: MIT */
/* What a tracer puts into the kernel and into its target, and whether it is gone after it. */
#ifndef POLLSCOPE_E2E_PROBES_H
#define POLLSCOPE_E2E_PROBES_H

#include "harness.h"

struct probes {
	uint32_t programs[64], links[512];
	size_t nprograms, nlinks;
};

/** The BPF programs and links that process @pid holds descriptors of. */
void probes_of(struct probes *probes, pid_t pid);

/** Waits until none of them exists any more. */
void assert_probes_gone(const struct probes *probes);

/** A copy of what process @pid has as code of its executable. */
char *probes_code(struct e2e *e, pid_t pid, size_t *size);

/** Waits until that is @code again: probes are taken off after their links are gone. */
void assert_code_back(struct e2e *e, pid_t pid, const char *code, size_t size);

#endif
