/* SPDX-License-Identifier: MIT */
/*
 * The machine code of an image, function by function: whom each calls directly, and which data it
 * takes the address of. Functions are bounded by the unwinder's table (bounds.h), where that does
 * not know one by how its code flows; decoded by Zydis, and remembered.
 */
#ifndef POLLSCOPE_TOKIO_CODE_H
#define POLLSCOPE_TOKIO_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code;
struct image;

#define CODE_FUNCTION_MAX (1 << 20) /* bytes of the longest function that is decoded to its end */

struct code_function {
	uint64_t start, end;     /* link-time addresses */
	const uint64_t *callees; /* targets of direct calls, and of jumps out of it, also through a
				    pointer in data that it loads; in the code's order, each once */
	size_t ncallees;
	const uint64_t *references; /* addresses outside of it that it takes (lea, an immediate, or
				       a load of a relocated pointer) and the file has bytes for;
				       in the code's order, each once */
	size_t nreferences;
};

/* code_new() - the image must outlive it. 0 or -ENOMEM. */
int code_new(const struct image *image, struct code **code);

/* code_free() - NULL is legal. */
void code_free(struct code *code);

/*
 * code_function() - the function that holds a link-time address, which stays valid as long as the
 * code; one that the unwinder's table does not know is taken to begin there. NULL: there is no
 * code, or no memory; or more has been decoded than any sound file has.
 */
const struct code_function *code_function(struct code *code, uint64_t vaddr);

typedef bool (*code_visit)(void *context, const struct code_function *function, unsigned int depth);

/*
 * code_walk() - calls `visit` for the function that holds root, then for those that it calls, and
 * so on, the nearest first and each once, until that returns false. At most `depth` calls away and
 * `functions` of them. visit() may not walk itself. 0; 1: stopped by visit; -ENOMEM.
 */
int code_walk(struct code *code, uint64_t root, unsigned int depth, size_t functions,
	      code_visit visit, void *context);

/* code_walk_taken() - the same, and on to functions whose address is taken: closures passed on. */
int code_walk_taken(struct code *code, uint64_t root, unsigned int depth, size_t functions,
		    code_visit visit, void *context);

#endif
