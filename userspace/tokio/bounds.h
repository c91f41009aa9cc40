/* SPDX-License-Identifier: MIT */
/*
 * Where functions begin and end, by the unwinder's table of them (.eh_frame_hdr and .eh_frame;
 * System V ABI AMD64, section 4.2.4; LSB Core, "Exception Frames"): it is there in stripped
 * programs too.
 */
#ifndef POLLSCOPE_TOKIO_BOUNDS_H
#define POLLSCOPE_TOKIO_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

struct image;

struct bounds {
	const struct image *image;
	uint64_t header; /* link-time address of .eh_frame_hdr */
	/* Of its entries: two s32 relative to header, a function and its description. */
	uint64_t table;
	uint64_t nentries;
};

/* bounds_init() - where there is no table that can be read, it is empty. */
void bounds_init(const struct image *image, struct bounds *bounds);

/*
 * bounds_find() - the function that holds a link-time address, in code. False: none is known; *end
 * is then where the next one that is begins, or UINT64_MAX.
 */
bool bounds_find(const struct bounds *bounds, uint64_t vaddr, uint64_t *start, uint64_t *end);

#endif
