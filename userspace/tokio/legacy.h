/* SPDX-License-Identifier: MIT */
/*
 * Types of tasks by legacy symbols. Those name a generic function, and have a hash for its
 * arguments; but an async body is called by its function's name, and the function that drops a
 * task's memory has the task's type in its name. As linkers and compilers merge functions that are
 * the same, such a name is taken only where nothing contradicts it.
 */
#ifndef POLLSCOPE_TOKIO_LEGACY_H
#define POLLSCOPE_TOKIO_LEGACY_H

#include <stdint.h>

struct async_body;
struct code;
struct image;
struct legacy;
struct module;
struct vtable;

/* legacy_new() - all must outlive it. NULL: out of memory. */
struct legacy *legacy_new(const struct image *image, struct code *code, struct module *module);

/* legacy_free() - NULL is legal. */
void legacy_free(struct legacy *legacy);

/*
 * legacy_add() - notes which function drops such tasks. To be called for all tasks before the first
 * is asked for. body: NULL: none was found. 0 or -ENOMEM.
 */
int legacy_add(struct legacy *legacy, const struct vtable *vtable, const struct async_body *body);

/*
 * legacy_type() - the type of a task's future: "app::work::{{closure}}". 0 and *type, to be freed;
 * -ENOENT; -ENOMEM.
 */
int legacy_type(struct legacy *legacy, const struct vtable *vtable, const struct async_body *body,
		char **type);

#endif
