/* SPDX-License-Identifier: MIT */
/*
 * Growing arrays.
 */
#ifndef POLLSCOPE_CORE_ARRAY_H
#define POLLSCOPE_CORE_ARRAY_H

#include <stddef.h>
#include <stdlib.h>

/*
 * Makes room for one more element of `size` bytes behind `used` of them. Returns the array, perhaps
 * moved, or NULL without memory: the old one is then still there.
 */
static inline void *array_grow(void *array, size_t used, size_t *capacity, size_t size)
{
	size_t more = *capacity ? *capacity * 2 : 8;
	void *grown;

	if (used < *capacity)
		return array;
	grown = reallocarray(array, more, size);
	if (grown)
		*capacity = more;
	return grown;
}

#endif
