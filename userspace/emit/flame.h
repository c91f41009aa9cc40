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
	FLAME_IDLE,   /* idle time, exact; spread over its samples. None by worker */
};

/* What roots are; the model must have been correlated by the same. */
enum flame_by { FLAME_BY_TYPE, FLAME_BY_TASK, FLAME_BY_WORKER };

/* What a frame stands for: decides its colour. */
enum flame_class {
	FLAME_ROOT,
	FLAME_USER,
	FLAME_LIBRARY, /* in FLAME_IDLE, where it says what is awaited; else FLAME_USER */
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
	uint64_t base_ns; /* what it weighs in the base, per its own duration */
};

/* Stacks are distinct, a weight of theirs > 0, ordered by frames (names, then classes). */
struct flame {
	enum flame_kind kind;
	enum flame_by by;
	struct flame_stack *stacks;
	size_t nstacks;
	uint64_t total_ns;
	uint64_t duration_ns;     /* of the capture */
	const struct model *base; /* what it is compared with, or NULL; not owned */
	uint64_t base_total_ns;
	struct flame_table *table; /* owns the frames */
};

/* "wall", "oncpu", "offcpu", "sched", "idle". Returns 0, or -EINVAL if name is none of them. */
int flame_kind_parse(const char *name, enum flame_kind *kind);

/* "type", "task", "worker" */
int flame_by_parse(const char *name, enum flame_by *by);

/* Returns NULL without memory. flame_free(NULL) is fine. */
struct flame *flame_new(const struct model *model, enum flame_kind kind, enum flame_by by);
void flame_free(struct flame *flame);

/*
 * Makes a comparison of it: adds the stacks of another capture, of the same kind and roots. Those
 * that only the base has weigh 0 ns. Returns 0 or -ENOMEM; the base must outlive the flame.
 */
int flame_compare(struct flame *flame, const struct model *base);

/* A weight per second of a capture of this duration, which is not 0; in `units` a second. */
uint64_t flame_rate(uint64_t ns, uint64_t duration_ns, uint64_t units);

/*
 * Splits total over n weights in proportion, by largest remainder: shares sum to total exactly;
 * earlier weights win ties. All zero weights get nothing. Returns 0 or -ENOMEM.
 */
int flame_apportion(uint64_t total, const uint64_t *weights, size_t n, uint64_t *shares);

#endif
