/* SPDX-License-Identifier: MIT */
/* Stacks of targets/chains.c, frame by frame as it is known to call. */
#ifndef POLLSCOPE_E2E_STACKS_H
#define POLLSCOPE_E2E_STACKS_H

#include "harness.h"

#define STACKS_CHAIN_MAX 4096

struct chain_expected {
	const char *root;   /**< that lines begin with */
	unsigned int depth; /**< levels */
	const char *leaf;   /**< what stands behind the last level where the chain waits */
	const char *cause;  /**< that it waits for */
};

/** One round of a target under the tracer; the recording's path. */
const char *stacks_record(struct e2e *e, const char *options, const char *target);

/** The recording's stacks, folded. */
const char *stacks_flame(struct e2e *e, const char *options, const char *path);

/** The object `capture` of its report. */
json_t *stacks_capture(struct e2e *e, const char *path);

/** A copy of a folded line without the frames called @name. */
char *stacks_without(struct e2e *e, const char *line, size_t length, const char *name);

/** ";walker;level_00;...;" of @depth levels. */
void stacks_chain(char chain[STACKS_CHAIN_MAX], unsigned int depth);

/**
 * Every stack of the root leads from the thread's start through the poll function down the chain, as
 * far as the thread had come. Returns the microseconds that it waited at the chain's end.
 */
uint64_t assert_chains(struct e2e *e, const char *folded, const struct chain_expected *expected);

/**
 * Of the target's @times polls each waits 1 ms at the end of its chain; hardly a stack ends early.
 */
void assert_chains_waited(struct e2e *e, const char *target, unsigned int times,
			  const struct chain_expected *expected);

#endif
