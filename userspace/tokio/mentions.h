/* SPDX-License-Identifier: MIT */
/*
 * The addresses that a function's machine code mentions: whom it calls or jumps to, and what it
 * takes the address of.
 */
#ifndef POLLSCOPE_TOKIO_MENTIONS_H
#define POLLSCOPE_TOKIO_MENTIONS_H

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image;

struct mention {
	uint64_t vaddr;
	size_t order; /* in the code */
};

struct mention_list {
	struct mention *list;
	size_t n, capacity;
};

/* Of the function that was looked at last; code_function says what is in which (code.h). */
struct mentions {
	const struct image *image;
	ZydisDecoder decoder;
	struct mention_list callees, references;
	bool failed; /* no memory */
};

struct machine_code {
	const uint8_t *bytes;
	uint64_t start, end; /* link-time addresses */
	bool bounded;        /* false: it ends before `end`, by how it flows */
};

void mentions_init(struct mentions *mentions, const struct image *image);
void mentions_release(struct mentions *mentions);

/*
 * mentions_collect() - decodes a function, and tells its end where that was not known. 0 or
 * -ENOMEM.
 */
int mentions_collect(struct mentions *mentions, struct machine_code *function);

#endif
