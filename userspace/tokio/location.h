/* SPDX-License-Identifier: MIT */
/*
 * Places in source code that a program carries for its panics (core::panic::Location): they survive
 * stripping.
 */
#ifndef POLLSCOPE_TOKIO_LOCATION_H
#define POLLSCOPE_TOKIO_LOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image;

struct location {
	const char *file; /* belongs to the image; not terminated */
	size_t file_length;
	uint32_t line, column;
};

/*
 * location_read() - the Location at a link-time address: a pointer to a name that ends in ".rs",
 * its length, line, column (since Rust 1.35). False: there is none.
 */
bool location_read(const struct image *image, uint64_t vaddr, struct location *location);

/*
 * location_is_library() - whether it is in the standard library, in a crate that cargo fetched, or
 * in Tokio: by where those are kept.
 */
bool location_is_library(const struct location *location);

#endif
