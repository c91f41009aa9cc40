/* SPDX-License-Identifier: MIT */
/* How a flame is put together: push frames, root first, then finish the stack. Internal to emit. */
#ifndef POLLSCOPE_EMIT_FLAME_BUILDER_H
#define POLLSCOPE_EMIT_FLAME_BUILDER_H

#include "emit/flame.h"

struct flame_builder {
	const struct model *model;
	enum flame_by by;
	struct flame *flame;
	size_t capacity;                   /* of flame->stacks */
	const struct flame_frame **frames; /* of the stack in the making */
	size_t nframes, frames_capacity;
};

/* All return 0 or -ENOMEM. flame_start() comes first, flame_finish() last whatever they returned.
 */
int flame_start(struct flame_builder *builder);

/* name is escaped here. */
int flame_push(struct flame_builder *builder, const char *name, enum flame_class class);

/* Takes the frames pushed since the last stack, unless it weighs nothing. */
int flame_finish_stack(struct flame_builder *builder, uint64_t ns);

/* Returns the flame, or frees it and returns NULL if err is set. */
struct flame *flame_finish(struct flame_builder *builder, int err);

#endif
