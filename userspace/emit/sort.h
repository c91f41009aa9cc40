/* SPDX-License-Identifier: MIT */
/* The order of task types, by a column of the report, and of workers, for every form of it. */
#ifndef POLLSCOPE_EMIT_SORT_H
#define POLLSCOPE_EMIT_SORT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/model.h"

#define EMIT_SORT_DEFAULT "polling_ns"

/* The keys: JSON names of a task type's columns ("poll_ns.p99" for one inside an object); NULL past
 * the last. */
const char *emit_sort_key(size_t i);

bool emit_sort_key_valid(const char *key);

/*
 * Returns the indices of all types in order: greatest number or least string first, the model's own
 * order among equals. NULL stands for the default key, as does one that is not valid. To be freed;
 * NULL without memory.
 */
size_t *emit_sort_types(const struct model *model, const char *key);

/* The busiest share of its time first; of one model, whose order it is among equals. */
void emit_sort_workers(const struct model_worker **workers, size_t n);

#endif
