/* SPDX-License-Identifier: MIT */
/*
 * Weighted stacks: one entry for each distinct combination.
 */
#ifndef POLLSCOPE_CORE_WEIGHTS_H
#define POLLSCOPE_CORE_WEIGHTS_H

#include <stdint.h>

#include "core/hash.h"
#include "core/model.h"

/* Exact time on CPU, and idle: what model_root is made of where roots are finer than types. */
#define WEIGHT_SELF (MODEL_WEIGHT_IDLE + 1)
#define WEIGHT_IDLE (MODEL_WEIGHT_IDLE + 2)

/* With it: of sampled polls. */
#define WEIGHT_SAMPLED 0x100

/* No padding: it is hashed as memory. */
struct weight_key {
	uint64_t task;
	uint32_t what; /* enum model_weight_kind, WEIGHT_SELF or _IDLE; may be WEIGHT_SAMPLED */
	uint32_t kind; /* index */
	uint32_t tid;
	uint32_t stack;
	uint32_t cause; /* BLOCKED: number of it; SCHEDULED: a waker's code */
	uint32_t pad;   /* 0 */
};

struct weight {
	struct weight_key key;
	uint64_t count, ns;
	/* Of MODEL_WEIGHT_IDLE, as in model_weight. */
	double whole_ns, squares, sampled_squares;
	UT_hash_handle hh;
};

/* All zero is an empty one. */
struct weights {
	struct weight *by_key;
};

/* Finds or adds, then stays where it is. NULL without memory. */
struct weight *weights_get(struct weights *weights, const struct weight_key *key);

static inline void weight_add(struct weight *weight, uint64_t count, uint64_t ns)
{
	weight->count += count;
	weight->ns += ns;
}

void weights_clear(struct weights *weights);

#endif
