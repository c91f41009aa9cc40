/* SPDX-License-Identifier: MIT */
/*
 * Which Tokio an image has in it, by the paths of Tokio's own source files: panics name them, so
 * they survive stripping.
 */
#ifndef POLLSCOPE_TOKIO_VERSION_H
#define POLLSCOPE_TOKIO_VERSION_H

#include <stdint.h>

struct image;

struct tokio_version {
	uint16_t major, minor, patch; /* all 0: unknown */
};

/*
 * version_find() - the newest Tokio that is named; none where the paths hold no version, as those
 * of a Git checkout or where they were remapped.
 */
struct tokio_version version_find(const struct image *image);

#endif
