/* SPDX-License-Identifier: MIT */
/*
 * The functions that one leads to by direct calls, nearest first.
 */
#ifndef POLLSCOPE_TOKIO_SEARCH_H
#define POLLSCOPE_TOKIO_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code;
struct code_function;

#define SEARCH_FUNCTIONS_MAX 1024 /* looked into; what is further away is not found */

struct search {
	struct code *code;
	unsigned int depth_max; /* calls between the first function and the furthest */
	bool with_addresses;    /* functions whose address is taken count as called */
	size_t n, at;
	uint64_t functions[SEARCH_FUNCTIONS_MAX];
	uint8_t depths[SEARCH_FUNCTIONS_MAX];
};

/* search_begin() - an empty one. */
void search_begin(struct search *search, struct code *code, unsigned int depth_max);

/* search_add() - also begins at this function. */
void search_add(struct search *search, uint64_t vaddr);

/* search_next() - the next function and how many calls away it is; NULL: there are no more. */
const struct code_function *search_next(struct search *search, unsigned int *depth);

#endif
