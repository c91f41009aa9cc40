/* SPDX-License-Identifier: MIT */
/*
 * A pprof profile in the making: what samples refer to, each once. Internal to emit.
 */
#ifndef POLLSCOPE_EMIT_PPROF_TABLES_H
#define POLLSCOPE_EMIT_PPROF_TABLES_H

#include <stdint.h>

#include "core/model.h"
#include "pprof.pb-c.h"

struct pprof_string;
struct pprof_function;
struct pprof_location;

struct pprof_tables {
	const struct model *model;
	Pprof__Profile *profile; /* all of it is malloc's */
	struct pprof_string *strings;
	struct pprof_function *functions;
	struct pprof_location *locations;
	uint64_t kernel;   /* id of the kernel's mapping; 0: not needed yet */
	uint64_t no_stack; /* id of the location that stands for none; likewise */
};

/* All that return int: 0 or -ENOMEM. pprof_tables_release() comes last whatever they returned. */

/* Begins a profile, with a mapping for each of the model's modules. */
int pprof_tables_init(struct pprof_tables *tables, const struct model *model);
void pprof_tables_release(struct pprof_tables *tables);

/* The index of a string. */
int pprof_tables_string(struct pprof_tables *tables, const char *string, int64_t *index);

/* The id of the location of a stack's i-th frame. */
int pprof_tables_location(struct pprof_tables *tables, const struct model_stack *stack, uint32_t i,
			  uint64_t *id);

/* The id of a location for what has no stack. */
int pprof_tables_no_stack(struct pprof_tables *tables, uint64_t *id);

/* Room for one more element behind n; grows by doubling. NULL without memory. */
void *pprof_tables_room(void *list, size_t n, size_t size);

/* Defines new_NAME(), which adds an empty message to an owner's list; it returns NULL without memory. */
#define PPROF_DEFINE_NEW(type, name, owner, list)                                                  \
	static Pprof__##type *new_##name(Pprof__##owner *to)                                       \
	{                                                                                          \
		void *grown = pprof_tables_room(to->list, to->n_##list, sizeof(*to->list));        \
		Pprof__##type *message = malloc(sizeof(*message));                                 \
                                                                                                   \
		if (grown)                                                                         \
			to->list = grown;                                                          \
		if (!grown || !message) {                                                          \
			free(message);                                                             \
			return NULL;                                                               \
		}                                                                                  \
		pprof__##name##__init(message);                                                    \
		to->list[to->n_##list++] = message;                                                \
		return message;                                                                    \
	}

#endif
