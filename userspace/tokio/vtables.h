/* SPDX-License-Identifier: MIT */
/*
 * The task vtables of an image: every type of future on every scheduler has one, in data that is
 * relocated, also in stripped programs. They are found by their shape: a row of pointers to code, then
 * offsets that can be those of a task's parts.
 */
#ifndef POLLSCOPE_TOKIO_VTABLES_H
#define POLLSCOPE_TOKIO_VTABLES_H

#include <stddef.h>
#include <stdint.h>

struct image;
struct layout;

#define VTABLES_MAX 65536 /* of one file */

struct vtable {
	uint64_t vaddr;
	uint64_t poll, schedule, shutdown; /* link-time addresses; 0: the layout has none */
	uint32_t trailer;                  /* in the task, like the next two */
	uint16_t scheduler, id;
};

struct vtables {
	struct vtable *list; /* by address */
	size_t n;
};

/* vtables_find() - 0, -ENOMEM, -EFBIG. For layouts without offsets there is no shape to find them by: none. */
int vtables_find(const struct image *image, const struct layout *layout, struct vtables *vtables);

/* vtables_release() - it is empty afterwards. */
void vtables_release(struct vtables *vtables);

#endif
