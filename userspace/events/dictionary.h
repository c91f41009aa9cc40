/* SPDX-License-Identifier: MIT */
/*
 * Values to dense indices, in the order in which they were first seen.
 *
 * Our own instead of a hash library's: two look-ups are made for each event of a recording being
 * written, and all is thrown away with each chunk. An emptied dictionary keeps its memory.
 */
#ifndef POLLSCOPE_EVENTS_DICTIONARY_H
#define POLLSCOPE_EVENTS_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DICTIONARY_FAILED UINT32_MAX /* without memory */

/* Of numbers. All zero is an empty one. */
struct dictionary {
	uint64_t *values; /* by index */
	uint32_t n;
	uint32_t *slots; /* index + 1; 0: free */
	uint32_t nslots; /* power of 2, at least twice n */
	uint32_t recent; /* index of the last look-up */
};

uint32_t dictionary_index(struct dictionary *dictionary, uint64_t value);
void dictionary_empty(struct dictionary *dictionary);
void dictionary_release(struct dictionary *dictionary);

/* Of byte strings, of which it keeps copies. All zero is an empty one. */
struct blob {
	size_t offset, size;
};

struct blob_dictionary {
	char *bytes;
	size_t nbytes, capacity;
	struct blob *blobs; /* by index */
	uint32_t n;
	uint32_t *slots;
	uint32_t nslots;
};

/* *added tells whether it is new. */
uint32_t blob_dictionary_index(struct blob_dictionary *dictionary, const void *bytes, size_t size,
			       bool *added);
void blob_dictionary_empty(struct blob_dictionary *dictionary);
void blob_dictionary_release(struct blob_dictionary *dictionary);

#endif
