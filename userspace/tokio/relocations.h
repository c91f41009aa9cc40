/* SPDX-License-Identifier: MIT */
/*
 * What the dynamic linker would write into an image: its relocations, of those kinds that make
 * pointers.
 */
#ifndef POLLSCOPE_TOKIO_RELOCATIONS_H
#define POLLSCOPE_TOKIO_RELOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image;

struct relocations_sink {
	/*
	 * The word at vaddr, which may be anywhere, becomes a pointer to *target (0: into another file);
	 * NULL: to where it points already. False: no memory.
	 */
	bool (*relocate)(void *context, uint64_t vaddr, const uint64_t *target);
	void *context;
};

/*
 * relocations_read() - dynamic: link-time address of the dynamic section; words: how many there are
 * in the image, each of which is relocated once. 0; -ENOEXEC: damaged; -ENOMEM.
 */
int relocations_read(const struct image *image, uint64_t dynamic, uint64_t words,
		     const struct relocations_sink *sink);

#endif
