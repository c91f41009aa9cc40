/* SPDX-License-Identifier: MIT */
/* What the harness's parts share. Tests use harness.h. */
#ifndef POLLSCOPE_E2E_PROCESS_H
#define POLLSCOPE_E2E_PROCESS_H

#include "harness.h"

struct kept;

/** What one test holds. */
struct e2e {
	char folder[128];
	struct process *processes;
	struct kept *kept;
};

/** Kills what still runs, and frees all processes. */
void processes_end(struct e2e *e);

/** Kills and frees one before its test ends: of those that are many. */
void process_end(struct process *process);

/** The test that the process belongs to. */
struct e2e *process_test(const struct process *process);

/** Its end of the channel to the target. */
int process_channel(const struct process *process);

/** Waits until a progress line has been seen on its terminal, or until it has ended. */
void process_await_progress(struct process *process);

#endif
