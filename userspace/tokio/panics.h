/* SPDX-License-Identifier: MIT */
/*
 * Functions that do not return, as those that panic, told by their code.
 */
#ifndef POLLSCOPE_TOKIO_PANICS_H
#define POLLSCOPE_TOKIO_PANICS_H

#include <stdbool.h>
#include <stdint.h>

struct code;
struct image;
struct panics;

struct panic {
	bool resumed; /* for an async body that is polled after its end */
};

/* panics_new() - both must outlive it. NULL: out of memory. */
struct panics *panics_new(const struct image *image, struct code *code);

/* panics_free() - NULL is legal. */
void panics_free(struct panics *panics);

/* panics_find() - what is known of the function at a link-time address; NULL: it may return. */
const struct panic *panics_find(struct panics *panics, uint64_t vaddr);

/*
 * panics_is_message() - whether the message of such a panic for async bodies is at an address, or a
 * pointer to it: up to Rust 1.78 bodies hand it to the panic themselves.
 */
bool panics_is_message(const struct panics *panics, uint64_t vaddr);

#endif
