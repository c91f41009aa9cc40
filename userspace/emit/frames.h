/* SPDX-License-Identifier: MIT */
/* Stacks as names. */
#ifndef POLLSCOPE_EMIT_FRAMES_H
#define POLLSCOPE_EMIT_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/model.h"

/* Strings are the model's, or valid during the visit only. */
struct emit_frame {
	const char *name; /* the kernel's end in "_[k]" */
	const char *file; /* "" where unknown */
	uint32_t line;    /* 0 where unknown */
	bool kernel;
	bool known; /* else name is "module+0xoffset" or "[unknown module]" */
};

/*
 * Visits the functions of a stack, root first, inlined ones after those that hold them.
 * MODEL_NO_STACK has none. A visitor's result other than 0 ends the walk and is returned; else 0.
 */
int emit_frames_visit(const struct model *model, uint32_t stack,
		      int (*visit)(void *context, const struct emit_frame *frame), void *context);

/*
 * The file that an address of a stack belongs to, or NULL. process: an index into processes, or EVENT_NO_PROCESS.
 */
const struct model_module *emit_frames_module(const struct model *model, uint32_t process,
					      uint64_t address, bool is_return);

#endif
