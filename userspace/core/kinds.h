/* SPDX-License-Identifier: MIT */
/*
 * Kinds: what tasks are, as a source says it. All that a task type shows is collected by kind;
 * kinds that turn out to be called the same become one type when the model is made, because a name
 * may come late.
 */
#ifndef POLLSCOPE_CORE_KINDS_H
#define POLLSCOPE_CORE_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "core/hash.h"
#include "core/histogram.h"
#include "core/model.h"
#include "core/scale.h"
#include "core/strata.h"

struct best;
struct source;
struct weight;

enum kind_form {
	KIND_PLAIN,
	KIND_BLOCK_ON, /* the future that a thread blocks on, of that kind */
	KIND_OF_TASK,  /* of one task that was polled before its kind was told */
};

struct kind_key {
	uint64_t kind; /* address; 0: unknown. KIND_OF_TASK: the task's id */
	uint32_t source;
	uint32_t form; /* enum kind_form */
};

struct kind_cause_key {
	uint32_t cause;
	uint32_t file;
	uint32_t sampled; /* of polls that were; only 0 leads others */
};

struct kind_cause {
	struct kind_cause_key key;
	uint64_t count, total_ns, max_ns;
	uint32_t targets; /* with file FILE_NONE: files told apart under this cause */
	UT_hash_handle hh;
};

/* Of sampled polls, and part of what is measured of all. */
struct kind_sampled {
	uint64_t polls, on_cpu_ns, runqueue_ns;
};

struct kind_jobs {
	uint64_t jobs, running, queued_ns, run_ns;
	struct histogram wait, run;
};

enum kind_choice { KIND_UNDECIDED, KIND_CHOSEN, KIND_LEFT_OUT };

/* A wait's weight found lately: saves looking it up. */
struct kind_wait {
	uint32_t waker;        /* its code */
	struct weight *weight; /* NULL: none */
};

#define KIND_WAITS 4

struct kind {
	/* What each poll touches, KIND_HOT_BYTES of it, comes first. */
	uint64_t polls;
	uint64_t self_ns; /* on CPU, innermost; of sampled polls apart */
	enum kind_choice choice;
	bool used; /* by a task or a stack */
	struct kind_key key;
	uint32_t index;   /* in kinds.list */
	uint32_t type;    /* index in the model: made at the end */
	uint64_t address; /* KIND_OF_TASK: what it turned out to be; 0: not told */
	struct source *source;
	struct kind_wait waits[KIND_WAITS];
	struct stratum awaits; /* gaps that begin now */
	struct histogram poll, wait;

	uint32_t line;
	bool unreadable;
	char *name, *file, *full; /* NULL: not told yet */
	uint64_t tasks, alive, wakes, redundant_wakes;
	struct model_times times;
	struct kind_sampled sampled;
	uint64_t sampled_self_ns;
	uint64_t skipped;   /* polls that were left out */
	struct scale scale; /* of its type: made at the end */
	struct kind_cause *causes;
	struct kind_jobs *jobs;
	struct best *best;      /* while it is not known whether it was asked for; NULL: none */
	char *label, *location; /* as the model shows them: made at the end */
	UT_hash_handle hh;
};

#define KIND_HOT_BYTES (offsetof(struct kind, poll) + 64)

#define KINDS_RECENT 1024

/* All zero is an empty one. */
struct kinds {
	struct kind **list;
	size_t count, capacity;
	struct kind *by_key;
	struct kind *recent[KINDS_RECENT]; /* found lately, by hash of address */
	const char *glob;                  /* NULL: all are chosen */
};

/* Finds or adds; EVENT_UNKNOWN counts as 0. NULL without memory. */
struct kind *kinds_get(struct kinds *kinds, struct source *source, uint64_t address,
		       enum kind_form form);

/* The plain kind of an address, NULL where there is none. */
struct kind *kinds_find(struct kinds *kinds, const struct source *source, uint64_t address);

int kinds_describe(struct kinds *kinds, struct source *source, const struct event_kind *event);

/* Whether its type is one that was asked for; true as long as its name is not known. */
bool kinds_chosen(struct kinds *kinds, struct kind *kind);

/* Whether that has yet to show. */
static inline bool kinds_undecided(const struct kinds *kinds, const struct kind *kind)
{
	return kinds->glob && kind->choice == KIND_UNDECIDED;
}

/* The full type, "" where no more is known than the name. */
const char *kinds_full(struct kinds *kinds, const struct kind *kind);

/* Makes label and location. Returns 0 or -ENOMEM. */
int kinds_label(struct kinds *kinds, struct kind *kind);

/* Whether a new file can be told from others under this cause. */
bool kind_has_room(const struct kind *kind, uint32_t cause);

/* Counts sleeps; FILE_OTHERS where there is no room for the key's file. Returns 0 or -ENOMEM. */
int kind_add_cause(struct kind *kind, struct kind_cause_key key, uint64_t count, uint64_t total_ns,
		   uint64_t max_ns);

/* NULL without memory. */
struct kind_jobs *kind_jobs(struct kind *kind);

void kinds_clear(struct kinds *kinds);

#endif
