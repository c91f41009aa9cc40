/* SPDX-License-Identifier: MIT */
/*
 * Weighted stacks, ready to be printed as folded lines or drawn: what semantics.md calls flame
 * weights.
 */
#ifndef POLLSCOPE_EMIT_FLAME_H
#define POLLSCOPE_EMIT_FLAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/model.h"

enum flame_kind {
	FLAME_WALL,   /* all time inside polls, exact; on-CPU time spread over its samples */
	FLAME_ONCPU,  /* samples x period */
	FLAME_OFFCPU, /* blocked and run queue, exact */
	FLAME_SCHED,  /* queue delay by waker, exact */
};

/* What roots are; the model must have been correlated by the same. */
enum flame_by { FLAME_BY_TYPE, FLAME_BY_TASK, FLAME_BY_WORKER };

/* What a frame stands for: decides its colour. */
enum flame_class {
	FLAME_ROOT,
	FLAME_USER,
	FLAME_KERNEL,
	FLAME_BLOCKED,  /* a cause */
	FLAME_RUNQUEUE, /* on a run queue, or in a runtime's */
	FLAME_WAKER,
	FLAME_UNKNOWN, /* no symbol, or no sample */
};
#define FLAME_CLASSES (FLAME_UNKNOWN + 1)

/* One distinct frame of a flame: the same name and class is the same pointer. */
struct flame_frame {
	char *name;        /* text_escape()d, ';' too */
	const char *given; /* as it was */
	enum flame_class class;
};

struct flame_stack {
	const struct flame_frame **frames; /* root first */
	size_t nframes;
	uint64_t ns;
};

/* Stacks are distinct, their weights > 0, ordered by frames (names, then classes). */
struct flame {
	enum flame_kind kind;
	enum flame_by by;
	struct flame_stack *stacks;
	size_t nstacks;
	uint64_t total_ns;
	struct flame_table *table; /* owns the frames */
};

/* "wall", "oncpu", "offcpu", "sched". Returns 0, or -EINVAL if name is none of them. */
int flame_kind_parse(const char *name, enum flame_kind *kind);

/* "type", "task", "worker" */
int flame_by_parse(const char *name, enum flame_by *by);

/* Returns NULL without memory. flame_free(NULL) is fine. */
struct flame *flame_new(const struct model *model, enum flame_kind kind, enum flame_by by);
void flame_free(struct flame *flame);

/*
 * Splits total over n weights in proportion, by largest remainder: shares sum to total exactly;
 * earlier weights win ties. All zero weights get nothing. Returns 0 or -ENOMEM.
 */
int flame_apportion(uint64_t total, const uint64_t *weights, size_t n, uint64_t *shares);

#endif
