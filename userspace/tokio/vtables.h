/* SPDX-License-Identifier: MIT */
/*
 * The task vtables of an image: every type of future on every scheduler has one, in data that is
 * relocated, also in stripped programs. They are found by their shape: a row of pointers to code,
 * then offsets that can be those of a task's parts. Older ones have no offsets: those are found by
 * what their functions are called.
 */
#ifndef POLLSCOPE_TOKIO_VTABLES_H
#define POLLSCOPE_TOKIO_VTABLES_H

#include <stddef.h>
#include <stdint.h>

struct image;
struct layout;
struct symtab;

#define VTABLES_MAX 65536 /* of one file */

struct vtable {
	uint64_t vaddr;
	uint64_t poll, schedule, shutdown; /* link-time addresses; 0: it has none */
	uint32_t trailer;                  /* in the task, like the next two; 0: unknown */
	uint16_t scheduler, id;
};

struct vtables {
	struct vtable *list; /* by address */
	size_t n;
};

/*
 * vtables_find() - symtab: the image's symbols, for layouts that are found by names; else NULL will
 * do. 0, -ENOMEM, -EFBIG.
 */
int vtables_find(const struct image *image, const struct layout *layout,
		 const struct symtab *symtab, struct vtables *vtables);

/* vtables_release() - it is empty afterwards. */
void vtables_release(struct vtables *vtables);

#endif
