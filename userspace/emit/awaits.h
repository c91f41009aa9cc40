/* SPDX-License-Identifier: MIT */
/* A task type's idle time by await point, for every form of report. */
#ifndef POLLSCOPE_EMIT_AWAITS_H
#define POLLSCOPE_EMIT_AWAITS_H

#include <stddef.h>
#include <stdint.h>

#include "core/model.h"
#include "util/text.h"

/* One place in the program where tasks of a type wait. */
struct emit_await {
	char *function; /* of the program's own that awaits; text of a target */
	char *location; /* "file:line"; "" where unknown: places are told apart by leaf then */
	char *leaf;     /* what it awaits; NULL: nothing is known of that */
	uint64_t count; /* gaps of which a stack was taken */
	uint64_t sampled_ns;
	uint64_t whole_ns;               /* estimate: of all gaps that they stand for */
	double squares, sampled_squares; /* as in struct model_weight */
	uint64_t idle_ns;                /* estimate: its share of the type's idle time */
	double share;                    /* of that, 0 to 1 */
	double error;                    /* standard error of the share; NAN: too few gaps tell */
	uint32_t stack;                  /* the one that most of that is of */
	uint64_t stack_ns;
};

/* By idle_ns, most first. */
struct emit_awaits {
	struct emit_await *list;
	size_t count;
	struct emit_await all; /* sums: of counts, times and squares */
};

/* Of a type of the model; none where no stack was taken. Returns 0 or -ENOMEM; to be cleared in any case. */
int emit_awaits(const struct model *model, uint32_t type, struct emit_awaits *awaits);
void emit_awaits_clear(struct emit_awaits *awaits);

/* Adds up the list from `first` on, as one place. */
struct emit_await emit_awaits_sum(const struct emit_awaits *awaits, size_t first);

/* "42% ±3", as precise as the error allows: "2.0% ±0.4"; "42% ±?"; without an error "41.7%". */
struct text_short emit_await_share(const struct emit_awaits *awaits,
				   const struct emit_await *await);

/*
 * The function of each of the model's stacks at which a task waited, by the stack's number; NULL for others.
 * Returns 0 or -ENOMEM; to be freed with its strings, model->nstacks of them, in any case.
 */
int emit_await_functions(const struct model *model, char ***functions);

#endif
