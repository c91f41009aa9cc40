/* SPDX-License-Identifier: MIT */
/* The kernel's frames in the probes of user code: one frame instead, to see what tracing costs. */
#ifndef POLLSCOPE_CORE_PROBE_FRAMES_H
#define POLLSCOPE_CORE_PROBE_FRAMES_H

struct model;

/*
 * Replaces the kernel's frames of stacks that lead into a uprobe, whoever's, by STACK_PROBE. The model has its
 * symbols, in order; where those of the kernel are missing it stays as it is. 0 or -ENOMEM.
 */
int probe_frames_fold(struct model *model);

#endif
